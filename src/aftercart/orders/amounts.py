"""Whether an order's amounts add up: pure. What the amounts mean: docs/money.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import product
from typing import Any, Final

from aftercart.lib.money import ZERO, format_amount, get_unit, round_to

#: Whether the order's total is without these: first the likeliest. (shipping, interest)
_LEFT_OUT: Final = tuple(sorted(product((False, True), repeat=2), key=sum))
#: Names of charges that belong to no line.
SHIPPING, INTEREST, GIFT_BOX = "shipping", "interest", "gift_box"


@dataclass(frozen=True, slots=True)
class Amounts:
    """An order's amounts, rounded: the lines' total, the charges on top by name, the discount, and the total."""

    goods: Decimal
    charges: Mapping[str, Decimal]
    discount: Decimal
    total: Decimal

    @property
    def full(self) -> Decimal:
        """What all of it costs before the discount."""
        return self.goods + sum(self.charges.values(), ZERO)

    @property
    def add_up(self) -> bool:
        """Whether lines, charges and discount explain the total, which may be without shipping or interest."""
        over = self.full - self.discount - self.total
        return not over or any(
            self.charges[SHIPPING] * has_no_shipping + self.charges[INTEREST] * has_no_interest == over
            for has_no_shipping, has_no_interest in _LEFT_OUT
        )


def gather_amounts(order: Mapping[str, Any], costs: Sequence[Decimal], extra: Any) -> Amounts:
    """Gather the amounts of an order's columns; `costs` are its lines', tax included."""
    unit = get_unit(order["currency"])

    def rounded(amount: Decimal) -> Decimal:
        return round_to(max(amount, ZERO), unit)

    return Amounts(
        goods=sum(map(rounded, costs), ZERO),
        charges={
            SHIPPING: rounded(order["shipping_amount"]),
            INTEREST: rounded(order["installment_interest_amount"]),
            GIFT_BOX: rounded(read_extra_amount(extra, "gift_box_amount")),
        },
        discount=rounded(order["discount_amount"]),
        total=rounded(order["amount"]),
    )


def compute_cost(amount: Decimal, tax_rate: Decimal, *, is_tax_included: bool) -> Decimal:
    """Return what a line costs with its tax, in which `amount` may be already; `tax_rate` is a percentage."""
    return amount if is_tax_included else amount + amount * tax_rate / 100


def is_tax_included(extra: Any) -> bool:
    """Return whether the prices of an order with this `extra_field` include the tax."""
    return not isinstance(extra, dict) or extra.get("is_tax_included") is not False


def find_doubts(order: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Find what does not add up in an order's columns and its lines'; [] if all of it does."""
    extra = order["details"].get("extra_field")
    is_included = is_tax_included(extra)
    costs = [
        compute_cost(item["total_amount"], item["tax_rate"], is_tax_included=is_included) for item in items
    ]
    amounts = gather_amounts(order, costs, extra)
    if amounts.add_up:
        return []
    expected = max(amounts.full - amounts.discount, ZERO)
    parts = {"lines": amounts.goods, **amounts.charges}
    said = " + ".join(f"{name} {format_amount(part)}" for name, part in parts.items() if part)
    less = f" - discount {format_amount(amounts.discount)}" if amounts.discount else ""
    return [
        f"amount: {format_amount(amounts.total)} is not {said or 'nothing'}{less} = {format_amount(expected)}"
    ]


def read_extra_amount(extra: Any, name: str) -> Decimal:
    """Read an amount that the shop may have put into `extra_field`; what is none counts as nothing."""
    if not isinstance(extra, dict):
        return ZERO
    try:
        amount = Decimal(str(extra.get(name) or 0))
    except InvalidOperation:
        return ZERO
    return amount if amount.is_finite() and ZERO <= amount < Decimal(10) ** 12 else ZERO
