"""End a line: its cancellation was completed or rejected. Inside a transaction that has locked the order."""

from decimal import Decimal

from django.utils import timezone

from aftercart.accounts.models import User
from aftercart.actions.book_refund import book_refund
from aftercart.cancellations.models import CancellationRequest, SubmissionLine
from aftercart.lib.money import format_amount
from aftercart.orders.models import Order
from aftercart.orders.selectors import save_item
from aftercart.orders.status import Status
from aftercart.orders.timeline import Actor, record_event

_Status = CancellationRequest.Status


def complete_line(
    order: Order, line: SubmissionLine, actor: Actor, *, refund_amount: Decimal | None = None
) -> None:
    """Book a line as done: its units are cancelled (or returned), its request is completed.

    `refund_amount` is the item's whole refund so far, as Omnitron tells it; a refund never shrinks. The
    caller saves the order with `REFUND_FIELDS`.
    """
    item = line.order_item
    _free_units(line)
    item.cancelled_quantity = min(item.cancelled_quantity + line.quantity, item.quantity)
    if item.left_quantity == 0:
        done = Status.REFUNDED if line.cancellation_type == "refund" else Status.CANCELED
        item.status_before, item.status = item.status_before or item.status, done.value
    elif item.status == Status.CANCELLATION_WAITING:
        item.status = item.status_before
    _close(line, "completed")
    booked = book_refund(order, line, told=refund_amount)
    save_item(item, "status", "status_before", "cancelled_quantity", "reserved_quantity", "refund_amount")
    _decide(line, _Status.COMPLETED)
    data = {"line": line.pk, "quantity": line.quantity, "refund_amount": format_amount(booked.amount)}
    record_event(order, "cancellation_completed", actor, item=item, data=data)


def reject_line(
    order: Order, line: SubmissionLine, actor: Actor, *, reason: str, decided_by: User | None = None
) -> None:
    """Book a line as refused: the item gets back the status before, the customer gets the reason."""
    item = line.order_item
    _free_units(line)
    save_item(item, "reserved_quantity")
    if item.status == Status.CANCELLATION_WAITING and item.status_before:
        item.status = item.status_before
        save_item(item, "status")
    _close(line, "rejected")
    _decide(line, _Status.REJECTED, reason=reason, decided_by=decided_by)
    record_event(order, "cancellation_rejected", actor, cause=reason, item=item, data={"line": line.pk})


def _free_units(line: SubmissionLine) -> None:
    """Let go of the units that a line has reserved; the version before ours may have reserved none."""
    item = line.order_item
    item.reserved_quantity = max(item.reserved_quantity - line.quantity, 0)


def _close(line: SubmissionLine, outcome: str) -> None:
    line.is_open = False
    line.outcome = outcome
    line.closed_at = timezone.now()
    line.save(update_fields=["is_open", "outcome", "closed_at"])


def _decide(
    line: SubmissionLine, status: CancellationRequest.Status, reason: str = "", decided_by: User | None = None
) -> None:
    CancellationRequest.objects.filter(line=line).update(
        status=status,
        reject_reason=reason,
        decided_at=timezone.now(),
        decided_by=decided_by,
        modified_date=timezone.now(),
    )
