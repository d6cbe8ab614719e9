"""Begin to deliver requests into the OMS's own queue: their first round, or the next one."""

from collections.abc import Sequence

from aftercart.cancellations.models import CancellationRequest, Delivery
from aftercart.cancellations.states import claim_delivery

_State = Delivery.State
_AS_NEW = frozenset({(_State.FAILED, _State.CREATED)})


def open_deliveries(requests: Sequence[CancellationRequest]) -> None:
    """Begin the first round of new requests."""
    Delivery.objects.bulk_create(_begin(request) for request in requests)


def reopen_deliveries(requests: Sequence[CancellationRequest]) -> None:
    """Have a round that is to be made of each of these requests, which wait anew. Their order is locked.

    What the OMS decided of units of the round before, when the others were withdrawn, goes along to the next one.
    """
    rows = Delivery.objects.filter(latest_of__in=requests)
    claim_delivery(rows, _State.CREATED, moves=_AS_NEW)
    rows.update(error="")
    latest = {row.latest_of_id: row for row in rows}
    over = [row.pk for row in latest.values() if row.state == _State.WITHDRAWN]
    Delivery.objects.filter(pk__in=over).update(latest_of=None)
    rounds = [(request, latest.get(request.pk)) for request in requests]
    Delivery.objects.bulk_create(
        _begin(request, last) for request, last in rounds if last is None or last.pk in over
    )


def ensure_delivery(request: CancellationRequest) -> Delivery:
    """Have a latest round of a request: of one that a process of the version before has opened, its first."""
    delivery: Delivery | None = getattr(request, "delivery", None)
    if delivery is None:
        delivery, _is_new = Delivery.objects.get_or_create(
            latest_of=request, defaults={"request": request, "name": request.uuid.hex}
        )
        request.delivery = delivery
    return delivery


def _begin(request: CancellationRequest, last: Delivery | None = None) -> Delivery:
    """Begin a round, named by its request's uuid and its number.

    An id would be given out again after a restored backup, or by another installation on the same channel.
    """
    number = 0 if last is None else last.round + 1
    return Delivery(
        request=request,
        latest_of=request,
        round=number,
        name=f"{request.uuid.hex}r{number}" if number else request.uuid.hex,
        remote_pks=[] if last is None else last.remote_pks,
    )
