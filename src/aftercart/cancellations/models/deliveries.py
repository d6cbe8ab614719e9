"""What is brought to the OMS of a request: the request itself, a row for each round, and our staff's decision."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from aftercart.cancellations.models.requests import CancellationRequest


class Delivery(models.Model):
    """One round of a request in the OMS's own queue; an approval that did not get through begins another one.

    `error` says why the last of its `attempts` failed, those to withdraw it among them.
    """

    class State(models.TextChoices):
        """Where it stands; of several items that a line asks for there, the last one that was sent counts."""

        CREATED = "created"  # here, and nothing is under way
        SENT = "sent"  # marked before the POST, and not answered as far as the row knows
        KNOWN = "known"  # the OMS's ids are here
        WITHDRAWN = (
            "withdrawn"  # nothing of it is in the OMS's queue any more: our staff decided, or the customer
        )
        FAILED = "failed"  # it stays with our staff: the OMS's queue refused it, or may have rejected it

    #: To be brought to the OMS, while it is wanted there.
    TO_MAKE = frozenset({State.CREATED, State.SENT})

    request = models.ForeignKey(
        CancellationRequest, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    latest_of = models.OneToOneField(
        CancellationRequest,
        null=True,
        on_delete=models.CASCADE,
        related_name="delivery",
        help_text="Its request, while it is the latest round.",
    )
    round = models.IntegerField(default=0)
    name = models.CharField(
        max_length=64, help_text="Its name at Omnitron; further items get a number behind it."
    )
    state = models.CharField(max_length=9, choices=State, default=State.CREATED)
    attempts = models.IntegerField(default=0)
    error = models.TextField(blank=True)
    pending_name = models.CharField(
        max_length=80, blank=True, help_text="What was sent last, while the answer is not known."
    )
    sent_at = models.DateTimeField(null=True)
    remote_pks = ArrayField(models.BigIntegerField(), default=list, blank=True)
    known_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "round"], name="one_delivery_a_round"),
            models.CheckConstraint(
                condition=models.Q(latest_of__isnull=False) | models.Q(state="withdrawn"),
                name="a_round_ends_before_the_next",
            ),
            models.CheckConstraint(
                condition=(models.Q(state="sent") & ~models.Q(pending_name=""))
                | (~models.Q(state="sent") & models.Q(pending_name="")),
                name="what_is_sent_has_its_name",
            ),
        ]
        indexes = [
            models.Index(
                fields=["latest_of"],
                condition=models.Q(state__in=["created", "sent"]),
                name="deliveries_to_make",
            ),
            models.Index(fields=["latest_of"], condition=models.Q(state="failed"), name="deliveries_failed"),
            GinIndex(fields=["remote_pks"], name="deliveries_by_remote_id"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"

    def as_tried(self) -> "models.QuerySet[Delivery]":
        """Find it again, unless there has been another try since, or it was withdrawn."""
        rows = Delivery.objects.filter(pk=self.pk, attempts=self.attempts)
        return rows.exclude(state=self.State.WITHDRAWN)


class DecisionNotice(models.Model):
    """That the OMS has to hear of a rejection of ours, or of the customer's taking it back."""

    class State(models.TextChoices):
        """Whether it has heard."""

        DUE = "due"
        KNOWN = "known"

    request = models.OneToOneField(
        CancellationRequest, primary_key=True, on_delete=models.CASCADE, related_name="notice"
    )
    state = models.CharField(max_length=5, choices=State, default=State.DUE)
    attempts = models.IntegerField(default=0)
    error = models.TextField(blank=True)
    known_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["request"], condition=models.Q(state="due"), name="decisions_to_report"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}: {self.state}"

    def as_tried(self) -> "models.QuerySet[DecisionNotice]":
        """Find it again, unless there has been another try since, or it was brought."""
        return DecisionNotice.objects.filter(pk=self.pk, attempts=self.attempts, state=self.State.DUE)
