"""Import orders from JSON Lines: idempotent, in batches, and never stopped by a bad line."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.db import DatabaseError, OperationalError, transaction

from aftercart.actions.intake.find_unchanged import Head, find_head, find_unchanged
from aftercart.actions.intake.write_orders import BatchOutcome, write_orders
from aftercart.lib.json_lines import (
    LONGEST_LINE,
    BadLine,
    BadLinesFile,
    InputDamaged,
    bad_lines_path,
    open_lines,
)
from aftercart.orders.intake.order import OrderIntake, find_number, read_order
from aftercart.orders.intake.text import Sent, list_sent
from aftercart.orders.intake.values import Document, DocumentInvalid, decode_document

__all__ = ["BadLine", "BadLinesFile", "ImportResult", "bad_lines_path", "import_orders", "open_lines"]

#: A batch holds at most this many bytes of documents, so that memory is bounded whatever the lines hold.
_LARGEST_BATCH: Final = 16 * 1024 * 1024
_LONGEST_REASON: Final = 2000
#: How often a whole batch is tried: a second time, because a customer may have signed up meanwhile.
_TRIES: Final = 2
_TRIES_AFTER_DEADLOCK: Final = 5
#: Classes of SQLSTATE.
_DEADLOCK: Final = "40"
_LIMIT_EXCEEDED: Final = "54"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Orders created, updated, found unchanged, and kept since ours are newer; and lines that were bad.

    `doubtful` of them went in although their amounts do not add up.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0
    bad: int = 0
    doubtful: int = 0


def import_orders(
    lines: Iterable[bytes],
    *,
    report_bad: Callable[[BadLine], None],
    progress: Callable[[int], None] | None = None,
    batch_size: int = 500,
    most: int | None = None,
) -> ImportResult:
    """Import order documents (contract section 6), one a line, or in JSON texts; see `open_lines` and `list_sent`.

    Idempotent by number: the same document again leaves an order unchanged, a newer `modified_date` updates
    it, an older one is passed over. Each batch is a transaction of its own, so what was imported stays,
    whatever happens later. `report_bad` gets every line that did not go in or is doubtful, in order; `progress`
    gets the number of lines dealt with since it was last called. Documents beyond `most` are refused, unread.
    Memory is bounded by the batch. Raises
    `django.db.OperationalError` or `InterfaceError` when the database goes away.
    """
    importer = _Importer(report_bad, batch_size, most)
    for count in importer.run(lines):
        if progress is not None:
            progress(count)
    return importer.result()


@dataclass(slots=True)
class _Batch:
    """Documents that are not yet written, read or with their heads alone, and bad ones."""

    taken: list[tuple[Sent, Head | None, OrderIntake | None]] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)
    bad: list[BadLine] = field(default_factory=list)
    size: int = 0
    count: int = 0


class _Importer:
    def __init__(self, report_bad: Callable[[BadLine], None], batch_size: int, most: int | None) -> None:
        self._report_bad = report_bad
        self._most = most
        self._batch_size = batch_size
        self._batch = _Batch()
        self._total = BatchOutcome()
        self._bad = self._doubtful = 0

    def result(self) -> ImportResult:
        total = self._total
        return ImportResult(
            total.created, total.updated, total.unchanged, total.kept, self._bad, self._doubtful
        )

    def run(self, lines: Iterable[bytes]) -> Iterator[int]:
        """Import the lines; yields the number of lines after each batch."""
        number = 0
        try:
            for sent in list_sent(lines):
                number = sent.number
                yield from self._take(sent)
        except InputDamaged as error:
            reason = f"the input is damaged from here on, nothing more of it was read: {error}"
            self._batch.bad.append(BadLine(number + 1, reason, None))
        if self._batch.count or self._batch.bad:
            yield self._flush()

    def _take(self, sent: Sent) -> Iterator[int]:
        is_within = self._most is None or sent.number <= self._most
        head = find_head(sent.content) if is_within and isinstance(sent.content, bytes) else None
        intake = None if head else self._read(sent, self._batch)
        known = head or intake
        number = known.number if known else None
        if number in self._batch.numbers:
            yield self._flush()  # a batch has each order once, so that the later line finds the earlier one
        batch = self._batch
        batch.count += 1
        batch.size += sent.size
        if number is not None:
            batch.taken.append((sent, head, intake))
            batch.numbers.add(number)
        if batch.count >= self._batch_size or batch.size >= _LARGEST_BATCH:
            yield self._flush()

    def _read(self, sent: Sent, batch: _Batch) -> OrderIntake | None:
        """Read one document; a bad one is noted, an empty line passed over, and both are None."""
        document = None
        try:
            if self._most is not None and sent.number > self._most:
                raise DocumentInvalid("", f"more than {self._most} at once")  # noqa: TRY301 - the except clause below words every refusal
            document = _decode(sent)
            return None if document is None else read_order(document, channel_id=settings.OMNITRON_CHANNEL_ID)
        except DocumentInvalid as error:
            batch.bad.append(_report(sent.number, str(error), find_number(document)))
            return None

    def _read_changed(self, batch: _Batch) -> tuple[list[OrderIntake], list[int]]:
        """Read what we do not have as it was sent; return it with its line numbers."""
        unchanged = find_unchanged([head for _sent, head, _intake in batch.taken if head])
        intakes, lines = [], []
        for sent, head, read in batch.taken:
            if head and head.number in unchanged:
                self._total.unchanged += 1
            elif intake := read or self._read(sent, batch):
                intake.digest = None if head is None or intake.doubts else head.digest
                intakes.append(intake)
                lines.append(sent.number)
        return intakes, lines

    def _flush(self) -> int:
        batch, self._batch = self._batch, _Batch()
        intakes, lines = self._read_changed(batch)
        outcome = write_batch(intakes) if intakes else BatchOutcome()
        for name in ("created", "updated", "unchanged", "kept"):
            setattr(self._total, name, getattr(self._total, name) + getattr(outcome, name))
        for place, reason in outcome.refused.items():
            batch.bad.append(_report(lines[place], reason, intakes[place].number))
        self._bad += len(batch.bad)
        doubtful = [
            _report(lines[place], doubt, intake.number, is_imported=True)
            for place, intake in enumerate(intakes)
            for doubt in intake.doubts
            if place not in outcome.refused
        ]
        self._doubtful += len(doubtful)
        for bad in sorted([*batch.bad, *doubtful], key=lambda bad: bad.line):
            self._report_bad(bad)
        return batch.count


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


def _report(line: int, reason: str, number: str | None, *, is_imported: bool = False) -> BadLine:
    return BadLine(line, reason[:_LONGEST_REASON], number, is_imported)


def write_batch(intakes: Sequence[OrderIntake]) -> BatchOutcome:
    """Write a batch; where the database refuses it, its halves, so that a bad order is refused alone."""
    try:
        return _try(intakes)
    except DatabaseError as error:
        if _is_about_us(error):
            raise
        if len(intakes) == 1:
            reason = str(error).partition("\n")[0]
            return BatchOutcome(refused={0: f"the database refused it: {reason}"})
    half = len(intakes) // 2
    first, second = write_batch(intakes[:half]), write_batch(intakes[half:])
    return BatchOutcome(
        first.created + second.created,
        first.updated + second.updated,
        first.unchanged + second.unchanged,
        first.kept + second.kept,
        first.refused | {half + place: reason for place, reason in second.refused.items()},
    )


def _try(intakes: Sequence[OrderIntake]) -> BatchOutcome:
    for attempt in itertools.count(1):
        try:
            with transaction.atomic(durable=True):
                return write_orders([intake.copy() for intake in intakes])
        except DatabaseError as error:
            if attempt >= (_TRIES_AFTER_DEADLOCK if _get_class(error) == _DEADLOCK else _TRIES):
                raise
    raise AssertionError


def _is_about_us(error: DatabaseError) -> bool:
    """Return whether it is not the orders' fault: no connection, no space, no end of deadlocks."""
    return isinstance(error, OperationalError) and _get_class(error) != _LIMIT_EXCEEDED


def _get_class(error: DatabaseError) -> str:
    """Give the class of a PostgreSQL error: the first two characters of its SQLSTATE, or ""."""
    return str(getattr(error.__cause__, "sqlstate", None) or "")[:2]
