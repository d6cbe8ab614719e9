"""Work on a row that failed in a way that nobody had foreseen: put back behind other rows, and shown to people."""

from typing import Any

from django.db import connection, models
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat, Now

_FIRST_WAIT_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 600.0
#: Beyond this many doublings the wait is the longest anyway; more would overflow.
_MOST_DOUBLINGS = 20
_LONGEST_ERROR = 500
#: From so many failures in a row on, a person should look.
_PERSISTENT = 3

_RECORD = """
    INSERT INTO cancellations_setback AS known (key, failures, error, first_at, retry_at)
    VALUES (%(key)s, 1, %(error)s, statement_timestamp(), statement_timestamp() + make_interval(secs => %(first)s))
    ON CONFLICT (key) DO UPDATE SET failures = known.failures + 1, error = excluded.error,
        retry_at = statement_timestamp()
            + make_interval(secs => least(%(first)s * power(2, least(known.failures, %(most)s)), %(longest)s))
    RETURNING failures
"""


class Setback(models.Model):
    """That work on a row has failed unexpectedly, how often in a row, and when it is due again.

    `key` names the work and the row, as in `aftercart.deliver_request:7`. Times are the database's.
    """

    key = models.CharField(max_length=128, primary_key=True)
    failures = models.IntegerField()
    error = models.TextField()
    first_at = models.DateTimeField()
    retry_at = models.DateTimeField()

    class Meta:
        ordering = ["first_at"]

    def __str__(self) -> str:
        return f"{self.key}: {self.error}"


def record_setback(work: str, pk: int, error: BaseException) -> int:
    """Record one more failure; return how many there have been in a row."""
    values: dict[str, str | int | float] = {
        "key": name_setback(work, pk),
        "error": f"{type(error).__name__}: {error}"[:_LONGEST_ERROR].replace("\0", ""),
        "first": _FIRST_WAIT_SECONDS,
        "longest": _LONGEST_WAIT_SECONDS,
        "most": _MOST_DOUBLINGS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)
        failures: int = cursor.fetchone()[0]
    return failures


def clear_setback(work: str, pk: int) -> None:
    """Forget the failures of what has been done now."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cancellations_setback WHERE key = %s", [name_setback(work, pk)])


def count_persistent() -> int:
    """Count the rows whose work has failed so often that a person should look."""
    return Setback.objects.filter(failures__gte=_PERSISTENT).count()


def name_setback(work: str, pk: int | str) -> str:
    """Return the key of the work on a row."""
    return f"{work}:{pk}"


def exclude_set_back(work: str, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Leave out the rows whose work has failed and is not due again yet."""
    key = Concat(Value(name_setback(work, "")), Cast(OuterRef("pk"), models.CharField()))
    return rows.exclude(Exists(Setback.objects.filter(key=key, retry_at__gt=Now())))
