"""An order's timeline as staff read it: who, when in the shop's time zone, what in words, why."""

from aftercart.backoffice.sheets import TimelineRow
from aftercart.backoffice.words import say_actor, say_event, say_event_cause, say_moment
from aftercart.orders.models import Order, OrderItem

#: What a page shows; an order that has seen more shows the newest.
_MOST = 300


def describe_timeline(order: Order) -> list[TimelineRow]:
    """Return what happened, newest first, in one query."""
    entries = order.timeline.select_related("user", "item").order_by("-at", "-id")[:_MOST]
    return [
        TimelineRow(
            at=say_moment(entry.at),
            who=say_actor(entry),
            what=say_event(entry),
            about=name_item(entry.item) if entry.item else "",
            cause=say_event_cause(entry),
        )
        for entry in entries
    ]


def name_item(item: OrderItem) -> str:
    """Name an item by its product, or by its sku."""
    return str(item.product.get("name") or item.sku or "")
