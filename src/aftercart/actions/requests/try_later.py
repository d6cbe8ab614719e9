"""Have a decision of our staff brought to the OMS later, when it did not get through."""

from datetime import timedelta

from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.backoff import compute_backoff
from aftercart.cancellations.models import CancellationRequest

_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(minutes=10)


def try_later(task: str, request: CancellationRequest, detail: str) -> None:
    """Record why it did not and enqueue the next try, unless another worker has gone on with the request."""
    tries = request.delivery_attempts + 1
    as_read = CancellationRequest.objects.filter(
        pk=request.pk,
        status=request.status,
        delivery_attempts=request.delivery_attempts,
        requeue_count=request.requeue_count,
    )
    if as_read.update(delivery_attempts=tries, delivery_error=detail):
        jobs.enqueue(task, request.pk, wait=compute_backoff(tries, first=_FIRST_WAIT, longest=_LONGEST_WAIT))
