"""The books of both sides, read once nothing moves any more, and what a check says when they disagree."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aftercart.cancellations.models import AddressChange, CancellationRequest, Submission, SubmissionLine
from aftercart.orders.models import IdempotencyRecord, Order, OrderItem, TimelineEntry
from tests.faults.harness.customers import CustomerRequest, Journal
from tests.faults.harness.sandbox_client import SandboxClient

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be: which check found it, where, and what it is."""

    check: str
    text: str
    order: str = ""
    item: int | None = None
    submission: str = ""

    def __str__(self) -> str:
        places = [f"order {self.order}"] if self.order else []
        places += [f"item {self.item}"] if self.item else []
        places += [f"submission {self.submission}"] if self.submission else []
        return f"{self.check}: {', '.join(places)}{': ' if places else ''}{self.text}"


@dataclass(slots=True)
class Books:
    """Both sides at rest. Items are known by our ids; `theirs` are Omnitron's items of one of ours."""

    journal: Journal
    orders: dict[int, Order] = field(default_factory=dict)
    items: dict[int, OrderItem] = field(default_factory=dict)
    submissions: list[Submission] = field(default_factory=list)
    lines: list[SubmissionLine] = field(default_factory=list)
    requests: dict[int, CancellationRequest] = field(default_factory=dict)
    changes: list[AddressChange] = field(default_factory=list)
    records: list[IdempotencyRecord] = field(default_factory=list)
    timeline: dict[int, list[TimelineEntry]] = field(default_factory=lambda: defaultdict(list))
    units: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    remote_orders: dict[str, Row] = field(default_factory=dict)
    remote_items: dict[int, Row] = field(default_factory=dict)
    remote_requests: dict[int, Row] = field(default_factory=dict)
    cancel_calls: list[Row] = field(default_factory=list)
    by_item: dict[int, list[SubmissionLine]] = field(default_factory=lambda: defaultdict(list))
    #: By the text that a request puts into each of its lines.
    lines_by_mark: dict[str, list[SubmissionLine]] = field(default_factory=lambda: defaultdict(list))

    def theirs(self, item_pk: int) -> list[Row]:
        """Give Omnitron's items of one of ours."""
        pks = {unit["item_pk"] for unit in self.units[item_pk]}
        return [self.remote_items[pk] for pk in sorted(pks)]

    def lines_of_item(self, item_pk: int) -> list[SubmissionLine]:
        """Give an item's lines in the order in which they were made."""
        return self.by_item[item_pk]

    def find_first_decision(self, line: SubmissionLine) -> datetime | None:
        """Find when a line was first decided: Omnitron may have overruled that later."""
        decided = {"cancellation_completed", "cancellation_rejected"}
        entries = self.timeline[line.submission.order_id]
        return next((e.at for e in entries if e.event in decided and e.data.get("line") == line.pk), None)

    def violation(self, check: str, text: str, line: SubmissionLine) -> Violation:
        """Say what is wrong with a line."""
        order = self.orders[line.submission.order_id].number
        return Violation(check, text, order, line.order_item_id, str(line.submission.uuid))


def read_books(journal: Journal, sandbox: SandboxClient) -> Books:
    """Read both sides."""
    books = Books(
        journal,
        orders=Order.objects.in_bulk(),
        items=OrderItem.objects.in_bulk(),
        submissions=list(Submission.objects.select_related("idempotency_record").order_by("pk")),
        lines=list(SubmissionLine.objects.select_related("submission").order_by("pk")),
        requests={request.line_id: request for request in CancellationRequest.objects.all()},
        changes=list(AddressChange.objects.select_related("idempotency_record").order_by("pk")),
        records=list(IdempotencyRecord.objects.all()),
        remote_orders=_by(sandbox.list_all("orders"), "number"),
        remote_items=_by(sandbox.list_all("order_items"), "pk"),
        remote_requests=_by(sandbox.list_all("cancellation_requests"), "pk"),
        cancel_calls=sandbox.show("calls", call="order_cancel", limit=1_000_000)["results"],
    )
    for line in books.lines:
        books.by_item[line.order_item_id].append(line)
        books.lines_by_mark[line.description].append(line)
    _read_timeline(books)
    for unit in sandbox.show("ledger")["results"]:
        books.units[int(unit["remote_id"])].append(unit)
    return books


def read_books_of_sendings(journal: Journal, sandbox: SandboxClient) -> Books:
    """Read what must agree at any time, not only at rest: Omnitron's side first, which ours is never behind."""
    books = Books(
        journal, cancel_calls=sandbox.show("calls", call="order_cancel", limit=1_000_000)["results"]
    )
    for unit in sandbox.show("ledger")["results"]:
        books.units[int(unit["remote_id"])].append(unit)
    _read_timeline(books)
    books.submissions = list(Submission.objects.order_by("pk"))
    books.lines = list(
        SubmissionLine.objects.select_related("submission").filter(is_open=True).order_by("pk")
    )
    return books


def _read_timeline(books: Books) -> None:
    for entry in TimelineEntry.objects.order_by("pk"):
        books.timeline[entry.order_id].append(entry)


def _by(rows: Iterable[Row], key: str) -> dict[Any, Row]:
    return {row[key]: row for row in rows}


def get_mark(asked: CustomerRequest) -> str:
    """Give the text that a request puts into each of its lines."""
    return str(asked.body["cancel_order_items"][0]["description"])
