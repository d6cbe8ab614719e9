"""The timeline: what happened to an order, written in the transaction that makes it happen."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from aftercart.accounts.models import User
from aftercart.lib.batch import Batch
from aftercart.orders.models import Order, OrderItem, TimelineEntry

_CUSTOMER, _STAFF, _WORKER, _OMS, _IMPORT = TimelineEntry.Actor
_ANYBODY: Final = (_CUSTOMER, _STAFF, _WORKER)


class Event(StrEnum):
    """What can happen to an order, in words for staff, and on whose behalf: a wrong entry can never be put right.

    Words for customers are in pages/story.py.
    """

    words: Promise | str
    actors: frozenset[TimelineEntry.Actor]

    def __new__(cls, value: str, words: Promise | str, *actors: TimelineEntry.Actor) -> Self:
        """Make one of its name, its words and its actors."""
        event = str.__new__(cls, value)
        event._value_, event.words, event.actors = value, words, frozenset(actors)
        return event

    ORDER_IMPORTED = "order_imported", _("Order imported"), _IMPORT
    ORDER_UPDATED = "order_updated", _("Order updated by an import"), _IMPORT
    ORDER_FOLLOWED = "order_followed", _("Changed at Omnitron"), _OMS
    #: Its entry names the statuses.
    STATUS_CHANGED = "status_changed", "", _OMS
    CANCELLATION_SUBMITTED = "cancellation_submitted", _("Cancellation or return requested"), _CUSTOMER
    CANCELLATION_SENDING = "cancellation_sending", _("About to be sent to Omnitron"), _CUSTOMER, _STAFF
    CANCELLATION_SENT = "cancellation_sent", _("Omnitron accepted the cancellation"), *_ANYBODY, _OMS
    LATE_SENDING = "late_sending", _("Sent after it had been given up; it is being checked again"), _WORKER
    LATE_SUCCESS = "late_success", _("Omnitron carried out what had been given up"), _OMS
    ANSWER_UNKNOWN = "answer_unknown", _("Omnitron's answer is unknown; it is being checked"), *_ANYBODY
    REQUESTS_OPENED = "requests_opened", _("Left to the back office"), *_ANYBODY
    VERIFICATION_NEEDS_STAFF = (
        "verification_needs_staff",
        _("The answer has long been looked for in vain; it needs attention"),
        _WORKER,
    )
    REQUEST_DELIVERED = "request_delivered", _("Request delivered into Omnitron's queue"), _WORKER
    REQUEST_APPROVED = "request_approved", _("Request approved"), _STAFF
    REQUEST_WITHDRAWN = "request_withdrawn", _("Request taken out of Omnitron's queue"), _STAFF
    REQUEST_TAKEN_BACK = "request_taken_back", _("Taken back by the customer"), _CUSTOMER
    REQUEST_FOUND_DONE = "request_found_done", _("Found done at Omnitron after a restore"), _WORKER
    SECOND_REQUEST_SETTLED = (
        "second_request_settled",
        _("A second request in Omnitron's queue was dealt with"),
        _OMS,
    )
    LATE_REQUEST_SETTLED = (
        "late_request_settled",
        _("A request that reached Omnitron's queue late was dealt with"),
        _OMS,
    )
    REQUEST_DECIDED_THERE = (
        "request_decided_there",
        _("Omnitron had decided before the approval reached it"),
        _OMS,
    )
    REJECTION_OVERRULED = (
        "rejection_overruled",
        _("Omnitron had cancelled it before the rejection reached it"),
        _OMS,
    )
    CANCELLATION_COMPLETED = "cancellation_completed", _("Cancelled or returned"), _OMS
    CANCELLATION_REJECTED = "cancellation_rejected", _("Cancellation rejected"), _OMS, _STAFF
    RETURN_CODE_ISSUED = "return_code_issued", _("Return code issued"), _OMS
    PICKUP_CHANGED = "pickup_changed", _("Pickup changed by the customer"), _CUSTOMER
    PICKUP_CANCELLED = "pickup_cancelled", _("Pickup cancelled by the customer"), _CUSTOMER
    POINTS_BOOKED = "points_booked", _("Loyalty points settled"), _OMS
    POLICY_OVERRIDDEN = "policy_overridden", _("The policy was overridden by staff"), _STAFF
    LINKS_REVOKED = "links_revoked", _("All links to the order were revoked"), _STAFF
    WITHDRAWAL_RECEIVED = "withdrawal_received", _("Withdrawal from contract received"), _CUSTOMER, _STAFF
    WITHDRAWAL_ACCEPTED = "withdrawal_accepted", _("Withdrawal accepted"), _OMS, _STAFF
    WITHDRAWAL_REFUSED = "withdrawal_refused", _("Withdrawal refused"), _STAFF
    ADDRESS_CHANGE_SUBMITTED = "address_change_submitted", _("Another delivery address requested"), _CUSTOMER
    ADDRESS_CHANGE_CONFIRMED = "address_change_confirmed", _("Delivery address changed"), _CUSTOMER, _WORKER
    ADDRESS_CHANGE_REFUSED = "address_change_refused", _("Address change refused"), _CUSTOMER
    ADDRESS_CHANGE_TOO_LATE = "address_change_too_late", _("Too late to change the delivery address"), _WORKER
    ADDRESS_CHANGE_OVERTAKEN = (
        "address_change_overtaken",
        _("An older address change overtook this one; it is being sent again"),
        _OMS,
    )
    ADDRESS_CHANGE_FOUND = (
        "address_change_found",
        _("Omnitron sends it to another address that was asked for"),
        _OMS,
    )


EVENTS: Final[Mapping[str, Event]] = {event.value: event for event in Event}


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf something happens: a kind (`TimelineEntry.Actor`) and, for people, the user."""

    kind: TimelineEntry.Actor
    user: User | None = None

    @classmethod
    def customer(cls, user: User | None) -> "Actor":
        """Make the actor of a customer's own action; a guest has no user."""
        return cls(TimelineEntry.Actor.CUSTOMER, user)

    @classmethod
    def staff(cls, user: User | None) -> "Actor":
        """Make the actor of an action in the back office; None: their account has been deleted since."""
        return cls(TimelineEntry.Actor.STAFF, user)


WORKER = Actor(TimelineEntry.Actor.WORKER)
OMS = Actor(TimelineEntry.Actor.OMS)


def record_event(
    order: Order,
    event: str,
    actor: Actor,
    *,
    cause: str = "",
    item: OrderItem | None = None,
    data: dict[str, Any] | None = None,
    batch: Batch | None = None,
) -> None:
    """Append an entry, at once or with a batch. Call it inside the transaction of what it tells.

    Warns of what is no `Event`, or of an actor that it does not have: an error in every test, and in
    production no reason to leave undone what is to be recorded.
    """
    if event not in EVENTS or actor.kind not in EVENTS[event].actors:
        warnings.warn(f"{event!r} by {actor.kind!r} is no event", RuntimeWarning, stacklevel=2)
    entry = TimelineEntry(
        order=order,
        item=item,
        event=event,
        actor=actor.kind,
        user=actor.user,
        cause=cause,
        data=data or {},
    )
    if batch is None:
        entry.save(force_insert=True)
    else:
        batch.insert(entry)
