"""Where a cancellation, return or withdrawal stands, for its page: the tone of each state, and why the team decides."""

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from aftercart.cancellations.causes import Cause
from aftercart.cancellations.kind_words import WORDS, State
from aftercart.cancellations.models.reasons import SubmissionKind
from aftercart.oms.errors import Code
from aftercart.orders.policy.topics import ITEM_TOPICS
from aftercart.pages.words import Text, Tone


@dataclass(frozen=True, slots=True)
class OutcomeWords:
    """A headline, what happens next, and the tone. `is_final`: nothing more will come."""

    headline: Text
    next: Text
    tone: Tone
    is_final: bool = False


_TONES: Final[dict[State, Tone]] = {
    "working": "info",
    "sent": "info",
    "checking": "warn",
    "requested": "info",
    "approved": "good",
    "done": "good",
    "declined": "quiet",
    "taken_back": "quiet",
    "partly": "info",
}
_FINAL: Final[frozenset[State]] = frozenset({"done", "declined", "taken_back", "partly"})


def find_outcome(state: State, kind: SubmissionKind) -> OutcomeWords:
    """Return what the page of a submission says."""
    words = WORDS[kind].outcomes[state]
    return OutcomeWords(words.headline, words.next, _TONES[state], state in _FINAL)


_OUTAGE: Final = _("The warehouse's system did not respond just now, so our team is taking care of it.")
#: Why something was left to the team.
CAUSES: Final[dict[str, Text]] = {
    **{topic.declared.code: topic.declared.sentence for topic in ITEM_TOPICS if topic.declared.reason},
    **dict.fromkeys(
        (
            Code.UNREACHABLE,
            Code.BREAKER_OPEN,
            Code.BULKHEAD_FULL,
            Code.ON_HOLD,
            Code.THROTTLED,
            Code.DEADLINE_OVER,
            Code.TIMEOUT,
            Code.CONNECTION_LOST,
            Code.SERVER_ERROR,
            Cause.PROCESS_DIED,
            Cause.FOUND_NOT_APPLIED,
            Cause.FOUND_CHANGED,
            Code.CLAIM_LOST,
            Cause.EARLIER_UNPROVEN,
        ),
        _OUTAGE,
    ),
}
