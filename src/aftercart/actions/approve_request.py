"""Approve a waiting request in the back office: its cancellation is sent to Omnitron, as a submission of its own."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from aftercart.accounts.models import User
from aftercart.actions.commands import Answer
from aftercart.actions.send_submission import send_submission
from aftercart.cancellations.models import CancellationRequest, Submission
from aftercart.omnitron.client import Omnitron
from aftercart.orders.errors import ActionError
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import Actor, record_event

_Status = CancellationRequest.Status


class RequestDecided(ActionError):
    """The request is not waiting any more."""

    status = 409
    code = "request_decided"

    def __str__(self) -> str:
        return _("This request has already been decided.")


def approve_request(request_pk: int, staff: User, client: Omnitron) -> Answer:
    """Approve: 204 when Omnitron took it; 200 when it is back in the queue (refused) or held (unknown).

    Raises `RequestDecided`.
    """
    submission_pk = _prepare(request_pk, staff)
    return send_submission(submission_pk, client)


@transaction.atomic(durable=True)
def _prepare(request_pk: int, staff: User) -> int:
    """Move the request's line to a new submission, so that this attempt has a row of its own."""
    request = CancellationRequest.objects.select_related("line__submission").get(pk=request_pk)
    order = lock_order(pk=request.line.submission.order_id)
    count = CancellationRequest.objects.filter(pk=request_pk, status=_Status.WAITING).update(
        status=_Status.APPROVED, decided_by=staff, modified_date=timezone.now()
    )
    if not count:
        raise RequestDecided
    submission = Submission.objects.create(order=order, user=staff, origin=Submission.Origin.APPROVAL)
    line = request.line
    line.submission = submission
    line.save(update_fields=["submission"])
    record_event(order, "request_approved", Actor.staff(staff), data={"request": request_pk})
    save_order(order)
    return submission.pk
