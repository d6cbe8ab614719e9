"""Answer writes whose replays wait: those that have their answer, and those whose process must have died."""

from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import Error, connection, models
from django.db.models import Q
from django.db.models.functions import Now

from aftercart.actions.address.change_address import postpone_change
from aftercart.actions.cancel.record_submission import settle_submission
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import AddressChange, Submission
from aftercart.lib.notes import write_note
from aftercart.orders.models import IdempotencyRecord
from aftercart.orders.timeline import WORKER

_State = Submission.State

#: Beyond the longest dialogue a process that lives has settled its write.
_MARGIN = timedelta(seconds=1)


def look_for_answers(records: Collection[int]) -> set[int]:
    """Find which writes have their answer now; settle those that are overdue, whose answer the next look finds.

    For a thread of its own, which holds no connection between two looks. While the database is away, none has.
    """
    try:
        answered = find_answered(records)
        settle_overdue(set(records) - answered)
    except Error:
        return set()
    finally:
        if not connection.in_atomic_block:
            connection.close()
    return answered


def find_answered(records: Collection[int]) -> set[int]:
    """Find which of these writes have an answer, or are no longer remembered."""
    running = IdempotencyRecord.objects.filter(pk__in=records, status_code=None)
    return set(records) - set(running.values_list("pk", flat=True))


def settle_overdue(records: Collection[int]) -> None:
    """Settle those of these writes that no dialogue can still be at, sooner than a worker's round does.

    A process that is merely slow loses its claim, and then sends nothing. By the database's clock.
    """
    for submission in list_overdue().filter(idempotency_record__in=records).order_by("pk"):
        settle_abandoned(submission.pk, _State(submission.state))
    changes = AddressChange.objects.filter(
        state=AddressChange.State.PENDING,
        created_at__lt=longest_ago(_MARGIN),
        idempotency_record__in=records,
        idempotency_record__status_code=None,
    )
    for change in changes.select_related("idempotency_record").order_by("pk"):
        postpone_change(change, write_note("process_died"))


def is_overdue(submission_pk: int) -> bool:
    """Return whether a submission is under way, and no dialogue can still be at it."""
    return list_overdue().filter(pk=submission_pk).exists()


def settle_abandoned(submission_pk: int, state: Submission.State, *, nowait: bool = False) -> None:
    """Settle a submission whose process died in `state`: it was certainly not sent, or nobody knows.

    If that process was merely slow, and has moved the submission on meanwhile, nothing happens.
    """
    outcome = _State.REFUSED if state == _State.PREPARED else _State.UNKNOWN
    settle_submission(
        submission_pk, outcome, WORKER, cause=Cause.PROCESS_DIED, only_from=state, nowait=nowait
    )


def list_overdue(margin: timedelta = _MARGIN) -> models.QuerySet[Submission]:
    """List the submissions under way that no dialogue can have been at for so long."""
    before = longest_ago(margin)
    return Submission.objects.filter(
        Q(state=_State.PREPARED, created_at__lt=before) | Q(state=_State.SENT, sent_at__lt=before)
    )


def longest_ago(margin: timedelta) -> models.expressions.CombinedExpression:
    """Return the time, by the database's clock, since when every dialogue has ended, with a margin."""
    return Now() - (timedelta(seconds=settings.OMNITRON_DIALOGUE_SECONDS) + margin)
