"""What staff do with a public statement of withdrawal: match it to an order, or close it (docs/withdrawal.md)."""

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.accounts.models import User
from aftercart.actions.cancel.read_case import find_items
from aftercart.actions.cancel.send_submission import send_submission
from aftercart.actions.recognize_replay import checking_later, once_more_if_raced
from aftercart.actions.withdraw.withdraw_order import (
    StatementSettled,
    claim_statement,
    get_earlier,
    record_withdrawal,
)
from aftercart.cancellations.models.public_statements import PublicStatement
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.cancellations.withdrawal_terms import find_offer
from aftercart.lib.clock import get_now
from aftercart.oms.port import OmsClient
from aftercart.orders.errors import Conflict, InputInvalid
from aftercart.orders.selectors import lock_order
from aftercart.orders.timeline import Actor

_State = PublicStatement.State


class NotOffered(Conflict):
    """The shop offers no withdrawal to the customer of the order."""

    code = "withdrawal_not_offered"
    sentence = gettext_lazy("For this order no withdrawal is offered.")


def match_statement(
    statement_pk: int, number: str, items: frozenset[int], staff: User, client: OmsClient
) -> Withdrawal:
    """Make the withdrawal of an order's items that a public statement is, at the time that it was made.

    The receipt goes to the order's own address: what was typed proves nothing. About items that a statement stands
    about already, that one is returned. Raises `OrderNotFound`, `StatementSettled`, `NotOffered`, `NothingToWithdraw`.
    """
    withdrawal, submissions = _match(statement_pk, number, items, staff)
    with checking_later(None):
        for submission_pk in submissions:
            send_submission(submission_pk, client)
    return withdrawal


@once_more_if_raced
def _match(
    statement_pk: int, number: str, items: frozenset[int], staff: User
) -> tuple[Withdrawal, list[int]]:
    with transaction.atomic(durable=True):
        order = lock_order(number=number)
        stated = PublicStatement.objects.get(pk=statement_pk)
        of_order = find_items(order)
        offer = find_offer(order, list(of_order.values()), stated.submitted_at)
        if not offer.is_offered:
            raise NotOffered
        chosen = [item for item in offer.items if item.pk in items]
        submissions: list[int] = []
        if chosen:
            withdrawal = Withdrawal(
                order=order,
                user=order.user,
                name=stated.name,
                email=order.user_email,
                language=stated.language,
                submitted_at=stated.submitted_at,
            )
            submissions = record_withdrawal(withdrawal, offer, chosen, Actor.staff(staff))
        else:
            withdrawal = get_earlier(order, set(items))
        claim_statement(stated, withdrawal, {_State.OPEN}, staff=staff)
        return withdrawal, submissions


def close_statement(statement_pk: int, staff: User, reason: str) -> None:
    """Close a public statement that belongs to no order. Nobody is told: that would tell who has ordered.

    Raises `StatementSettled`, and `InputInvalid` without a reason.
    """
    if not reason.strip():
        raise InputInvalid({"reason": [_("Please say why: your colleagues will read it.")]})
    still_open = PublicStatement.objects.filter(pk=statement_pk, state=_State.OPEN)
    if not still_open.update(state=_State.CLOSED, reason=reason, settled_at=get_now(), settled_by=staff):
        raise StatementSettled
