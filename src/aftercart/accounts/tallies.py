"""How often something was tried, counted in windows of time: what throttles those who guess."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

from django.db import connection, models
from django.utils import timezone
from django.utils.crypto import salted_hmac

#: One statement, so that of many who try at once each gets a count of its own, whatever process it is in.
_COUNT = """
    INSERT INTO accounts_tally (key, window_start, count) VALUES (%s, %s, 1)
    ON CONFLICT (key, window_start) DO UPDATE SET count = accounts_tally.count + 1
    RETURNING count
"""


class Tally(models.Model):
    """How often one thing was tried in one window; `key` tells what, but not to who reads the table."""

    key = models.CharField(max_length=64)
    window_start = models.DateTimeField()
    count = models.IntegerField(default=0)

    objects: ClassVar[models.Manager["Tally"]]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "window_start"], name="one_tally_a_window")]
        indexes = [models.Index(fields=["window_start"], name="tallies_by_age")]
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return f"{self.count} since {self.window_start}"


def count_try(purpose: str, value: str, window: timedelta) -> tuple[int, int]:
    """Count one more try of `purpose` with `value`; how many there were, and in how many seconds they end.

    Commits at once unless inside a transaction: a try counts whatever becomes of it.
    """
    seconds = int(window.total_seconds())
    now = timezone.now().timestamp()
    start = int(now) // seconds * seconds
    key = salted_hmac(f"aftercart.tally.{purpose}", value, algorithm="sha256").hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [key, datetime.fromtimestamp(start, UTC)])
        count: int = cursor.fetchone()[0]
    return count, max(1, round(start + seconds - now))
