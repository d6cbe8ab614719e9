"""Keep something that Omnitron and we tell differently, once a kind until it is resolved."""

from typing import Final

from aftercart.cancellations.models import Difference
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.selectors import get_now

#: What differs when Omnitron has something else under the name of one of our requests.
NAME_TAKEN: Final = "request name taken"
#: What no comparison finds again: it stays open until a person has settled it.
FOR_PEOPLE: Final = frozenset({NAME_TAKEN})


def record_difference(order: Order, item: OrderItem | None, what: str, ours: str, theirs: str) -> Difference:
    """Record what differs of a locked order, or bring an open difference of the kind up to date."""
    now = get_now()
    row = Difference.objects.filter(order=order, item=item, what=what, resolved_at=None).first()
    row = row or Difference(order=order, item=item, what=what, first_seen=now)
    row.ours, row.theirs, row.last_seen = ours, theirs, now
    row.save()
    return row
