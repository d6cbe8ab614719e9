"""How the queue stands, for doctor, readiness and metrics alike; and the job that is next of its kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

#: A worker that has not been heard of for so many seconds does not count.
_ALIVE_SECONDS = 60

_TAKE = """
    DELETE FROM procrastinate_jobs WHERE id = (
        SELECT id FROM procrastinate_jobs AS waiting
        WHERE status = 'todo' AND task_name = ANY(%s) AND coalesce(scheduled_at, now()) <= now() AND NOT EXISTS (
            SELECT FROM procrastinate_jobs AS other WHERE other.lock = waiting.lock AND other.status = 'doing'
        )
        ORDER BY priority DESC, id LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING (args->>'pk')::bigint, args->>'request_id'
"""


@dataclass(frozen=True, slots=True)
class QueueState:
    """Jobs that are due, for how many seconds the oldest has been, and how many workers live."""

    due: int
    lag_seconds: float
    workers: int


def measure_queue() -> QueueState:
    """Measure the queue, in one round trip."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS (
                SELECT coalesce(
                    job.scheduled_at,
                    (SELECT max(at) FROM procrastinate_events
                     WHERE job_id = job.id AND type IN ('deferred', 'deferred_for_retry'))
                ) AS since
                FROM procrastinate_jobs AS job
                WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()
            )
            SELECT count(*), coalesce(extract(epoch FROM now() - min(since)), 0),
                   (SELECT count(*) FROM procrastinate_workers
                    WHERE last_heartbeat > now() - make_interval(secs => %s))
            FROM due
            """,
            [_ALIVE_SECONDS],
        )
        due, lag, workers = cursor.fetchone()
    return QueueState(due=due, lag_seconds=max(float(lag), 0.0), workers=workers)


@dataclass(frozen=True, slots=True)
class RowJob:
    """A job about one row that has been taken from the queue, and the request that it was enqueued for."""

    pk: int
    request_id: str | None


def take_job(names: Sequence[str]) -> RowJob | None:
    """Take the next job of these names that is due from the queue, for good: what it is about must be found again.

    None if there is none, or only such as wait for another with the same lock.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [list(names)])
        row = cursor.fetchone()
    return None if row is None else RowJob(*row)
