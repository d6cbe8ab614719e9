"""Change or cancel the pickup of a return, for as long as the carrier can still be told."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy

from aftercart.accounts.models import User
from aftercart.actions.mail.notify_customer import notify_pickup
from aftercart.cancellations.models import SubmissionLine
from aftercart.cancellations.pickups import find_pickup_problem, is_changeable
from aftercart.lib.clock import get_shop_now
from aftercart.orders.errors import Conflict, InputInvalid, OrderNotFound
from aftercart.orders.guests import Guest
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, owned_by, save_order
from aftercart.orders.timeline import Actor, Event, record_event


class PickupFixed(Conflict):
    """The parcel has been collected, will be within the carrier's notice, or is no longer awaited."""

    code = "pickup_fixed"
    sentence = gettext_lazy(
        "This pickup can no longer be changed. If you cannot be there, please write to us."
    )


@dataclass(frozen=True, slots=True)
class PickupCommand:
    """Whose return is to be collected at which other time.

    `pickup` is `{"date", "hour_range": {"start", "end"}}` in the shop's time zone; None cancels the pickup.
    """

    owner: User | Guest
    number: str
    submission: uuid.UUID
    pickup: dict[str, Any] | None


def list_collected(order: Order, submission: uuid.UUID) -> list[SubmissionLine]:
    """List the lines of a submission that a carrier is still to collect."""
    lines = SubmissionLine.objects.filter(submission__order=order, submission__uuid=submission, is_open=True)
    collected = lines.filter(cancellation_type="refund", shipping_company__isnull=False)
    return list(collected.select_related("shipping_company", "submission", "order_item"))


def can_change_pickup(lines: list[SubmissionLine]) -> bool:
    """Return whether the pickup of these lines can still be another: of each of them, and of one at least."""
    now = get_shop_now()
    return bool(lines) and all(
        is_changeable(line.shipping_company.calendar, line.pickup_date, now)
        for line in lines
        if line.shipping_company is not None
    )


def refuse_fixed_pickup(lines: list[SubmissionLine]) -> None:
    """Raise `PickupFixed` where the pickup of these lines has to stay."""
    if not can_change_pickup(lines):
        raise PickupFixed


@transaction.atomic(durable=True)
def change_pickup(command: PickupCommand) -> None:
    """Put another pickup on all that is collected of a submission; the same one again changes nothing.

    Raises `OrderNotFound`, `PickupFixed`, `InputInvalid` about `pickup_date`; then nothing is written.
    """
    order = lock_order(number=command.number, **owned_by(command.owner))
    if not order.submissions.filter(uuid=command.submission).exists():
        raise OrderNotFound
    lines = list_collected(order, command.submission)
    wanted = (command.pickup, command.pickup is None)
    if lines and all((line.pickup_date, line.is_pickup_cancelled) == wanted for line in lines):
        return  # a second click, or a client that lost the first answer
    refuse_fixed_pickup(lines)
    _check(lines, command.pickup)
    for line in lines:
        line.pickup_date, line.is_pickup_cancelled = wanted
        line.save(update_fields=["pickup_date", "is_pickup_cancelled"])
    actor = Actor.customer(command.owner if isinstance(command.owner, User) else None)
    event = Event.PICKUP_CHANGED if command.pickup else Event.PICKUP_CANCELLED
    data = {"submission": str(command.submission), "pickup": command.pickup}
    record_event(order, event, actor, data=data)
    save_order(order)
    notify_pickup(order, lines)


def _check(lines: list[SubmissionLine], pickup: dict[str, Any] | None) -> None:
    """Check a time against the calendar of every carrier that would come."""
    now = get_shop_now()
    for line in lines:
        if pickup and line.shipping_company is not None:
            problem = find_pickup_problem(line.shipping_company.calendar, pickup, now)
            if problem:
                raise InputInvalid({"pickup_date": [problem]})
