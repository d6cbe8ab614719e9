"""Reject a waiting request in the back office: the item stays with the customer, who is told why."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from aftercart.accounts.models import User
from aftercart.actions.cancel.book_refund import REFUND_FIELDS
from aftercart.actions.cancel.close_line import complete_line, count_done, reject_line
from aftercart.actions.cancel.record_submission import put_order_status
from aftercart.actions.mail.notify_customer import notify_completed
from aftercart.actions.requests.find_obstacle import find_rejection_obstacle, lock_request
from aftercart.actions.requests.read_created import list_created_pks
from aftercart.actions.requests.reject_remote import reject_remote
from aftercart.actions.requests.try_later import try_later
from aftercart.actions.sync.plan_sync import plan_sync
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import CancellationRequest, DecisionNotice, Delivery
from aftercart.cancellations.states import claim_delivery, claim_notice
from aftercart.lib.clock import get_now
from aftercart.lib.failpoints import failpoint
from aftercart.lib.notes import write_note
from aftercart.oms.errors import OmsError
from aftercart.oms.messages import RemoteRequest
from aftercart.oms.port import Dialogue, OmsClient
from aftercart.orders.errors import InputInvalid
from aftercart.orders.models import OrderItem
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import OMS, Actor, record_event

_State, _Status = DecisionNotice.State, CancellationRequest.Status


@transaction.atomic(durable=True)
def reject_request(request_pk: int, staff: User, reason: str) -> None:
    """Reject. The OMS is told afterwards, if it has the request.

    Raises `RequestDecided` or `RequestObstructed`, and `InputInvalid` without a reason.
    """
    if not reason.strip():
        raise InputInvalid({"reason": [_("Say why: the customer will read it.")]})
    order, request = lock_request(request_pk, find_rejection_obstacle)
    reject_line(order, request.line, Actor.staff(staff), reason=reason, decided_by=staff)
    DecisionNotice.objects.create(request=request)
    put_order_status(order)
    save_order(order, "status", "status_before")
    jobs.enqueue(jobs.DELIVER_REJECTION, request_pk)


def deliver_rejection(request_pk: int, client: OmsClient) -> None:
    """Report to the OMS that a request of its queue was rejected; a second report does no harm.

    Where it has decided otherwise meanwhile, its decision stands: the units are gone there.
    """
    requests = CancellationRequest.objects.select_related("line__submission__order", "delivery")
    request = requests.get(pk=request_pk)
    if request.status != _Status.REJECTED:
        return
    notice, _is_new = DecisionNotice.objects.get_or_create(request=request)
    if notice.state != _State.DUE:
        return
    try:
        with client.dialogue() as dialogue:
            decided = _send_rejection(dialogue, request, notice)
    except OmsError as error:
        try_later(jobs.DELIVER_REJECTION, request_pk, notice, error.note)
    else:
        if count_done(request.line, decided) is None:
            try_later(jobs.DELIVER_REJECTION, request_pk, notice, write_note("still_deciding"))
        else:
            with transaction.atomic(durable=True):  # in one: who is told does not look again
                plan_sync(request.line.submission.order_id)  # which leaves the item alone until then
                overrule_rejection(request_pk, decided)
                notices = DecisionNotice.objects.filter(pk=notice.pk)
                claim_notice(notices, _State.KNOWN, known_at=get_now(), error="")
                # Of what was never sent nothing is to be made any more.
                unsent = Delivery.objects.filter(latest_of=request_pk, state=Delivery.State.CREATED)
                claim_delivery(unsent, Delivery.State.WITHDRAWN)


@transaction.atomic
def overrule_rejection(request_pk: int, decided: Sequence[RemoteRequest]) -> None:
    """Book the units that the OMS completed although our staff rejected the request; none: nothing is done.

    `decided` are the requests that the OMS has for it, all of them at their end. A part of the caller's transaction.
    """
    request = CancellationRequest.objects.select_related("line__submission").get(pk=request_pk)
    line = request.line
    done = count_done(line, decided)
    if not done:
        return
    order = lock_order(pk=line.submission.order_id)
    request.refresh_from_db(fields=["status"])
    if request.status != _Status.REJECTED:
        return
    line.order_item = OrderItem.objects.get(pk=line.order_item_id)
    record_event(order, "rejection_overruled", OMS, item=line.order_item, data={"line": line.pk})
    complete_line(order, line, OMS, quantity=done)
    notify_completed(order, line.submission)
    put_order_status(order)
    save_order(order, "status", "status_before", *REFUND_FIELDS)


def _send_rejection(
    dialogue: Dialogue, request: CancellationRequest, notice: DecisionNotice
) -> list[RemoteRequest]:
    """Reject what was made of a request, and give it as it stands then."""
    channel_id = request.line.submission.order.channel_id
    pks = list_created_pks(dialogue, request, channel_id)
    decided = reject_remote(
        dialogue,
        channel_id=channel_id,
        pks=pks,
        reason=request.reject_reason,
        guard=lambda: _is_due(notice),
    )
    failpoint("reject.sent")
    return decided


def _is_due(notice: DecisionNotice) -> bool:
    rows = DecisionNotice.objects.filter(pk=notice.pk, state=_State.DUE, request__status=_Status.REJECTED)
    return rows.exists()
