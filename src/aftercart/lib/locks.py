"""Advisory locks of PostgreSQL: for what no row stands for."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError, connection


@contextmanager
def alone_at(purpose: str) -> Iterator[bool]:
    """Tell whether nobody else is at this, and keep others from it meanwhile. A dead holder holds nothing.

    Wants a connection of its own from beginning to end, so that no pool may stand in between that shares one
    among several transactions.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [purpose])
        is_alone = bool(cursor.fetchone()[0])
    try:
        yield is_alone
    finally:
        if is_alone:
            with suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [purpose])


def take_turns(purpose: str) -> None:
    """Wait until nobody else is in a transaction that called this for the same purpose."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [purpose])
