"""The ledger of loyalty points: every effect once, nothing ever changed (docs/decisions/0017).

A point is worth one unit of the order's currency, so amounts are money and each currency has a ledger.
"""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class LoyaltyEntry(models.Model):
    """One effect on a customer's points: `amount` is signed, and the balance is the sum.

    A trigger refuses to change or delete an entry; only what it names may vanish (a customer who is deleted).
    Each effect is there once, whatever the code does: one of a kind for each submission line, and one of a
    kind for each `reference` within an order, which is how an imported transaction or an item that the OMS
    cancelled by itself is named. A correction is named by the form that it was sent with.
    """

    class Kind(models.TextChoices):
        """What happened. The sign follows from it; an adjustment has either."""

        EARNED = "earned", _("Earned")
        SPENT = "spent", _("Spent")
        RETURNED = "returned", _("Given back")
        REFUND_CREDIT = "refund_credit", _("Refund as points")
        CLAWED_BACK = "clawed_back", _("Taken back")
        ADJUSTMENT = "adjustment", _("Correction")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="loyalty_entries"
    )
    currency = models.CharField(max_length=3)
    kind = models.CharField(_("kind"), max_length=13, choices=Kind)
    amount = models.DecimalField(max_digits=16, decimal_places=4)
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.SET_NULL, related_name="loyalty_entries"
    )
    line = models.ForeignKey(
        "cancellations.SubmissionLine", null=True, on_delete=models.SET_NULL, related_name="loyalty_entries"
    )
    reference = models.CharField(max_length=64, blank=True)
    note = models.CharField(max_length=255, blank=True, help_text="Why, for staff; no customer reads it.")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="loyalty_corrections"
    )
    created_date = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("points entry")
        verbose_name_plural = _("points entries")
        ordering = ["-created_date", "-id"]
        indexes = [
            models.Index(fields=["user", "-created_date", "-id"], name="points_of_a_user"),
            models.Index(fields=["-created_date", "-id"], name="points_newest"),
            models.Index(fields=["kind", "-created_date", "-id"], name="points_of_a_kind"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["line", "kind"], condition=models.Q(line__isnull=False), name="one_effect_a_line"
            ),
            models.UniqueConstraint(
                fields=["order", "kind", "reference"],
                condition=~models.Q(reference=""),
                name="one_effect_a_reference",
            ),
            models.UniqueConstraint(
                fields=["reference"],
                condition=models.Q(kind="adjustment") & ~models.Q(reference=""),
                name="one_correction_a_form",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["earned", "returned", "refund_credit"], amount__gt=0)
                | models.Q(kind__in=["spent", "clawed_back"], amount__lt=0)
                | (models.Q(kind="adjustment") & ~models.Q(amount=0)),
                name="the_sign_follows_the_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"
