"""The OMS tells of a change: have those orders synced at once. The event only says where to look."""

from collections.abc import Sequence

from aftercart.actions.sync.plan_sync import plan_sync
from aftercart.orders.models import Order


def receive_events(numbers: Sequence[str]) -> int:
    """Have each of these orders that we know synced; tell how many that are."""
    pks = Order.objects.filter(number__in=list(numbers)).order_by("pk").values_list("pk", flat=True)
    for pk in pks:
        plan_sync(pk)
    return len(pks)
