"""Ask the back office to cancel or return items, without trying the direct way (contract section 5)."""

from aftercart.actions.cancel.prepare_submission import SECOND_REQUEST, is_second_request, prepare_submission
from aftercart.actions.commands import Answer, CancellationCommand
from aftercart.cancellations.models import Submission
from aftercart.orders.errors import CancellationRefused


def request_cancellation(command: CancellationCommand) -> Answer:
    """Record requests: 201 and their list.

    Raises as `cancel_items` does; a second request for an item bears the code that the OMS gives it.
    """
    try:
        answer = prepare_submission(command, Submission.Origin.REQUEST)
    except CancellationRefused as refused:
        if is_second_request(refused):
            raise CancellationRefused(refused.refusals, code=SECOND_REQUEST) from refused
        raise
    assert isinstance(answer, Answer)  # noqa: S101 - requests are never sent
    return answer
