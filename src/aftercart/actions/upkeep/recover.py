"""Find what a dead process left behind, and give it to whoever finishes it. Run every few seconds.

By the database's clock: the hosts' own may be apart. Row by row: one that somebody holds is left to the next round, and
one that fails moves back behind the others.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import models, transaction
from django.db.models import Q, Value
from django.db.models.functions import Now

from aftercart.actions.cancel.settle_overdue import list_overdue, longest_ago, settle_abandoned
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.do_apart import Fence, do_apart, stand_alone
from aftercart.cancellations.models import (
    AddressChange,
    CancellationRequest,
    DecisionNotice,
    Delivery,
    SpareRequest,
    Submission,
)
from aftercart.cancellations.models.setbacks import exclude_set_back
from aftercart.cancellations.states import UNDER_WAY
from aftercart.lib.failpoints import failpoint
from aftercart.mail.outbox import list_waiting
from aftercart.orders.models import OneTimeCode, Order

_State = Submission.State

#: Beyond the longest dialogue a web process that still lives has settled its submission.
_MARGIN = timedelta(seconds=5)
#: How many rows of a kind one round takes on.
_MOST = 200
RECOVER_SUBMISSION = "aftercart.recover_submission"


def recover_submissions(fence: Fence = stand_alone) -> int:
    """Settle what stands in `prepared` (never sent) or `sent` (unknown) beyond any dialogue; return how many.

    A process that is merely slow loses its claim, and then sends nothing and settles nothing.
    """
    found = (
        exclude_set_back(RECOVER_SUBMISSION, list_overdue(_MARGIN))
        .order_by("pk")
        .values_list("pk", "state")[:_MOST]
    )
    return sum(
        do_apart(RECOVER_SUBMISSION, pk, partial(_settle, pk, _State(state)), fence) for pk, state in found
    )


def _settle(pk: int, state: Submission.State) -> None:
    failpoint("recover.settling")
    settle_abandoned(pk, state, nowait=True)


def recover_jobs(fence: Fence = stand_alone) -> int:
    """Enqueue what waits for a job and has none; return how many. The row is the truth, a job its ticker.

    One statement looks for all kinds, since mostly there is nothing; where it fails, one a kind.
    """
    work = list(_list_work())
    missing: list[tuple[str, int]] = []
    if not do_apart("aftercart.recover_jobs", 0, partial(_find_missing, work, missing), fence):
        for task, rows in work:
            do_apart(task, 0, partial(_find_missing, [(task, rows)], missing), fence)
    return sum(do_apart(task, pk, partial(_enqueue, task, pk, fence), fence) for task, pk in missing)


def _find_missing(work: Sequence[tuple[str, models.QuerySet[Any]]], missing: list[tuple[str, int]]) -> None:
    first, *others = (
        jobs.filter_without_job(task, exclude_set_back(task, rows), _MOST)
        .annotate(task=Value(task, output_field=models.TextField()))
        .values_list("task", "pk")
        for task, rows in work
    )
    missing.extend(first.union(*others, all=True) if others else first)


def _list_work() -> Iterator[tuple[str, models.QuerySet[Any]]]:
    """List the kinds of jobs, each with the rows that wait for one."""
    status = CancellationRequest.Status
    yield jobs.VERIFY_SUBMISSION, Submission.objects.filter(state=_State.UNKNOWN)
    yield (
        jobs.DELIVER_REQUEST,
        CancellationRequest.objects.filter(
            # Of one that the OMS completed meanwhile, what an unanswered try had made is still to be noted.
            Q(status=status.WAITING) | Q(status=status.COMPLETED, delivery__attempts__gt=0),
            delivery__state__in=Delivery.TO_MAKE,
        ),
    )
    decided = CancellationRequest.objects.filter(decided_by__isnull=False)
    yield (
        jobs.EXECUTE_APPROVAL,
        decided.filter(status=status.APPROVED).exclude(approvals__state__in=UNDER_WAY),
    )
    due = CancellationRequest.objects.filter(status=status.REJECTED, notice__state=DecisionNotice.State.DUE)
    yield jobs.DELIVER_REJECTION, due
    # A younger one may be told just now by the web process that recorded it.
    changes = AddressChange.objects.filter(state=AddressChange.State.PENDING)
    yield jobs.DELIVER_ADDRESS, changes.filter(created_at__lt=longest_ago(_MARGIN))
    yield jobs.REJECT_SPARE, SpareRequest.objects.filter(state=SpareRequest.State.FOUND)
    yield jobs.COMPARE_ADDRESS, Order.objects.filter(address_due_at__lte=Now())
    yield jobs.SEND_EMAIL, list_waiting()
    yield jobs.SEND_CODE, OneTimeCode.objects.filter(settled_at=None, expires_at__gt=Now())


@transaction.atomic
def _enqueue(task: str, pk: int, fence: Fence) -> None:
    failpoint("recover.enqueuing")
    fence()  # here as well: who wakes from a long sleep finds the job made, and perhaps done
    jobs.enqueue(task, pk)
