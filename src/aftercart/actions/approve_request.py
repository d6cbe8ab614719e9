"""Approve a waiting request in the back office; the worker then sends it to Omnitron."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from aftercart.accounts.models import User
from aftercart.actions import jobs
from aftercart.actions.send_submission import send_submission
from aftercart.actions.tell_customer import tell_approved
from aftercart.actions.waits import compute_wait
from aftercart.cancellations.models import CancellationRequest, Submission
from aftercart.cancellations.states import UNDER_WAY
from aftercart.lib.failpoints import failpoint
from aftercart.omnitron.client import Omnitron
from aftercart.omnitron.errors import AnswerUnknown, NotSent, Refused
from aftercart.orders.errors import ActionError
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import OMNITRON, Actor, record_event

_Status = CancellationRequest.Status
_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(minutes=10)
#: What Omnitron is told when a request leaves its queue because it was approved in ours.
_WITHDRAWN = "Approved in Aftercart; cancelled directly."


class RequestDecided(ActionError):
    """The request is not waiting any more."""

    status = 409
    code = "request_decided"

    def __str__(self) -> str:
        return _("This request has already been decided.")


@transaction.atomic(durable=True)
def approve_request(request_pk: int, staff: User) -> None:
    """Approve: recorded now, sent to Omnitron by the worker. Raises `RequestDecided`."""
    request = CancellationRequest.objects.select_related("line__submission").get(pk=request_pk)
    order = lock_order(pk=request.line.submission.order_id)
    if not approve_waiting(order, request, staff):
        raise RequestDecided
    save_order(order)


def approve_waiting(order: Order, request: CancellationRequest, staff: User) -> bool:
    """Approve a request of a locked order, which the caller saves; tell whether it was waiting."""
    count = CancellationRequest.objects.filter(pk=request.pk, status=_Status.WAITING).update(
        status=_Status.APPROVED, decided_by=staff, modified_date=timezone.now()
    )
    if count:
        record_event(order, "request_approved", Actor.staff(staff), data={"request": request.pk})
        tell_approved(order, request)
        jobs.enqueue(jobs.EXECUTE_APPROVAL, request.pk)
    return bool(count)


def execute_approval(request_pk: int, client: Omnitron) -> None:
    """Send an approved request as a submission of its own, once it is out of Omnitron's queue.

    Applied: the request is confirmed. Refused: it waits again. Unknown: it is held.
    An outage before anything was sent: tried again later.
    """
    request = CancellationRequest.objects.select_related("line__submission__order").get(pk=request_pk)
    if not request.is_approved_here:
        return
    try:
        _withdraw(request, client)
    except (NotSent, AnswerUnknown) as error:
        request.deliveries += 1
        request.delivery_error = error.detail
        request.save(update_fields=["deliveries", "delivery_error"])
        wait = compute_wait(request.deliveries, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
        jobs.enqueue(jobs.EXECUTE_APPROVAL, request_pk, wait=wait)
        return
    failpoint("approve.withdrawn")
    submission_pk = _prepare(request_pk)
    if submission_pk is not None:
        failpoint("approve.prepared")
        send_submission(submission_pk, client)


def _withdraw(request: CancellationRequest, client: Omnitron) -> None:
    """Take the request out of Omnitron's queue; one that is out of it already (an earlier try) is fine."""
    channel_id = request.line.submission.order.channel_id
    with client.dialogue() as talk:
        for pk in request.remote_pks:
            try:
                talk.reject_request(channel_id=channel_id, pk=pk, reason=_WITHDRAWN)
            except Refused:
                continue  # decided there meanwhile: what that means, reading the order will show


@transaction.atomic(durable=True)
def _prepare(request_pk: int) -> int | None:
    """Move the request's line to a new submission, unless somebody else has; this attempt has its own row."""
    request = CancellationRequest.objects.select_related("line__submission").get(pk=request_pk)
    order = lock_order(pk=request.line.submission.order_id)
    request.refresh_from_db()
    if not request.is_approved_here or request.line.submission.state in UNDER_WAY:
        return None
    submission = Submission.objects.create(
        order=order, user=request.decided_by, origin=Submission.Origin.APPROVAL
    )
    request.line.submission = submission
    request.line.save(update_fields=["submission"])
    request.delivery_round += 1
    request.remote_pks = []
    request.delivered_at = None
    request.is_undeliverable = False
    request.save(update_fields=["delivery_round", "remote_pks", "delivered_at", "is_undeliverable"])
    record_event(order, "request_withdrawn", OMNITRON, data={"request": request_pk})
    save_order(order)
    return submission.pk
