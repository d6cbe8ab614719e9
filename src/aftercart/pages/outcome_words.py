"""What became of a cancellation, in the customer's words: honest about what is known, and no more."""

from dataclasses import dataclass
from typing import Final, Literal

from django.utils.translation import gettext_lazy as _

from aftercart.cancellations.causes import Cause
from aftercart.pages.words import Text, Tone

State = Literal["working", "sent", "checking", "requested", "approved", "done", "declined", "partly"]


@dataclass(frozen=True, slots=True)
class OutcomeWords:
    """A headline, what happens next, and the tone. `is_final`: nothing more will come."""

    headline: Text
    next: Text
    tone: Tone
    is_final: bool = False


OUTCOMES: Final[dict[tuple[State, bool], OutcomeWords]] = {
    ("working", False): OutcomeWords(
        _("Your cancellation is being sent"),
        _("This takes a few seconds. You need not do anything, and nothing is sent twice."),
        "info",
    ),
    ("sent", False): OutcomeWords(
        _("Your cancellation has been sent"),
        _("It is being confirmed now. You will see here as soon as it is."),
        "info",
    ),
    ("checking", False): OutcomeWords(
        _("We are checking your cancellation"),
        _("We have sent it, but no answer came back. We find out by looking; please don't ask again."),
        "warn",
    ),
    ("requested", False): OutcomeWords(
        _("We have received your request"), _("Nothing is cancelled yet: our team decides on it."), "info"
    ),
    ("approved", False): OutcomeWords(
        _("Our team has approved your request"), _("It is being carried out now."), "good"
    ),
    ("done", False): OutcomeWords(
        _("It is cancelled"), _("There is nothing more for you to do."), "good", is_final=True
    ),
    ("declined", False): OutcomeWords(
        _("Your cancellation was declined"), _("Your order goes on as it was."), "quiet", is_final=True
    ),
    ("partly", False): OutcomeWords(
        _("A part of it is cancelled"), _("Below you see what became of each item."), "info", is_final=True
    ),
    ("working", True): OutcomeWords(
        _("Your return is being sent"),
        _("This takes a few seconds. You need not do anything, and nothing is sent twice."),
        "info",
    ),
    ("sent", True): OutcomeWords(
        _("Your return is registered"),
        _("Please pack the items. You will see here as soon as the return is confirmed."),
        "info",
    ),
    ("checking", True): OutcomeWords(
        _("We are checking your return"),
        _("We have sent it, but no answer came back. We find out by looking; please don't ask again."),
        "warn",
    ),
    ("requested", True): OutcomeWords(
        _("We have received your request"), _("Please keep the items: our team decides on it first."), "info"
    ),
    ("approved", True): OutcomeWords(
        _("Our team has approved your request"), _("It is being carried out now."), "good"
    ),
    ("done", True): OutcomeWords(
        _("Your return is complete"), _("There is nothing more for you to do."), "good", is_final=True
    ),
    ("declined", True): OutcomeWords(
        _("Your return was declined"), _("The items stay yours."), "quiet", is_final=True
    ),
    ("partly", True): OutcomeWords(
        _("A part of your return is complete"),
        _("Below you see what became of each item."),
        "info",
        is_final=True,
    ),
}

_OUTAGE: Final = _("We could not reach the warehouse's system just now, so our team takes care of it.")
#: Why something was left to the team.
CAUSES: Final[dict[str, Text]] = {
    Cause.HAS_INVOICE: _("An invoice has been issued for it, so our team has to check it."),
    Cause.DIRECT_WINDOW_PASSED: _("The time for cancelling directly is over, so our team has to check it."),
    Cause.TYPE_NEEDS_APPROVAL: _("Our team checks every request of this kind."),
    Cause.AMOUNT_NEEDS_APPROVAL: _("Our team checks requests of this amount."),
    Cause.PARTIAL_LINE: _("Cancelling a part of a line has to be done by our team."),
    Cause.MIXED_TYPES: _("Cancellations and returns in one request have to be done by our team."),
    **dict.fromkeys(
        (
            Cause.UNREACHABLE,
            Cause.BREAKER_OPEN,
            Cause.BULKHEAD_FULL,
            Cause.ON_HOLD,
            Cause.THROTTLED,
            Cause.DEADLINE_OVER,
            Cause.TIMEOUT,
            Cause.CONNECTION_LOST,
            Cause.SERVER_ERROR,
            Cause.PROCESS_DIED,
            Cause.FOUND_NOT_APPLIED,
            Cause.FOUND_CHANGED,
            Cause.CLAIM_LOST,
            Cause.EARLIER_UNPROVEN,
        ),
        _OUTAGE,
    ),
}
#: Our own business, and none of the customer's: they read that the team decides, or what came of it.
OUR_CAUSES: Final = frozenset(
    {
        Cause.REQUESTED,
        Cause.COLLECTION_NOT_CHOSEN,
        Cause.REASON_NOT_GIVEN,
        Cause.POLICY_OVERRIDDEN,
        Cause.UNAUTHORIZED,
        Cause.LOGIN_FAILED,
        Cause.REDIRECTED,
        Cause.NOT_JSON,
        Cause.TOO_LARGE,
        Cause.MALFORMED,
        Cause.FOUND_APPLIED,
        Cause.ARRIVED_LATE,
        Cause.NAME_TAKEN,
        Cause.MERGED_LINE,
        Cause.OMNITRON_DIFFERS,
        Cause.OMNITRON_IN_PROGRESS,
        Cause.OMNITRON_STATUS,
        Cause.OMNITRON_UNKNOWN_ITEM,
        Cause.PARTLY_DECIDED,
        Cause.REJECTION_UNSENT,
        Cause.REASON_UNMAPPED,
        Cause.NOT_FOUND,
        Cause.REFUSED,
    }
)
