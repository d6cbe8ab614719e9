"""Accept or refuse a withdrawal in the back office: the decision, apart from the receipt (docs/withdrawal.md)."""

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.accounts.models import User
from aftercart.actions.cancel.close_line import reject_line
from aftercart.actions.cancel.record_submission import put_order_status
from aftercart.actions.requests.approve_request import approve_waiting
from aftercart.actions.upkeep import jobs
from aftercart.actions.withdraw.follow_withdrawal import settle_withdrawal
from aftercart.cancellations.models import CancellationRequest
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.orders.errors import Conflict, InputInvalid
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import Actor


class WithdrawalDecided(Conflict):
    """The withdrawal has been decided already."""

    code = "withdrawal_decided"
    sentence = gettext_lazy("This withdrawal has already been decided.")


@transaction.atomic(durable=True)
def accept_withdrawal(withdrawal_pk: int, staff: User) -> None:
    """Accept: recorded, told, and the requests that wait to carry it out are approved with it.

    Raises `WithdrawalDecided`.
    """
    withdrawal = Withdrawal.objects.get(pk=withdrawal_pk)
    order = lock_order(pk=withdrawal.order_id)
    actor = Actor.staff(staff)
    if not settle_withdrawal(order, withdrawal, Withdrawal.State.ACCEPTED, actor, staff=staff):
        raise WithdrawalDecided
    for request in _list_requests(withdrawal):
        approve_waiting(order, request, staff)
    save_order(order)


@transaction.atomic(durable=True)
def refuse_withdrawal(withdrawal_pk: int, staff: User, reason: str) -> None:
    """Refuse: recorded, told, and the requests that wait to carry it out are rejected with it.

    What the OMS has already taken goes on. Raises `WithdrawalDecided`, and `InputInvalid` without a reason.
    """
    if not reason.strip():
        raise InputInvalid({"reason": [_("Say why: the customer will read it.")]})
    withdrawal = Withdrawal.objects.get(pk=withdrawal_pk)
    order = lock_order(pk=withdrawal.order_id)
    actor = Actor.staff(staff)
    requests = [
        request for request in _list_requests(withdrawal) if request.status in CancellationRequest.UNDECIDED
    ]
    for request in requests:  # while it still carries out a withdrawal, so that one e-mail tells of all
        reject_line(order, request.line, actor, reason=reason, decided_by=staff)
        jobs.enqueue(jobs.DELIVER_REJECTION, request.pk)
    if not settle_withdrawal(order, withdrawal, Withdrawal.State.REFUSED, actor, staff=staff, reason=reason):
        raise WithdrawalDecided
    put_order_status(order)
    save_order(order, "status", "status_before")


def _list_requests(withdrawal: Withdrawal) -> list[CancellationRequest]:
    requests = CancellationRequest.objects.filter(line__withdrawal_line__withdrawal=withdrawal)
    return list(requests.select_related("line__submission", "line__order_item").order_by("pk"))
