"""What a submission was quoted: the amounts that are booked when its lines are completed (decision 13)."""

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def _amount() -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=16, decimal_places=4, default=0)


class Destination(models.TextChoices):
    """Where the part of a refund goes that is not points that come back as points."""

    PAYMENT_METHOD = "payment_method", _("The way it was paid")
    IBAN = "iban", _("A bank account")
    LOYALTY = "loyalty", _("Loyalty points")


class RefundQuote(models.Model):
    """What a submission was quoted for the order as a whole; what it was for its items, its lines say.

    `rest_points_returned` and `rest_points_credited` are the points among the shipping and the gift box. Those
    four are booked, at `rest_booked_at`, with the last of its lines, if all of them were completed.
    """

    class Way(models.TextChoices):
        """What the rules said when it was made."""

        DIRECT = "direct"
        REVIEW = "review"

    submission = models.OneToOneField(
        "cancellations.Submission", on_delete=models.CASCADE, related_name="refund_quote"
    )
    order_version = models.BigIntegerField(help_text="The order's version that it was made of.")
    is_binding = models.BooleanField(default=False, help_text="The customer had seen it and sent it back.")
    way = models.CharField(max_length=6, choices=Way)
    destination = models.CharField(max_length=14, choices=Destination)
    shipping_refund_amount = _amount()
    gift_box_refund_amount = _amount()
    rest_points_returned = _amount()
    rest_points_credited = _amount()
    fee_amount = _amount()
    total_amount = _amount()
    rest_booked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.total_amount}"


class RefundQuoteLine(models.Model):
    """What one line was quoted: the fields of `orders.quotes.LineQuote`, which says what they mean.

    It stays with its line when an approval moves that to a submission of its own.
    """

    quote = models.ForeignKey(RefundQuote, on_delete=models.CASCADE, related_name="lines")
    line = models.OneToOneField(
        "cancellations.SubmissionLine", on_delete=models.CASCADE, related_name="quoted"
    )
    item_amount = _amount()
    discount_share = _amount()
    interest_share = _amount()
    tax_included = _amount()
    refund_amount = _amount()
    fee_amount = _amount()
    points_returned = _amount()
    points_credited = _amount()
    points_clawed_back = _amount()
    booked_amount = models.DecimalField(
        max_digits=16, decimal_places=4, null=True, blank=True, help_text="What came back in the end."
    )

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.refund_amount}"
