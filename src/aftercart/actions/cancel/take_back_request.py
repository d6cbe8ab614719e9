"""Take back what a customer asked for, while it is undecided: the items are as they were before."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import models, transaction
from django.utils.translation import gettext_lazy

from aftercart.accounts.models import User
from aftercart.actions.account.limit_tries import limit_tries
from aftercart.actions.cancel.close_line import take_back_line
from aftercart.actions.cancel.record_submission import put_order_status
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import CancellationRequest, DecisionNotice, Submission
from aftercart.orders.errors import Conflict, OrderNotFound
from aftercart.orders.guests import Guest
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, owned_by, save_order
from aftercart.orders.timeline import Actor

#: Asking for an item and taking that back adds rows, e-mails and a visit of the OMS's queue, each time.
_WINDOW: Final = timedelta(hours=1)
_MOST_OF_ONE_ITEM: Final = 5


class NothingToTakeBack(Conflict):
    """What was asked for has been decided, or is being carried out."""

    code = "nothing_to_take_back"
    sentence = gettext_lazy(
        "This request can no longer be taken back: it has been decided or is already being processed."
    )


def take_back_submission(owner: User | Guest, number: str, submission: UUID) -> None:
    """Take back all that is undecided of a submission.

    Raises `OrderNotFound`, `NothingToTakeBack`, `TooManyTries`.
    """
    _take_back(owner, number, models.Q(line__submission__uuid=submission))


def take_back_request(user: User, pk: int) -> CancellationRequest:
    """Take back one request; return it. Raises `OrderNotFound`, `NothingToTakeBack`, `TooManyTries`."""
    theirs = Order.objects.filter(**owned_by(user), items__lines__request=pk)
    number = theirs.values_list("number", flat=True).first()
    if number is None:
        raise OrderNotFound
    _take_back(user, number, models.Q(pk=pk))
    return CancellationRequest.objects.select_related("line__shipping_company").get(pk=pk)


@transaction.atomic(durable=True)
def _take_back(owner: User | Guest, number: str, chosen: models.Q) -> None:
    """Take requests back, unless that was done before. The OMS's queue is cleaned afterwards.

    The order's lock and the table of requests settle who was first: the customer, our staff or the OMS. A withdrawal
    from the contract is a statement that stands.
    """
    order = lock_order(number=number, **owned_by(owner))
    requests = CancellationRequest.objects.filter(chosen, line__submission__order=order)
    undecided = requests.filter(line__is_open=True, status__in=CancellationRequest.UNDECIDED).exclude(
        line__submission__origin=Submission.Origin.WITHDRAWAL
    )
    found = list(undecided.select_related("line__submission", "line__order_item"))
    if not found:
        if set(requests.values_list("cause", flat=True)) == {Cause.TAKEN_BACK}:
            return  # all of it was: a second click, or a client that lost the first answer
        raise NothingToTakeBack
    limit_tries("take_back.item", str(found[0].line.order_item_id), _WINDOW, _MOST_OF_ONE_ITEM)
    actor = Actor.customer(owner if isinstance(owner, User) else None)
    for request in found:
        take_back_line(order, request.line, actor)
        DecisionNotice.objects.create(request=request)
        jobs.enqueue(jobs.DELIVER_REJECTION, request.pk)
    put_order_status(order)
    save_order(order, "status", "status_before")
