"""How the queue stands: for doctor, readiness and metrics alike."""

from dataclasses import dataclass

from django.db import connection

#: A worker that has not been heard of for so many seconds does not count.
_ALIVE_SECONDS = 60


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
