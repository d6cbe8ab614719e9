"""The third step of a cancellation and of its request: record what was decided, its intent, and reserve its units."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from django.db.models import F, QuerySet

from aftercart.accounts.models import User
from aftercart.actions.cancel.decide_cancellation import Decision
from aftercart.actions.cancel.open_requests import open_requests
from aftercart.actions.cancel.price_lines import QuoteAnswer
from aftercart.actions.commands import Answer, CancellationCase
from aftercart.actions.policy.keep_policy import keep_policy
from aftercart.actions.recognize_replay import record_answer
from aftercart.cancellations.models import RefundQuote, RefundQuoteLine, Submission, SubmissionLine
from aftercart.lib.batch import Batch, allocate_ids
from aftercart.lib.correlation import correlate_submission
from aftercart.lib.money import format_amount
from aftercart.lib.prepared import prepared_part
from aftercart.orders.models import IdempotencyRecord, OrderItem
from aftercart.orders.policy.topics import Effect
from aftercart.orders.quotes import LineQuote
from aftercart.orders.selectors import save_order
from aftercart.orders.timeline import Actor, record_event

#: What a line was quoted, in the row that keeps it by the same name.
_QUOTED: Final = [field.name for field in fields(LineQuote) if field.name not in {"order_item", "quantity"}]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recorded intent: a submission in `prepared`, to be sent to the OMS next, and the lines that it carries."""

    submission: Submission
    lines: Sequence[SubmissionLine]

    @property
    def submission_pk(self) -> int:
        """The submission's id."""
        return int(self.submission.pk)


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
    reviews = [finding for finding in decided.findings if finding.effect is Effect.REVIEW]
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
    cause = reviews[0].code if reviews else "requested"
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
