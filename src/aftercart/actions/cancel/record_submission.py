"""The third step of a cancellation and of its request: record it, and once the OMS has answered, what came of it.

First the intent, with its units reserved; then, in one claiming transaction, the answer, known or known to be unknown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from django.db import models, transaction
from django.db.models import F, Q, QuerySet

from aftercart.accounts.models import User
from aftercart.actions.cancel.decide_cancellation import Decision
from aftercart.actions.cancel.open_requests import answer_requests, ensure_requests, open_requests
from aftercart.actions.cancel.price_lines import QuoteAnswer
from aftercart.actions.commands import Answer, CancellationCase
from aftercart.actions.mail.notify_customer import notify_approved, notify_confirmed, notify_sent
from aftercart.actions.policy.keep_policy import keep_policy
from aftercart.actions.recognize_replay import record_answer
from aftercart.actions.sync.plan_sync import plan_sync_soon
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import (
    CancellationRequest,
    RefundQuote,
    RefundQuoteLine,
    Submission,
    SubmissionLine,
)
from aftercart.cancellations.states import claim_move, claim_request
from aftercart.lib.batch import Batch, allocate_ids
from aftercart.lib.clock import get_now
from aftercart.lib.correlation import correlate_submission
from aftercart.lib.failpoints import failpoint
from aftercart.lib.money import format_amount
from aftercart.lib.prepared import prepared, prepared_part
from aftercart.orders.models import IdempotencyRecord, Order, OrderItem
from aftercart.orders.policy.topics import Effect
from aftercart.orders.quotes import LineQuote
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.status import CANCELLING, FINAL, Status
from aftercart.orders.timeline import Actor, record_event

_State = Submission.State
_Status = CancellationRequest.Status
_SUBMISSIONS: Final = Submission.objects.select_related("idempotency_record", "user")

#: What a line was quoted, in the row that keeps it by the same name.
_QUOTED: Final = [field.name for field in fields(LineQuote) if field.name not in {"order_item", "quantity"}]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recorded intent: a submission in `prepared`, to be sent to the OMS next, and the lines that it carries."""

    submission: Submission
    lines: Sequence[SubmissionLine]


def record_submission(
    case: CancellationCase,
    decided: Decision,
    *,
    origin: Submission.Origin,
    user: User | None,
    idempotency_record: IdempotencyRecord | None,
    is_binding: bool = False,
    points_agreement: str = "",
) -> Prepared | Answer:
    """Record the decided lines of a locked order as a submission, with their units reserved.

    It is to be sent then, or, where it needs review, made requests of at once.
    """
    order, actor = case.order, Actor.customer(user)
    version_pk = case.version_pk or keep_policy(case.policy.book)
    submission = Submission(
        order=order,
        user=user,
        origin=origin,
        idempotency_record=idempotency_record,
        policy_version_id=version_pk,
        **_record_agreement(case, decided.priced, points_agreement),
    )
    correlate_submission(submission.uuid)
    batch = Batch()
    _add_rows(batch, submission, decided, is_binding=is_binding)
    reviews = [finding for finding in decided.priced.findings if finding.effect is Effect.REVIEW]
    data = {
        "submission": str(submission.uuid),
        "items": [line.order_item_id for line in decided.lines],
        "refund_amount": format_amount(decided.priced.quote.total),
        "policy": version_pk,
        "reviews": [[finding.order_item, finding.code, finding.clause] for finding in reviews],
    }
    record_event(order, "cancellation_submitted", actor, data=data, batch=batch)
    if origin is not Submission.Origin.REQUEST and not reviews:
        save_order(order, batch=batch)
        batch.execute()
        return Prepared(submission, decided.lines)
    batch.execute()
    cause = reviews[0].code if reviews else Cause.REQUESTED
    answer = open_requests(order, submission, actor, cause=cause)
    record_answer(submission.idempotency_record, answer)
    save_order(order)
    return answer


def _record_agreement(case: CancellationCase, priced: QuoteAnswer, sentence: str) -> dict[str, Any]:
    """Return the express agreement to points instead of money; none where no money is given up.

    A client of the API, which shows a sentence of its own, agrees by the field that it sets.
    """
    amount = priced.quote.points_credited
    if not amount:
        return {}
    return {
        "points_agreed_at": case.now,
        "points_agreement": sentence or "fully_refund_as_loyalty_money: true",
        "points_agreed_amount": amount,
    }


def _add_rows(batch: Batch, submission: Submission, decided: Decision, *, is_binding: bool) -> None:
    """Add the rows of a submission: what its replay finds, itself, its lines with their units, and its quote."""
    lines, record = decided.lines, submission.idempotency_record
    is_new = record is not None and record.pk is None
    [record_pks, [submission.pk], line_pks, [quote_pk]] = allocate_ids(
        (IdempotencyRecord, int(is_new)), (Submission, 1), (SubmissionLine, len(lines)), (RefundQuote, 1)
    )
    if record is not None and is_new:
        record.pk = record_pks[0]
        batch.insert(record)
    submission.idempotency_record = record  # once more: it has an id now
    batch.insert(submission)
    for line, pk in zip(lines, line_pks, strict=True):
        line.pk, line.submission = pk, submission
    batch.insert(*lines)  # the partial unique index on the item has the last word
    for line in lines:
        batch.add(_reserve(line.order_item_id, line.quantity))
    quote, rows = _make_quote(submission, lines, decided.priced, is_binding=is_binding, pk=quote_pk)
    batch.insert(quote)
    batch.insert(*rows)


@prepared_part
def _reserve(pk: int, quantity: int) -> tuple[QuerySet[OrderItem], dict[str, Any]]:
    return OrderItem.objects.filter(pk=pk), {"reserved_quantity": F("reserved_quantity") + quantity}


def store_quote(submission: Submission, lines: Sequence[SubmissionLine], answer: QuoteAnswer) -> None:
    """Keep what a submission was quoted whose lines have been saved: it is what will be booked."""
    quote, rows = _make_quote(submission, lines, answer, is_binding=False)
    quote.save(force_insert=True)
    RefundQuoteLine.objects.bulk_create(rows)


def _make_quote(
    submission: Submission,
    lines: Sequence[SubmissionLine],
    answer: QuoteAnswer,
    *,
    is_binding: bool,
    pk: int | None = None,
) -> tuple[RefundQuote, list[RefundQuoteLine]]:
    """Make the rows of a submission's quote, unsaved."""
    quote = answer.quote
    row = RefundQuote(
        pk=pk,
        submission=submission,
        order_version=answer.order_version,
        is_binding=is_binding,
        way=answer.way,
        destination=answer.destination,
        shipping_refund_amount=quote.shipping_refund,
        is_rest_for_last=quote.is_rest_for_last,
        gift_box_refund_amount=quote.gift_box_refund,
        rest_points_returned=quote.rest_points_returned,
        rest_points_credited=quote.rest_points_credited,
        fee_amount=quote.fees,
        total_amount=quote.total,
    )
    by_item = {line.order_item: line for line in quote.lines}
    return row, [
        RefundQuoteLine(
            quote=row,
            line=line,
            **{name: getattr(by_item[line.order_item_id], name) for name in _QUOTED},
        )
        for line in lines
    ]


# --- transaction 3: what came of it ---------------------------------------------------------------------------


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
    moved = [
        line.order_item_id for line in lines if line.is_open and line.order_item.status not in CANCELLING
    ]
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
    elif statuses <= CANCELLING:
        after = Status.CANCELLATION_WAITING.value
    elif order.status == Status.CANCELLATION_WAITING:
        after = order.status_before or max(statuses - CANCELLING)
    else:
        return
    if after != order.status:
        order.status_before, order.status = order.status, after
