"""What was paid for an order, read out of its rows: pure, no query. What the amounts mean: docs/money.md."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from aftercart.lib.money import ZERO
from aftercart.orders.amounts import (
    GIFT_BOX,
    INTEREST,
    SHIPPING,
    compute_cost,
    gather_amounts,
    is_tax_included,
)
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.payment import Payment, read_payment
from aftercart.orders.quotes import Given, PaidItem, PaidOrder, Points
from aftercart.orders.status import SHIPPED

_NOTHING_GIVEN: Final = Given()
_NO_POINTS: Final = Points()
_AMOUNTS: Final = ("currency", "amount", "discount_amount", "shipping_amount", "installment_interest_amount")


def gather_paid(
    order: Order,
    items: Sequence[OrderItem],
    *,
    given: Given = _NOTHING_GIVEN,
    points: Points = _NO_POINTS,
) -> PaidOrder:
    """Gather what was paid for an order; `items` are all of its rows, as they are now."""
    extra = order.details.get("extra_field")
    is_included = is_tax_included(extra)
    payment = read_payment(order)
    lines = tuple(_gather_item(item, payment, is_included=is_included) for item in sorted(items, key=_by_pk))
    discount, charges = _divide(order, lines)
    return PaidOrder(
        currency=order.currency,
        items=lines,
        discount_amount=discount,
        shipping_amount=charges[SHIPPING],
        interest_amount=charges[INTEREST],
        gift_box_amount=charges[GIFT_BOX],
        points=points,
        given=given,
    )


def _by_pk(item: OrderItem) -> int:
    return int(item.pk)


def _gather_item(item: OrderItem, payment: Payment, *, is_included: bool) -> PaidItem:
    """Gather a line; what its total is below its price times quantity is its own discount."""
    return PaidItem(
        order_item=item.pk,
        quantity=item.quantity,
        unit_amount=item.price,
        discount_amount=item.price * item.quantity - item.total_amount,
        tax_rate=item.tax_rate,
        is_tax_included=is_included,
        gone_quantity=item.cancelled_quantity + item.reserved_quantity,
        is_shipped=_is_shipped(item),
        is_paid=payment.covers(item),
    )


def _is_shipped(item: OrderItem) -> bool:
    return item.shipped_at is not None or bool({item.status, item.status_before} & SHIPPED)


def _divide(order: Order, lines: Sequence[PaidItem]) -> tuple[Decimal, dict[str, Decimal]]:
    """Divide the order's total into its discount and what came on top of the lines.

    Where lines, charges and the discount that is told explain the total, that is it; the total may be without
    the interest or the shipping. Where nothing explains it, what it is short of is discount; what it has too much
    belongs to nothing that could come back, and was reported when the order came in.
    """
    amounts = gather_amounts(
        {name: getattr(order, name) for name in _AMOUNTS},
        [_compute_cost(line) for line in lines],
        order.details.get("extra_field"),
    )
    discount, charges = amounts.discount, dict(amounts.charges)
    if not amounts.add_up:
        discount = max(amounts.full - amounts.total, ZERO)
    # What the lines cannot bear was taken off the charges: free shipping is a discount, too.
    beyond = discount - min(discount, amounts.goods)
    for name in (SHIPPING, GIFT_BOX, INTEREST):
        less = min(beyond, charges[name])
        charges[name] -= less
        beyond -= less
    return min(discount, amounts.goods), charges


def _compute_cost(line: PaidItem) -> Decimal:
    amount = line.unit_amount * line.quantity - line.discount_amount
    return compute_cost(amount, line.tax_rate, is_tax_included=line.is_tax_included)
