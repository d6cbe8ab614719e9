"""Have a decision of our staff brought to the OMS later, when it did not get through."""

from datetime import timedelta

from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.backoff import compute_backoff
from aftercart.cancellations.models import DecisionNotice, Delivery

_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(minutes=10)


def try_later(task: str, request_pk: int, tried: Delivery | DecisionNotice, detail: str) -> None:
    """Record why it did not and enqueue the next try, unless another worker has gone on with what was tried.

    An approval tries to withdraw a delivery, a rejection to bring its notice.
    """
    tries = tried.attempts + 1
    if tried.as_tried().update(attempts=tries, error=detail):
        wait = compute_backoff(tries, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
        jobs.enqueue(task, request_pk, wait=wait)
