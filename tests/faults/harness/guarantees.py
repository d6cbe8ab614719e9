"""Checks 1 to 4 and 7: nothing twice, forgotten, stuck or late, and no trace of a refusal."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from aftercart.cancellations.models import AddressChange, CancellationRequest, Submission
from aftercart.cancellations.states import UNDER_WAY
from aftercart.orders.models import Order
from tests.faults.harness.books import Books, Violation, get_mark
from tests.faults.harness.customers import CustomerRequest
from tests.faults.harness.quiesce import count_under_way

_State = Submission.State
TWICE, FORGOTTEN, TRACE, STUCK = "1 twice", "2 forgotten", "3 trace of a refusal", "4 stuck"
LATE = "7 late"
_LATE = frozenset({"late_sending", "late_success"})
#: What a customer is told when nothing was written.
_REFUSALS = frozenset({400, 404, 422})
_UNAUTHORIZED = 401
_NO_CONTENT = 204


def check_units(books: Books) -> Iterator[Violation]:
    """No unit was cancelled, or taken for cancellation, more than once."""
    for item_pk, units in books.units.items():
        for unit in units:
            pending = unit["cancels_accepted"] - unit["cancels_rejected"]
            if unit["cancelled"] > 1 or pending > 1:
                counts = f"taken {unit['cancels_accepted']} times, cancelled {unit['cancelled']}"
                text = f"unit {unit['unit']}: {counts}"
                yield Violation(TWICE, text, unit["order_number"], item_pk)
    for item_pk, item in books.items.items():
        taken = sum(unit["cancels_accepted"] for unit in books.units[item_pk])
        rejected = sum(unit["cancels_rejected"] for unit in books.units[item_pk])
        lines = [line for line in books.lines_of_item(item_pk) if line.carrier.state == _State.APPLIED]
        asked = sum(line.quantity for line in lines)
        # One that was taken and rejected before anybody looked for it, of an item that had been rejected before,
        # looks as if it had never arrived: it is asked for again, as a request, and so is never forgotten.
        if not asked <= taken <= asked + rejected:
            text = f"Omnitron took {taken} units for cancellation, our applied submissions say {asked}"
            uuids = ", ".join(str(line.submission.uuid) for line in books.lines_of_item(item_pk))
            yield Violation(TWICE, text, books.orders[item.order_id].number, item_pk, uuids)


def check_sendings(books: Books) -> Iterator[Violation]:
    """No submission was sent more than once: Omnitron saw no more cancellations than were marked as sent."""
    calls: Counter[int] = Counter()
    for call in books.cancel_calls:
        if call["answered"] != _UNAUTHORIZED and isinstance(call["body"], dict):
            calls.update(call["body"].get("cancel_items", ()))
    sent: Counter[int] = Counter()
    where: dict[int, list[str]] = defaultdict(list)
    for submission in books.submissions:
        for pk in (submission.command or {}).get("before", {}):
            sent[int(pk)] += 1
            where[int(pk)].append(str(submission.uuid))
    for remote_pk, count in calls.items():
        if count > sent[remote_pk]:
            text = f"sent {count} times, marked as sent {sent[remote_pk]} times"
            order = books.remote_items.get(remote_pk, {}).get("order")
            number = next((o["number"] for o in books.remote_orders.values() if o["pk"] == order), "")
            yield Violation(
                TWICE, f"Omnitron's item {remote_pk}: {text}", number, None, ", ".join(where[remote_pk])
            )


def check_nothing_is_late(books: Books) -> Iterator[Violation]:
    """Nothing was given up that then arrived: here no wire, freeze or delay outlasts the grace after the last look."""
    for order_pk, entries in books.timeline.items():
        for entry in entries:
            if entry.event in _LATE:
                text = f"{entry.event} {entry.data}"
                yield Violation(LATE, text, Order.objects.get(pk=order_pk).number)


def check_reservations(books: Books) -> Iterator[Violation]:
    """No item was reserved by two lines at a time, whatever the index says."""
    for item_pk in books.items:
        lines = books.lines_of_item(item_pk)
        for before, after in pairwise(lines):
            closed_at = books.find_first_decision(before)
            if closed_at is None or closed_at > after.submission.created_at:
                text = f"line {after.pk} was made while line {before.pk} was open"
                yield books.violation(TWICE, text, after)


def check_open_lines(books: Books) -> Iterator[Violation]:
    """No item has two open lines, at any time."""
    counts = Counter(line.order_item_id for line in books.lines if line.is_open)
    for item_pk, count in counts.items():
        if count > 1:
            yield Violation(TWICE, f"{count} lines are open", "", item_pk)


def check_requests_made_once(books: Books) -> Iterator[Violation]:
    """No request was put into Omnitron's queue twice."""
    names = Counter(row["remote_id"] for row in books.remote_requests.values())
    for name, count in names.items():
        if count > 1:
            yield Violation(TWICE, f"Omnitron has {count} requests with our id {name}")


def check_guarantees(books: Books) -> Iterator[Violation]:
    """Every 2xx is applied, or has an open or a decided request for each of its items."""
    known = {request.pk: request for request in books.requests.values()}
    for asked in books.journal.asked_for:
        if asked.kind == "address" or not asked.successes:
            continue
        lines = books.lines_by_mark[get_mark(asked)]
        if {line.order_item_id for line in lines} != set(asked.items):
            text = f"answered {asked.successes[0].status}, but there is no submission of it"
            yield Violation(FORGOTTEN, text, asked.number, asked.items[0])
        for line in lines:
            if line.carrier.state != _State.APPLIED and line.pk not in books.requests:
                yield books.violation(FORGOTTEN, "neither applied nor a request", line)
        for answer in asked.successes:
            for record in answer.body or ():
                if record["id"] not in known:
                    text = f"the customer was told of request {record['id']}, which is not there"
                    yield Violation(FORGOTTEN, text, asked.number, record["order_item"])
            if answer.status == _NO_CONTENT and not any(
                line.carrier.state == _State.APPLIED or line.pk in books.requests for line in lines
            ):
                yield Violation(FORGOTTEN, "answered 204, but was not applied", asked.number, asked.items[0])


def check_wholeness(books: Books) -> Iterator[Violation]:
    """A submission is whole or not there, and whatever was written down has an outcome."""
    for asked in books.journal.asked_for:
        if asked.kind == "address":
            continue
        of_submission: dict[str, set[int]] = defaultdict(set)
        for line in books.lines_by_mark[get_mark(asked)]:
            of_submission[str(line.submission.uuid)].add(line.order_item_id)
        for uuid, items in of_submission.items():
            if items != set(asked.items):
                text = f"asked for items {sorted(asked.items)}, recorded {sorted(items)}"
                yield Violation(FORGOTTEN, text, asked.number, None, uuid)


def check_addresses(books: Books) -> Iterator[Violation]:
    """Every address change that got a 2xx is recorded and has ended."""
    known = {
        change.idempotency_record.fingerprint
        for change in books.changes
        if change.idempotency_record is not None
    }
    for asked in books.journal.asked_for:
        if asked.kind == "address" and asked.successes and asked.fingerprint not in known:
            text = f"address change answered {asked.successes[0].status}, but not recorded"
            yield Violation(FORGOTTEN, text, asked.number)


def check_refusals(books: Books) -> Iterator[Violation]:
    """What was refused has left nothing: no line, no record, nothing at Omnitron."""
    records = {record.fingerprint for record in books.records if not record.key}
    for asked in books.journal.asked_for:
        if asked.attempts[-1].status not in _REFUSALS or not _is_only_refused(asked):
            continue
        status = asked.attempts[-1].status
        if asked.kind != "address" and books.lines_by_mark[get_mark(asked)]:
            line = books.lines_by_mark[get_mark(asked)][0]
            yield books.violation(TRACE, f"answered {status}, but recorded", line)
        if not asked.key and asked.fingerprint in records:
            yield Violation(TRACE, f"answered {status}, but remembered as a write", asked.number)


def _is_only_refused(asked: CustomerRequest) -> bool:
    return all(attempt.status in _REFUSALS or attempt.status is None for attempt in asked.attempts)


def check_nothing_is_stuck(books: Books) -> Iterator[Violation]:
    """Nothing is under way: no `sent`, `unknown` or `verifying`, no job, no write without an answer."""
    for submission in books.submissions:
        if submission.state in UNDER_WAY:
            number = books.orders[submission.order_id].number
            yield Violation(STUCK, f"stands in {submission.state}", number, None, str(submission.uuid))
    for line in books.lines:
        request = books.requests.get(line.pk)
        if line.is_open:
            state = f"{line.carrier.state}, its request {request.status if request else 'none'}"
            yield books.violation(STUCK, f"the line is open: its submission {state}", line)
        if request is not None and request.status == CancellationRequest.Status.VERIFYING:
            yield books.violation(STUCK, f"request {request.pk} is verifying", line)
    jobs = count_under_way().get("jobs")
    if jobs:
        yield Violation(STUCK, f"{jobs} jobs are still in the queue")


def check_no_address_is_stuck(books: Books) -> Iterator[Violation]:
    """No address change is under way, and every write has its answer."""
    for change in books.changes:
        if change.state == AddressChange.State.PENDING:
            yield Violation(STUCK, f"address change {change.pk}", books.orders[change.order_id].number)
    for record in books.records:
        if record.status_code is None:
            changes = [c for c in books.changes if c.idempotency_record_id == record.pk]
            text = f"write {record.pk} never got an answer: its repeat is told 409 for ever"
            yield Violation(STUCK, text + "".join(f" (address change {c.pk}: {c.state})" for c in changes))


CHECKS = (
    check_units,
    check_sendings,
    check_nothing_is_late,
    check_reservations,
    check_requests_made_once,
    check_guarantees,
    check_wholeness,
    check_addresses,
    check_refusals,
    check_nothing_is_stuck,
    check_no_address_is_stuck,
)
#: What holds at any time, for `read_books_of_sendings`.
CHECKS_AT_ANY_TIME = (check_units, check_sendings, check_open_lines, check_nothing_is_late)
