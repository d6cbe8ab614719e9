"""How often something was tried, counted in windows of time: what throttles those who guess."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from django.db import connection, models
from django.utils.crypto import salted_hmac

from aftercart.lib.clock import get_now

#: One statement, so that of many who try at once each gets a count of its own, whatever process it is in.
_COUNT = """
    INSERT INTO accounts_ratelimit (key, window_start, count) VALUES (%(key)s, %(start)s, %(step)s)
    ON CONFLICT (key, window_start) DO UPDATE SET count = accounts_ratelimit.count + %(step)s
    RETURNING count
"""
_GIVE_BACK = (
    "UPDATE accounts_ratelimit SET count = count - 1 WHERE key = %s AND window_start = %s AND count > 0"
)
_FORGET = "DELETE FROM accounts_ratelimit WHERE key = %s AND window_start = %s"


class RateLimit(models.Model):
    """How often one thing was tried in one window; `key` tells what, but not to who reads the table."""

    key = models.CharField(max_length=64)
    window_start = models.DateTimeField()
    count = models.IntegerField(default=0)

    objects: ClassVar[models.Manager["RateLimit"]]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "window_start"], name="one_count_a_window")]
        indexes = [models.Index(fields=["window_start"], name="rate_limits_by_age")]

    def __str__(self) -> str:
        return f"{self.count} since {self.window_start}"


@dataclass(frozen=True, slots=True)
class Try:
    """One try, counted: the how-manieth it is in its window, and in how many seconds that ends."""

    count: int
    seconds: int
    _key: str
    _start: datetime

    def give_back(self) -> None:
        """Count this try no more: it turned out not to be one."""
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, [self._key, self._start])

    def forget_all(self) -> None:
        """Count none of the tries of this window any more."""
        with connection.cursor() as cursor:
            cursor.execute(_FORGET, [self._key, self._start])


def count_try(purpose: str, value: str, window: timedelta, *, is_replay: bool = False) -> Try:
    """Count one more try of `purpose` with `value`, or, of a replay, only look.

    Commits at once unless inside a transaction: a try counts whatever becomes of it.
    """
    seconds = int(window.total_seconds())
    now = get_now().timestamp()
    start = int(now) // seconds * seconds
    # With its length: at midnight a window of ten minutes and one of a day begin together.
    key = salted_hmac(f"aftercart.tally.{purpose}.{seconds}", value, algorithm="sha256").hexdigest()
    started_at = datetime.fromtimestamp(start, UTC)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"key": key, "start": started_at, "step": 0 if is_replay else 1})
        count: int = cursor.fetchone()[0]
    return Try(count, max(1, round(start + seconds - now)), key, started_at)
