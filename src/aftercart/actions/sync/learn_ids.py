"""Learn the OMS's ids of orders and items before somebody waits for them: in pages, by the worker.

Orders that were read from the OMS know them already; those of a file do not.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Final

from django.db import models, transaction

from aftercart.lib.clock import get_now
from aftercart.oms.port import Dialogue, OmsClient
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.status import FINAL

#: So many orders one round learns about, in dialogues of so many, over so many pages of the OMS's list at the most.
MOST: Final = 200
_A_DIALOGUE: Final = 20
_PAGE: Final = 100
_MOST_PAGES: Final = 10
#: Older orders are hardly cancelled any more.
_RECENT: Final = timedelta(days=30)
#: An order may have been placed a little earlier there.
_EARLIER: Final = timedelta(hours=1)


def list_orders_without_ids() -> models.QuerySet[Order]:
    """List recent orders of which the OMS's id is not known, the newest first."""
    recent = Order.objects.filter(remote_pk=None, created_date__gt=get_now() - _RECENT)
    return recent.exclude(status__in=FINAL).order_by("-created_date", "-pk")


def learn_ids(client: OmsClient) -> int:
    """Learn the ids of the newest orders without; return of how many they were found. Raises `OmsError`."""
    orders = list(list_orders_without_ids().only("pk", "number", "channel_id", "created_date")[:MOST])
    learnt = 0
    for channel_id in sorted({order.channel_id for order in orders}):
        of_channel = [order for order in orders if order.channel_id == channel_id]
        with client.dialogue() as dialogue:
            remote_pks = _find_orders(dialogue, channel_id, of_channel)
        found = list(remote_pks.items())
        for place in range(0, len(found), _A_DIALOGUE):
            with client.dialogue() as dialogue:
                _learn(dialogue, channel_id, dict(found[place : place + _A_DIALOGUE]))
        learnt += len(found)
    return learnt


def _find_orders(dialogue: Dialogue, channel_id: int, orders: Sequence[Order]) -> dict[int, int]:
    """Find the OMS's ids of orders by their numbers, in its list; by our ids."""
    wanted = {order.number: order.pk for order in orders}
    since = min(order.created_date for order in orders) - _EARLIER
    pages = dialogue.list_orders(channel_id=channel_id, limit=_PAGE, since=since)
    found: dict[int, int] = {}
    for page in islice(pages, _MOST_PAGES):
        found |= {wanted[row.number]: row.pk for row in page if row.number in wanted}
        if len(found) == len(wanted):
            break
    return found


def _learn(dialogue: Dialogue, channel_id: int, remote_pks: Mapping[int, int]) -> None:
    items = {
        pk: dialogue.read_order_items(channel_id=channel_id, order_pk=remote_pk)
        for pk, remote_pk in remote_pks.items()
    }
    ours = dialogue.find_remote_ids(
        channel_id=channel_id,
        content_type="orderitem",
        object_ids=[row.pk for rows in items.values() for row in rows],
    )
    for pk, rows in items.items():
        by_item: dict[str, list[int]] = {}
        for row in rows:
            by_item.setdefault(ours.get(row.pk, ""), []).append(row.pk)
        _keep(pk, remote_pks[pk], by_item)


@transaction.atomic(durable=True)
def _keep(order_pk: int, remote_pk: int, by_item: Mapping[str, Sequence[int]]) -> None:
    """Keep what was learnt of an order; no document shows it, so that its version stays."""
    if not Order.objects.filter(pk=order_pk, remote_pk=None).update(remote_pk=remote_pk):
        return  # somebody has read it meanwhile; else the order's row is ours now, as if locked
    for item in OrderItem.objects.filter(order=order_pk, remote_pks=[]).order_by("pk"):
        found = sorted(by_item.get(str(item.pk), ()))
        if found:
            OrderItem.objects.filter(pk=item.pk).update(remote_pks=found)
