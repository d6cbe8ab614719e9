"""Make every link to an order void."""

from django.db import transaction

from aftercart.orders.models import TimelineEntry
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import Actor, record_event


@transaction.atomic(durable=True)
def revoke_links(number: str) -> None:
    """Raise the order's `link_version`, which salts every link's signature. Raises `OrderNotFound`."""
    order = lock_order(number=number)
    order.link_version += 1
    record_event(order, "links_revoked", Actor(TimelineEntry.Actor.STAFF))
    save_order(order, "link_version")
