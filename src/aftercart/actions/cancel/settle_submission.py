"""Settle a submission once the OMS's answer is known, or known to be unknown: one claiming transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import models, transaction
from django.db.models import F, Q

from aftercart.actions.cancel.open_requests import answer_requests, ensure_requests, open_requests
from aftercart.actions.commands import Answer
from aftercart.actions.mail.notify_customer import notify_approved, notify_confirmed, notify_sent
from aftercart.actions.recognize_replay import record_answer
from aftercart.actions.sync.plan_sync import plan_sync_soon
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import CancellationRequest, Submission, SubmissionLine
from aftercart.cancellations.states import claim_move, claim_request
from aftercart.lib.batch import Batch
from aftercart.lib.clock import get_now
from aftercart.lib.correlation import correlate_submission
from aftercart.lib.failpoints import failpoint
from aftercart.lib.prepared import prepared, prepared_part
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.status import FINAL, Status
from aftercart.orders.timeline import Actor, record_event

_State = Submission.State
_Status = CancellationRequest.Status
_SUBMISSIONS: Final = Submission.objects.select_related("idempotency_record", "user")


def settle_submission(
    asked: Submission | int,
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
    With `nowait`, an order that somebody else holds is an `OperationalError`. `asked` is a submission or its id: what
    it stands at is looked up in either case.
    """
    with transaction.atomic(durable=True), jobs.enqueuing_together():
        submission = asked if isinstance(asked, Submission) else _SUBMISSIONS.get(pk=asked)
        correlate_submission(submission.uuid)
        order = lock_order(pk=submission.order_id, nowait=nowait)
        if submission.user is not None and submission.user.pk == order.user_id:
            order.user = submission.user  # whose language the e-mail is in
        if only_from is not None:
            submission.refresh_from_db(fields=["state"])
            if submission.state != only_from:
                return answer_current(submission)
        batch = Batch()
        if outcome is _State.APPLIED:
            answer = _apply(order, submission, actor, batch, cause=cause)
        elif outcome is _State.UNKNOWN:
            answer = _hold(order, submission, actor, cause=cause, detail=detail)
        else:
            answer = open_requests(order, submission, actor, cause=cause, detail=detail, only_if=only_if)
        record_answer(submission.idempotency_record, answer, batch=batch)
        save_order(order, "status", "status_before", "sync_due_at", batch=batch)
        batch.execute()
        failpoint("settle.booked")
    failpoint("settle.committed")
    return answer


def _apply(order: Order, submission: Submission, actor: Actor, batch: Batch, *, cause: str) -> Answer:
    if not claim_move(
        submission, _State.APPLIED, cause=cause, cause_detail="", settled_at=get_now(), manual_since=None
    ):
        submission.refresh_from_db(
            fields=["state"]
        )  # who asks may have claimed it in a transaction that was lost
        return answer_current(submission)
    answer = book_applied(order, submission, actor, batch, cause=cause)
    plan_sync_soon(order)
    return answer


def book_applied(order: Order, submission: Submission, actor: Actor, batch: Batch, *, cause: str) -> Answer:
    """Book what follows once a submission of a locked order stands in `applied`.

    Its items and its timeline entry are left to the batch; the caller saves the order, and has it read again.
    """
    lines = _list_carried(submission)
    requests = CancellationRequest.objects.filter(line__in=[line.pk for line in lines])
    held = any(hasattr(line, "request") for line in lines)
    waiting = Status.CANCELLATION_WAITING.value
    moved = [line.order_item_id for line in lines if line.is_open and _is_cancellable(line.order_item)]
    if moved:
        batch.add(_have_wait(moved, get_now()))
    if held:  # what was held, or approved by the staff, is in the OMS's hands now
        keeps_cause = submission.origin == Submission.Origin.APPROVAL and not cause
        causes = {} if keeps_cause else {"cause": cause}
        claim_request(requests.filter(line__is_open=True), _Status.CONFIRMED, may_stay=True, **causes)
    put_order_status(order, dict.fromkeys(moved, waiting))
    record_event(order, "cancellation_sent", actor, cause=cause, data=submission.event_data, batch=batch)
    _notify_applied(order, submission, requests, lines, held=held)
    return answer_requests(submission) if held else Answer(204)


@prepared_part
def _have_wait(pks: Sequence[int], now: datetime) -> tuple[models.QuerySet[OrderItem], dict[str, Any]]:
    items = OrderItem.objects.filter(pk=pks)  # type: ignore[misc]  # the argument stands for one of them
    return items, {
        "status": Status.CANCELLATION_WAITING.value,
        "status_before": F("status"),
        "modified_date": now,
    }


def _list_carried(submission: Submission) -> list[SubmissionLine]:
    """List the lines that a submission carries, as they stand, with their items, requests and quotes."""
    pk = submission.approved_request_id
    if pk:
        return _list_lines(request=pk)
    lines = _list_lines(submission=submission.pk)
    for line in lines:
        line.submission = submission
    return lines


@prepared
def _list_lines(**lookup: int) -> models.QuerySet[SubmissionLine]:
    return SubmissionLine.objects.filter(**lookup).select_related("order_item", "request", "quoted__quote")


@prepared
def _list_statuses(order: int) -> models.QuerySet[OrderItem, tuple[int, str]]:
    return OrderItem.objects.filter(order=order).values_list("pk", "status")


def _is_cancellable(item: OrderItem) -> bool:
    return item.status not in FINAL | {Status.CANCELLATION_WAITING}


def _notify_applied(
    order: Order,
    submission: Submission,
    requests: models.QuerySet[CancellationRequest],
    lines: Sequence[SubmissionLine],
    *,
    held: bool,
) -> None:
    """Notify the customer: of an approval only now, since the OMS could have refused it."""
    if submission.origin == Submission.Origin.APPROVAL:
        for request in requests.select_related("line__order_item"):
            notify_approved(order, request)
    elif held:
        notify_confirmed(order, submission)
    else:
        notify_sent(order, submission, lines)


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


def put_order_status(order: Order, changed: Mapping[int, str] | None = None) -> None:
    """Derive a locked order's status from its items where cancellation decides it; the caller saves it.

    `changed` are statuses, by item, that have still to be written.

    All cancelled: cancelled (refunded, if any item was). All cancelled or being cancelled: waiting. Else,
    if the order was waiting, the status before.
    """
    statuses = set((dict(_list_statuses(order.pk)) | dict(changed or {})).values())
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
