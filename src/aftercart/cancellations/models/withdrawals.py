"""Withdrawals from contracts (Directive (EU) 2023/2673, article 11a of 2011/83/EU): see docs/withdrawal.md.

A statement takes effect by being made. It is therefore recorded whatever the rules say of the goods; that it
was received and what was decided are two things, at two times.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from aftercart.cancellations.models.submissions import SubmissionLine
from aftercart.lib.search import Words
from aftercart.orders.models import Order, OrderItem


class WithdrawalPolicy(models.Model):
    """Whether a channel's customers in a country get the withdrawal function, and for how long.

    An empty channel or country means all. The most particular row counts, a country going before a channel;
    where no row fits, the settings do.
    """

    channel_id = models.IntegerField(_("channel"), null=True, blank=True)
    country = models.CharField(
        _("country"),
        max_length=2,
        blank=True,
        help_text=_("ISO 3166-1 alpha-2, in lower case. Empty: all countries."),
    )
    is_offered = models.BooleanField(_("offered"), default=True)
    days = models.PositiveSmallIntegerField(_("days"), default=14)

    class Meta:
        verbose_name = _("withdrawal policy")
        verbose_name_plural = _("withdrawal policies")
        ordering = ["country", "channel_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel_id", "country"], nulls_distinct=False, name="one_withdrawal_policy"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country or '*'}, {self.channel_id or '*'}"

    def save(self, *args: object, **kwargs: object) -> None:
        """Save, the country in lower case."""
        self.country = self.country.lower()
        super().save(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came


class Withdrawal(models.Model):
    """A statement of withdrawal, as it was submitted, and the decision on it.

    `name`, `email`, `statement` and `submitted_at` are what the receipt repeats; they do not change.
    """

    class State(models.TextChoices):
        """Received by being submitted; accepted or refused by a decision that is recorded separately."""

        RECEIVED = "received", _("Received")
        ACCEPTED = "accepted", _("Accepted")
        REFUSED = "refused", _("Refused")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="withdrawals")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    name = models.CharField(max_length=255)
    email = models.EmailField()
    language = models.CharField(max_length=2)
    statement = models.TextField()
    is_in_time = models.BooleanField(help_text="Whether it came within the period, as far as we can tell.")
    period_ends_at = models.DateTimeField(null=True, help_text="Empty: not everything was delivered yet.")
    submitted_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, choices=State, default=State.RECEIVED)
    reason = models.TextField(blank=True, help_text="Why it was refused.")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["submitted_at"], condition=models.Q(state="received"), name="withdrawals_undecided"
            ),
            models.Index(fields=["submitted_at", "-id"], name="withdrawals_oldest"),
            GinIndex(Words("name", "email"), name="withdrawals_by_words"),
            models.Index(fields=["state", "submitted_at", "-id"], name="withdrawals_of_a_state"),
        ]

    def __str__(self) -> str:
        return str(self.uuid)


class WithdrawalLine(models.Model):
    """The units of one item that a statement is about. It stands until the statement is refused.

    `submission_line` is the cancellation that carries it out; empty where the rules allow none, so that
    people have to see to it. The partial unique index: of an item one withdraws once.
    """

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.CASCADE, related_name="lines")
    order_item = models.ForeignKey(OrderItem, on_delete=models.CASCADE, related_name="withdrawal_lines")
    quantity = models.IntegerField()
    submission_line = models.OneToOneField(
        SubmissionLine, null=True, on_delete=models.SET_NULL, related_name="withdrawal_line"
    )
    obstacle = models.CharField(max_length=64, blank=True, help_text="The rule that allows no cancellation.")
    is_standing = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("withdrawal line")
        verbose_name_plural = _("withdrawal lines")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order_item"],
                condition=models.Q(is_standing=True),
                name="one_standing_withdrawal_an_item",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of item {self.order_item_id}"


def is_withdrawn(line: SubmissionLine) -> bool:
    """Return whether a cancellation carries out a withdrawal."""
    return WithdrawalLine.objects.filter(submission_line=line).exists()
