"""The timeline: what happened to an order, written in the transaction that makes it happen."""

from dataclasses import dataclass
from typing import Any

from aftercart.accounts.models import User
from aftercart.orders.models import Order, OrderItem, TimelineEntry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a kind (`TimelineEntry.Actor`) and, for people, the user."""

    kind: TimelineEntry.Actor
    user: User | None = None

    @classmethod
    def customer(cls, user: User | None) -> "Actor":
        """Make the actor of a customer's own action; a guest has no user."""
        return cls(TimelineEntry.Actor.CUSTOMER, user)

    @classmethod
    def staff(cls, user: User) -> "Actor":
        """Make the actor of an action in the back office."""
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
    """Append an entry. Call it inside the transaction of what it tells."""
    TimelineEntry.objects.create(
        order=order,
        item=item,
        event=event,
        actor=actor.kind,
        user=actor.user,
        cause=cause,
        data=data or {},
    )
