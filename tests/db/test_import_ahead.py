"""While a batch is written, a thread reads the next: what comes of it is what came of one after the other."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest
from django.db import OperationalError

from aftercart.actions.intake import import_orders as module
from aftercart.actions.intake import read_batches as reading
from aftercart.actions.intake.import_orders import BadLine, ImportResult, import_orders
from aftercart.actions.intake.read_batches import Batch, read_batch
from aftercart.actions.intake.write_orders import BatchOutcome, write_orders
from aftercart.orders.intake.order import OrderIntake
from aftercart.orders.models import Order
from tests.import_documents import LATER, MODIFIED, make_document, run_import, write_line
from tests.tables import empty_tables

pytestmark = pytest.mark.django_db

Write = Callable[[Sequence[OrderIntake]], BatchOutcome]
SHORT = "9.99"


def make_lines(count: int) -> list[bytes]:
    return [write_line(make_document(str(n))) for n in range(1, count + 1)]


def import_lines(lines: Iterable[bytes], **options: Any) -> ImportResult:
    return import_orders(lines, report_bad=lambda _: None, batch_size=2, **options)


def list_numbers() -> list[str]:
    return sorted(Order.objects.values_list("number", flat=True), key=int)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


def test_a_batch_is_read_while_the_one_before_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = [threading.Event() for _ in range(4)]
    places, readers, has_been_read = iter(range(4)), [], []

    def read(batch: Batch, *args: Any) -> Batch:
        readers.append(threading.current_thread())
        try:
            return read_batch(batch, *args)
        finally:
            reads[next(places)].set()

    def write(intakes: Sequence[OrderIntake]) -> BatchOutcome:
        following = int(intakes[0].number) // 2 + 1
        if following < len(reads):
            has_been_read.append(reads[following].wait(60))
        return write_orders(intakes)

    monkeypatch.setattr(module, "read_batch", read)
    monkeypatch.setattr(module, "write_orders", write)

    assert import_lines(make_lines(8)) == ImportResult(created=8)
    assert has_been_read == [True] * 3
    assert threading.main_thread() not in readers


def make_mixed() -> list[bytes]:
    """Make lines of every fate, orders that come again in the same batch and in the next ones among them."""
    documents: list[Any] = [
        make_document("1"),
        make_document("2", amount=SHORT),
        make_document("1", modified_date=LATER, invoice_number="new"),
        make_document("1"),
        b"",
        make_document("3", status="no such thing"),
        make_document("3"),
        b"{",
        make_document("3"),
        make_document("2", amount=SHORT),
        make_document("4"),
        make_document("4", invoice_number="not newer"),
        make_document("5", id=4_000_000_000),
        make_document("6", id=4_000_000_000),
    ]
    return [row if isinstance(row, bytes) else write_line(row) for row in documents]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("batch_size", [1, 2, 3, 5])
@pytest.mark.parametrize("is_known", [False, True])
def test_whatever_the_batches_are_the_result_and_the_report_are_the_same(
    batch_size: int, is_known: bool
) -> None:
    def run(size: int) -> tuple[ImportResult, list[BadLine], list[tuple[Any, ...]]]:
        empty_tables()
        if is_known:
            run_import(make_document("1"), make_document("4"), make_document("2", amount=SHORT))
        result, bad = run_import(*make_mixed(), batch_size=size)
        return result, bad, list(Order.objects.order_by("number").values_list("number", "invoice_number"))

    result, bad, rows = run(batch_size)

    made, same = (2, 6) if is_known else (5, 3)
    assert result == ImportResult(created=made, updated=1, unchanged=same, kept=1, bad=3, doubtful=2)
    assert (result, bad, rows) == run(100)
    assert [line.line for line in bad] == sorted(line.line for line in bad)
    assert [line.line for line in bad if not line.is_imported] == [6, 8, 14]
    assert rows == [("1", "new"), ("2", ""), ("3", ""), ("4", ""), ("5", "")]


def test_an_input_that_cannot_be_read_ends_it_after_what_was_read() -> None:
    def break_off() -> Iterator[bytes]:
        yield from make_lines(5)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        import_lines(break_off())

    assert list_numbers() == ["1", "2", "3", "4"]


@pytest.mark.parametrize("step", ["find_head", "read_order"])
def test_a_mistake_in_the_reader_ends_it_after_what_was_read(
    monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    as_ever = getattr(reading, step)

    def read(given: Any, **options: Any) -> Any:
        if given == make_lines(5)[4] or (isinstance(given, dict) and given["number"] == "5"):
            raise ZeroDivisionError
        return as_ever(given, **options)

    monkeypatch.setattr(reading, step, read)
    done: list[int] = []

    with pytest.raises(ZeroDivisionError):
        import_lines(make_lines(8), progress=done.append)

    assert (list_numbers(), done) == (["1", "2", "3", "4"], [2, 2])


def test_a_writer_that_fails_ends_it_and_nothing_after_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def write(intakes: Sequence[OrderIntake]) -> BatchOutcome:
        written.extend(intake.number for intake in intakes)
        if "3" in written:
            raise OperationalError("terminating connection")
        return write_orders(intakes)

    monkeypatch.setattr(module, "write_orders", write)

    with pytest.raises(OperationalError):
        import_lines(make_lines(8))

    assert (list_numbers(), sorted(set(written))) == (["1", "2"], ["1", "2", "3", "4"])


def test_a_report_that_cannot_be_written_ends_it_too() -> None:
    def report(bad: BadLine) -> None:
        raise OSError(bad.number)

    lines = [*make_lines(2), write_line(make_document("bad", status="?")), *make_lines(6)[3:]]
    with pytest.raises(OSError, match="bad"):
        import_orders(lines, report_bad=report, batch_size=2)

    assert list_numbers() == ["1", "2", "4"]


def test_no_more_is_held_than_three_batches() -> None:
    done, ahead = [0], []

    def count() -> Iterator[bytes]:
        for place, line in enumerate(make_lines(20), start=1):
            ahead.append(place - sum(done))
            yield line

    assert import_lines(count(), progress=done.append) == ImportResult(created=20)
    assert (max(ahead), sum(done)) == (6, 20)


def test_who_sends_slowly_has_what_was_sent_written_before_more_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "_SLOW", -1)
    seen = []

    def watch() -> Iterator[bytes]:
        for line in make_lines(5):
            seen.append(Order.objects.count())
            yield line

    import_lines(watch())

    assert seen == [0, 0, 2, 2, 4]


@pytest.mark.parametrize("options", [{"most": 3}, {}])
def test_what_somebody_waits_for_or_is_but_a_batch_begins_no_thread(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, int]
) -> None:
    monkeypatch.setattr(module, "ThreadPoolExecutor", lambda *_: pytest.fail("a thread"))
    count = 5 if options else 1

    result = import_lines(make_lines(count), **options)

    assert result == (ImportResult(created=3, bad=2) if options else ImportResult(created=1))


def test_what_was_known_before_is_counted_as_ever() -> None:
    lines = make_lines(7)
    import_lines(lines)

    assert import_lines(lines) == ImportResult(unchanged=7)
    older = [line.replace(MODIFIED.encode(), b"2026-03-01T11:00:00.000000Z") for line in lines]
    assert import_lines(older) == ImportResult(kept=7)
