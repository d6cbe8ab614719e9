"""How many calls reading in the background may still make: one bucket of tokens for all workers, in a row."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.db import connection, models

from aftercart.oms.meter import metered

_MINUTE: Final = 60.0
#: A bucket holds what comes in so many seconds: nothing is saved up for a storm.
_BURST_SECONDS: Final = 15.0
_ONLY: Final = 1

_LEFT = """
    SELECT least(tokens + extract(epoch FROM clock_timestamp() - counted_at) * %(rate)s, %(most)s)
    FROM cancellations_readbudget WHERE id = %(id)s
"""
_SPEND = """
    INSERT INTO cancellations_readbudget AS kept (id, tokens, counted_at)
    VALUES (%(id)s, %(most)s - %(cost)s, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET
        tokens = least(
            kept.tokens + extract(epoch FROM clock_timestamp() - kept.counted_at) * %(rate)s, %(most)s
        ) - %(cost)s,
        counted_at = clock_timestamp()
    RETURNING tokens
"""


class ReadBudget(models.Model):
    """The bucket, one row. `tokens` are calls; below zero, others have spent what comes in next."""

    tokens = models.FloatField()
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.tokens:.1f}"


def spend_calls(count: int) -> float:
    """Take calls that were made from the budget; return what is left, which may be less than nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, _describe_bucket() | {"cost": float(count)})
        left: float = cursor.fetchone()[0]
    return left


@contextmanager
def spending_calls() -> Iterator[None]:
    """Take from the budget the calls that this block makes, also where it fails."""
    with metered() as meter:
        try:
            yield
        finally:
            spend_calls(meter.calls)


def count_calls_left() -> float:
    """Count the calls that are left, which may be less than nothing; asked before each reading, it writes nothing."""
    bucket = _describe_bucket()
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, bucket)
        row = cursor.fetchone()
    return bucket["most"] if row is None else float(row[0])


def _describe_bucket() -> dict[str, float]:
    return {"id": _ONLY, "most": _get_most(), "rate": settings.OMNITRON_READS_PER_MINUTE / _MINUTE}


def _get_most() -> float:
    """Return how many calls the bucket holds."""
    return max(settings.OMNITRON_READS_PER_MINUTE / _MINUTE * _BURST_SECONDS, 1.0)


def has_calls_to_spare() -> bool:
    """Return whether half of the bucket is left: for reading that may take hours, and gives way to all other."""
    return count_calls_left() >= max(_get_most() / 2, 1.0)


def has_calls_left() -> bool:
    """Return whether one more order may be read in the background now."""
    return count_calls_left() >= 1.0
