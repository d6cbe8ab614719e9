"""Compare open and lately closed orders with the OMS, and report every difference that syncing does not settle."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial

from django.db import models, transaction
from django.db.models import Q

from aftercart.actions.address.compare_address import find_other_address
from aftercart.actions.sync.compare_refunds import Found, RefundBooks, compare_books
from aftercart.actions.sync.record_difference import FOR_PEOPLE, record_difference
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep.do_apart import Fence, do_apart, stand_alone
from aftercart.cancellations.models.read_budget import has_calls_to_spare, spending_calls
from aftercart.lib.clock import get_now
from aftercart.oms.errors import NotFound, OmsError
from aftercart.oms.messages import RemoteOrder
from aftercart.oms.port import OmsClient
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order
from aftercart.orders.status import FINAL

#: Older orders are at rest.
_RECENT = timedelta(days=60)
#: The OMS may still move money of an order for so long after nothing is left of it.
_CLOSED_LATELY = timedelta(days=14)
#: Within the life of a lease, which is renewed before each.
_PAUSE_SECONDS = 1.0
_WORK = "aftercart.reconcile_order"


class _OmsAway(Exception):
    """Nor would the next order be read now."""


def list_orders_to_reconcile() -> models.QuerySet[Order, int]:
    """List the ids of recent orders, of those at an end for a shorter time, and of those with a difference."""
    now = get_now()
    is_open = models.Q(modified_date__gt=now - _RECENT) & ~models.Q(status__in=FINAL)
    is_closed = models.Q(modified_date__gt=now - _CLOSED_LATELY, status__in=FINAL)
    is_different = models.Q(differences__resolved_at=None, differences__isnull=False)
    return (
        Order.objects.filter(is_open | is_closed | is_different)
        .order_by("pk")
        .values_list("pk", flat=True)
        .distinct()
    )


def reconcile_order(order_pk: int, client: OmsClient) -> int:
    """Sync one order, then compare; tell how many differences are left.

    Raises `OmsError` when the OMS cannot be read: nothing is known then, so nothing is reported.
    """
    order = Order.objects.get(pk=order_pk)
    try:
        sync_order(order_pk, client)
        with client.dialogue() as dialogue:
            remote = dialogue.read_order(channel_id=order.channel_id, number=order.number)
    except NotFound:
        return _report(order_pk, [(None, "order unknown at Omnitron", order.number, "")])
    order.refresh_from_db()
    return _report(order_pk, list(_compare(order, remote)))


def _compare(order: Order, remote: RemoteOrder) -> Iterator[Found]:
    rows = {row.pk: row for row in remote.items}
    for item in order.items.order_by("pk"):
        theirs = [rows[pk] for pk in item.remote_pks if pk in rows]
        if not theirs:
            yield item, "item unknown at Omnitron", item.sku, ""
            continue
        # Of several units there some may be gone: ours stands where the rest does.
        statuses = sorted({row.status for row in theirs} - FINAL or {row.status for row in theirs})
        if statuses != [item.status]:
            yield item, "status", item.status, ", ".join(statuses)
    yield from find_other_address(order, remote)
    yield from compare_books(RefundBooks.read(order, remote))


@transaction.atomic(durable=True)
def _report(order_pk: int, found: list[Found]) -> int:
    """Keep what differs, once a kind; what differs no more is resolved, unless a person has to."""
    order = lock_order(pk=order_pk)
    open_now = {record_difference(order, *difference).pk for difference in found}
    gone = order.differences.filter(resolved_at=None).exclude(Q(pk__in=open_now) | Q(what__in=FOR_PEOPLE))
    gone.update(resolved_at=get_now())
    return len(found)


def reconcile_orders(
    client: OmsClient, fence: Fence = stand_alone, *, pause: Callable[[float], None] = time.sleep
) -> dict[str, int]:
    """Reconcile them all, until an outage. Returns how many were compared, differ, and were unread.

    It keeps within the budget of calls, pausing whenever other reading in the background needs it.
    """
    counts = {"compared": 0, "different": 0, "unread": 0}
    with suppress(_OmsAway):
        for pk in list_orders_to_reconcile().iterator(chunk_size=500):
            while not has_calls_to_spare():
                fence()
                pause(_PAUSE_SECONDS)
            do_apart(_WORK, pk, partial(_count_order, pk, client, counts), fence, passing=_OmsAway)
    return counts


def _count_order(pk: int, client: OmsClient, counts: dict[str, int]) -> None:
    try:
        with spending_calls():
            counts["different"] += bool(reconcile_order(pk, client))
        counts["compared"] += 1
    except OmsError as error:
        counts["unread"] += 1
        if error.is_outage:
            raise _OmsAway from None
