"""End a line: its cancellation was completed or rejected. Inside a transaction that has locked the order."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from aftercart.accounts.models import User
from aftercart.actions.cancel.book_refund import book_refund
from aftercart.actions.cancel.credit_points import credit_points
from aftercart.actions.mail.notify_customer import notify_rejected
from aftercart.actions.withdraw.follow_withdrawal import follow_line
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import CancellationRequest, SubmissionLine
from aftercart.cancellations.states import IllegalMove, claim_request
from aftercart.lib.clock import get_now
from aftercart.lib.money import format_amount
from aftercart.oms.messages import RemoteItem, RemoteOrder, RemoteRequest
from aftercart.orders.models import Order
from aftercart.orders.selectors import save_item
from aftercart.orders.status import Status
from aftercart.orders.timeline import Actor, record_event

_Status = CancellationRequest.Status
#: What the OMS reads of a request that its customer has taken back.
TAKEN_BACK: Final = "The customer has taken this request back."


def complete_line(
    order: Order,
    line: SubmissionLine,
    actor: Actor,
    *,
    quantity: int | None = None,
    refund_amount: Decimal | None = None,
    remote: RemoteOrder | None = None,
    reason: str = "",
) -> None:
    """Book a line as done: its units are cancelled (or returned), its request is completed, points follow.

    `quantity` tells how many of them, if the OMS decided so of some only; `reason` then says why not of the
    rest. `refund_amount` is the item's whole refund so far, as the OMS reports it in `remote`, which is then the
    caller's to settle. The caller saves the order with `REFUND_FIELDS`, and notifies the customer
    (`notify_completed`) once all lines of the submission that are completed together are.
    """
    item = line.order_item
    line.completed_quantity = line.quantity if quantity is None else quantity
    _take_units(line)
    _close(line, SubmissionLine.Outcome.COMPLETED)
    booked = book_refund(order, line, reported=refund_amount, remote=remote)
    save_item(item, "status", "status_before", "cancelled_quantity", "reserved_quantity", "refund_amount")
    _decide(line, _Status.COMPLETED, reason=reason)
    quantity = line.completed_quantity
    data = {
        "line": line.pk,
        "quantity": quantity,
        "refund_amount": format_amount(booked.amount),
        "is_refunded": booked.is_refunded,
    }
    record_event(order, "cancellation_completed", actor, cause=reason, item=item, data=data)
    credit_points(
        order,
        item,
        actor,
        line=line,
        quantity=quantity,
        reported=booked.amount,
        quoted=booked.points,
    )
    follow_line(order, line, actor)


def reject_line(
    order: Order, line: SubmissionLine, actor: Actor, *, reason: str, decided_by: User | None = None
) -> None:
    """Book a line as refused: the item gets back the status before, the customer gets the reason."""
    _give_back(line)
    _decide(line, _Status.REJECTED, reason=reason, decided_by=decided_by)
    record_event(
        order, "cancellation_rejected", actor, cause=reason, item=line.order_item, data={"line": line.pk}
    )
    notify_rejected(order, line, reason)


def take_back_line(order: Order, line: SubmissionLine, actor: Actor) -> None:
    """Book a line as taken back by its customer: the item gets back the status before."""
    _give_back(line)
    _decide(line, _Status.REJECTED, reason=TAKEN_BACK)
    CancellationRequest.objects.filter(line=line).update(cause=Cause.TAKEN_BACK)
    record_event(order, "request_taken_back", actor, item=line.order_item, data={"line": line.pk})


def _give_back(line: SubmissionLine) -> None:
    """Close a line of which nothing comes: its item is as it was before."""
    item = line.order_item
    _free_units(line)
    save_item(item, "reserved_quantity")
    if item.status == Status.CANCELLATION_WAITING and item.status_before:
        item.status = item.status_before
        save_item(item, "status")
    _close(line, SubmissionLine.Outcome.REJECTED)


def count_done(line: SubmissionLine, asked: Sequence[RemoteRequest]) -> int | None:
    """Count the units of a line that the OMS's requests have completed; None while one is undecided."""
    if any(row.status not in {"completed", "rejected"} for row in asked):
        return None
    each = 1 if len(asked) > 1 else line.quantity
    done = sum(count_reported_units(row, each) for row in asked if row.status == "completed")
    return min(done, line.quantity)


def count_reported_units(row: RemoteItem | RemoteRequest, default: int) -> int:
    """Count a row's units as the OMS tells them; `default` where it does not, or tells none or fewer."""
    return row.quantity if row.quantity is not None and row.quantity > 0 else default


def _take_units(line: SubmissionLine) -> None:
    """Take the units that a line has completed from its item, unsaved; its status follows when none is left."""
    item = line.order_item
    if line.is_open:  # else it was rejected before, and has let go of them
        _free_units(line)
    item.cancelled_quantity = min(item.cancelled_quantity + line.completed_quantity, item.quantity)
    # What is gone can't be kept for anybody, whoever has asked for it meanwhile.
    item.reserved_quantity = min(item.reserved_quantity, item.left_quantity)
    if item.left_quantity == 0:
        done = Status.REFUNDED if line.cancellation_type == "refund" else Status.CANCELED
        item.status_before, item.status = item.status_before or item.status, done.value
    elif item.status == Status.CANCELLATION_WAITING:
        item.status = item.status_before


def _free_units(line: SubmissionLine) -> None:
    """Let go of the units that a line has reserved; the version before ours may have reserved none."""
    item = line.order_item
    item.reserved_quantity = max(item.reserved_quantity - line.quantity, 0)


def _close(line: SubmissionLine, outcome: SubmissionLine.Outcome) -> None:
    line.is_open = False
    line.outcome = outcome
    line.closed_at = get_now()
    line.save(update_fields=["is_open", "outcome", "closed_at", "completed_quantity"])


def _decide(
    line: SubmissionLine, status: CancellationRequest.Status, reason: str = "", decided_by: User | None = None
) -> None:
    requests = CancellationRequest.objects.filter(line=line)
    count = claim_request(requests, status, reject_reason=reason, decided_at=get_now(), decided_by=decided_by)
    if not count and requests.exists():
        raise IllegalMove(f"A request of line {line.pk} cannot become {status}.")
