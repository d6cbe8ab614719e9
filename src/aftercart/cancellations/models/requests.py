"""Requests: what the back office decides."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from aftercart.cancellations.models.submissions import SubmissionLine


class CancellationRequest(models.Model):
    """A cancellation that the back office decides: what the fallback makes, durable until decided."""

    class Status(models.TextChoices):
        """Contract sections 3.4 and 8; `verifying` is ours: held until the OMS's answer is known."""

        VERIFYING = "verifying", _("Being checked")
        WAITING = "waiting", _("Waiting")
        WAITING_APPROVAL = "waiting_approval", _("Waiting for approval")
        CONFIRMED = "confirmed", _("Confirmed")
        APPROVED = "approved", _("Approved")
        COMPLETED = "completed", _("Completed")
        REJECTED = "rejected", _("Rejected")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    line = models.OneToOneField(SubmissionLine, on_delete=models.CASCADE, related_name="request")
    status = models.CharField(max_length=16, choices=Status, default=Status.WAITING)
    cause = models.CharField(max_length=64, blank=True)
    reject_reason = models.TextField(blank=True)
    remote_pks = ArrayField(models.BigIntegerField(), default=list, blank=True)
    delivery_error = models.TextField(blank=True)
    is_undeliverable = models.BooleanField(
        default=False,
        help_text="It stays with our staff: Omnitron's queue refused it, or may have rejected it.",
    )
    delivery_attempts = models.IntegerField(default=0)
    requeue_count = models.IntegerField(
        default=0, help_text="How often it was taken out of Omnitron's queue."
    )
    remote_name = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="What an earlier version named it at Omnitron; empty: its uuid.",
    )
    pending_create_id = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="The name under which it was last sent to Omnitron's queue, while the answer is not known.",
    )
    pending_create_at = models.DateTimeField(null=True, help_text="When it was sent.")
    delivered_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    rejection_sent_at = models.DateTimeField(
        null=True, help_text="Since when Omnitron has our staff's rejection."
    )
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    created_date = models.DateTimeField(default=timezone.now)
    modified_date = models.DateTimeField(auto_now=True)

    #: Not decided yet: the back office, or the worker, still has to do with it.
    OPEN = frozenset(
        {Status.VERIFYING, Status.WAITING, Status.WAITING_APPROVAL, Status.CONFIRMED, Status.APPROVED}
    )

    class Meta:
        verbose_name = _("cancellation request")
        verbose_name_plural = _("cancellation requests")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["created_date"],
                condition=~models.Q(status__in=["completed", "rejected"]),
                name="requests_undecided",
            ),
            models.Index(
                fields=["id"],
                condition=models.Q(
                    delivered_at=None, is_undeliverable=False, status__in=["waiting", "completed"]
                ),
                name="requests_to_deliver",
            ),
            models.Index(
                fields=["id"],
                condition=models.Q(status="rejected", rejection_sent_at=None, decided_by__isnull=False),
                name="rejections_to_report",
            ),
            models.Index(fields=["-created_date", "-id"], name="requests_newest"),
            models.Index(fields=["status", "-created_date", "-id"], name="requests_of_a_status"),
            GinIndex(fields=["remote_pks"], name="requests_by_remote_id"),
        ]

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def is_approved_here(self) -> bool:
        """Whether our staff approved it and the OMS's answer is still to come."""
        return self.status == self.Status.APPROVED and self.decided_by_id is not None
