"""Put what dead workers held back into the queue."""

from asgiref.sync import async_to_sync
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from psycopg.errors import RaiseException

from aftercart.lib.clock import get_now
from aftercart.lib.locks import lock_purpose


def take_over_jobs(dead_after: int) -> list[Job]:
    """Put back the jobs of workers that have not been heard of for so many seconds, and give them.

    One does so at a time: what one has put back, and a living worker has begun, is no longer as it was listed.
    """
    manager = app.job_manager
    if not _list_stalled(manager, dead_after):
        return []
    with transaction.atomic(durable=True):
        lock_purpose("aftercart.take_over_jobs")
        return [job for job in _list_stalled(manager, dead_after) if _put_back(manager, job)]


def _list_stalled(manager: JobManager, dead_after: int) -> list[Job]:
    return list(async_to_sync(manager.get_stalled_jobs)(seconds_since_heartbeat=dead_after))


def _put_back(manager: JobManager, job: Job) -> bool:
    assert job.id is not None  # noqa: S101 - it has been read
    try:
        with transaction.atomic():
            try:
                with transaction.atomic():
                    manager.retry_job_by_id(job.id, retry_at=get_now())
            except UniqueViolation:
                # The next of its kind waits already, perhaps for the lock that the dead one still holds.
                async_to_sync(manager.finish_job)(job, Status.FAILED, delete_job=False)
    except ConnectorException as error:
        if not isinstance(error.__cause__, RaiseException):
            raise
        return False  # its worker was only slow, and has just ended it
    return True
