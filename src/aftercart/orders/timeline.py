"""The timeline: what happened to an order, written in the transaction that makes it happen."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aftercart.accounts.models import User
from aftercart.orders.models import Order, OrderItem, TimelineEntry

_Kind = TimelineEntry.Actor
_ANYBODY: Final = frozenset({_Kind.CUSTOMER, _Kind.STAFF, _Kind.WORKER})

#: Every event, and on whose behalf it may happen: an entry can never be put right, so a wrong one is not written.
EVENTS: Final[Mapping[str, frozenset[_Kind]]] = {
    "order_imported": frozenset({_Kind.IMPORT}),
    "order_updated": frozenset({_Kind.IMPORT}),
    "status_changed": frozenset({_Kind.OMNITRON}),
    "cancellation_submitted": frozenset({_Kind.CUSTOMER}),
    "cancellation_sending": frozenset({_Kind.CUSTOMER, _Kind.STAFF}),
    "cancellation_sent": _ANYBODY | {_Kind.OMNITRON},
    "late_sending": frozenset({_Kind.WORKER}),
    "late_success": frozenset({_Kind.OMNITRON}),
    "answer_unknown": _ANYBODY,
    "requests_opened": _ANYBODY,
    "verification_needs_staff": frozenset({_Kind.WORKER}),
    "request_delivered": frozenset({_Kind.WORKER}),
    "request_approved": frozenset({_Kind.STAFF}),
    "request_withdrawn": frozenset({_Kind.STAFF}),
    "request_found_done": frozenset({_Kind.WORKER}),
    "second_request_settled": frozenset({_Kind.OMNITRON}),
    "late_request_settled": frozenset({_Kind.OMNITRON}),
    "request_decided_there": frozenset({_Kind.OMNITRON}),
    "rejection_overruled": frozenset({_Kind.OMNITRON}),
    "cancellation_completed": frozenset({_Kind.OMNITRON}),
    "cancellation_rejected": frozenset({_Kind.OMNITRON, _Kind.STAFF}),
    "return_code_issued": frozenset({_Kind.OMNITRON}),
    "points_booked": frozenset({_Kind.OMNITRON}),
    "policy_overridden": frozenset({_Kind.STAFF}),
    "links_revoked": frozenset({_Kind.STAFF}),
    "withdrawal_received": frozenset({_Kind.CUSTOMER}),
    "withdrawal_accepted": frozenset({_Kind.OMNITRON, _Kind.STAFF}),
    "withdrawal_refused": frozenset({_Kind.STAFF}),
    "address_change_submitted": frozenset({_Kind.CUSTOMER}),
    "address_change_confirmed": frozenset({_Kind.CUSTOMER, _Kind.WORKER}),
    "address_change_refused": frozenset({_Kind.CUSTOMER}),
    "address_change_too_late": frozenset({_Kind.WORKER}),
    "address_change_overtaken": frozenset({_Kind.OMNITRON}),
    "address_change_found": frozenset({_Kind.OMNITRON}),
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
OMNITRON = Actor(TimelineEntry.Actor.OMNITRON)


def record_event(
    order: Order,
    event: str,
    actor: Actor,
    *,
    cause: str = "",
    item: OrderItem | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Append an entry. Call it inside the transaction of what it tells.

    Warns of an event that `EVENTS` does not name, or an actor that it does not have: an error in every test, and in
    production no reason to leave undone what is to be recorded.
    """
    if actor.kind not in EVENTS.get(event, ()):
        warnings.warn(f"{event!r} by {actor.kind!r} is not in EVENTS", RuntimeWarning, stacklevel=2)
    TimelineEntry.objects.create(
        order=order,
        item=item,
        event=event,
        actor=actor.kind,
        user=actor.user,
        cause=cause,
        data=data or {},
    )
