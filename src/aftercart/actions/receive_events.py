"""Omnitron tells of a change: have those orders synced at once. The event only says where to look."""

from collections.abc import Sequence

from django.db import transaction

from aftercart.actions import jobs
from aftercart.orders.models import Order


@transaction.atomic(durable=True)
def receive_events(numbers: Sequence[str]) -> int:
    """Enqueue a sync of each of these orders that we know; tell how many that are."""
    pks = Order.objects.filter(number__in=list(numbers)).order_by("pk").values_list("pk", flat=True)
    for pk in pks:
        jobs.enqueue(jobs.SYNC_ORDER, pk)
    return len(pks)
