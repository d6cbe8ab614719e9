"""Find what a dead process left behind, and give it to whoever finishes it. Run every few seconds."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from aftercart.accounts.models import Tally
from aftercart.actions import jobs
from aftercart.actions.settle_submission import settle_submission
from aftercart.cancellations.models import AddressChange, CancellationRequest, Submission
from aftercart.cancellations.states import UNDER_WAY
from aftercart.lib.failpoints import failpoint
from aftercart.mail.outbox import list_waiting
from aftercart.orders.models import GuestCode, IdempotencyRecord, Order
from aftercart.orders.selectors import get_now
from aftercart.orders.timeline import WORKER

_State = Submission.State

#: Beyond the longest dialogue a web process that still lives has settled its submission.
_MARGIN = timedelta(seconds=5)
#: How many rows of a kind one round takes on.
_MOST = 200


def recover_submissions() -> int:
    """Settle what stands in `prepared` (never sent) or `sent` (unknown) beyond any dialogue; tell how many.

    A process that is merely slow loses its claim, and then sends nothing and settles nothing.
    """
    before = _get_longest_ago()
    stale = Submission.objects.filter(
        Q(state=_State.PREPARED, created_at__lt=before) | Q(state=_State.SENT, sent_at__lt=before)
    ).order_by("pk")[:_MOST]
    count = 0
    for submission in stale:
        outcome = _State.REFUSED if submission.state == _State.PREPARED else _State.UNKNOWN
        detail = "The process that served this submission died."
        failpoint("recover.settling")
        settle_submission(
            submission.pk,
            outcome,
            WORKER,
            cause="process_died",
            detail=detail,
            only_from=_State(submission.state),  # else it was merely slow, and has just been sent or settled
        )
        count += 1
    return count


def _get_longest_ago() -> datetime:
    """Tell before when a dialogue must have begun to be over by now, with whatever process had it."""
    return get_now() - timedelta(seconds=settings.OMNITRON_DIALOGUE_SECONDS) - _MARGIN


def recover_jobs() -> int:
    """Enqueue what waits for a job and has none; tell how many. The row is the truth, a job its ticker."""
    status = CancellationRequest.Status
    requests = CancellationRequest.objects.filter(
        # Of one that Omnitron completed meanwhile, what an unanswered try had made is still to be noted.
        Q(status=status.WAITING) | Q(status=status.COMPLETED, deliveries__gt=0),
        delivered_at=None,
        is_undeliverable=False,
    )
    approved = CancellationRequest.objects.filter(status=status.APPROVED, decided_by__isnull=False).exclude(
        line__submission__state__in=UNDER_WAY
    )
    rejected = CancellationRequest.objects.filter(
        status=status.REJECTED, decided_by__isnull=False, rejection_told_at=None
    )
    # A younger one may be told just now by the web process that recorded it.
    changes = AddressChange.objects.filter(
        state=AddressChange.State.PENDING, created_at__lt=_get_longest_ago()
    )
    return (
        _enqueue_missing(jobs.VERIFY_SUBMISSION, Submission.objects.filter(state=_State.UNKNOWN))
        + _enqueue_missing(jobs.DELIVER_REQUEST, requests)
        + _enqueue_missing(jobs.EXECUTE_APPROVAL, approved)
        + _enqueue_missing(jobs.DELIVER_REJECTION, rejected)
        + _enqueue_missing(jobs.DELIVER_ADDRESS, changes)
        + _enqueue_missing(jobs.COMPARE_ADDRESS, Order.objects.filter(address_due_at__lte=get_now()))
        + _enqueue_missing(jobs.SEND_LETTER, list_waiting())
        + _enqueue_missing(
            jobs.SEND_GUEST_CODE, GuestCode.objects.filter(settled_at=None, expires_at__gt=timezone.now())
        )
    )


def _enqueue_missing(task: str, rows: models.QuerySet[Any]) -> int:
    missing = jobs.list_without_job(task, rows, _MOST)
    for pk in missing:
        failpoint("recover.enqueuing")
        jobs.enqueue(task, pk)
    return len(missing)


def forget_writes() -> int:
    """Delete idempotency records that have outlived the longest promise (contract section 3.5)."""
    old = IdempotencyRecord.objects.filter(
        created_at__lt=timezone.now() - timedelta(hours=48), status_code__isnull=False
    )
    return old.delete()[0]


def forget_guests() -> int:
    """Delete guests' codes and tallies that no budget and no limit looks at any more."""
    before = timezone.now() - timedelta(hours=48)
    codes, _ = GuestCode.objects.filter(created_at__lt=before).delete()
    tallies, _ = Tally.objects.filter(window_start__lt=before).delete()
    return codes + tallies
