"""Where a line stands for its customer: pure, from rows already read."""

from aftercart.cancellations.causes import Cause
from aftercart.cancellations.kind_words import State
from aftercart.cancellations.models import CancellationRequest, Submission, SubmissionLine


def find_state(line: SubmissionLine) -> State:
    """Return where a line stands; wants its submission and its request selected."""
    request: CancellationRequest | None = getattr(line, "request", None)
    if not line.is_open:
        is_taken_back = request is not None and request.cause == Cause.TAKEN_BACK
        return "done" if line.outcome == "completed" else "taken_back" if is_taken_back else "declined"
    if request is not None and request.status == CancellationRequest.Status.VERIFYING:
        return "checking"
    if line.submission.state == Submission.State.APPLIED:
        return "sent"
    if (
        request is not None
        and request.status == CancellationRequest.Status.CONFIRMED
        and request.decided_by_id
    ):
        return "approved"  # and not before the OMS has taken it: it may refuse, and the team decides again
    return "requested" if line.submission.state == Submission.State.REFUSED else "working"
