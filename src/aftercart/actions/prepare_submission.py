"""The first transaction of a cancellation: lock, judge, record the intent, reserve the units."""

from dataclasses import dataclass

from django.db import transaction

from aftercart.actions.commands import Answer, CancellationCommand
from aftercart.actions.open_requests import open_requests
from aftercart.actions.plan_lines import find_items, plan_lines, say_unknown
from aftercart.actions.recognize_repeat import (
    find_repeat,
    once_more_if_raced,
    record_answer,
    record_write,
    replay,
)
from aftercart.cancellations.models import Submission, SubmissionLine
from aftercart.cancellations.selectors import find_open_items
from aftercart.lib.failpoints import failpoint
from aftercart.orders.errors import CancellationRefused, InputInvalid
from aftercart.orders.models import IdempotencyRecord, Order, OrderItem
from aftercart.orders.policy import get_policy
from aftercart.orders.rules import Ask, Effect, Finding, Rule, judge, list_refusals
from aftercart.orders.selectors import gather_facts, get_now, lock_order, save_order
from aftercart.orders.timeline import Actor, record_event

#: The code of a second request for one item (contract section 5).
SECOND_REQUEST = "cancellation_request_100_1"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recorded intent: a submission in `prepared`, to be sent to Omnitron next."""

    submission_pk: int


@once_more_if_raced
def prepare_submission(command: CancellationCommand, origin: Submission.Origin) -> Prepared | Answer:
    """Record a submission; the answer, if that is already the end: a repeat, or requests for review.

    Raises `OrderNotFound`, `InputInvalid`, `CancellationRefused`, `StillRunning`, `KeyReused`; then nothing
    has been written.
    """
    with transaction.atomic(durable=True):
        order = _lock(command)
        repeat = find_repeat(command.write)
        items = find_items(order)
        if repeat is not None and (command.write.key or _is_open(repeat)):
            return replay(repeat)
        try:
            lines = plan_lines(order, items, command)
            findings = _judge(order, items, lines)
        except (InputInvalid, CancellationRefused):
            if repeat is not None:
                return replay(repeat)
            raise
        failpoint("prepare.judged")
        return _record(command, origin, order, lines, findings)


def _lock(command: CancellationCommand) -> Order:
    owned = command.write.tell_owned()
    if command.number is not None:
        return lock_order(number=command.number, **owned)
    first = command.items[0].order_item
    item = (
        OrderItem.objects.filter(pk=first, order__in=Order.objects.filter(**owned)).only("order_id").first()
    )
    if item is None:
        raise InputInvalid({"order_item": [say_unknown(first)]})
    return lock_order(pk=item.order_id, **owned)


def _is_open(repeat: IdempotencyRecord) -> bool:
    """Tell whether a write's cancellation is still undecided: then its repeat cannot mean another one.

    Once it is decided, the same body may ask for further units, and is judged as new; if the rules refuse
    it then, it was a repeat after all.
    """
    return SubmissionLine.objects.filter(submission__repeat=repeat, is_open=True).exists()


def _judge(
    order: Order, items: dict[int, OrderItem], lines: tuple[SubmissionLine, ...]
) -> tuple[Finding, ...]:
    findings = judge(
        [Ask(line.order_item_id, line.cancellation_type, line.quantity) for line in lines],  # type: ignore[arg-type]
        gather_facts(order, list(items.values()), find_open_items([order.pk])),
        placed_at=order.created_date,
        policy=get_policy(order.channel_id),
        now=get_now(),
    )
    refusals = list_refusals(findings)
    if refusals:
        raise CancellationRefused(refusals)
    return findings


def _record(
    command: CancellationCommand,
    origin: Submission.Origin,
    order: Order,
    lines: tuple[SubmissionLine, ...],
    findings: tuple[Finding, ...],
) -> Prepared | Answer:
    actor = Actor.customer(command.write.user)
    submission = Submission.objects.create(
        order=order, user=command.write.user, origin=origin, repeat=record_write(command.write)
    )
    for line in lines:
        line.submission = submission
        line.save()  # the partial unique index on the item has the last word
    data = {"submission": str(submission.uuid), "items": [line.order_item_id for line in lines]}
    record_event(order, "cancellation_submitted", actor, data=data)
    reviews = [finding for finding in findings if finding.effect is Effect.REVIEW]
    if origin is Submission.Origin.DIRECT and not reviews:
        save_order(order)
        return Prepared(submission.pk)
    cause = reviews[0].code if reviews else "requested"
    detail = reviews[0].message if reviews else ""
    answer = open_requests(order, submission, actor, cause=cause, detail=detail)
    record_answer(submission.repeat, answer)
    save_order(order)
    return answer


def is_second_request(refused: CancellationRefused) -> bool:
    """Tell whether a refusal is that there already is a cancellation in progress."""
    return refused.refusals[0].rule is Rule.IN_PROGRESS
