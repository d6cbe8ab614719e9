"""Waiting until nothing is under way any more, and telling what takes longest."""

import time
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.db.models import Q
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import (
    AddressChange,
    CancellationRequest,
    Delivery,
    Submission,
    SubmissionLine,
    SyncCursor,
)
from aftercart.cancellations.states import UNDER_WAY
from aftercart.orders.models import IdempotencyRecord, Order
from tests.faults.harness.cluster import Cluster
from tests.faults.harness.staff import Desks

_ROUND = 0.5
#: The last injected delay has ended by then, so that an early try meets no call that is still on its way.
_CALM = 6.0
_WORK = (
    jobs.VERIFY_SUBMISSION,
    jobs.EXECUTE_APPROVAL,
    jobs.DELIVER_REQUEST,
    jobs.DELIVER_REJECTION,
    jobs.REJECT_SPARE,
    jobs.DELIVER_ADDRESS,
    jobs.COMPARE_ADDRESS,
    jobs.SYNC_ORDER,
)
_Status = CancellationRequest.Status


@dataclass(frozen=True, slots=True)
class Rest:
    """How it came to rest: after how many seconds, and what was under way last (empty: nothing)."""

    seconds: float
    left: dict[str, int]


def count_waiting_jobs() -> int:
    """Count the jobs that wait for a worker."""
    return ProcrastinateJob.objects.filter(
        Q(scheduled_at=None) | Q(scheduled_at__lte=timezone.now()), task_name__in=_WORK, status="todo"
    ).count()


def count_submissions() -> int:
    """Count the submissions that there are; none while the database is away."""
    with suppress(DatabaseError):
        return Submission.objects.count()
    return 0


def count_under_way() -> dict[str, int]:
    """Count what is not at its end, by what it is; only what there is."""
    counts = {
        "submissions": Submission.objects.filter(state__in=UNDER_WAY).count(),
        "requests verifying": CancellationRequest.objects.filter(status=_Status.VERIFYING).count(),
        "approvals": CancellationRequest.objects.filter(
            status=_Status.APPROVED, decided_by__isnull=False
        ).count(),
        "open lines": SubmissionLine.objects.filter(is_open=True).count(),
        "address changes": AddressChange.objects.filter(state=AddressChange.State.PENDING).count(),
        "addresses to compare": Order.objects.exclude(address_due_at=None).count(),
        "orders to sync": Order.objects.exclude(sync_due_at=None).count(),
        "writes without an answer": IdempotencyRecord.objects.filter(status_code=None).count(),
        "jobs": ProcrastinateJob.objects.filter(task_name__in=_WORK, status__in=["todo", "doing"]).count(),
    }
    return {name: count for name, count in counts.items() if count}


def quiesce(cluster: Cluster, desks: Desks, *, longest: float, hurries: bool) -> Rest:
    """Decide what waits for a decision, wait for the rest, then for one look at all of Omnitron's updates.

    `hurries` brings the next try of what has failed forward to now, instead of waiting for its time.
    """
    began = time.monotonic()
    quiet_since = None
    left: dict[str, int] = {}
    while time.monotonic() - began < longest:
        cluster.revive()
        close_old_connections()
        # Looked at first: a poll enqueues what it finds in the transaction that moves its time.
        is_polled = quiet_since is not None and not SyncCursor.objects.exclude(polled_at__gt=quiet_since)
        pending = desks.decide_all_there() + desks.decide_undeliverable()
        if hurries and time.monotonic() - began > _CALM:
            _hurry()
        left = count_under_way() | ({"decisions": pending} if pending else {})
        if left:
            quiet_since = None
        elif quiet_since is None:
            quiet_since = timezone.now()
        elif is_polled:
            break
        time.sleep(_ROUND)
    return Rest(time.monotonic() - began, left)


def _hurry() -> None:
    now = timezone.now()
    Delivery.objects.filter(state="sent").update(sent_at=now - settings.VERIFY_GRACE)
    for due in ("address_due_at", "sync_due_at"):
        Order.objects.filter(**{f"{due}__gt": now}).update(**{due: now})
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET scheduled_at = now()"
            " WHERE status = 'todo' AND scheduled_at > now() AND task_name = ANY(%s)",
            [list(_WORK)],
        )
