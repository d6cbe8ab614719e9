"""How many calls reading in the background may still make: one bucket of tokens for all workers, in a row."""

from typing import Final

from django.conf import settings
from django.db import connection, models

_MINUTE: Final = 60.0
#: A bucket holds what comes in so many seconds: nothing is saved up for a storm.
_BURST_SECONDS: Final = 15.0
_ONLY: Final = 1

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
    rate = settings.OMNITRON_READS_PER_MINUTE / _MINUTE
    values = {"id": _ONLY, "most": _get_most(), "rate": rate, "cost": float(count)}
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, values)
        left: float = cursor.fetchone()[0]
    return left


def _get_most() -> float:
    """Return how many calls the bucket holds."""
    return max(settings.OMNITRON_READS_PER_MINUTE / _MINUTE * _BURST_SECONDS, 1.0)


def has_calls_to_spare() -> bool:
    """Return whether half of the bucket is left: for reading that may take hours, and gives way to all other."""
    return spend_calls(0) >= max(_get_most() / 2, 1.0)


def has_calls_left() -> bool:
    """Return whether one more order may be read in the background now."""
    return spend_calls(0) >= 1.0
