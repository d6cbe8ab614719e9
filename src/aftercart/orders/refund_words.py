"""What a refund is made of and where it goes, in the customer's words: the same on pages, in e-mails and in JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

#: Why a refund is not what the goods cost, in the order in which it is said.
ROW_LABELS: Final[dict[str, str | Promise]] = {
    "discount": gettext_lazy("Their share of the discount"),
    "interest": gettext_lazy("Instalment interest"),
    "shipping": gettext_lazy("Shipping"),
    "gift_box": gettext_lazy("Gift box"),
    "fee": gettext_lazy("Fee"),
    "other": gettext_lazy("Other adjustments"),
}
#: What a customer agrees to who chooses points instead of money: shown beside the choice, and recorded with it.
POINTS_AGREEMENT: Final = gettext_lazy(
    "By choosing this, you expressly agree to be refunded in loyalty points instead of money."
)


@dataclass(frozen=True, slots=True)
class RefundRow:
    """What comes back besides what the goods cost, or, negative, is kept of it. `code` is one of `ROW_LABELS`."""

    code: str
    amount: Decimal

    @property
    def label(self) -> str:
        """What it is, in the customer's words."""
        return str(ROW_LABELS[self.code])


def list_refund_rows(amounts: Mapping[str, Decimal]) -> tuple[RefundRow, ...]:
    """Return rows by code, less what is zero."""
    return tuple(RefundRow(code, amounts[code]) for code in ROW_LABELS if amounts.get(code))


def name_destination(destination: str, *, account_end: str = "", method: str = "") -> str:
    """Name a destination; of an account no more than its end. "" where nothing goes anywhere."""
    if destination == "none":
        return ""
    if destination == "loyalty":
        return _("Loyalty points")
    if destination == "iban":
        return _("Account ending in %(end)s") % {"end": account_end} if account_end else _("A bank account")
    return (
        _("Original payment method (%(method)s)") % {"method": method}
        if method
        else _("Original payment method")
    )
