"""Requests: what the back office decides."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from aftercart.cancellations.models.submissions import SubmissionLine


class CancellationRequest(models.Model):
    """A cancellation that the back office decides: what the fallback makes, durable until decided.

    What is brought to the OMS of it are rows of their own: its `deliveries`, of which the latest is its `delivery`,
    and the `notice` of our staff's decision (`models/deliveries.py`).
    """

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
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    created_date = models.DateTimeField(default=timezone.now)
    modified_date = models.DateTimeField(auto_now=True)

    #: Not decided yet: the back office, or the worker, still has to do with it.
    OPEN = frozenset(
        {Status.VERIFYING, Status.WAITING, Status.WAITING_APPROVAL, Status.CONFIRMED, Status.APPROVED}
    )

    #: Nobody has decided on it. One that is held for an answer may have been carried out already.
    UNDECIDED = frozenset({Status.WAITING, Status.WAITING_APPROVAL})

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
            models.Index(fields=["-created_date", "-id"], name="requests_newest"),
            models.Index(fields=["status", "-created_date", "-id"], name="requests_of_a_status"),
        ]

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def is_approved_here(self) -> bool:
        """Whether our staff approved it and the OMS's answer is still to come."""
        return self.status == self.Status.APPROVED and self.decided_by_id is not None

    @property
    def remote_pks(self) -> list[int]:
        """The OMS's ids of what stands for it in the OMS's queue; none before its delivery."""
        pks: list[int] = getattr(getattr(self, "delivery", None), "remote_pks", [])
        return pks

    @property
    def is_undeliverable(self) -> bool:
        """Whether it stays with our staff: the OMS's queue refused it, or may have rejected it."""
        return getattr(getattr(self, "delivery", None), "state", "") == "failed"

    @property
    def is_delivered(self) -> bool:
        """Whether the OMS has it in its queue, as far as we know."""
        return getattr(getattr(self, "delivery", None), "state", "") == "known"
