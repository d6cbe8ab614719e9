"""The first transaction of a cancellation: lock, judge, record the intent, reserve the units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from aftercart.accounts.models import User
from aftercart.actions.cancel.open_requests import open_requests
from aftercart.actions.cancel.plan_lines import find_items, find_unchosen, plan_lines, say_unknown
from aftercart.actions.cancel.price_lines import QuoteAnswer, check_quote, make_quote, price_lines
from aftercart.actions.commands import Answer, CancellationCommand
from aftercart.actions.policy.keep_policy import keep_policy
from aftercart.actions.recognize_replay import (
    make_idempotency_record,
    once_more_if_raced,
    recognize_replay,
    record_answer,
    replay,
)
from aftercart.cancellations.models import RefundQuote, Submission, SubmissionLine
from aftercart.cancellations.policy.selectors import get_kept_policy
from aftercart.lib.batch import Batch, allocate_ids
from aftercart.lib.clock import get_now
from aftercart.lib.correlation import correlate_submission
from aftercart.lib.failpoints import failpoint
from aftercart.lib.money import format_amount
from aftercart.lib.prepared import prepared_part
from aftercart.orders.errors import CancellationRefused, InputInvalid
from aftercart.orders.facts import RequestedUnits
from aftercart.orders.models import IdempotencyRecord, Order, OrderItem
from aftercart.orders.payment import POINTS_NEED_PAYMENT, read_payment
from aftercart.orders.policy.clauses import Policy
from aftercart.orders.policy.topics import Effect, Rule
from aftercart.orders.rules import Finding, judge, list_refusals
from aftercart.orders.selectors import gather_facts, lock_order, owned_by, save_order
from aftercart.orders.timeline import Actor, record_event

#: The code of a second request for one item (contract section 5).
SECOND_REQUEST = "cancellation_request_100_1"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recorded intent: a submission in `prepared`, to be sent to the OMS next, and its lines."""

    submission: Submission
    lines: Sequence[SubmissionLine]

    @property
    def submission_pk(self) -> int:
        """The submission's id."""
        return int(self.submission.pk)

    @property
    def idempotency_record_pk(self) -> int | None:
        """What its replay finds."""
        return self.submission.idempotency_record_id


@dataclass(frozen=True, slots=True)
class Judged:
    """Planned lines, what the rules found about them, what comes back for them, and by which policy."""

    lines: Sequence[SubmissionLine]
    findings: Sequence[Finding]
    priced: QuoteAnswer
    policy: Policy
    #: The policy's version, if it is known to be kept.
    version_pk: int | None = None


@once_more_if_raced
def prepare_submission(command: CancellationCommand, origin: Submission.Origin) -> Prepared | Answer:
    """Record a submission; the answer, if that is already the end: a replay, or requests for review.

    Raises `OrderNotFound`, `InputInvalid`, `CancellationRefused`, `QuoteStale`, `StillRunning`, `KeyReused`;
    then nothing has been written.
    """
    with transaction.atomic(durable=True):
        order = _lock(command)
        idempotency_record = recognize_replay(command.caller)
        if idempotency_record is not None:
            return replay(idempotency_record)
        items = find_items(order)
        policy, version_pk = get_kept_policy(order)
        lines = plan_lines(order, items, command, policy)
        findings = _judge(order, items, lines, policy)
        priced = price_lines(order, items, lines, findings, command.caller.quoted_to, policy)
        check_quote(command.quote, priced)
        failpoint("prepare.judged")
        return record_submission(
            order,
            Judged(lines, findings, priced, policy, version_pk),
            origin=origin,
            user=command.caller.user,
            idempotency_record=make_idempotency_record(command.caller),
            is_binding=bool(command.quote),
            points_agreement=command.points_agreement,
        )


def _lock(command: CancellationCommand) -> Order:
    owned = owned_by(command.caller.owner)
    if command.number is not None:
        return lock_order(number=command.number, **owned)
    first = command.items[0].order_item
    item = (
        OrderItem.objects.filter(pk=first, order__in=Order.objects.filter(**owned)).only("order_id").first()
    )
    if item is None:
        raise InputInvalid({"order_item": [say_unknown(first)]})
    return lock_order(pk=item.order_id, **owned)


def judge_lines(
    order: Order, items: dict[int, OrderItem], lines: Sequence[SubmissionLine], policy: Policy
) -> tuple[Finding, ...]:
    """Judge planned lines by the rules: all that speak, refusals among them."""
    findings = judge(
        [RequestedUnits(line.order_item_id, line.cancellation_type, line.quantity) for line in lines],  # type: ignore[arg-type]  # the column holds one of its choices
        gather_facts(order, list(items.values()), _find_in_progress(items)),
        placed_at=order.created_date,
        policy=policy,
        now=get_now(),
    )
    return (*findings, *_find_pointless(order, items, lines))


def _find_in_progress(items: Mapping[int, OrderItem]) -> frozenset[int]:
    """Find the items with a cancellation in progress, as `find_items` has read them."""
    return frozenset(pk for pk, item in items.items() if item.is_in_progress)  # type: ignore[attr-defined]  # an annotation


def _find_pointless(
    order: Order, items: Mapping[int, OrderItem], lines: Sequence[SubmissionLine]
) -> list[Finding]:
    """Find lines that are wanted as points though no money was paid for any of them."""
    payment = read_payment(order)
    if not any(line.fully_refund_as_loyalty_money for line in lines) or any(
        payment.covers(items[line.order_item_id]) for line in lines
    ):
        return []
    message = _("Nothing was paid, so it can't be refunded as points.")
    return [
        Finding(line.order_item_id, Rule.PAYMENT, POINTS_NEED_PAYMENT, message, Effect.REFUSE)
        for line in lines
    ]


def _judge(
    order: Order, items: dict[int, OrderItem], lines: tuple[SubmissionLine, ...], policy: Policy
) -> tuple[Finding, ...]:
    findings = (*judge_lines(order, items, lines, policy), *find_unchosen(lines, items, policy))
    refusals = list_refusals(findings)
    if refusals:
        raise CancellationRefused(refusals)
    return findings


def record_submission(
    order: Order,
    judged: Judged,
    *,
    origin: Submission.Origin,
    user: User | None,
    idempotency_record: IdempotencyRecord | None,
    is_binding: bool = False,
    points_agreement: str = "",
) -> Prepared | Answer:
    """Record judged and priced lines of a locked order as a submission, with their units reserved.

    It is to be sent then, or, where it needs review, made requests of at once.
    """
    actor = Actor.customer(user)
    version_pk = judged.version_pk or keep_policy(judged.policy.book)
    submission = Submission(
        order=order,
        user=user,
        origin=origin,
        idempotency_record=idempotency_record,
        policy_version_id=version_pk,
        **_record_agreement(judged.priced, points_agreement),
    )
    correlate_submission(submission.uuid)
    batch = Batch()
    _add_rows(batch, submission, judged, is_binding=is_binding)
    reviews = [finding for finding in judged.findings if finding.effect is Effect.REVIEW]
    data = {
        "submission": str(submission.uuid),
        "items": [line.order_item_id for line in judged.lines],
        "refund_amount": format_amount(judged.priced.quote.total),
        "policy": version_pk,
        "reviews": [[finding.order_item, finding.code, finding.clause] for finding in reviews],
    }
    record_event(order, "cancellation_submitted", actor, data=data, batch=batch)
    if origin is not Submission.Origin.REQUEST and not reviews:
        save_order(order, batch=batch)
        batch.execute()
        return Prepared(submission, judged.lines)
    batch.execute()
    cause = reviews[0].code if reviews else "requested"
    answer = open_requests(order, submission, actor, cause=cause)
    record_answer(submission.idempotency_record, answer)
    save_order(order)
    return answer


def _record_agreement(priced: QuoteAnswer, sentence: str) -> dict[str, Any]:
    """Return the express agreement to points instead of money; none where no money is given up.

    A client of the API, which shows a sentence of its own, agrees by the field that it sets.
    """
    amount = priced.quote.points_credited
    if not amount:
        return {}
    return {
        "points_agreed_at": get_now(),
        "points_agreement": sentence or "fully_refund_as_loyalty_money: true",
        "points_agreed_amount": amount,
    }


def _add_rows(batch: Batch, submission: Submission, judged: Judged, *, is_binding: bool) -> None:
    """Add the rows of a submission: what its replay finds, itself, its lines with their units, and its quote."""
    lines, record = judged.lines, submission.idempotency_record
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
        vars(line.order_item).update(is_in_progress=True, has_past=True)  # for what is judged and priced next
    batch.insert(*lines)  # the partial unique index on the item has the last word
    for line in lines:
        batch.add(_reserve(line.order_item_id, line.quantity))
    quote, rows = make_quote(submission, lines, judged.priced, is_binding=is_binding)
    quote.pk = quote_pk
    for row in rows:
        row.quote = quote
    batch.insert(quote)
    batch.insert(*rows)


@prepared_part
def _reserve(pk: int, quantity: int) -> tuple[QuerySet[OrderItem], dict[str, Any]]:
    return OrderItem.objects.filter(pk=pk), {"reserved_quantity": F("reserved_quantity") + quantity}


def is_second_request(refused: CancellationRefused) -> bool:
    """Return whether a refusal is that there already is a cancellation in progress."""
    return refused.refusals[0].rule is Rule.IN_PROGRESS
