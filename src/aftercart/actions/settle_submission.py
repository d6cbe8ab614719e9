"""Settle a submission once Omnitron's answer is known, or known to be unknown: one claiming transaction."""

from django.db import models, transaction
from django.db.models import Q

from aftercart.actions import jobs
from aftercart.actions.commands import Answer
from aftercart.actions.notify_customer import notify_approved, notify_confirmed, notify_sent
from aftercart.actions.open_requests import answer_requests, ensure_requests, open_requests
from aftercart.actions.plan_sync import plan_sync
from aftercart.actions.recognize_replay import record_answer
from aftercart.cancellations.models import CancellationRequest, Submission
from aftercart.cancellations.states import claim_move, claim_request
from aftercart.lib.clock import get_now
from aftercart.lib.correlation import correlate_submission
from aftercart.lib.failpoints import failpoint
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, save_item, save_order
from aftercart.orders.status import FINAL, Status
from aftercart.orders.timeline import Actor, record_event

_State = Submission.State
_Status = CancellationRequest.Status


def settle_submission(
    submission_pk: int,
    outcome: Submission.State,
    actor: Actor,
    *,
    cause: str = "",
    detail: str = "",
    only_from: Submission.State | None = None,
    only_if: Q | None = None,
    nowait: bool = False,
) -> Answer:
    """Settle as `applied`, `refused` or `unknown`, and give the answer for the caller who waits.

    Whoever comes second changes nothing and is told what the first one settled; so is one that has seen it stand
    in a state (`only_from`) in which it stands no more. `only_if` is a condition of the claim that releases it.
    With `nowait`, an order that somebody else holds is an `OperationalError`.
    """
    with transaction.atomic(durable=True):
        submission = Submission.objects.select_related("idempotency_record").get(pk=submission_pk)
        correlate_submission(submission.uuid)
        order = lock_order(pk=submission.order_id, nowait=nowait)
        if only_from is not None:
            submission.refresh_from_db(fields=["state"])
            if submission.state != only_from:
                return answer_current(submission)
        if outcome is _State.APPLIED:
            answer = _apply(order, submission, actor, cause=cause)
        elif outcome is _State.UNKNOWN:
            answer = _hold(order, submission, actor, cause=cause, detail=detail)
        else:
            answer = open_requests(order, submission, actor, cause=cause, detail=detail, only_if=only_if)
        record_answer(submission.idempotency_record, answer)
        save_order(order, "status", "status_before")
        failpoint("settle.booked")
    failpoint("settle.committed")
    return answer


def _apply(order: Order, submission: Submission, actor: Actor, *, cause: str) -> Answer:
    if not claim_move(
        submission, _State.APPLIED, cause=cause, cause_detail="", settled_at=get_now(), manual_since=None
    ):
        return answer_current(submission)
    return book_applied(order, submission, actor, cause=cause)


def book_applied(order: Order, submission: Submission, actor: Actor, *, cause: str) -> Answer:
    """Book what follows once a submission of a locked order stands in `applied`; the caller saves the order."""
    requests = CancellationRequest.objects.filter(line__in=submission.list_carried())
    held = requests.exists()
    for line in submission.list_carried().filter(is_open=True).select_related("order_item"):
        item = line.order_item
        if item.status not in FINAL | {Status.CANCELLATION_WAITING}:
            item.status_before, item.status = item.status, Status.CANCELLATION_WAITING.value
            save_item(item, "status", "status_before")
    # What was held, or approved by the staff, is in Omnitron's hands now.
    keeps_cause = submission.origin == Submission.Origin.APPROVAL and not cause
    causes = {} if keeps_cause else {"cause": cause}
    claim_request(requests.filter(line__is_open=True), _Status.CONFIRMED, may_stay=True, **causes)
    put_order_status(order)
    record_event(order, "cancellation_sent", actor, cause=cause, data=submission.event_data)
    _notify_applied(order, submission, requests, held=held)
    plan_sync(order.pk)
    return answer_requests(submission) if held else Answer(204)


def _notify_applied(
    order: Order, submission: Submission, requests: models.QuerySet[CancellationRequest], *, held: bool
) -> None:
    """Notify the customer: of an approval only now, since Omnitron could have refused it."""
    if submission.origin == Submission.Origin.APPROVAL:
        for request in requests.select_related("line__order_item"):
            notify_approved(order, request)
    elif held:
        notify_confirmed(order, submission)
    else:
        notify_sent(order, submission)


def _hold(order: Order, submission: Submission, actor: Actor, *, cause: str, detail: str) -> Answer:
    if not claim_move(submission, _State.UNKNOWN, cause=cause, cause_detail=detail):
        return answer_current(submission)
    ensure_requests(submission, _Status.VERIFYING, cause)
    jobs.enqueue(jobs.VERIFY_SUBMISSION, submission.pk)
    data = submission.event_data | {"detail": detail}
    record_event(order, "answer_unknown", actor, cause=cause, data=data)
    return answer_requests(submission)


def answer_current(submission: Submission) -> Answer:
    """Return the answer that fits where a submission stands, whoever brought it there."""
    if CancellationRequest.objects.filter(line__submission=submission).exists():
        return answer_requests(submission)
    return Answer(204)


def put_order_status(order: Order) -> None:
    """Derive a locked order's status from its items where cancellation decides it; the caller saves it.

    All cancelled: cancelled (refunded, if any item was). All cancelled or being cancelled: waiting. Else,
    if the order was waiting, the status before.
    """
    statuses = set(order.items.values_list("status", flat=True))
    if statuses <= FINAL:
        after = Status.REFUNDED.value if Status.REFUNDED in statuses else Status.CANCELED.value
    elif statuses <= FINAL | {Status.CANCELLATION_WAITING}:
        after = Status.CANCELLATION_WAITING.value
    elif order.status == Status.CANCELLATION_WAITING:
        after = order.status_before or max(statuses - FINAL - {Status.CANCELLATION_WAITING})
    else:
        return
    if after != order.status:
        order.status_before, order.status = order.status, after
