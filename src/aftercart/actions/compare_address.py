"""See where Omnitron sends an order, after an address change whose answer was lost: it may have come late."""

from datetime import timedelta

from django.db import transaction

from aftercart.actions import jobs
from aftercart.actions.change_address import deliver_address
from aftercart.actions.waits import compute_wait
from aftercart.cancellations.models import AddressChange
from aftercart.omnitron.client import Omnitron
from aftercart.omnitron.errors import OmnitronError
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import OMNITRON, record_event

_State = AddressChange.State
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=10), timedelta(minutes=10)


def compare_address(order_pk: int, client: Omnitron) -> None:
    """Compare where an order goes, here and at Omnitron, and put right what differs.

    The customer's last wish counts: if Omnitron has an older one, it is told the last one again. If that one
    could not be fulfilled, but Omnitron has taken it or an older one, ours follows Omnitron.
    """
    order = Order.objects.get(pk=order_pk)
    last = order.address_changes.exclude(state=_State.SUPERSEDED).first()
    if last is None or last.state == _State.PENDING:
        return
    try:
        with client.dialogue() as talk:
            remote = talk.read_order(channel_id=order.channel_id, number=order.number)
    except OmnitronError:
        wait = compute_wait(last.attempts, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
        AddressChange.objects.filter(pk=last.pk).update(attempts=last.attempts + 1)
        jobs.enqueue(jobs.COMPARE_ADDRESS, order_pk, wait=wait)
        return
    theirs = remote.shipping_address_pk
    if theirs is None or theirs == (order.shipping_address or {}).get("pk"):
        return
    _put_right(order, last, theirs, client)


def _put_right(order: Order, last: AddressChange, theirs: int, client: Omnitron) -> None:
    if last.state == _State.CONFIRMED and _reopen(last):
        deliver_address(last.pk, client)
        return
    _follow(order.pk, last.pk, theirs)


@transaction.atomic(durable=True)
def _reopen(last: AddressChange) -> bool:
    """Have a confirmed change told again, once: an older one overtook it at Omnitron."""
    order = lock_order(pk=last.order_id)
    if order.address_changes.filter(state=_State.PENDING).exists():
        return False
    count = AddressChange.objects.filter(
        pk=last.pk, state=_State.CONFIRMED, settled_at=last.settled_at
    ).update(state=_State.PENDING)
    if count:
        record_event(order, "address_change_overtaken", OMNITRON, data={"change": last.pk})
        save_order(order)
    return bool(count)


@transaction.atomic(durable=True)
def _follow(order_pk: int, last_pk: int, theirs: int) -> None:
    """Take over the address that Omnitron has, if it is one that the customer once asked for."""
    order = lock_order(pk=order_pk)
    newest = order.address_changes.exclude(state=_State.SUPERSEDED).first()
    taken = order.address_changes.filter(address__pk=theirs).first()
    if newest is None or newest.pk != last_pk or taken is None:
        return
    order.shipping_address = taken.address
    record_event(order, "address_change_found", OMNITRON, data={"change": taken.pk})
    save_order(order, "shipping_address")
