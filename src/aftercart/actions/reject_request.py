"""Reject a waiting request in the back office: the item stays with the customer, who is told why."""

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from aftercart.accounts.models import User
from aftercart.actions import jobs
from aftercart.actions.approve_request import RequestDecided
from aftercart.actions.close_line import reject_line
from aftercart.actions.settle_submission import put_order_status
from aftercart.actions.waits import compute_wait
from aftercart.cancellations.models import CancellationRequest
from aftercart.lib.failpoints import failpoint
from aftercart.omnitron.client import Omnitron
from aftercart.omnitron.errors import AnswerUnknown, NotSent, Refused
from aftercart.orders.errors import InputInvalid
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import Actor

_Status = CancellationRequest.Status
_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(minutes=10)


@transaction.atomic(durable=True)
def reject_request(request_pk: int, staff: User, reason: str) -> None:
    """Reject. Omnitron is told afterwards, if it has the request.

    Raises `RequestDecided`, and `InputInvalid` without a reason.
    """
    if not reason.strip():
        raise InputInvalid({"reason": [_("Say why: the customer will read it.")]})
    request = CancellationRequest.objects.select_related("line__submission").get(pk=request_pk)
    order = lock_order(pk=request.line.submission.order_id)
    request.refresh_from_db(fields=["status"])
    if request.status not in {_Status.WAITING, _Status.WAITING_APPROVAL}:
        raise RequestDecided
    reject_line(order, request.line, Actor.staff(staff), reason=reason, decided_by=staff)
    put_order_status(order)
    save_order(order, "status", "status_before")
    jobs.enqueue(jobs.DELIVER_REJECTION, request_pk)


def deliver_rejection(request_pk: int, client: Omnitron) -> None:
    """Tell Omnitron that a request of its queue was rejected; telling it twice does no harm."""
    request = CancellationRequest.objects.select_related("line__submission__order").get(pk=request_pk)
    channel_id = request.line.submission.order.channel_id
    try:
        with client.dialogue() as talk:
            for pk in request.remote_pks:
                talk.reject_request(channel_id=channel_id, pk=pk, reason=request.reject_reason)
                failpoint("reject.told")
    except (NotSent, AnswerUnknown) as error:
        request.deliveries += 1
        request.delivery_error = error.detail
        request.save(update_fields=["deliveries", "delivery_error"])
        wait = compute_wait(request.deliveries, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
        jobs.enqueue(jobs.DELIVER_REJECTION, request_pk, wait=wait)
    except Refused as error:  # decided there meanwhile: the daily reconciliation reports the difference
        CancellationRequest.objects.filter(pk=request_pk).update(delivery_error=error.detail)
