"""The timeline: what happened to an order, written in the transaction that makes it happen."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from aftercart.accounts.models import User
from aftercart.lib.batch import Batch
from aftercart.orders.models import Order, OrderItem, TimelineEntry

_Kind = TimelineEntry.Actor
_ANYBODY: Final = frozenset({_Kind.CUSTOMER, _Kind.STAFF, _Kind.WORKER})


class Event(StrEnum):
    """What can happen to an order. Words for staff are in backoffice/words.py, for customers in pages/story.py."""

    ORDER_IMPORTED = "order_imported"
    ORDER_UPDATED = "order_updated"
    ORDER_FOLLOWED = "order_followed"
    STATUS_CHANGED = "status_changed"
    CANCELLATION_SUBMITTED = "cancellation_submitted"
    CANCELLATION_SENDING = "cancellation_sending"
    CANCELLATION_SENT = "cancellation_sent"
    LATE_SENDING = "late_sending"
    LATE_SUCCESS = "late_success"
    ANSWER_UNKNOWN = "answer_unknown"
    REQUESTS_OPENED = "requests_opened"
    VERIFICATION_NEEDS_STAFF = "verification_needs_staff"
    REQUEST_DELIVERED = "request_delivered"
    REQUEST_APPROVED = "request_approved"
    REQUEST_WITHDRAWN = "request_withdrawn"
    REQUEST_TAKEN_BACK = "request_taken_back"
    REQUEST_FOUND_DONE = "request_found_done"
    SECOND_REQUEST_SETTLED = "second_request_settled"
    LATE_REQUEST_SETTLED = "late_request_settled"
    REQUEST_DECIDED_THERE = "request_decided_there"
    REJECTION_OVERRULED = "rejection_overruled"
    CANCELLATION_COMPLETED = "cancellation_completed"
    CANCELLATION_REJECTED = "cancellation_rejected"
    RETURN_CODE_ISSUED = "return_code_issued"
    PICKUP_CHANGED = "pickup_changed"
    PICKUP_CANCELLED = "pickup_cancelled"
    POINTS_BOOKED = "points_booked"
    POLICY_OVERRIDDEN = "policy_overridden"
    LINKS_REVOKED = "links_revoked"
    WITHDRAWAL_RECEIVED = "withdrawal_received"
    WITHDRAWAL_ACCEPTED = "withdrawal_accepted"
    WITHDRAWAL_REFUSED = "withdrawal_refused"
    ADDRESS_CHANGE_SUBMITTED = "address_change_submitted"
    ADDRESS_CHANGE_CONFIRMED = "address_change_confirmed"
    ADDRESS_CHANGE_REFUSED = "address_change_refused"
    ADDRESS_CHANGE_TOO_LATE = "address_change_too_late"
    ADDRESS_CHANGE_OVERTAKEN = "address_change_overtaken"
    ADDRESS_CHANGE_FOUND = "address_change_found"


#: Every event, and on whose behalf it may happen: an entry can never be put right, so a wrong one is not written.
EVENTS: Final[Mapping[str, frozenset[_Kind]]] = {
    Event.ORDER_IMPORTED: frozenset({_Kind.IMPORT}),
    Event.ORDER_UPDATED: frozenset({_Kind.IMPORT}),
    Event.ORDER_FOLLOWED: frozenset({_Kind.OMS}),
    Event.STATUS_CHANGED: frozenset({_Kind.OMS}),
    Event.CANCELLATION_SUBMITTED: frozenset({_Kind.CUSTOMER}),
    Event.CANCELLATION_SENDING: frozenset({_Kind.CUSTOMER, _Kind.STAFF}),
    Event.CANCELLATION_SENT: _ANYBODY | {_Kind.OMS},
    Event.LATE_SENDING: frozenset({_Kind.WORKER}),
    Event.LATE_SUCCESS: frozenset({_Kind.OMS}),
    Event.ANSWER_UNKNOWN: _ANYBODY,
    Event.REQUESTS_OPENED: _ANYBODY,
    Event.VERIFICATION_NEEDS_STAFF: frozenset({_Kind.WORKER}),
    Event.REQUEST_DELIVERED: frozenset({_Kind.WORKER}),
    Event.REQUEST_APPROVED: frozenset({_Kind.STAFF}),
    Event.REQUEST_WITHDRAWN: frozenset({_Kind.STAFF}),
    Event.REQUEST_TAKEN_BACK: frozenset({_Kind.CUSTOMER}),
    Event.REQUEST_FOUND_DONE: frozenset({_Kind.WORKER}),
    Event.SECOND_REQUEST_SETTLED: frozenset({_Kind.OMS}),
    Event.LATE_REQUEST_SETTLED: frozenset({_Kind.OMS}),
    Event.REQUEST_DECIDED_THERE: frozenset({_Kind.OMS}),
    Event.REJECTION_OVERRULED: frozenset({_Kind.OMS}),
    Event.CANCELLATION_COMPLETED: frozenset({_Kind.OMS}),
    Event.CANCELLATION_REJECTED: frozenset({_Kind.OMS, _Kind.STAFF}),
    Event.RETURN_CODE_ISSUED: frozenset({_Kind.OMS}),
    Event.PICKUP_CHANGED: frozenset({_Kind.CUSTOMER}),
    Event.PICKUP_CANCELLED: frozenset({_Kind.CUSTOMER}),
    Event.POINTS_BOOKED: frozenset({_Kind.OMS}),
    Event.POLICY_OVERRIDDEN: frozenset({_Kind.STAFF}),
    Event.LINKS_REVOKED: frozenset({_Kind.STAFF}),
    Event.WITHDRAWAL_RECEIVED: frozenset({_Kind.CUSTOMER, _Kind.STAFF}),
    Event.WITHDRAWAL_ACCEPTED: frozenset({_Kind.OMS, _Kind.STAFF}),
    Event.WITHDRAWAL_REFUSED: frozenset({_Kind.STAFF}),
    Event.ADDRESS_CHANGE_SUBMITTED: frozenset({_Kind.CUSTOMER}),
    Event.ADDRESS_CHANGE_CONFIRMED: frozenset({_Kind.CUSTOMER, _Kind.WORKER}),
    Event.ADDRESS_CHANGE_REFUSED: frozenset({_Kind.CUSTOMER}),
    Event.ADDRESS_CHANGE_TOO_LATE: frozenset({_Kind.WORKER}),
    Event.ADDRESS_CHANGE_OVERTAKEN: frozenset({_Kind.OMS}),
    Event.ADDRESS_CHANGE_FOUND: frozenset({_Kind.OMS}),
}


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

    Warns of an event that `EVENTS` does not name, or an actor that it does not have: an error in every test, and in
    production no reason to leave undone what is to be recorded.
    """
    if actor.kind not in EVENTS.get(event, ()):
        warnings.warn(f"{event!r} by {actor.kind!r} is not in EVENTS", RuntimeWarning, stacklevel=2)
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
