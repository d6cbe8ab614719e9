"""The database's clock: the one that all processes share, whatever their hosts' clocks say."""

from datetime import datetime

from django.db import connection


def read_clock() -> datetime:
    """Return the database's time at this moment, inside a transaction too.

    What may be concluded from a reading of Omnitron depends on when the reading began: call this before it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
