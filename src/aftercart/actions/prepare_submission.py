"""The first transaction of a cancellation: lock, judge, record the intent, reserve the units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from aftercart.accounts.models import User
from aftercart.actions.commands import Answer, CancellationCommand
from aftercart.actions.keep_policy import keep_policy
from aftercart.actions.open_requests import open_requests
from aftercart.actions.plan_lines import find_items, find_unchosen, plan_lines, say_unknown
from aftercart.actions.price_lines import QuoteAnswer, check_quote, price_lines, store_quote
from aftercart.actions.recognize_replay import (
    create_idempotency_record,
    once_more_if_raced,
    recognize_replay,
    record_answer,
    replay,
)
from aftercart.cancellations.models import Submission, SubmissionLine
from aftercart.cancellations.policy_selectors import get_policy
from aftercart.cancellations.selectors import find_open_items
from aftercart.lib.clock import get_now
from aftercart.lib.correlation import correlate_submission
from aftercart.lib.failpoints import failpoint
from aftercart.lib.money import format_amount
from aftercart.orders.errors import CancellationRefused, InputInvalid
from aftercart.orders.models import IdempotencyRecord, Order, OrderItem
from aftercart.orders.payment import POINTS_NEED_PAYMENT, read_payment
from aftercart.orders.policies import Policy
from aftercart.orders.rules import Effect, Finding, RequestedUnits, Rule, judge, list_refusals
from aftercart.orders.selectors import gather_facts, lock_order, owned_by, save_order
from aftercart.orders.timeline import Actor, record_event

#: The code of a second request for one item (contract section 5).
SECOND_REQUEST = "cancellation_request_100_1"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recorded intent: a submission in `prepared`, to be sent to Omnitron next, and what its replay finds."""

    submission_pk: int
    idempotency_record_pk: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """Planned lines, what the rules found about them, what comes back for them, and by which policy."""

    lines: Sequence[SubmissionLine]
    findings: Sequence[Finding]
    priced: QuoteAnswer
    policy: Policy


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
        policy = get_policy(order)
        lines = plan_lines(order, items, command, policy)
        findings = _judge(order, items, lines, policy)
        priced = price_lines(order, items, lines, findings, command.caller.quoted_to, policy)
        check_quote(command.quote, priced)
        failpoint("prepare.judged")
        return record_submission(
            order,
            Judged(lines, findings, priced, policy),
            origin=origin,
            user=command.caller.user,
            idempotency_record=create_idempotency_record(command.caller),
            is_binding=bool(command.quote),
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
        gather_facts(order, list(items.values()), find_open_items([order.pk])),
        placed_at=order.created_date,
        policy=policy,
        now=get_now(),
    )
    return (*findings, *_find_pointless(order, items, lines))


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
) -> Prepared | Answer:
    """Record judged and priced lines of a locked order as a submission, with their units reserved.

    It is to be sent then, or, where it needs review, made requests of at once.
    """
    actor = Actor.customer(user)
    version_pk = keep_policy(judged.policy.book)
    submission = Submission.objects.create(
        order=order,
        user=user,
        origin=origin,
        idempotency_record=idempotency_record,
        policy_version_id=version_pk,
    )
    correlate_submission(submission.uuid)
    for line in judged.lines:
        line.submission = submission
        line.save()  # the partial unique index on the item has the last word
        OrderItem.objects.filter(pk=line.order_item_id).update(
            reserved_quantity=F("reserved_quantity") + line.quantity
        )
    store_quote(submission, judged.lines, judged.priced, is_binding=is_binding)
    reviews = [finding for finding in judged.findings if finding.effect is Effect.REVIEW]
    data = {
        "submission": str(submission.uuid),
        "items": [line.order_item_id for line in judged.lines],
        "refund_amount": format_amount(judged.priced.quote.total),
        "policy": version_pk,
        "reviews": [[finding.order_item, finding.code, finding.clause] for finding in reviews],
    }
    record_event(order, "cancellation_submitted", actor, data=data)
    if origin is not Submission.Origin.REQUEST and not reviews:
        save_order(order)
        return Prepared(submission.pk, submission.idempotency_record_id)
    cause = reviews[0].code if reviews else "requested"
    answer = open_requests(order, submission, actor, cause=cause)
    record_answer(submission.idempotency_record, answer)
    save_order(order)
    return answer


def is_second_request(refused: CancellationRefused) -> bool:
    """Return whether a refusal is that there already is a cancellation in progress."""
    return refused.refusals[0].rule is Rule.IN_PROGRESS
