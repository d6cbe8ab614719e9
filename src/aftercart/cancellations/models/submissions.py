"""Submissions and their lines: what customers ask for."""

import uuid
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from aftercart.cancellations.models.easy_return import EasyReturnCompany
from aftercart.cancellations.models.reasons import CancellationReason, CancellationType
from aftercart.lib.crypto import EncryptedTextField
from aftercart.orders.models import IdempotencyRecord, Order, OrderItem

#: Characters of a customer's words about one item, and of what they would rather have instead of it.
LONGEST_DESCRIPTION: Final = 1000
LONGEST_PREFERENCE: Final = 200


class Submission(models.Model):
    """One thing that a customer asked for, as one row: the intent that everything else follows.

    States and moves: cancellations/states.py. `cause` says in a word why it is where it is, `cause_detail`
    in a sentence. `command` holds what was sent to the OMS, once it was.
    """

    class State(models.TextChoices):
        """Where the dialogue with the OMS stands (docs/decisions/0002)."""

        PREPARED = "prepared", _("Recorded")
        SENT = "sent", _("Sent, no answer yet")
        APPLIED = "applied", _("Taken by Omnitron")
        REFUSED = "refused", _("Left to the back office")
        UNKNOWN = "unknown", _("Answer unknown")

    class Origin(models.TextChoices):
        """How it came in: the direct way, as requests only, by a withdrawal, or by staff: approved, or overridden."""

        DIRECT = "direct", _("Direct")
        REQUEST = "request", _("As a request")
        APPROVAL = "approval", _("Approved by staff")
        WITHDRAWAL = "withdrawal", _("By withdrawal")
        OVERRIDE = "override", _("By staff, against the policy")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="submissions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    origin = models.CharField(max_length=10, choices=Origin)
    state = models.CharField(max_length=8, choices=State, default=State.PREPARED)
    cause = models.CharField(max_length=64, blank=True)
    cause_detail = models.TextField(blank=True)
    command = models.JSONField(null=True, blank=True)
    #: Of an approval: the request whose line it takes to the OMS.
    approved_request = models.ForeignKey(
        "CancellationRequest", null=True, editable=False, on_delete=models.CASCADE, related_name="approvals"
    )
    policy_version = models.ForeignKey(
        "PolicyVersion", null=True, on_delete=models.PROTECT, related_name="submissions"
    )
    idempotency_record = models.OneToOneField(
        IdempotencyRecord, null=True, on_delete=models.SET_NULL, related_name="submission"
    )
    checks = models.IntegerField(_("checks"), default=0)
    manual_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when a person should look; the worker goes on looking too."
    )
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    late_at = models.DateTimeField(
        null=True,
        db_index=True,
        help_text="When what had been given up was seen to have arrived all the same.",
    )
    #: The express agreement to points instead of money, which the law wants: when, to which sentence, how much.
    points_agreed_at = models.DateTimeField(null=True, editable=False)
    points_agreement = models.TextField(blank=True, editable=False, default="", db_default="")
    points_agreed_amount = models.DecimalField(max_digits=16, decimal_places=4, null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(state__in=["prepared", "sent", "unknown"]),
                name="submissions_unsettled",
            ),
            models.Index(
                fields=["approved_request"],
                condition=models.Q(state="refused", approved_request__isnull=False),
                name="approvals_that_came_back",
            ),
        ]

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def event_data(self) -> dict[str, str | int]:
        """What a timeline entry about it says of it; an approval names its request, too."""
        names = {"submission": str(self.uuid), "request": self.approved_request_id}
        return {name: value for name, value in names.items() if value}

    def list_carried(self) -> "models.QuerySet[SubmissionLine]":
        """Return the lines that it takes to the OMS: its own, or that of the request it was approved from."""
        pk = self.approved_request_id
        return SubmissionLine.objects.filter(request=pk) if pk else self.lines.all()


class SubmissionLine(models.Model):
    """The units of one item that a submission asks for, reserved while `is_open`. Approvals carry it, unmoved."""

    class Outcome(models.TextChoices):
        """What a line came to; empty while it is open."""

        COMPLETED = "completed"
        REJECTED = "rejected"

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="lines")
    order_item = models.ForeignKey(OrderItem, on_delete=models.CASCADE, related_name="lines")
    reason = models.ForeignKey(CancellationReason, on_delete=models.PROTECT)
    cancellation_type = models.CharField(max_length=6, choices=CancellationType)
    quantity = models.IntegerField()
    completed_quantity = models.IntegerField(
        default=0, help_text="How many of the units were cancelled or returned in the end."
    )
    description = models.TextField(blank=True)
    exchange_preference = models.CharField(
        max_length=LONGEST_PREFERENCE,
        blank=True,
        default="",
        db_default="",
        help_text="Another size or colour that the customer would rather have; nothing is promised.",
    )
    fully_refund_as_loyalty_money = models.BooleanField(default=False)
    iban = EncryptedTextField(blank=True)
    holder_name = EncryptedTextField(blank=True)
    shipping_company = models.ForeignKey(EasyReturnCompany, null=True, on_delete=models.PROTECT)
    pickup_address = models.JSONField(null=True)
    pickup_date = models.JSONField(null=True)
    is_pickup_cancelled = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The customer wants no pickup until another time is chosen.",
    )
    easy_return_code = models.CharField(max_length=64, blank=True, default="", db_default="")
    easy_return_valid_until = models.DateTimeField(null=True)
    is_open = models.BooleanField(default=True)
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, blank=True)

    class Meta:
        verbose_name = _("submission line")
        verbose_name_plural = _("submission lines")
        ordering = ["id"]
        constraints = [
            # The promise behind everything: whatever the code does, an item has one open cancellation at a time.
            models.UniqueConstraint(
                fields=["order_item"], condition=models.Q(is_open=True), name="one_open_line_an_item"
            ),
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="a_line_has_units"),
            models.CheckConstraint(
                condition=models.Q(completed_quantity__gte=0, completed_quantity__lte=models.F("quantity")),
                name="never_more_completed_than_asked",
            ),
        ]
        indexes = [
            models.Index(
                fields=["closed_at"], condition=models.Q(outcome="completed"), name="lines_completed_at"
            ),
            models.Index(
                fields=["closed_at"],
                condition=models.Q(is_open=False) & ~models.Q(iban="", holder_name=""),
                name="lines_with_an_account",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of item {self.order_item_id}"

    @property
    def is_declined(self) -> bool:
        """Whether any of its units was declined: it was rejected, or completed in part."""
        return not self.is_open and self.completed_quantity < self.quantity

    @property
    def carrier(self) -> Submission:
        """The submission that took it to the OMS last: the newest approval of its request, else its own."""
        if not hasattr(self, "request"):  # nothing that could have been approved
            return self.submission
        approvals = Submission.objects.filter(approved_request__line=self).order_by("-pk")
        return approvals.first() or self.submission
