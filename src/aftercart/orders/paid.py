"""What was paid for an order, read out of its rows: pure, no query. What the amounts mean: docs/money.md."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from itertools import product
from typing import Any, Final

from aftercart.lib.money import ZERO, round_amount
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.payment import Payment, read_payment
from aftercart.orders.quotes import Given, PaidItem, PaidOrder, Points
from aftercart.orders.status import SHIPPED

_NOTHING_GIVEN: Final = Given()
_NO_POINTS: Final = Points()
#: Whether the order's total is without these: first the likeliest. (shipping, interest)
_LEFT_OUT: Final = tuple(sorted(product((False, True), repeat=2), key=sum))


def gather_paid(
    order: Order,
    items: Sequence[OrderItem],
    *,
    given: Given = _NOTHING_GIVEN,
    points: Points = _NO_POINTS,
) -> PaidOrder:
    """Gather what was paid for an order; `items` are all of its rows, as they are now."""
    extra = order.details.get("extra_field")
    is_tax_included = not isinstance(extra, dict) or extra.get("is_tax_included") is not False
    payment = read_payment(order)
    lines = tuple(
        _gather_item(item, payment, is_tax_included=is_tax_included) for item in sorted(items, key=_by_pk)
    )
    discount, charges = _divide(order, lines, read_extra_amount(extra, "gift_box_amount"))
    return PaidOrder(
        currency=order.currency,
        items=lines,
        discount_amount=discount,
        shipping_amount=charges["shipping"],
        interest_amount=charges["interest"],
        gift_box_amount=charges["gift_box"],
        points=points,
        given=given,
    )


def _by_pk(item: OrderItem) -> int:
    return int(item.pk)


def _gather_item(item: OrderItem, payment: Payment, *, is_tax_included: bool) -> PaidItem:
    """Gather a line; what its total is below its price times quantity is its own discount."""
    return PaidItem(
        order_item=item.pk,
        quantity=item.quantity,
        unit_amount=item.price,
        discount_amount=item.price * item.quantity - item.total_amount,
        tax_rate=item.tax_rate,
        is_tax_included=is_tax_included,
        gone_quantity=item.cancelled_quantity + item.reserved_quantity,
        is_shipped=_is_shipped(item),
        is_paid=payment.covers(item),
    )


def _is_shipped(item: OrderItem) -> bool:
    return item.shipped_at is not None or bool({item.status, item.status_before} & SHIPPED)


def _divide(order: Order, lines: Sequence[PaidItem], gift_box: Decimal) -> tuple[Decimal, dict[str, Decimal]]:
    """Divide the order's total into its discount and what came on top of the lines.

    Where lines, charges and the discount that is told explain the total, that is it; the total may be without
    the interest or the shipping. Where nothing explains it, the total is right, since it is what was paid: what
    it is short of is discount, and what it has too much is treated like the gift box.
    """

    def rounded(amount: Decimal) -> Decimal:
        return round_amount(max(amount, ZERO), order.currency)

    goods = sum((rounded(_cost(line)) for line in lines), ZERO)
    charges = {
        "shipping": rounded(order.shipping_amount),
        "interest": rounded(order.installment_interest_amount),
        "gift_box": rounded(gift_box),
    }
    total, discount = rounded(order.amount), rounded(order.discount_amount)
    full = goods + sum(charges.values(), ZERO)
    for has_no_shipping, has_no_interest in _LEFT_OUT:
        outside = charges["shipping"] * has_no_shipping + charges["interest"] * has_no_interest
        if full - outside - discount == total:
            break
    else:
        discount = max(full - total, ZERO)
        charges["gift_box"] += max(total - full, ZERO)
    # What the lines cannot bear was taken off the charges: free shipping is a discount, too.
    beyond = discount - min(discount, goods)
    for name in ("shipping", "gift_box", "interest"):
        less = min(beyond, charges[name])
        charges[name] -= less
        beyond -= less
    return min(discount, goods), charges


def _cost(line: PaidItem) -> Decimal:
    cost = line.unit_amount * line.quantity - line.discount_amount
    return cost if line.is_tax_included else cost + cost * line.tax_rate / 100


def read_extra_amount(extra: Any, name: str) -> Decimal:
    """Read an amount that the shop may have put into `extra_field`; what is none counts as nothing."""
    if not isinstance(extra, dict):
        return ZERO
    try:
        amount = Decimal(str(extra.get(name) or 0))
    except InvalidOperation:
        return ZERO
    return amount if amount.is_finite() and ZERO <= amount < Decimal(10) ** 12 else ZERO
