"""Work left for the worker, enqueued in the transaction that makes it necessary.

By name: actions do not know the worker, it knows them. A lock keeps two jobs about one thing apart.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from math import ceil
from typing import Any, Final

from django.db import connection, models
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job

from aftercart.lib.correlation import get_request_id

VERIFY_SUBMISSION = "aftercart.verify_submission"
EXECUTE_APPROVAL = "aftercart.execute_approval"
DELIVER_REQUEST = "aftercart.deliver_request"
REJECT_SPARE = "aftercart.reject_spare"
DELIVER_REJECTION = "aftercart.deliver_rejection"
DELIVER_ADDRESS = "aftercart.deliver_address"
COMPARE_ADDRESS = "aftercart.compare_address"
SYNC_ORDER = "aftercart.sync_order"
SYNC_REASONS = "aftercart.sync_reasons"
SEND_EMAIL = "aftercart.send_email"
SEND_CODE = "aftercart.send_guest_code"  # as jobs that wait from before name it

#: What is done about a request at the OMS is done one after the other, whatever it is.
_ABOUT_REQUESTS = frozenset({DELIVER_REQUEST, EXECUTE_APPROVAL, DELIVER_REJECTION})
#: What somebody waits for comes before the rest, and what comes in bulk after it, however much has piled up.
_PRIORITIES = {
    SEND_CODE: 4,
    VERIFY_SUBMISSION: 4,
    EXECUTE_APPROVAL: 2,
    DELIVER_REJECTION: 2,
    REJECT_SPARE: 4,
    SYNC_ORDER: -2,
}
#: What is to be done at once does not wait for a later try: of the jobs with one lock, a lower one waits for a higher.
_WHEN_DELAYED = -1
#: What makes the other jobs happen comes first.
UPKEEP: Final = 5

_FIRST_WAIT: Final = timedelta(seconds=5)
_LONGEST_WAIT: Final = timedelta(minutes=10)


def name_lock(task: str, pk: int | str) -> str:
    """Name the lock that keeps two jobs about one row apart."""
    return f"{'aftercart.request' if task in _ABOUT_REQUESTS else task}:{pk}"


def filter_without_job(task: str, rows: models.QuerySet[Any], most: int) -> models.QuerySet[Any]:
    """Return the rows that no job of this kind waits for or is at, the oldest first, at most so many."""
    lock = Concat(Value(name_lock(task, "")), Cast(OuterRef("pk"), models.CharField()))
    live = ProcrastinateJob.objects.filter(task_name=task, status__in=["todo", "doing"], lock=lock)
    return rows.exclude(Exists(live)).order_by("pk")[:most]


_gathered: ContextVar[list[Job] | None] = ContextVar("gathered jobs", default=None)


@contextmanager
def enqueuing_together() -> Iterator[None]:
    """Enqueue at the end of the block, in one statement, all jobs that are enqueued within."""
    jobs: list[Job] = []
    token = _gathered.set(jobs)
    try:
        yield
    finally:
        _gathered.reset(token)
    if jobs:
        _defer(jobs)


def enqueue(task: str, pk: int, *, wait: timedelta | None = None) -> None:
    """Have the worker do `task` with the row `pk`, after a wait, under the id of the request that wants it.

    A database that goes away meanwhile is Django's `OperationalError`, here as everywhere else.
    """
    deferrer = app.configure_task(
        task,
        lock=name_lock(task, pk),
        priority=_PRIORITIES.get(task, 0) + (_WHEN_DELAYED if wait is not None else 0),
        schedule_in=None if wait is None else {"seconds": ceil(wait.total_seconds())},
    )
    request_id = get_request_id()
    job = deferrer.make_new_job(pk=pk, **({"request_id": request_id} if request_id else {}))
    gathered = _gathered.get()
    if gathered is None:
        _defer([job])
    else:
        gathered.append(job)


def enqueue_again(
    task: str, pk: int, tries: int, *, first: timedelta = _FIRST_WAIT, longest: timedelta = _LONGEST_WAIT
) -> None:
    """Have `task` tried again with the row `pk`, the later the more tries there have been."""
    enqueue(task, pk, wait=compute_backoff(tries, first=first, longest=longest))


def compute_backoff(tries: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """Double from the first wait up to the longest; up to a quarter more keeps tries out of step."""
    wait = min(first * 2.0 ** min(tries, 30), longest)
    return wait * (1 + random.random() / 4)  # noqa: S311 - jitter, not a secret


def _defer(jobs: list[Job]) -> None:
    with connection.wrap_database_errors:
        try:
            app.job_manager.batch_defer_jobs(jobs)
        except ConnectorException as error:
            raise (error.__cause__ or error) from None
