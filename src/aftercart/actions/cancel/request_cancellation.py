"""Ask the back office to cancel or return items, without trying the direct way (contract section 5)."""

from aftercart.actions.cancel.cancel_items import prepare_submission
from aftercart.actions.commands import Answer, CancellationCommand
from aftercart.cancellations.models import Submission
from aftercart.orders.errors import CancellationRefused
from aftercart.orders.policy.topics import Rule

#: The code of a second request for one item (contract section 5).
SECOND_REQUEST = "cancellation_request_100_1"


def request_cancellation(command: CancellationCommand) -> Answer:
    """Record requests: 201 and their list.

    Raises as `cancel_items` does; a second request for an item bears the code that the OMS gives it.
    """
    try:
        answer = prepare_submission(command, Submission.Origin.REQUEST)
    except CancellationRefused as refused:
        if refused.refusals[0].rule is Rule.IN_PROGRESS:
            raise CancellationRefused(refused.refusals, code=SECOND_REQUEST) from refused
        raise
    assert isinstance(answer, Answer)  # noqa: S101 - requests are never sent
    return answer
