"""What a submission was quoted: the amounts that are booked when its lines are completed (decision 13)."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def _amount(**options: Any) -> "models.DecimalField[Any, Any]":
    """Make a column of an amount, which is zero unless the options say otherwise."""
    return models.DecimalField(max_digits=16, decimal_places=4, **(options or {"default": 0}))


class Destination(models.TextChoices):
    """Where the part of a refund goes that is not points that come back as points."""

    PAYMENT_METHOD = "payment_method", _("Original payment method")
    IBAN = "iban", _("A bank account")
    LOYALTY = "loyalty", _("Loyalty points")
    NONE = "none", _("Nothing was paid")


class RefundQuote(models.Model):
    """What a submission was quoted for the order as a whole; what it was for its items, its lines say.

    `rest_points_returned` and `rest_points_credited` are the points among the shipping and the gift box. Those
    four are booked, at `rest_booked_at` with `rest_line`, once all of its lines were completed, and, where they
    rest on it (`is_rest_for_last`), nothing is left of the order.
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
    is_rest_for_last = models.BooleanField(
        default=False, db_default=False, help_text="It comes back only when nothing is left of the order."
    )
    rest_booked_at = models.DateTimeField(null=True, blank=True)
    rest_booked_amount = _amount(null=True, blank=True, help_text="What came back of it.")
    is_rest_reported = models.BooleanField(
        default=False, db_default=False, help_text="Omnitron reports that something of it was given back."
    )
    rest_line = models.ForeignKey(
        "cancellations.SubmissionLine",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The line that it was booked with.",
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["rest_booked_at"],
                condition=models.Q(shipping_refund_amount__gt=0) | models.Q(gift_box_refund_amount__gt=0),
                name="rests_booked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.total_amount}"

    @property
    def rest_amount(self) -> Decimal:
        """What was quoted for the order as a whole: delivery and gift box."""
        amount: Decimal = self.shipping_refund_amount + self.gift_box_refund_amount
        return amount

    @property
    def given_rest(self) -> Decimal:
        """What was given back of that if it is known; else what is quoted."""
        return self.rest_amount if self.rest_booked_amount is None else self.rest_booked_amount

    @property
    def rest_money(self) -> Decimal:
        """What of that is not points."""
        points: Decimal = self.rest_points_returned + self.rest_points_credited
        return self.given_rest - points

    def is_rest_refunded(self, lines: Iterable["RefundQuoteLine"]) -> bool:
        """Return whether what was booked of it has been given back: money once it, or one of its lines, is reported.

        The OMS does not always report it apart; where no money comes back for its lines, nothing but a report says so.
        """
        if self.rest_money <= 0 or self.is_rest_reported:
            return True
        return any((line.reported_amount or 0) > 0 for line in lines)


#: The OMS has reported no money, and money was quoted: what `RefundQuoteLine.is_refunded` denies.
IS_UNREPORTED: Final = models.Q(
    models.Q(reported_amount=None) | models.Q(reported_amount__lte=0),
    is_paid=True,
    refund_amount__gt=models.F("fee_amount") + models.F("points_returned") + models.F("points_credited"),
)
#: Money had been paid for it, and nothing but points comes back: of it the OMS reports nothing.
IS_POINTS_ALONE: Final = models.Q(
    is_paid=True,
    refund_amount__lte=models.F("fee_amount") + models.F("points_returned") + models.F("points_credited"),
)


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
    booked_amount = _amount(null=True, blank=True, help_text="What came back in the end.")
    reported_amount = _amount(
        null=True, blank=True, help_text="What Omnitron reports as given back; null while it reports nothing."
    )
    is_paid = models.BooleanField(
        default=True, db_default=True, help_text="Whether money had been paid for it."
    )

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["line"], condition=IS_UNREPORTED, name="refunds_unreported"),
            models.Index(fields=["line"], condition=IS_POINTS_ALONE, name="refunds_in_points_alone"),
        ]

    def __str__(self) -> str:
        return f"{self.refund_amount}"

    @property
    def quoted_amount(self) -> Decimal:
        """What was quoted for it: its refund, less its fee."""
        amount: Decimal = self.refund_amount - self.fee_amount
        return amount

    @property
    def is_refunded(self) -> bool:
        """Whether it has been given back: points are at once, money once the OMS has reported it.

        Zero, where more was quoted, is still to come.
        """
        money = self.quoted_amount - self.points_returned - self.points_credited
        if not self.is_paid or money <= 0:
            return True
        return self.reported_amount is not None and self.reported_amount > 0

    @property
    def given_amount(self) -> Decimal:
        """What was given back if that is known; else what is quoted."""
        is_known = not self.is_paid or (self.reported_amount or 0) > 0
        if self.booked_amount is None or not is_known:
            return self.quoted_amount
        amount: Decimal = self.booked_amount
        return amount
