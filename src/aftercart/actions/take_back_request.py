"""Take back what a customer asked for, while it is undecided: the items are as they were before."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy

from aftercart.accounts.models import User
from aftercart.actions import jobs
from aftercart.actions.close_line import take_back_line
from aftercart.actions.settle_submission import put_order_status
from aftercart.cancellations.models import CancellationRequest, Submission
from aftercart.orders.errors import ActionError
from aftercart.orders.guests import Guest
from aftercart.orders.selectors import lock_order, owned_by, save_order
from aftercart.orders.timeline import Actor

_Status = CancellationRequest.Status
#: Nobody has decided on it. One that is held for an answer may have been carried out already.
UNDECIDED = frozenset({_Status.WAITING, _Status.WAITING_APPROVAL})


class NothingToTakeBack(ActionError):
    """What was asked for has been decided, or is being carried out."""

    status = 409
    code = "nothing_to_take_back"
    sentence = gettext_lazy("This can no longer be taken back: it has been decided or is being carried out.")


@transaction.atomic(durable=True)
def take_back_request(owner: User | Guest, number: str, submission: UUID) -> int:
    """Take back the undecided requests of a submission; return how many. Omnitron's queue is cleaned afterwards.

    The order's lock and the table of requests settle who was first: the customer, our staff or Omnitron. A withdrawal
    from the contract is a statement that stands. Raises `OrderNotFound`, `NothingToTakeBack`.
    """
    order = lock_order(number=number, **owned_by(owner))
    requests = CancellationRequest.objects.select_related("line__submission", "line__order_item").filter(
        line__submission__order=order,
        line__submission__uuid=submission,
        line__is_open=True,
        status__in=UNDECIDED,
    )
    found = list(requests.exclude(line__submission__origin=Submission.Origin.WITHDRAWAL))
    if not found:
        raise NothingToTakeBack
    actor = Actor.customer(owner if isinstance(owner, User) else None)
    for request in found:
        take_back_line(order, request.line, actor)
        jobs.enqueue(jobs.DELIVER_REJECTION, request.pk)
    put_order_status(order)
    save_order(order, "status", "status_before")
    return len(found)
