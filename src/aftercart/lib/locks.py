"""Advisory locks of PostgreSQL, for what no row stands for: those of a transaction, which ends with its process.

Nothing holds a session's lock: a frozen process would hold it for as long as it is frozen. A round of work that one
worker at a time does has a lease (worker/leases.py).
"""

from django.db import connection


def lock_purpose(purpose: str) -> None:
    """Wait until nobody else is in a transaction that called this for the same purpose."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [purpose])
