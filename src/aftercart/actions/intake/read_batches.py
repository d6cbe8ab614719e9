"""Cut what was sent into batches and read them: without the database, so that a thread can while another writes."""

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings

from aftercart.actions.intake.find_unchanged import Head, find_head
from aftercart.lib.json_lines import LONGEST_LINE, BadLine, InputDamaged
from aftercart.orders.intake.order import OrderIntake, find_number, read_order
from aftercart.orders.intake.text import Sent, list_sent
from aftercart.orders.intake.values import Document, DocumentInvalid, decode_document

#: A batch holds at most this many bytes of documents, so that memory is bounded whatever the lines hold.
_LARGEST_BATCH: Final = 16 * 1024 * 1024
_LONGEST_REASON: Final = 2000
#: In seconds. What takes longer to arrive than any batch to write is not worth waiting for.
_SLOW: Final = 1.0


@dataclass(slots=True)
class Chunk:
    """What was sent, as many documents as a batch holds; what was wrong with the input is in the last one."""

    sent: list[Sent] = field(default_factory=list)
    size: int = 0
    is_slow: bool = False
    is_last: bool = False
    damage: BadLine | None = None
    #: What ended the reading of the input. What had not filled a chunk by then is not begun.
    failure: Exception | None = None


@dataclass(slots=True)
class Batch:
    """Documents that are not yet written, each order once: with their heads alone, then read; and bad ones."""

    taken: list[tuple[Sent, Head | None, OrderIntake | None]] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)
    bad: list[BadLine] = field(default_factory=list)
    size: int = 0
    count: int = 0
    unchanged: int = 0
    intakes: list[OrderIntake] = field(default_factory=list)
    #: The number of each intake's line.
    lines: list[int] = field(default_factory=list)

    def list_heads(self, others: Collection[str]) -> list[Head]:
        """List the heads of orders that are not among these."""
        return [head for _sent, head, _intake in self.taken if head and head.number not in others]


def list_chunks(lines: Iterable[bytes], count: int) -> Iterator[Chunk]:
    """Cut the lines, or the documents of JSON texts, into chunks of at most `count`; the last one may be empty."""
    chunk, number, began = Chunk(), 0, time.monotonic()
    try:
        for sent in list_sent(lines):
            number = sent.number
            chunk.sent.append(sent)
            chunk.size += sent.size
            if len(chunk.sent) >= count or chunk.size >= _LARGEST_BATCH:
                chunk.is_slow = time.monotonic() - began > _SLOW
                yield chunk
                chunk, began = Chunk(), time.monotonic()
    except InputDamaged as error:
        reason = f"the input is damaged from here on, nothing more of it was read: {error}"
        chunk.damage = BadLine(number + 1, reason, None)
    except Exception as error:  # noqa: BLE001 - whoever imports raises it, once what came before is written
        chunk = Chunk(failure=error)
    chunk.is_last = True
    yield chunk


def split_chunk(chunk: Chunk, most: int | None) -> list[Batch]:
    """Look at each document's head; split where an order comes again, so that the later line finds the earlier one."""
    batches, batch = [], Batch()
    for sent in chunk.sent:
        is_within = most is None or sent.number <= most
        head = find_head(sent.content) if is_within and isinstance(sent.content, bytes) else None
        intake = None if head else _read(sent, batch, most)
        known = head or intake
        number = known.number if known else None
        if number in batch.numbers:
            batches.append(batch)
            batch = Batch()
        batch.count += 1
        batch.size += sent.size
        if number is not None:
            batch.taken.append((sent, head, intake))
            batch.numbers.add(number)
    if chunk.damage:
        batch.bad.append(chunk.damage)
    if batch.count or batch.bad:
        batches.append(batch)
    return batches


def read_batch(batch: Batch, unchanged: Collection[str], most: int | None) -> Batch:
    """Read what we do not have as it was sent; the numbers of what we have are `unchanged`."""
    for sent, head, read in batch.taken:
        if head and head.number in unchanged:
            batch.unchanged += 1
        elif intake := read or _read(sent, batch, most):
            intake.digest = None if head is None or intake.doubts else head.digest
            batch.intakes.append(intake)
            batch.lines.append(sent.number)
    batch.taken.clear()
    return batch


def make_report(line: int, reason: str, number: str | None, *, is_imported: bool = False) -> BadLine:
    """Make a report of a line, of no more than a reader wants to know."""
    return BadLine(line, reason[:_LONGEST_REASON], number, is_imported)


def _read(sent: Sent, batch: Batch, most: int | None) -> OrderIntake | None:
    """Read one document; a bad one is noted, an empty line passed over, and both are None."""
    document = None
    try:
        if most is not None and sent.number > most:
            raise DocumentInvalid("", f"more than {most} at once")  # noqa: TRY301 - the except clause below words every refusal
        document = _decode(sent)
        return None if document is None else read_order(document, channel_id=settings.OMNITRON_CHANNEL_ID)
    except DocumentInvalid as error:
        batch.bad.append(make_report(sent.number, str(error), find_number(document)))
        return None


def _decode(sent: Sent) -> Document | None:
    """Return what was sent as a document, None for an empty line. Raises `DocumentInvalid`."""
    content = sent.content
    if isinstance(content, DocumentInvalid):
        raise content
    if not isinstance(content, bytes):
        return content
    if len(content) > LONGEST_LINE:
        raise DocumentInvalid("", f"longer than {LONGEST_LINE} bytes")
    return decode_document(content) if content.strip() else None
