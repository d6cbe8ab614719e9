"""That nothing may be sent to the OMS: after a restore, until the OMS has been read (docs/operations.md).

What is asked for meanwhile is recorded, and waits: a cancellation becomes a request, an address change stays pending.
"""

import uuid

from django.db import models
from django.db.models.functions import Now

from aftercart.lib.prepared import prepared


class SendingHold(models.Model):
    """One time in which nothing is sent; it lasts while `released_at` is empty."""

    reason = models.TextField()
    since = models.DateTimeField(db_default=Now())
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["released_at"],
                condition=models.Q(released_at=None),
                nulls_distinct=False,
                name="one_hold_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} ({self.since:%Y-%m-%d %H:%M})"


class Installation(models.Model):
    """One row: which installation this database is of, and a count that only rises.

    Hosts keep the last count that they have seen. A database that is behind it has been restored.
    """

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_installation")]

    def __str__(self) -> str:
        return f"{self.uuid}: {self.count}"


def find_hold() -> SendingHold | None:
    """Return the hold that lasts, if there is one."""
    return SendingHold.objects.filter(released_at=None).first()


def may_send() -> bool:
    """Return whether nothing holds sending back; asked before each write to the OMS."""
    return not _list_holds()


_list_holds = prepared(lambda: SendingHold.objects.filter(released_at=None))
