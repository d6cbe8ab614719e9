"""Withdraw from a contract (Directive 2011/83/EU, article 11a): the statement, its receipt, and what follows.

The statement is recorded and its receipt written in one transaction, whatever the rules say of the goods. What
they allow goes the way of every cancellation (record_submission, send_submission); what they do not allow is
left to people, who decide on the statement.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from django.db import transaction
from django.utils import translation
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.accounts.models import User
from aftercart.actions.cancel.decide_cancellation import Decision, judge_lines
from aftercart.actions.cancel.price_lines import price_lines
from aftercart.actions.cancel.read_case import find_items, read_order_case
from aftercart.actions.cancel.record_submission import Prepared, record_submission
from aftercart.actions.cancel.send_submission import send_submission
from aftercart.actions.commands import Answer, Caller
from aftercart.actions.mail.notify_customer import describe_item, post
from aftercart.actions.recognize_replay import (
    checking_later,
    create_idempotency_record,
    once_more_if_raced,
    recognize_replay,
    record_answer,
    replay,
)
from aftercart.cancellations.models import CancellationReason, Submission, SubmissionLine
from aftercart.cancellations.models.public_statements import PublicStatement
from aftercart.cancellations.models.reasons import get_unchosen_reason
from aftercart.cancellations.models.withdrawals import Withdrawal, WithdrawalLine
from aftercart.cancellations.withdrawal_document import withdrawal_document
from aftercart.cancellations.withdrawal_terms import WithdrawalOffer, find_offer
from aftercart.lib.clock import get_now
from aftercart.lib.emails import fold_email
from aftercart.lib.failpoints import failpoint
from aftercart.lib.formats import format_day, get_active_language
from aftercart.lib.times import format_time
from aftercart.mail.models import Email
from aftercart.oms.port import OmsClient
from aftercart.orders.errors import ActionError, InputInvalid, OrderNotFound, RuleRefused, say_unknown
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.rules import list_refusals
from aftercart.orders.selectors import lock_order, owned_by, save_order
from aftercart.orders.status import SHIPPED
from aftercart.orders.timeline import Actor, record_event

#: A public statement that staff could not match to an order is still its owner's.
_UNUSED = frozenset({PublicStatement.State.OPEN, PublicStatement.State.CLOSED})


@dataclass(frozen=True, slots=True)
class WithdrawalCommand:
    """A statement to be made: of a customer, or of a guest who has typed a code.

    `items` are order item ids; none means everything that is left of the order. A guest's receipt goes to the
    order's own e-mail address, whatever `email` says. `statement` is the public statement that they made of this order
    before they had proved that it is theirs: its time counts.
    """

    caller: Caller
    number: str
    name: str
    email: str
    items: tuple[int, ...] = ()
    statement: UUID | None = None


class StatementSettled(ActionError):
    """Somebody has matched or closed the public statement already."""

    status = HTTPStatus.CONFLICT
    code = "statement_settled"
    sentence = gettext_lazy("This statement has already been matched or closed.")


class NothingToWithdraw(RuleRefused):
    """Nothing is left of what is named: all of it is cancelled or returned."""

    code = "already_cancelled"
    sentence = gettext_lazy("Order already cancelled!")


def withdraw_order(command: WithdrawalCommand, client: OmsClient) -> Answer:
    """Record a statement of withdrawal, and carry out at once what can be. Return 201 and the statement.

    A replay gets the first answer again, whatever was decided since. So does another statement about items that one
    stands about: two tabs are harmless. Raises `OrderNotFound` (also where the shop offers no such function),
    `InputInvalid`, `NothingToWithdraw`, `StatementSettled`, `KeyReused`; and `BeingChecked` where the database went
    away after it was recorded.
    """
    answer, submissions = _record(command)
    failpoint("withdraw.recorded")
    with checking_later(None):
        for submission_pk in submissions:
            send_submission(submission_pk, client)
    return answer


@once_more_if_raced
def _record(command: WithdrawalCommand) -> tuple[Answer, list[int]]:
    with transaction.atomic(durable=True):
        order = lock_order(number=command.number, **owned_by(command.caller.owner))
        idempotency_record = recognize_replay(command.caller)
        if idempotency_record is not None:
            return replay(idempotency_record), []
        items = find_items(order)
        stated = find_public_statement(order, command.statement)
        submitted_at = stated.submitted_at if stated else get_now()
        offer = find_offer(order, list(items.values()), submitted_at)
        if not offer.is_offered:
            raise OrderNotFound
        asked = _choose(command, items)
        chosen = [item for item in offer.items if item.pk in asked]
        if not chosen:
            return _answer(command, get_earlier(order, asked), is_replay=True), []
        user = command.caller.user
        withdrawal = Withdrawal(
            order=order,
            user=user,
            name=command.name,
            email=command.email if user else order.user_email,
            language=get_active_language(),
            submitted_at=submitted_at,
        )
        submissions = record_withdrawal(withdrawal, offer, chosen, Actor.customer(user))
        if stated is not None:
            claim_statement(stated, withdrawal, _UNUSED)
        return _answer(command, withdrawal), submissions


def find_public_statement(order: Order, statement: UUID | None) -> PublicStatement | None:
    """Find the public statement about an order that has not become a withdrawal yet; None: it lends no time."""
    if statement is None:
        return None
    return PublicStatement.objects.filter(uuid=statement, number=order.number, state__in=_UNUSED).first()


def claim_statement(
    stated: PublicStatement,
    withdrawal: Withdrawal,
    states: Collection[PublicStatement.State],
    *,
    staff: User | None = None,
) -> None:
    """Claim a public statement for the withdrawal that it becomes. Raises `StatementSettled`."""
    rows = PublicStatement.objects.filter(pk=stated.pk, state__in=states)
    if not rows.update(
        state=PublicStatement.State.MATCHED, withdrawal=withdrawal, settled_at=get_now(), settled_by=staff
    ):
        raise StatementSettled


def record_withdrawal(
    withdrawal: Withdrawal, offer: WithdrawalOffer, chosen: Sequence[OrderItem], actor: Actor
) -> list[int]:
    """Record a statement about items of its locked order, and its receipt; return the submissions to be sent.

    `withdrawal`, unsaved, says who withdraws, when it was declared, and for whom the receipt is, in which language.
    """
    order = withdrawal.order
    _state(withdrawal, offer, chosen, actor)
    submissions = _submit(order, withdrawal, chosen)
    _send_receipt(order, withdrawal, chosen)
    save_order(order)
    return submissions


def _answer(command: WithdrawalCommand, withdrawal: Withdrawal, *, is_replay: bool = False) -> Answer:
    """Return the answer, remembered for the repeats of the command."""
    answer = Answer(HTTPStatus.CREATED, withdrawal_document(withdrawal), is_replay=is_replay)
    record_answer(create_idempotency_record(command.caller), answer)
    return answer


def _choose(command: WithdrawalCommand, items: Mapping[int, OrderItem]) -> set[int]:
    unknown = [pk for pk in command.items if pk not in items]
    if unknown:
        raise InputInvalid({"items": [say_unknown(pk) for pk in unknown]})
    return set(command.items or items)


def get_earlier(order: Order, asked: set[int]) -> Withdrawal:
    """Find the newest standing statement about any of these items. Raises `NothingToWithdraw`."""
    lines = WithdrawalLine.objects.filter(order_item__order=order, order_item__in=asked, is_standing=True)
    newest = lines.select_related("withdrawal").order_by("-withdrawal_id").first()
    if newest is None:
        raise NothingToWithdraw
    return newest.withdrawal


def _state(withdrawal: Withdrawal, offer: WithdrawalOffer, chosen: Sequence[OrderItem], actor: Actor) -> None:
    with translation.override(withdrawal.language):
        withdrawal.statement = write_statement(withdrawal.order, chosen)
    withdrawal.is_in_time, withdrawal.period_ends_at = offer.is_in_time, offer.ends_at
    withdrawal.save(force_insert=True)
    data = {"withdrawal": str(withdrawal.uuid), "items": [item.pk for item in chosen]}
    record_event(withdrawal.order, "withdrawal_received", actor, data=data)


def write_statement(order: Order, chosen: Sequence[OrderItem]) -> str:
    """Write what is declared, in the language that is active: the page shows it before it is confirmed."""
    named = [f"{item.left_quantity} × {describe_item(item, 1)['name']}" for item in chosen]
    return _("I hereby withdraw from contract %(number)s of %(day)s for the following items: %(items)s.") % {
        "number": order.number,
        "day": format_day(order.created_date),
        "items": get_text_list(named, _("and")),
    }


def _submit(order: Order, withdrawal: Withdrawal, chosen: Sequence[OrderItem]) -> list[int]:
    """Have cancelled what the rules allow, what was shipped apart from what was not; the ids to be sent."""
    running = {
        line.order_item_id: line
        for line in SubmissionLine.objects.filter(order_item__order=order, is_open=True)
    }
    to_send = []
    for kind in ("cancel", "refund"):
        of_kind = [item for item in chosen if (item.status in SHIPPED) == (kind == "refund")]
        if not of_kind:
            continue
        case = read_order_case(order, [item.pk for item in of_kind])  # with what the kind before has reserved
        reason = get_unchosen_reason("withdrawal", kind)  # nobody is asked for one
        lines = [
            SubmissionLine(
                order_item=item, reason=reason, cancellation_type=kind, quantity=item.left_quantity
            )
            for item in of_kind
        ]
        refusals = list_refusals(judge_lines(case, lines))
        obstacles = {refusal.order_item: refusal.code for refusal in reversed(refusals)}
        allowed = [line for line in lines if line.order_item_id not in obstacles]
        if allowed:
            findings = judge_lines(case, allowed)
            # By law all of it comes back, whatever the policy keeps.
            priced = price_lines(case, allowed, findings, quoted_to=withdrawal.user_id or 0, has_terms=False)
            prepared = record_submission(
                case,
                Decision(allowed, priced),
                origin=Submission.Origin.WITHDRAWAL,
                user=withdrawal.user,
                idempotency_record=None,
            )
            to_send += [prepared.submission.pk] if isinstance(prepared, Prepared) else []
        carriers = {line.order_item_id: line for line in allowed} | running
        for item in of_kind:
            WithdrawalLine.objects.create(
                withdrawal=withdrawal,
                order_item=item,
                quantity=item.left_quantity,
                submission_line=_find_free(carriers.get(item.pk)),
                obstacle=obstacles.get(item.pk, ""),
            )
    return to_send


def _find_free(line: SubmissionLine | None) -> SubmissionLine | None:
    """Give a line that carries out no other statement (of a running one, perhaps one that was refused)."""
    if line is None or WithdrawalLine.objects.filter(submission_line=line).exists():
        return None
    return line


def map_withdrawal_reason(kind: str, remote_pk: int) -> None:
    """Say which of the OMS's reasons stands for a withdrawal, if nobody has yet."""
    reason = get_unchosen_reason("withdrawal", kind)
    CancellationReason.objects.filter(pk=reason.pk, remote_pk=None).update(remote_pk=remote_pk)


def _send_receipt(order: Order, withdrawal: Withdrawal, chosen: Sequence[OrderItem]) -> None:
    """Write the receipt to the address that was given, and to the order's, whose owner has to know."""
    facts = {
        "uuid": str(withdrawal.uuid),
        "name": withdrawal.name,
        "email": withdrawal.email,
        "statement": withdrawal.statement,
        "submitted_at": format_time(withdrawal.submitted_at),
        "ordered_at": format_time(order.created_date),
        "items": [describe_item(item, item.left_quantity) for item in chosen],
    }
    for recipient in dict.fromkeys(map(fold_email, [withdrawal.email, order.user_email])):
        post(
            order,
            Email.Kind.WITHDRAWAL_RECEIPT,
            withdrawal.uuid,
            facts,
            recipient=recipient,
            language=withdrawal.language,
        )
