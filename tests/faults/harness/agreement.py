"""Check 5: items, amounts, requests and timeline agree with each other and with the sandbox."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from aftercart.cancellations.models import AddressChange, CancellationRequest, Submission, SubmissionLine
from aftercart.orders.models import OrderItem
from aftercart.orders.status import FINAL
from tests.faults.harness.books import Books, Violation

DIFFERENT = "5 disagreement"
_State = Submission.State
_Status = CancellationRequest.Status


def check_items(books: Books) -> Iterator[Violation]:
    """An item has lost the units that its completed lines, and Omnitron, say; its status follows."""
    for item in books.items.values():
        for text in _compare_item(books, item):
            yield Violation(DIFFERENT, text, books.orders[item.order_id].number, item.pk)


def _compare_item(books: Books, item: OrderItem) -> Iterator[str]:
    lines, theirs = books.lines_of_item(item.pk), books.theirs(item.pk)
    completed = sum(line.completed_quantity for line in lines)
    if item.cancelled_quantity != completed:
        yield f"{item.cancelled_quantity} units cancelled, its lines say {completed}"
    asked = sum(line.quantity for line in lines if line.is_open)
    if item.reserved_quantity != asked:
        yield f"{item.reserved_quantity} units reserved, its open lines say {asked}"
    gone = sum(row["cancelled_quantity"] for row in theirs)
    if item.cancelled_quantity != gone:
        yield f"{item.cancelled_quantity} units cancelled, Omnitron says {gone}"
    statuses = {row["status"] for row in theirs}
    # Of several items there, some may be gone: ours stands where the rest does.
    rest = {status for status in statuses if status not in FINAL} or statuses
    if {item.status} != rest:
        yield f"stands at {item.status}, at Omnitron at {', '.join(sorted(statuses))}"
    refunded = sum((Decimal(row["refund_amount"]) for row in theirs), Decimal(0))
    if item.refund_amount != refunded:
        yield f"refunded {item.refund_amount}, Omnitron says {refunded}"


def check_orders(books: Books) -> Iterator[Violation]:
    """An order has Omnitron's status, amounts and address."""
    confirmed = {
        change.order_id: change for change in books.changes if change.state == AddressChange.State.CONFIRMED
    }
    for order in books.orders.values():
        remote = books.remote_orders[order.number]
        if order.status != remote["status"]:
            yield Violation(
                DIFFERENT, f"stands at {order.status}, at Omnitron at {remote['status']}", order.number
            )
        for name in ("refund_amount", "discount_refund_amount", "shipping_refund_amount"):
            booked, decided = getattr(order, name), Decimal(remote[name])
            if booked != decided:
                yield Violation(DIFFERENT, f"{name} {booked}, Omnitron says {decided}", order.number)
        ours_pk, their_pk = _get_pk(order.shipping_address), _get_pk(remote["shipping_address"])
        if ours_pk != their_pk:
            shown = f"change {confirmed[order.pk].pk}" if order.pk in confirmed else "no change"
            text = f"goes to address {ours_pk} ({shown} was confirmed last), Omnitron's to {their_pk}"
            yield Violation(DIFFERENT, text, order.number)


def _get_pk(address: Any) -> int | None:
    return address["pk"] if isinstance(address, dict) else None


def check_requests(books: Books) -> Iterator[Violation]:
    """A request says what its line does, and what Omnitron's requests do that were made of it."""
    for line in books.lines:
        request = books.requests.get(line.pk)
        if line.is_open or request is None:
            continue
        if request.status != line.outcome:
            yield books.violation(DIFFERENT, f"request {request.status}, its line {line.outcome}", line)
        theirs = [books.remote_requests[pk]["status"] for pk in request.remote_pks]
        done = theirs.count("completed")
        if request.remote_pks and (done > 0) != (request.status == _Status.COMPLETED):
            text = f"request {request.pk} is {request.status}, Omnitron's are {', '.join(theirs)}"
            yield books.violation(DIFFERENT, text, line)
    known = {pk for request in books.requests.values() for pk in request.remote_pks}
    for pk, row in books.remote_requests.items():
        if pk not in known and row["status"] != "rejected":
            yield Violation(DIFFERENT, f"Omnitron's request {pk} ({row['status']}) is none of ours")


def check_timeline(books: Books) -> Iterator[Violation]:
    """The timeline tells how each submission came and ended, and how each line was decided."""
    for submission in books.submissions:
        entries = books.timeline[submission.order_id]
        events = Counter(e.event for e in entries if e.data.get("submission") == str(submission.uuid))
        wanted = set() if submission.origin == Submission.Origin.APPROVAL else {"cancellation_submitted"}
        wanted |= {"cancellation_sending"} if submission.sent_at is not None else set()
        wanted |= {"cancellation_sent" if submission.state == _State.APPLIED else "requests_opened"}
        number = books.orders[submission.order_id].number
        for event in sorted(wanted):
            if events[event] != 1:
                text = f"{submission.state}, but {events[event]} times {event} in the timeline"
                yield Violation(DIFFERENT, text, number, None, str(submission.uuid))
    for line in books.lines:
        yield from _check_decision(books, line)
    newest = {change.order_id: change.pk for change in books.changes}
    for change in books.changes:
        events = Counter(
            e.event for e in books.timeline[change.order_id] if e.data.get("change") == change.pk
        )
        wanted = {"address_change_submitted"}
        if change.state != AddressChange.State.SUPERSEDED:
            wanted.add(f"address_change_{change.state}")
        # One that an older change overtook was told again, unless a newer one came first.
        again = events["address_change_overtaken"]
        for event in sorted(wanted):
            most = 1 + (again if event == "address_change_confirmed" else 0)
            least = most if change.pk == newest[change.order_id] else 1
            if not least <= events[event] <= most:
                number = books.orders[change.order_id].number
                text = f"address change {change.pk} is {change.state}, but {events[event]} times {event}"
                yield Violation(DIFFERENT, text, number)


def _check_decision(books: Books, line: SubmissionLine) -> Iterator[Violation]:
    if line.is_open:
        return
    decisions = [
        entry.event
        for entry in books.timeline[line.submission.order_id]
        if entry.event in {"cancellation_completed", "cancellation_rejected", "rejection_overruled"}
        and entry.data.get("line") == line.pk
    ]
    overruled = ["cancellation_rejected", "rejection_overruled", "cancellation_completed"]
    if decisions not in ([f"cancellation_{line.outcome}"], overruled):
        text = f"the line was {line.outcome}, the timeline says {', '.join(decisions) or 'nothing'}"
        yield books.violation(DIFFERENT, text, line)


CHECKS = (check_items, check_orders, check_requests, check_timeline)
