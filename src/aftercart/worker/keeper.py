"""The jobs in the database, as a worker keeps them: no broken connection ends it or leaves a job behind."""

import asyncio
from collections.abc import Iterable
from typing import Final

from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from psycopg.errors import RaiseException

#: Seconds before each further try to record how a job ended; a database that stays away for longer ends the worker.
_WAITS: Final = (0.2, 1, 5, 15)
_FINISH_OWN: Final = """
    SELECT procrastinate_finish_job_v1(id, %(status)s, %(delete_job)s)
    FROM procrastinate_jobs WHERE id = %(job_id)s AND worker_id = %(worker_id)s
"""


class JobKeeper(JobManager):
    """Procrastinate's manager, which tries once where a connection may break or another worker be quicker."""

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Take the next job; None when another worker has just begun one with the same lock."""
        try:
            return await super().fetch_job(queues, worker_id)
        except UniqueViolation:
            return None

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:  # noqa: FBT001 - as overridden
        """Record how a job ended, trying again: nobody takes over the jobs of a worker that lives.

        One that was taken over all the same is the other worker's to finish.
        """
        for wait in _WAITS:
            try:
                await self._finish_own(job, status, delete_job=delete_job)
            except ConnectorException as error:
                if isinstance(error.__cause__, RaiseException):
                    return  # an earlier try did it
                await asyncio.sleep(wait)
            else:
                return
        await self._finish_own(job, status, delete_job=delete_job)

    async def _finish_own(self, job: Job, status: Status, *, delete_job: bool) -> None:
        await self.connector.execute_query_async(
            _FINISH_OWN, job_id=job.id, worker_id=job.worker_id, status=status.value, delete_job=delete_job
        )
