"""The moves of a submission (docs/decisions/0002): data, tested whole. Every move is a claiming UPDATE."""

from typing import Any, Final

from aftercart.cancellations.models import Submission

_State = Submission.State

LEGAL_MOVES: Final = frozenset(
    {
        (_State.PREPARED, _State.SENT),
        # Never sent: a rule wants review, Omnitron is unreachable, or the process died before the mark.
        (_State.PREPARED, _State.REFUSED),
        (_State.SENT, _State.APPLIED),
        (_State.SENT, _State.REFUSED),
        (_State.SENT, _State.UNKNOWN),
        (_State.UNKNOWN, _State.APPLIED),
        (_State.UNKNOWN, _State.REFUSED),
    }
)

#: Neither done nor given up: somebody is on it, or will be.
UNDER_WAY: Final = frozenset({_State.PREPARED, _State.SENT, _State.UNKNOWN})


def claim_move(submission: Submission, after: Submission.State, **fields: Any) -> bool:
    """Move a submission to a state, if it stands in one from which that is legal; tell whether it did.

    The UPDATE names the states before, so of two that try one wins; the loser must look again and not act.
    """
    before = [state for state, target in LEGAL_MOVES if target == after]
    count = Submission.objects.filter(pk=submission.pk, state__in=before).update(state=after, **fields)
    if count:
        submission.state = after
        for name, value in fields.items():
            setattr(submission, name, value)
    return bool(count)
