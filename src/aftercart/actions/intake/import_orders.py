"""Import orders from JSON Lines: idempotent, in batches, and never stopped by a bad line.

While a batch is written, a thread reads the next one. The database is the caller's alone.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from django.db import DatabaseError, OperationalError, transaction

from aftercart.actions.intake.find_unchanged import find_unchanged
from aftercart.actions.intake.read_batches import (
    Batch,
    Chunk,
    list_chunks,
    make_report,
    read_batch,
    split_chunk,
)
from aftercart.actions.intake.write_orders import BatchOutcome, write_orders
from aftercart.lib.json_lines import BadLine, BadLinesFile, bad_lines_path, open_lines
from aftercart.orders.intake.order import OrderIntake

__all__ = ["BadLine", "BadLinesFile", "ImportResult", "bad_lines_path", "import_orders", "open_lines"]

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
    batch_size: int = 1000,
    most: int | None = None,
) -> ImportResult:
    """Import order documents (contract section 6), one a line, or in JSON texts; see `open_lines` and `list_sent`.

    Idempotent by number: the same document again leaves an order unchanged, a newer `modified_date` updates
    it, an older one is passed over. Each batch is a transaction of its own, in the order of the lines, so what was
    imported stays, whatever happens later. `report_bad` gets every line that did not go in or is doubtful, in order;
    `progress` gets the number of lines dealt with since it was last called. Documents beyond `most` are refused unread.
    Memory is bounded by three batches: one that is written, one that is read, one that is not yet. Raises
    `django.db.OperationalError` or `InterfaceError` when the database goes away, and what reading the lines raises.
    """
    importer = _Importer(report_bad, progress or (lambda _count: None), batch_size, most)
    importer.run(lines)
    return importer.result()


class _Here(Executor):
    """Does at once, and in this thread, what it is given."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it."""
        done: Future[Any] = Future()
        done.set_result(work(*args, **kwargs))
        return done


class _Importer:
    def __init__(
        self,
        report_bad: Callable[[BadLine], None],
        progress: Callable[[int], None],
        batch_size: int,
        most: int | None,
    ) -> None:
        self._report_bad = report_bad
        self._progress = progress
        self._most = most
        self._batch_size = batch_size
        #: The batch that is being read, to be written next, and the numbers of its orders.
        self._next: Future[Batch] | None = None
        self._next_numbers: set[str] = set()
        self._total: Counter[str] = Counter()

    def result(self) -> ImportResult:
        return ImportResult(**self._total)

    def run(self, lines: Iterable[bytes]) -> None:
        """Import the lines; a thread is begun only for more than a batch, and never for somebody who waits."""
        chunks = list_chunks(lines, self._batch_size)
        first = next(chunks)
        everything = itertools.chain([first], chunks)
        if first.is_last or self._most is not None:
            self._import(everything, _Here())
            return
        reader = ThreadPoolExecutor(1, "intake")
        try:
            self._import(everything, reader)
        finally:
            reader.shutdown(cancel_futures=True)

    def _import(self, chunks: Iterable[Chunk], reader: Executor) -> None:
        try:
            for batch in self._list_batches(chunks, reader):
                read = None if batch is None else self._begin(batch, reader)
                self._write_next()
                if batch is not None:
                    self._next, self._next_numbers = read, batch.numbers
        except Exception:
            self._write_next()  # what came before whatever could not be read
            raise
        self._write_next()

    def _list_batches(self, chunks: Iterable[Chunk], reader: Executor) -> Iterator[Batch | None]:
        """List the batches, a chunk ahead; None where it is better to write than to wait for more."""
        split: Future[list[Batch]] | None = None
        failure = None
        for chunk in chunks:
            before, split = split, reader.submit(split_chunk, chunk, self._most)
            if before:
                yield from before.result()
            if chunk.is_slow:
                yield from split.result()
                yield None
                split = None
            failure = chunk.failure
        if split:
            yield from split.result()
        if failure:
            raise failure

    def _begin(self, batch: Batch, reader: Executor) -> Future[Batch]:
        """Have a batch read, without what we have already.

        What is about to be written may change what we have: orders of that batch are read again, and compared then.
        """
        unchanged = find_unchanged(batch.list_heads(self._next_numbers))
        return reader.submit(read_batch, batch, unchanged, self._most)

    def _write_next(self) -> None:
        """Write the batch that was read last, once."""
        read, self._next, self._next_numbers = self._next, None, set()
        if read:
            self._write(read.result())

    def _write(self, batch: Batch) -> None:
        intakes = batch.intakes
        outcome = write_batch(intakes) if intakes else BatchOutcome()
        for place, reason in outcome.refused.items():
            batch.bad.append(make_report(batch.lines[place], reason, intakes[place].number))
        doubtful = [
            make_report(batch.lines[place], doubt, intake.number, is_imported=True)
            for place, intake in enumerate(intakes)
            for doubt in intake.doubts
            if place not in outcome.refused
        ]
        self._total += outcome.counts
        self._total += Counter(unchanged=batch.unchanged, bad=len(batch.bad), doubtful=len(doubtful))
        for bad in sorted([*batch.bad, *doubtful], key=lambda bad: bad.line):
            self._report_bad(bad)
        self._progress(batch.count)


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
    refused = {half + place: reason for place, reason in second.refused.items()}
    return BatchOutcome(first.counts + second.counts, first.refused | refused)


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
