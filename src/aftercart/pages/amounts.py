"""The amounts of an order as rows that add up: pure, from its document."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from aftercart.lib.money import ZERO
from aftercart.orders.paid import read_extra_amount


@dataclass(frozen=True, slots=True)
class AmountRow:
    """One row; discounts are negative. `is_free` shows a word instead of a zero."""

    label: str
    amount: Decimal
    is_free: bool = False


def sum_items(items: Iterable[Mapping[str, Any]]) -> Decimal:
    """Add up what the items cost before discounts."""
    return sum((Decimal(item["price"]) * item["quantity"] for item in items), ZERO)


def list_amounts(document: Mapping[str, Any]) -> list[AmountRow]:
    """List the rows above the total; their sum is the total, to the cent.

    Orders come from another system: whatever its parts leave unexplained stands in a row of its own, since
    a bill that does not add up is worse than one with an odd row.
    """
    shipping = Decimal(document["shipping_amount"] or 0)
    interest = Decimal(document["installment_interest_amount"] or 0)
    rows = [AmountRow(_("Subtotal"), sum_items(document["orderitem_set"])), *_list_discounts(document)]
    rows.append(AmountRow(_("Shipping"), shipping, is_free=shipping == 0))
    if interest:
        rows.append(AmountRow(_("Instalment interest"), interest))
    gift_box = read_extra_amount(document["extra_field"], "gift_box_amount")
    if gift_box:
        rows.append(AmountRow(_("Gift box"), gift_box))
    rest = Decimal(document["amount"]) - sum((row.amount for row in rows), ZERO)
    if rest:
        rows.append(AmountRow(_("Other adjustments"), rest))
    return rows


def _list_discounts(document: Mapping[str, Any]) -> list[AmountRow]:
    rows = [
        AmountRow(discount["name"] or discount["code"] or _("Discount"), -Decimal(discount["amount"]))
        for discount in document["discountitem_set"]
    ]
    total = Decimal(document["discount_amount"] or 0)
    if not rows and total:
        rows.append(AmountRow(_("Discount"), -total))
    return [row for row in rows if row.amount]


def sum_spent_points(document: Mapping[str, Any]) -> Decimal:
    """Add up the points that an order was paid with, where its entries say so."""
    total = ZERO
    for row in document["loyaltytransaction_set"]:
        kind = row.get("transaction_type") if isinstance(row, dict) else None
        if (kind.get("value") if isinstance(kind, dict) else kind) == "spent":
            total += abs(read_extra_amount({"amount": str(row.get("amount")).lstrip("-")}, "amount"))
    return total
