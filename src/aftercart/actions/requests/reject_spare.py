"""Reject at the OMS what must not stay in its queue; where the OMS was quicker, say which units and what money."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from aftercart.actions.mail.notify_customer import notify_late
from aftercart.actions.requests.note_spares import note_spares
from aftercart.actions.requests.reject_remote import UNDECIDED, read_remote, reject_remote
from aftercart.actions.sync.plan_sync import plan_sync
from aftercart.actions.sync.record_difference import record_surplus
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import CancellationRequest, Delivery, SpareRequest
from aftercart.lib.failpoints import failpoint
from aftercart.oms.errors import OmsError
from aftercart.oms.messages import RemoteRequest
from aftercart.oms.port import Dialogue, OmsClient
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import OMS, record_event

_State = SpareRequest.State

logger = logging.getLogger("aftercart.alarm")
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=5)
#: What the OMS's staff read of it.
_REASON = "Made twice by mistake; nothing has to be done about it."


def reject_spare(spare_pk: int, client: OmsClient) -> None:
    """Reject a spare request, unless that has been done; tried again until the OMS has answered."""
    spare = SpareRequest.objects.select_related("request__line__order_item__order").get(pk=spare_pk)
    if spare.state != _State.FOUND:
        return
    channel_id = spare.request.line.order_item.order.channel_id
    try:
        with client.dialogue() as dialogue:
            if spare.remote_pk is None:
                _look_for(dialogue, spare, channel_id)
                return
            rows = _reject(dialogue, spare, channel_id)
    except OmsError as error:
        SpareRequest.objects.filter(pk=spare.pk).update(tries=spare.tries + 1, error=error.detail)
        jobs.enqueue_again(jobs.REJECT_SPARE, spare.pk, spare.tries, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
    else:
        _settle(spare.pk, rows)


def _look_for(dialogue: Dialogue, spare: SpareRequest, channel_id: int) -> None:
    """Look for what was made under a name, and note it by its id."""
    rows = dialogue.find_requests(channel_id=channel_id, remote_id=spare.name)
    with transaction.atomic(durable=True):
        note_spares(spare.request_id, [row for row in rows if row.status != "rejected"])
        SpareRequest.objects.filter(pk=spare.pk).update(state=_State.ABSENT, settled_at=Now())


def _reject(dialogue: Dialogue, spare: SpareRequest, channel_id: int) -> list[RemoteRequest]:
    pks = [spare.remote_pk] if spare.remote_pk is not None else []
    rows = read_remote(dialogue, channel_id=channel_id, pks=pks)
    if not any(row.status in UNDECIDED for row in rows):
        return rows
    return reject_remote(
        dialogue, channel_id=channel_id, pks=pks, reason=_REASON, guard=lambda: _is_still_spare(spare)
    )


def _is_still_spare(spare: SpareRequest) -> bool:
    """Look once more, right before the rejection leaves: it has not become the one that counts."""
    is_kept = Delivery.objects.filter(latest_of=spare.request_id, remote_pks__contains=[spare.remote_pk])
    return SpareRequest.objects.filter(pk=spare.pk, state=_State.FOUND).exists() and not is_kept.exists()


@transaction.atomic(durable=True)
def _settle(spare_pk: int, rows: list[RemoteRequest]) -> None:
    """Record what became of it. One that the OMS has approved counts, or is one too many."""
    spare = SpareRequest.objects.select_related("request__line__order_item", "request__delivery").get(
        pk=spare_pk
    )
    order = lock_order(pk=spare.request.line.order_item.order_id)
    approved = [row for row in rows if row.status != "rejected"]
    state = _State.APPROVED if approved else _State.REJECTED if rows else _State.ABSENT
    if not SpareRequest.objects.filter(pk=spare.pk, state=_State.FOUND).update(
        state=state, settled_at=Now(), error=""
    ):
        return
    failpoint("spare.settled")
    data = {"request": spare.request_id, "remote": spare.remote_pk, "state": state.value}
    is_second = any(pk != spare.remote_pk for pk in spare.request.remote_pks)
    event = "second_request_settled" if is_second else "late_request_settled"
    record_event(order, event, OMS, item=spare.request.line.order_item, data=data)
    what = "a second request" if is_second else "a late request"
    logger.error("Omnitron had %s #%s for request %s: %s", what, spare.remote_pk, spare.request_id, state)
    if approved:
        _count_approved(order, spare, approved[0])
    save_order(order)


def _count_approved(order: Order, spare: SpareRequest, row: RemoteRequest) -> None:
    """Let an approved one stand for the request while the first is undecided; else its units are gone beside it."""
    request, line = spare.request, spare.request.line
    if line.is_open and not request.remote_pks:
        plan_sync(order.pk)  # nothing else stands for the request: this one does, as its delivery will find
        return
    if (
        line.is_open
        and len(request.remote_pks) == 1
        and request.status != CancellationRequest.Status.CONFIRMED
    ):
        [first] = request.remote_pks
        Delivery.objects.filter(latest_of=request).update(remote_pks=[row.pk])
        other = SpareRequest.objects.create(request=request, name=spare.name, remote_pk=first)
        jobs.enqueue(jobs.REJECT_SPARE, other.pk)
        plan_sync(order.pk)
        return
    units = row.quantity or 1
    record_surplus(order, line, 0 if line.outcome == "rejected" else units, units)
    notify_late(order, line)
