"""Have a decision of our staff brought to the OMS later, when it did not get through."""

from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import DecisionNotice, Delivery


def try_later(task: str, request_pk: int, tried: Delivery | DecisionNotice, detail: str) -> None:
    """Record why it did not and enqueue the next try, unless another worker has gone on with what was tried.

    An approval tries to withdraw a delivery, a rejection to bring its notice.
    """
    tries = tried.attempts + 1
    if tried.as_tried().update(attempts=tries, error=detail):
        jobs.enqueue_again(task, request_pk, tries)
