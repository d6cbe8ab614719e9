"""Have done now what waits for the OMS, once it answers again: a backoff outlasts the outage that it grew in."""

from django.db import connection

from aftercart.actions.upkeep import jobs

#: What is not about the OMS, or has a time of its own, is left alone.
_WAITING = (
    jobs.VERIFY_SUBMISSION,
    jobs.DELIVER_REQUEST,
    jobs.EXECUTE_APPROVAL,
    jobs.DELIVER_REJECTION,
    jobs.DELIVER_ADDRESS,
    jobs.COMPARE_ADDRESS,
)
#: Gently: so many at once, one after the other, the most urgent and then the longest waiting first.
_MOST = 500
_APART_SECONDS = 0.05

_WAKE = """
    WITH due AS (
        SELECT id, row_number() OVER (ORDER BY priority DESC, id) AS place FROM (
            SELECT id, priority FROM procrastinate_jobs
            WHERE status = 'todo' AND task_name = ANY(%s) AND scheduled_at > now()
            ORDER BY priority DESC, id LIMIT %s
            FOR UPDATE SKIP LOCKED
        ) AS waiting
    )
    UPDATE procrastinate_jobs AS job
    SET scheduled_at = least(job.scheduled_at, now() + (due.place - 1) * make_interval(secs => %s))
    FROM due WHERE job.id = due.id
"""


def wake_jobs() -> int:
    """Bring forward the next tries of what waits for the OMS; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_WAKE, [list(_WAITING), _MOST, _APART_SECONDS])
        count: int = cursor.rowcount
    return count
