"""The moves of a submission (docs/decisions/0002): data, tested whole. Every move is a claiming UPDATE."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now
from django.db.models.lookups import LessThan

from aftercart.cancellations.models import Submission

_State = Submission.State

#: So much longer than its deadline a dialogue may seem, since it is read by another clock.
_MARGIN = timedelta(seconds=5)

#: Causes with which a submission without an answer was settled by reading Omnitron.
FOUND_APPLIED: Final = "found_applied"
FOUND_NOT_APPLIED: Final = "found_not_applied"
FOUND_CHANGED: Final = "found_changed"
#: What was given up has arrived all the same.
ARRIVED_LATE: Final = "arrived_late"
#: Something that was sent earlier for the same items may still arrive.
EARLIER_UNPROVEN: Final = "earlier_unproven"

_UNANSWERED: Final = (FOUND_NOT_APPLIED, FOUND_CHANGED)
#: Sent, and Omnitron has never answered: a reading after the grace has shown nothing, but no reading proves that a POST
#: on its way, at a proxy or in a queue of Omnitron's, is not carried out later.
UNPROVEN: Final = Q(state__in=[_State.SENT, _State.UNKNOWN]) | Q(state=_State.REFUSED, cause__in=_UNANSWERED)

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

#: What a submission does when a command that was given up has arrived all the same: its own, or an earlier one for the
#: same items, so that its own must not be sent any more.
LATE_MOVES: Final = frozenset(
    {
        (_State.PREPARED, _State.APPLIED),
        (_State.REFUSED, _State.APPLIED),
        # Its own has left only now, from a process that had stood still, and nobody knows what has become of it.
        (_State.REFUSED, _State.UNKNOWN),
    }
)

#: Neither done nor given up: somebody is on it, or will be.
UNDER_WAY: Final = frozenset({_State.PREPARED, _State.SENT, _State.UNKNOWN})


def is_past_grace(began_at: datetime) -> Q:
    """Select submissions whose POST was long over when a reading of Omnitron began, by the database's clock."""
    return Q(sent_at__lt=began_at - settings.VERIFY_GRACE) | Q(sent_at=None)


def is_past_making(began_at: datetime) -> Q:
    """Select requests whose last creation was long over when a reading of Omnitron began."""
    return Q(making_at__lt=began_at - settings.VERIFY_GRACE)


def is_recent(began_at: datetime | F) -> LessThan:
    """Hold while a dialogue that began then can still be going on: what it has read counts no longer."""
    longest = timedelta(seconds=settings.OMNITRON_DIALOGUE_SECONDS) + _MARGIN
    return LessThan(Now(), began_at + longest)


def claim_move(
    submission: Submission,
    after: Submission.State,
    *,
    only_if: Q | None = None,
    moves: frozenset[tuple[Submission.State, Submission.State]] = LEGAL_MOVES,
    **fields: Any,
) -> bool:
    """Move a submission to a state, if it stands in one from which that is legal; tell whether it did.

    The UPDATE names the states before, so of two that try one wins; the loser must look again and not act.
    `only_if` is a condition of the same UPDATE. A field may be an expression, which the database evaluates.
    """
    before = [state for state, target in moves if target == after]
    count = Submission.objects.filter(only_if or Q(), pk=submission.pk, state__in=before).update(
        state=after, **fields
    )
    if count:
        submission.state = after
        for name, value in fields.items():
            if not hasattr(value, "resolve_expression"):  # only the row knows what that came to
                setattr(submission, name, value)
    return bool(count)
