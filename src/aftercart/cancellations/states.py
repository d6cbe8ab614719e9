"""The moves of submissions, requests, what is brought to the OMS of these, and address changes: data, tested whole.

Every move is a claiming UPDATE.

What they are for is specified in docs/spec/, whose moves a test compares with these.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db.models import F, Q, QuerySet, TextChoices
from django.db.models.functions import Now
from django.db.models.lookups import LessThan

from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import (
    AddressChange,
    CancellationRequest,
    DecisionNotice,
    Delivery,
    Submission,
)
from aftercart.lib.clock import get_now
from aftercart.lib.prepared import prepared_update

_S = TypeVar("_S", bound=TextChoices)

_State = Submission.State
_Status = CancellationRequest.Status
_Change = AddressChange.State
_Delivery = Delivery.State
_Notice = DecisionNotice.State

#: So much longer than its deadline a dialogue may seem, since it is read by another clock.
_MARGIN = timedelta(seconds=5)

_UNANSWERED: Final = (Cause.FOUND_NOT_APPLIED, Cause.FOUND_CHANGED)
#: Sent, and the OMS has never answered: a reading after the grace has shown nothing, but no reading proves that a POST
#: on its way, at a proxy or in a queue of the OMS's, is not carried out later.
UNPROVEN: Final = Q(state__in=[_State.SENT, _State.UNKNOWN]) | Q(state=_State.REFUSED, cause__in=_UNANSWERED)

LEGAL_MOVES: Final = frozenset(
    {
        (_State.PREPARED, _State.SENT),
        # Never sent: a rule wants review, the OMS is unreachable, or the process died before the mark.
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

#: What a request does: by its submission, by our staff, and by what the OMS says of it.
REQUEST_MOVES: Final = frozenset(
    {
        # Held while an answer is looked for.
        (_Status.WAITING, _Status.VERIFYING),
        (_Status.APPROVED, _Status.VERIFYING),
        (_Status.VERIFYING, _Status.CONFIRMED),
        (_Status.VERIFYING, _Status.WAITING),
        # Approved here; what the OMS did not take, or had not in its queue yet, waits again.
        (_Status.WAITING, _Status.APPROVED),
        (_Status.APPROVED, _Status.CONFIRMED),
        (_Status.APPROVED, _Status.WAITING),
        # The OMS's own progress, taken over as it is read; a late success is confirmed, too.
        (_Status.WAITING, _Status.WAITING_APPROVAL),
        (_Status.WAITING, _Status.CONFIRMED),
        (_Status.WAITING_APPROVAL, _Status.APPROVED),
        (_Status.WAITING_APPROVAL, _Status.CONFIRMED),
        (_Status.APPROVED, _Status.WAITING_APPROVAL),
        (_Status.CONFIRMED, _Status.WAITING_APPROVAL),
        (_Status.CONFIRMED, _Status.APPROVED),
        # Decided. Where the OMS was quicker than a rejection of ours, its decision stands.
        (_Status.WAITING, _Status.COMPLETED),
        (_Status.WAITING_APPROVAL, _Status.COMPLETED),
        (_Status.APPROVED, _Status.COMPLETED),
        (_Status.CONFIRMED, _Status.COMPLETED),
        (_Status.REJECTED, _Status.COMPLETED),
        (_Status.WAITING, _Status.REJECTED),
        (_Status.WAITING_APPROVAL, _Status.REJECTED),
        (_Status.APPROVED, _Status.REJECTED),
        (_Status.CONFIRMED, _Status.REJECTED),
    }
)

#: What a round of a request's delivery into the OMS's queue does.
DELIVERY_MOVES: Final = frozenset(
    {
        # Marked before the POST; what has certainly not left is as before.
        (_Delivery.CREATED, _Delivery.SENT),
        (_Delivery.SENT, _Delivery.CREATED),
        (_Delivery.SENT, _Delivery.KNOWN),
        (_Delivery.CREATED, _Delivery.FAILED),
        (_Delivery.SENT, _Delivery.FAILED),
        # As new, when the request waits anew.
        (_Delivery.FAILED, _Delivery.CREATED),
        # An approval takes it out of the queue; of a rejected one nothing has to be made.
        (_Delivery.CREATED, _Delivery.WITHDRAWN),
        (_Delivery.SENT, _Delivery.WITHDRAWN),
        (_Delivery.KNOWN, _Delivery.WITHDRAWN),
        (_Delivery.FAILED, _Delivery.WITHDRAWN),
    }
)

#: What a round does that is in the queue although its row says otherwise: the row is a backup's, or a quicker try of
#: the same round has given it up.
FOUND_MOVES: Final = frozenset({(_Delivery.CREATED, _Delivery.KNOWN), (_Delivery.FAILED, _Delivery.KNOWN)})

#: What the notice of a rejection does: due again, where a delivery is found that was not there to be rejected.
NOTICE_MOVES: Final = frozenset({(_Notice.DUE, _Notice.KNOWN), (_Notice.KNOWN, _Notice.DUE)})

#: What an address change does; a confirmed one that an older one has overtaken at the OMS is sent again.
CHANGE_MOVES: Final = frozenset(
    {
        (_Change.PENDING, _Change.CONFIRMED),
        (_Change.PENDING, _Change.REFUSED),
        (_Change.PENDING, _Change.TOO_LATE),
        (_Change.PENDING, _Change.SUPERSEDED),
        (_Change.CONFIRMED, _Change.PENDING),
    }
)

#: Neither done nor given up: somebody is on it, or will be.
UNDER_WAY: Final = frozenset({_State.PREPARED, _State.SENT, _State.UNKNOWN})


def is_past_grace(began_at: datetime) -> Q:
    """Select what was sent by a POST that was long over when a reading of the OMS began, by the database's clock."""
    return Q(sent_at__lt=began_at - settings.VERIFY_GRACE)


def is_recent(began_at: datetime | F) -> LessThan:
    """Hold while a dialogue that began then can still be going on: what it has read counts no longer."""
    return LessThan(Now(), began_at + get_longest_dialogue())


def get_longest_dialogue() -> timedelta:
    """Return for how long a dialogue may seem to go on."""
    return timedelta(seconds=settings.OMNITRON_DIALOGUE_SECONDS) + _MARGIN


def list_before(moves: frozenset[tuple[_S, _S]], after: _S, *, may_stay: bool = False) -> list[_S]:
    """List the states from which a move to this one is legal; with `may_stay`, this one, too."""
    return [state for state, target in moves if target == after] + [after] * may_stay


def claim_move(
    submission: Submission,
    after: Submission.State,
    *,
    only_if: Q | None = None,
    moves: frozenset[tuple[Submission.State, Submission.State]] = LEGAL_MOVES,
    update: Callable[[list[Submission.State]], int] | None = None,
    **fields: Any,
) -> bool:
    """Move a submission to a state, if it stands in one from which that is legal; return whether it did.

    The UPDATE names the states before, so of two that try one wins; the loser must look again and not act.
    `only_if` is a condition of the same UPDATE. A field may be an expression, which the database evaluates. `update` is
    that UPDATE, where it is prepared: it gets the states before, and returns how many rows it was.
    """
    before = list_before(moves, after)
    if update is not None:
        count = update(before)
    elif only_if is None and not any(hasattr(value, "resolve_expression") for value in fields.values()):
        count = _move(submission.pk, before, after, **fields)
    else:
        rows = Submission.objects.filter(only_if or Q(), pk=submission.pk, state__in=before)
        count = rows.update(state=after, **fields)
    if count:
        submission.state = after
        for name, value in fields.items():
            if not hasattr(value, "resolve_expression"):  # only the row knows what that came to
                setattr(submission, name, value)
    return bool(count)


@prepared_update
def _move(
    pk: int, before: Sequence[Submission.State], after: Submission.State, **fields: Any
) -> tuple[QuerySet[Submission], dict[str, Any]]:
    return Submission.objects.filter(pk=pk, state=before), {"state": after, **fields}


class IllegalMove(Exception):
    """A request was to be moved to where it cannot come from where it stands: a mistake in the code."""


def claim_request(
    requests: QuerySet[CancellationRequest],
    after: CancellationRequest.Status,
    *,
    may_stay: bool = False,
    **fields: Any,
) -> int:
    """Move those of these requests from whose status that is legal; return how many were.

    With `may_stay`, one that stands there already counts and gets the fields, too.
    """
    before = list_before(REQUEST_MOVES, after, may_stay=may_stay)
    return requests.filter(status__in=before).update(status=after, modified_date=get_now(), **fields)


def claim_change(changes: QuerySet[AddressChange], after: AddressChange.State, **fields: Any) -> int:
    """Move those of these address changes from whose state that is legal; return how many were."""
    return changes.filter(state__in=list_before(CHANGE_MOVES, after)).update(state=after, **fields)


def claim_delivery(
    deliveries: QuerySet[Delivery],
    after: Delivery.State,
    *,
    may_stay: bool = False,
    moves: frozenset[tuple[Delivery.State, Delivery.State]] = DELIVERY_MOVES,
    **fields: Any,
) -> int:
    """Move those of these deliveries from whose state that is legal; return how many were.

    With `may_stay`, one that stands there already counts and gets the fields, too. No name is pending of what is not
    sent.
    """
    before = list_before(moves, after, may_stay=may_stay)
    return deliveries.filter(state__in=before).update(**{"state": after, "pending_name": "", **fields})


def claim_notice(notices: QuerySet[DecisionNotice], after: DecisionNotice.State, **fields: Any) -> int:
    """Move those of these notices from whose state that is legal; return how many were."""
    return notices.filter(state__in=list_before(NOTICE_MOVES, after)).update(state=after, **fields)
