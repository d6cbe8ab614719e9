"""Approve a waiting request in the back office; the worker then sends it to the OMS."""

from collections.abc import Sequence

from django.db import models, transaction

from aftercart.accounts.models import User
from aftercart.actions.cancel.send_submission import send_submission
from aftercart.actions.requests.find_obstacle import find_obstacle, lock_request
from aftercart.actions.requests.note_spares import look_later
from aftercart.actions.requests.open_delivery import ensure_delivery
from aftercart.actions.requests.read_created import list_created_pks, name_remote
from aftercart.actions.requests.reject_remote import UNDECIDED, read_remote, reject_remote
from aftercart.actions.requests.try_later import try_later
from aftercart.actions.sync.plan_sync import plan_sync
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import CancellationRequest, Delivery, Submission
from aftercart.cancellations.states import UNDER_WAY, claim_delivery, claim_request
from aftercart.lib.failpoints import failpoint
from aftercart.oms.errors import OmsError
from aftercart.oms.messages import RemoteRequest
from aftercart.oms.port import OmsClient
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import OMS, Actor, record_event

_State, _Status = Delivery.State, CancellationRequest.Status
#: What the OMS is told when a request leaves its queue because it was approved in ours.
_WITHDRAWN = "Approved in Aftercart; cancelled directly."


@transaction.atomic(durable=True)
def approve_request(request_pk: int, staff: User) -> None:
    """Approve: recorded now, sent to the OMS by the worker. Raises what `find_obstacle` finds."""
    order, request = lock_request(request_pk, find_obstacle)
    approve_waiting(order, request, staff)
    save_order(order)


def approve_waiting(order: Order, request: CancellationRequest, staff: User) -> bool:
    """Approve a request of a locked order, which the caller saves; return whether it was waiting."""
    waiting = CancellationRequest.objects.filter(pk=request.pk, status=_Status.WAITING)
    count = claim_request(waiting, _Status.APPROVED, decided_by=staff)
    if count:
        record_event(order, "request_approved", Actor.staff(staff), data={"request": request.pk})
        jobs.enqueue(jobs.EXECUTE_APPROVAL, request.pk)
    return bool(count)


def execute_approval(request_pk: int, client: OmsClient) -> None:
    """Send an approved request as a submission of its own, once it is out of the OMS's queue.

    Applied: the request is confirmed. Refused: it waits again. Unknown: it is held.
    Not out of the queue, for whatever reason: tried again later, and the back office sees why.
    """
    requests = CancellationRequest.objects.select_related("line__submission__order", "delivery")
    request = requests.get(pk=request_pk)
    if not request.is_approved_here:
        return
    delivery = ensure_delivery(request)
    try:
        found = _withdraw(request, client)
    except OmsError as error:
        try_later(jobs.EXECUTE_APPROVAL, request_pk, delivery, error.note)
        return
    if _is_left_to_oms(request, found):
        _take_back(request, found)
        return
    failpoint("approve.withdrawn")
    submission_pk = _prepare(request, found)
    if submission_pk is not None:
        failpoint("approve.prepared")
        send_submission(submission_pk, client)


def _withdraw(request: CancellationRequest, client: OmsClient) -> list[RemoteRequest]:
    """Take the request out of the OMS's queue, and give what was there of it, as it stands then.

    One that is out of the queue already (an earlier try) is fine. What the OMS has decided for any unit, or is
    about to, stands for all of them: then nothing is taken out.
    """
    channel_id = request.line.submission.order.channel_id
    with client.dialogue() as dialogue:
        pks = list_created_pks(dialogue, request, channel_id)
        found = read_remote(dialogue, channel_id=channel_id, pks=pks)
        if _is_left_to_oms(request, found):
            return found
        return reject_remote(
            dialogue,
            channel_id=channel_id,
            pks=pks,
            reason=_WITHDRAWN,
            guard=lambda: _list_approved(request).exists() and _list_round(request).exists(),
        )


def _list_approved(request: CancellationRequest) -> models.QuerySet[CancellationRequest]:
    """Find a request again, if it is still one that our staff have approved."""
    rows = CancellationRequest.objects.filter(pk=request.pk)
    return rows.filter(status=_Status.APPROVED, decided_by__isnull=False)


def _list_round(request: CancellationRequest) -> models.QuerySet[Delivery]:
    """Find the round of a request that was read, unless it has been withdrawn since."""
    return Delivery.objects.filter(pk=request.delivery.pk).exclude(state=_State.WITHDRAWN)


def _is_left_to_oms(request: CancellationRequest, found: Sequence[RemoteRequest]) -> bool:
    """Return whether the OMS has decided of any unit, and we have taken none out of its queue.

    What we have taken out must go on, even if another unit was decided in that moment, or was in an earlier round.
    """
    kept = [] if request.is_delivered else request.remote_pks
    rows = [row for row in found if row.pk not in kept]
    is_decided = any(row.status not in {"rejected", *UNDECIDED} for row in rows)
    return is_decided and not any(row.reject_reason == _WITHDRAWN for row in rows)


@transaction.atomic(durable=True)
def _take_back(as_read: CancellationRequest, found: Sequence[RemoteRequest]) -> None:
    """Take back an approval that came too late: the OMS's own decision is read and booked.

    What was not wholly in its queue yet goes on there.
    """
    is_delivered = as_read.is_delivered
    order = lock_order(pk=as_read.line.submission.order_id)
    delivery = _list_round(as_read).first()
    if delivery is None or (delivery.state == _State.KNOWN) != is_delivered:
        return
    after = _Status.CONFIRMED if is_delivered else _Status.WAITING
    if claim_request(_list_approved(as_read), after, decided_by=None):
        pks = [row.pk for row in found] if is_delivered else as_read.remote_pks
        _list_round(as_read).update(error="", remote_pks=pks)
        if not is_delivered:
            jobs.enqueue(jobs.DELIVER_REQUEST, as_read.pk)
        record_event(order, "request_decided_there", OMS, data={"request": as_read.pk})
        save_order(order)
        plan_sync(order.pk)


@transaction.atomic(durable=True)
def _prepare(as_read: CancellationRequest, found: Sequence[RemoteRequest]) -> int | None:
    """Record this attempt as a submission of its own, unless somebody else has; the line stays where it is.

    What the OMS decided of a unit just when another was taken from it stays with the request, to be counted.
    """
    order = lock_order(pk=as_read.line.submission.order_id)
    request = CancellationRequest.objects.select_related("line__submission").get(pk=as_read.pk)
    if not request.is_approved_here or request.line.carrier.state in UNDER_WAY:
        return None
    delivery = Delivery.objects.get(pk=as_read.delivery.pk)
    kept = [row.pk for row in found if row.status != "rejected"]
    rows = Delivery.objects.filter(pk=delivery.pk, latest_of=request)
    if not claim_delivery(rows, _State.WITHDRAWN, remote_pks=kept, error=""):
        return None  # what was taken out of the queue was an earlier round's
    submission = Submission.objects.create(
        order=order,
        user=request.decided_by,
        origin=Submission.Origin.APPROVAL,
        approved_request=request,
    )
    if delivery.attempts:  # one that has stood still since may come under the name of this round
        look_later(request, [name_remote(delivery, position) for position in range(request.line.quantity)])
    evidence = {"request": request.pk, "remote": delivery.remote_pks, "detail": delivery.error}
    record_event(order, "request_withdrawn", Actor.staff(request.decided_by), data=evidence)
    save_order(order)
    return submission.pk
