"""What reading the OMS leaves: how far its lists have been read, and where it and we tell an order differently."""

from collections.abc import Iterable
from typing import Final, Literal

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from aftercart.orders.models import Order, OrderItem


class SyncCursor(models.Model):
    """How far one of the OMS's `updates` lists has been read.

    `seen` maps the pks of rows near the position to their `modified_date`: the list is read again from a
    little before it, since two rows can bear one time, and what has been seen is passed over.
    """

    channel_id = models.IntegerField()
    stream = models.CharField(max_length=16)
    position = models.DateTimeField(null=True, blank=True)
    seen = models.JSONField(default=dict, blank=True)
    polled_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(
        null=True, blank=True, help_text="Omnitron asked us to wait until then."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel_id", "stream"], name="one_cursor_a_stream")]

    def __str__(self) -> str:
        return f"{self.stream} of channel {self.channel_id}"


class Difference(models.Model):
    """Something that the OMS and we tell differently, found by any reading of it."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="differences")
    item = models.ForeignKey(OrderItem, null=True, blank=True, on_delete=models.CASCADE)
    what = models.CharField(_("what differs"), max_length=64)
    ours = models.CharField(_("here"), max_length=255, blank=True)
    theirs = models.CharField(_("at Omnitron"), max_length=255, blank=True)
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        ordering = ["-last_seen", "-id"]
        indexes = [
            models.Index(fields=["-last_seen", "-id"], name="differences_latest"),
            models.Index(
                fields=["resolved_at"],
                condition=models.Q(resolved_at__isnull=False),
                name="differences_by_age",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "item", "what"],
                condition=models.Q(resolved_at=None),
                nulls_distinct=False,
                name="one_open_difference_of_a_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what}: {self.ours} here, {self.theirs} there"


#: The OMS's lists of updates.
Stream = Literal["orders", "requests"]
STREAMS: Final[tuple[Stream, ...]] = ("orders", "requests")


def add_channels(channel_ids: Iterable[int]) -> None:
    """Have the lists of these channels read from now on, if they are not yet."""
    SyncCursor.objects.bulk_create(
        (SyncCursor(channel_id=pk, stream=stream) for pk in sorted(set(channel_ids)) for stream in STREAMS),
        ignore_conflicts=True,
    )
