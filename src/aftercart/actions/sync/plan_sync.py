"""Have an order read from the OMS: marked in its row, which is the truth, and enqueued, which is the ticker."""

from datetime import timedelta

from django.db import transaction

from aftercart.actions.upkeep import jobs
from aftercart.lib.clock import get_now
from aftercart.orders.models import Order

_AT_ONCE = timedelta(0)
#: How long an order may wait for what else happens to it, so that it is read once for all of it.
_SOON = timedelta(seconds=1)


@transaction.atomic
def plan_sync(order_pk: int, *, wait: timedelta = _AT_ONCE) -> None:
    """Have an order read after a wait. The mark stays until a reading that began later is booked.

    Whoever marks several orders does so in a transaction each, or has locked them in the order of their ids.
    """
    Order.objects.filter(pk=order_pk).update(sync_due_at=get_now() + wait)
    jobs.enqueue(jobs.SYNC_ORDER, order_pk, wait=wait or None)


def plan_sync_soon(order: Order) -> None:
    """Have a locked order read within a second, once for all that happens to it until then. The caller saves the mark.

    A mark that is still to come has its job, and a reading that begins then shows what has been done by now.
    """
    now = get_now()
    if order.sync_due_at is None or not now < order.sync_due_at <= now + _SOON:
        order.sync_due_at = now + _SOON
        jobs.enqueue(jobs.SYNC_ORDER, order.pk, wait=_SOON)
