"""See where the OMS sends an order, after an address change whose answer was lost: it may have come late."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from aftercart.actions.sync.compare_refunds import Found
from aftercart.actions.sync.record_difference import record_difference
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import AddressChange
from aftercart.cancellations.states import claim_change
from aftercart.lib.clock import get_now
from aftercart.oms.errors import OmsError
from aftercart.oms.messages import RemoteOrder
from aftercart.oms.port import OmsClient
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import OMS, record_event

_State = AddressChange.State
_WHEN_DOWN = timedelta(minutes=1)
#: How often the OMS is told a change again; one that does not stay is somebody's doing there.
_MOST_SENDINGS = 5
_DIFFERS = "shipping address"


def compare_address(order_pk: int, client: OmsClient) -> None:
    """Compare where an order goes, here and at the OMS, and put right what differs.

    The customer's last address change counts: if the OMS has an older one, it is told the last one again. If that one
    came too late, or there is none, but the OMS has taken it or an older one, ours follows. `address_due_at`
    is taken away once they have been compared, and moved on while they can't be.
    """
    order = Order.objects.get(pk=order_pk)
    last = _find_last(order)
    if last is not None and last.state == _State.PENDING:
        _look_again(order, settings.VERIFY_GRACE)
        return
    try:
        with client.dialogue() as dialogue:
            remote = dialogue.read_order(channel_id=order.channel_id, number=order.number)
    except OmsError:
        _look_again(order, jobs.compute_backoff(0, first=_WHEN_DOWN, longest=_WHEN_DOWN))
        return
    _put_right(order, last, remote.shipping_address_pk)


def _find_last(order: Order) -> AddressChange | None:
    """Find the customer's last address change: what was refused at once is none any more."""
    return order.address_changes.exclude(state__in=[_State.SUPERSEDED, _State.REFUSED]).first()


def find_other_address(order: Order, remote: RemoteOrder) -> Iterator[Found]:
    """Find an address at the OMS that is not ours, where ours is one that the OMS once took from us."""
    ours, theirs = _get_pk(order), remote.shipping_address_pk
    if theirs not in {None, ours} and _is_by_change(order):
        yield None, _DIFFERS, str(ours), str(theirs)


def _look_again(order: Order, wait: timedelta) -> None:
    Order.objects.filter(pk=order.pk, address_due_at=order.address_due_at).update(
        address_due_at=get_now() + wait
    )


@transaction.atomic(durable=True)
def _put_right(as_read: Order, last: AddressChange | None, theirs: int | None) -> None:
    """Act on what was read, unless there is news since; then it is read again in its time."""
    order = lock_order(pk=as_read.pk)
    newest = _find_last(order)
    if order.address_due_at != as_read.address_due_at or _identify(newest) != _identify(last):
        return
    order.address_due_at = None
    order.save(update_fields=["address_due_at"])
    if theirs is None or theirs == _get_pk(order):
        return
    if newest is not None and newest.state == _State.CONFIRMED:
        _send_again(order, newest, theirs)
    elif taken := order.address_changes.filter(address__pk=theirs).first():
        order.shipping_address = taken.address
        record_event(order, "address_change_found", OMS, data={"change": taken.pk})
        save_order(order, "shipping_address")
    elif _is_by_change(order):
        record_difference(order, None, _DIFFERS, str(_get_pk(order)), str(theirs))


def _identify(change: AddressChange | None) -> tuple[object, ...]:
    return () if change is None else (change.pk, change.state, change.settled_at)


def _is_by_change(order: Order) -> bool:
    """Return whether ours is an address that the OMS once took from us: imported ones can have other ids there."""
    return order.address_changes.filter(address__pk=_get_pk(order)).exists()


def _send_again(order: Order, change: AddressChange, theirs: int) -> None:
    """Have a confirmed change told once more: an older one overtook it at the OMS."""
    event, data = "address_change_overtaken", {"change": change.pk}
    if order.timeline.filter(event=event, data=data).count() >= _MOST_SENDINGS:
        record_difference(order, None, _DIFFERS, str(_get_pk(order)), str(theirs))
        return
    claim_change(AddressChange.objects.filter(pk=change.pk), _State.PENDING)
    record_event(order, event, OMS, data=data)
    save_order(order)
    jobs.enqueue(jobs.DELIVER_ADDRESS, change.pk)


def _get_pk(order: Order) -> int | None:
    return (order.shipping_address or {}).get("pk")
