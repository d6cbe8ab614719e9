"""Give a submission up to the back office: its lines become requests. Inside the caller's transaction."""

from django.db.models import Q

from aftercart.actions.commands import Answer
from aftercart.actions.mail.notify_customer import notify_received
from aftercart.actions.mail.notify_staff import notify_bounced
from aftercart.actions.requests.open_delivery import open_deliveries, reopen_deliveries
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.document import request_record
from aftercart.cancellations.models import CancellationRequest, Delivery, Submission
from aftercart.cancellations.states import (
    IllegalMove,
    claim_delivery,
    claim_move,
    claim_request,
)
from aftercart.lib.clock import get_now
from aftercart.orders.models import Order
from aftercart.orders.timeline import Actor, record_event

_Status = CancellationRequest.Status


def open_requests(
    order: Order,
    submission: Submission,
    actor: Actor,
    *,
    cause: str,
    detail: str = "",
    only_if: Q | None = None,
) -> Answer:
    """Move the submission to `refused` and have one waiting request for each of its lines.

    For requests that were held for an answer, or that an approval did not get through, this is the release.
    Without the claim (somebody else has settled it, or `only_if` does not hold) nothing is written. What the OMS
    may have rejected already is not put into its queue again: our staff decides. Returns the contract's 200.
    """
    now = get_now()
    if claim_move(
        submission,
        Submission.State.REFUSED,
        only_if=only_if,
        cause=cause,
        cause_detail=detail,
        settled_at=now,
        manual_since=None,
    ):
        requests = ensure_requests(submission, _Status.WAITING, cause)
        if cause == Cause.FOUND_CHANGED:
            deliveries = Delivery.objects.filter(latest_of__in=requests)
            claim_delivery(deliveries, Delivery.State.FAILED, error=detail)
        else:
            for request in requests:
                jobs.enqueue(jobs.DELIVER_REQUEST, request.pk)
        if submission.origin == Submission.Origin.APPROVAL:
            notify_bounced(order, submission)
        else:
            notify_received(order, submission)
        data = submission.event_data | {"detail": detail}
        record_event(order, "requests_opened", actor, cause=cause, data=data)
    return answer_requests(submission)


def ensure_requests(
    submission: Submission, status: CancellationRequest.Status, cause: str
) -> list[CancellationRequest]:
    """Have one request in this status for each open line: made, or moved there from where it was held."""
    new: list[CancellationRequest] = []
    held: list[CancellationRequest] = []
    for line in submission.list_carried().filter(is_open=True):
        request, is_new = CancellationRequest.objects.get_or_create(
            line=line, defaults={"status": status, "cause": cause}
        )
        if not is_new:
            # As new, if it waits: nobody has decided on it.
            this = CancellationRequest.objects.filter(pk=request.pk)
            fields = {"cause": cause, **({"decided_by": None} if status == _Status.WAITING else {})}
            if not claim_request(this, status, may_stay=True, **fields):
                raise IllegalMove(f"Request {request.pk} cannot become {status}.")
            request.refresh_from_db()
        (new if is_new else held).append(request)
    if status == _Status.WAITING:
        open_deliveries(new)
        reopen_deliveries(held)
    return [*new, *held]


def answer_requests(submission: Submission) -> Answer:
    """Write the contract's 200: the requests that were made (contract section 3.2)."""
    requests = CancellationRequest.objects.filter(line__submission=submission).select_related("line")
    status = 201 if submission.origin == Submission.Origin.REQUEST else 200
    return Answer(status, [request_record(request) for request in requests.order_by("pk")])
