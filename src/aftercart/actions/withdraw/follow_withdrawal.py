"""Accept a withdrawal once the OMS has done all of it. Inside a transaction that has locked the order."""

from collections.abc import Sequence
from typing import Any

from aftercart.accounts.models import User
from aftercart.actions.mail.notify_customer import describe_item, describe_quoted, post
from aftercart.cancellations.models import SubmissionLine
from aftercart.cancellations.models.withdrawals import Withdrawal, WithdrawalLine
from aftercart.lib.clock import get_now
from aftercart.mail.models import Email
from aftercart.orders.models import Order
from aftercart.orders.paid import read_payment
from aftercart.orders.timeline import Actor, record_event

_State = Withdrawal.State


def follow_line(order: Order, line: SubmissionLine, actor: Actor) -> None:
    """Follow a completed line: when it was the last of its withdrawal, that is the acceptance.

    A rejected line decides nothing: only people refuse a withdrawal, with a reason.
    """
    carried = WithdrawalLine.objects.filter(submission_line=line).select_related("withdrawal").first()
    if carried is None:
        return
    outcomes = carried.withdrawal.lines.values_list("submission_line__outcome", flat=True)
    if set(outcomes) == {"completed"}:
        settle_withdrawal(order, carried.withdrawal, _State.ACCEPTED, actor)


def settle_withdrawal(
    order: Order,
    withdrawal: Withdrawal,
    state: Withdrawal.State,
    actor: Actor,
    *,
    staff: User | None = None,
    reason: str = "",
) -> bool:
    """Record the decision, if there is none yet, and notify the customer; return whether there was none."""
    count = Withdrawal.objects.filter(pk=withdrawal.pk, state=_State.RECEIVED).update(
        state=state, reason=reason, decided_at=get_now(), decided_by=staff
    )
    if not count:
        return False
    lines = list(withdrawal.lines.select_related("order_item"))
    if state == _State.REFUSED:
        withdrawal.lines.update(is_standing=False)
    is_accepted = state == _State.ACCEPTED
    kind = Email.Kind.WITHDRAWAL_ACCEPTED if is_accepted else Email.Kind.WITHDRAWAL_REFUSED
    payment = read_payment(order)
    facts = (_describe_refund(order, lines) if is_accepted else {}) | {
        "items": [describe_item(line.order_item, line.quantity) for line in lines],
        "reason": reason,
        "is_paid": any(payment.covers(line.order_item) for line in lines),
    }
    post(order, kind, withdrawal.uuid, facts, recipient=withdrawal.email, language=withdrawal.language)
    record_event(order, f"withdrawal_{state}", actor, cause=reason, data={"withdrawal": str(withdrawal.uuid)})
    return True


def _describe_refund(order: Order, lines: Sequence[WithdrawalLine]) -> dict[str, Any]:
    """Describe what comes back for a withdrawal; nothing as long as it is not known of each of its lines."""
    carried = SubmissionLine.objects.filter(withdrawal_line__in=lines)
    found = list(carried.select_related("order_item", "submission", "quoted__quote"))
    return describe_quoted(order, found) if len(found) == len(lines) else {}
