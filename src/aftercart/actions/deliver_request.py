"""Deliver a cancellation request into Omnitron's own queue: looked for first, so that it is made once."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from aftercart.actions import jobs
from aftercart.actions.find_remote import RemoteDiffers, find_remote_items, find_remote_reasons
from aftercart.actions.waits import compute_wait
from aftercart.cancellations.models import CancellationRequest, SubmissionLine
from aftercart.lib.failpoints import failpoint
from aftercart.omnitron.client import Dialogue, Omnitron
from aftercart.omnitron.errors import AnswerUnknown, NotSent, Refused
from aftercart.omnitron.messages import RemoteRequest, RequestDraft
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.status import FINAL
from aftercart.orders.timeline import WORKER, record_event

_Status = CancellationRequest.Status
_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(minutes=10)


def deliver_request(request_pk: int, client: Omnitron) -> None:
    """Deliver a waiting request, unless it has been. A lost answer or an outage: tried again later.

    What Omnitron refuses stays with our own back office, which sees why.
    """
    request = CancellationRequest.objects.select_related("line__order_item__order", "line__reason").get(
        pk=request_pk
    )
    if request.status != _Status.WAITING or request.delivered_at is not None:
        return
    try:
        with client.dialogue() as talk:
            made = _find_or_create(talk, request)
    except (NotSent, AnswerUnknown) as error:
        _record_failure(request, error.detail)
        wait = compute_wait(request.deliveries, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
        jobs.enqueue(jobs.DELIVER_REQUEST, request_pk, wait=wait)
    except (Refused, RemoteDiffers) as error:
        _record_failure(request, error.detail, is_final=True)
    else:
        _record_delivery(request, made)


def _find_or_create(talk: Dialogue, request: CancellationRequest) -> list[RemoteRequest]:
    """Have one request at Omnitron for each of its items that the line asks for."""
    line = request.line
    order = line.order_item.order
    pks = find_remote_items(talk, order, [line.order_item])[line.order_item_id]
    reason_pk = find_remote_reasons(talk, order.channel_id, [line.reason])[line.reason_id]
    is_split = len(pks) > 1
    if is_split:
        pks = _find_left(talk, order, pks)
    made = []
    for position, item_pk in enumerate(pks[: line.quantity]):
        remote_id = name_remote(request, position)
        found = talk.find_requests(channel_id=order.channel_id, remote_id=remote_id)
        draft = _draft(line, item_pk, reason_pk, remote_id, quantity=1 if is_split else line.quantity)
        failpoint("deliver.looked")
        made.append(found[0] if found else talk.create_request(channel_id=order.channel_id, draft=draft))
        failpoint("deliver.created")
    return made


def _find_left(talk: Dialogue, order: Order, pks: list[int]) -> list[int]:
    """Keep those of an item's units that Omnitron has not cancelled, in the order in which they are quoted."""
    remote = talk.read_order(channel_id=order.channel_id, number=order.number)
    gone = {row.pk for row in remote.items if row.status in FINAL}
    return [pk for pk in sorted(pks) if pk not in gone]


def name_remote(request: CancellationRequest, position: int) -> str:
    """Name a request for Omnitron: our id, and where needed which round and which of several items."""
    rounds = f"r{request.delivery_round}" if request.delivery_round else ""
    return f"{request.pk}{rounds}-{position}" if position else f"{request.pk}{rounds}"


def _draft(
    line: SubmissionLine, item_pk: int, reason_pk: int, remote_id: str, *, quantity: int
) -> RequestDraft:
    return RequestDraft(
        order_item_pk=item_pk,
        reason_pk=reason_pk,
        remote_id=remote_id,
        description=line.description,
        cancellation_type=line.cancellation_type,
        quantity=quantity,
        iban=line.iban or None,
        holder_name=line.holder_name or None,
        fully_refund_as_loyalty_money=line.fully_refund_as_loyalty_money,
    )


def _record_failure(request: CancellationRequest, detail: str, *, is_final: bool = False) -> None:
    request.deliveries += 1
    request.delivery_error = detail
    request.is_undeliverable = is_final
    request.save(update_fields=["deliveries", "delivery_error", "is_undeliverable"])


@transaction.atomic(durable=True)
def _record_delivery(request: CancellationRequest, made: list[RemoteRequest]) -> None:
    order = lock_order(pk=request.line.order_item.order_id)
    code = next((row.easy_return_code for row in made if row.easy_return_code), "")
    count = CancellationRequest.objects.filter(pk=request.pk, delivered_at=None).update(
        remote_pks=[row.pk for row in made],
        delivered_at=timezone.now(),
        delivery_error="",
        easy_return_code=code,
    )
    if count:
        data = {"request": request.pk, "remote": [row.pk for row in made]}
        record_event(order, "request_delivered", WORKER, item=request.line.order_item, data=data)
        save_order(order)
        jobs.enqueue(jobs.SYNC_ORDER, order.pk)
