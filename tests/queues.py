"""The queue's own tables."""

from django.db import connection


def empty_queue() -> None:
    """Forget all jobs and workers."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
