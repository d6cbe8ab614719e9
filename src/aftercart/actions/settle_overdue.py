"""Answer writes whose replays wait: those that have their answer, and those whose process must have died."""

from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import Error, connection, models
from django.db.models import Q
from django.db.models.functions import Now

from aftercart.actions.change_address import postpone_change
from aftercart.actions.settle_submission import settle_submission
from aftercart.cancellations.models import AddressChange, Submission
from aftercart.orders.models import IdempotencyRecord
from aftercart.orders.timeline import WORKER

_State = Submission.State

#: Beyond the longest dialogue a process that lives has settled its write.
_MARGIN = timedelta(seconds=1)
_DIED = "The process that served this submission died."


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
    for submission in _list_overdue().filter(idempotency_record__in=records).order_by("pk"):
        settle_submission(
            submission.pk,
            _State.REFUSED if submission.state == _State.PREPARED else _State.UNKNOWN,
            WORKER,
            cause="process_died",
            detail=_DIED,
            only_from=_State(submission.state),
        )
    changes = AddressChange.objects.filter(
        state=AddressChange.State.PENDING,
        created_at__lt=_longest_ago(),
        idempotency_record__in=records,
        idempotency_record__status_code=None,
    )
    for change in changes.select_related("idempotency_record").order_by("pk"):
        postpone_change(change, _DIED)


def is_overdue(submission_pk: int) -> bool:
    """Return whether a submission is under way, and no dialogue can still be at it."""
    return _list_overdue().filter(pk=submission_pk).exists()


def _list_overdue() -> models.QuerySet[Submission]:
    before = _longest_ago()
    return Submission.objects.filter(
        Q(state=_State.PREPARED, created_at__lt=before) | Q(state=_State.SENT, sent_at__lt=before)
    )


def _longest_ago() -> models.expressions.CombinedExpression:
    return Now() - (timedelta(seconds=settings.OMNITRON_DIALOGUE_SECONDS) + _MARGIN)
