"""What was paid for an order: pure, no query. What the amounts mean: docs/money.md.

First whether anything was paid for it, or for an item of it; then what its amounts are, and whether they add up; then
all of it as a refund is computed from. Points that were spent are another matter: they were paid when the order was
placed, and the ledger knows them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import product
from typing import Any, Final

from django.utils.translation import gettext as _

from aftercart.lib.money import ZERO, format_amount, get_unit, round_to
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.quotes import Given, PaidItem, PaidOrder, Points
from aftercart.orders.status import CANCELLING, Status

#: The customer transfers the money after ordering, which the shop then waits for.
TRANSFERS: Final = frozenset({"funds_transfer", "bank_transfer", "money_transfer", "wire_transfer"})
#: The courier collects the money at the door.
ON_DELIVERY: Final = frozenset({"pay_on_delivery", "cash_on_delivery", "pay_at_door", "pay_on_door"})
#: Payments that cannot be given back to where they came from, so that an account is needed.
WITHOUT_SOURCE: Final = TRANSFERS | ON_DELIVERY

#: The code of what is said where no money was paid.
NOTHING_PAID: Final = "nothing_paid"
#: The code of the refusal to give back as points what was never paid.
POINTS_NEED_PAYMENT: Final = "points_need_payment"

#: These say by themselves that the money is still to come, however it is to be paid.
_WAITING_FOR_MONEY: Final = frozenset({Status.PAYMENT_WAITING, Status.WAITING_FOR_PAYMENT})
#: A transfer has not even been asked for before the shop waits for it.
_BEFORE_TRANSFER: Final = frozenset({Status.WAITING})
_AFTER_DELIVERY: Final = frozenset({Status.PAID, Status.DELIVERED})


def is_paid(status: str, *, is_payable: bool, payment_type: str, is_delivered: bool) -> bool:
    """Return whether the money has been paid.

    `status` is where fulfilment stands, not a cancellation; "" where nobody knows. `is_payable` is the shop's
    word that there still is something to pay. What is paid at the door is paid once it is delivered; everything
    else when the order is placed, unless the status says that the money is still waited for.
    """
    if is_payable or status in _WAITING_FOR_MONEY:
        return False
    kind = _normalize(payment_type)
    if kind in ON_DELIVERY:
        return is_delivered or status in _AFTER_DELIVERY
    return kind not in TRANSFERS or status not in _BEFORE_TRANSFER


def _normalize(payment_type: str) -> str:
    return payment_type.strip().lower()


@dataclass(frozen=True, slots=True)
class Payment:
    """What is known of how an order is paid."""

    status: str
    is_payable: bool
    payment_type: str

    @property
    def has_source(self) -> bool:
        """Whether the money can be given back to where it came from, so that no account is needed."""
        return _normalize(self.payment_type) not in WITHOUT_SOURCE

    def covers(self, item: OrderItem) -> bool:
        """Return whether the money for an item of the order has been paid."""
        status = find_fulfilment(item.status, item.status_before)
        return is_paid(
            self.status or status,
            is_payable=self.is_payable,
            payment_type=self.payment_type,
            is_delivered=item.delivered_at is not None
            or (status or item.status) in _AFTER_DELIVERY | {Status.REFUNDED},
        )


def read_payment(order: Order) -> Payment:
    """Read how an order is paid."""
    return Payment(
        status=find_fulfilment(order.status, order.status_before),
        is_payable=order.details.get("is_payable") is True,
        payment_type=order.get_payment_type(),
    )


def is_payment_shown(before: str, after: str, payment_type: str) -> bool:
    """Return whether a move of an order's status shows that it was paid: it was waited for, and is no more."""

    def is_reached(status: str) -> bool:
        return is_paid(status, is_payable=False, payment_type=payment_type, is_delivered=False)

    return is_reached(after) and not is_reached(before)


def say_unpaid(*, has_points: bool) -> str:
    """Say what comes back where no money was paid: nothing, or the points that were spent."""
    if has_points:
        return _("No money was paid, so only the points that you spent are returned.")
    return _("Nothing was paid, so nothing is returned.")


def find_fulfilment(status: str, status_before: str) -> str:
    """Find where fulfilment stands, or stood before a cancellation; "" where nobody knows."""
    if status not in CANCELLING:
        return status
    return "" if status_before in CANCELLING else status_before


# --- what the amounts are ----------------------------------------------------------------------------------

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


# --- as a refund is computed from ----------------------------------------------------------------------------

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
        is_paid=payment.covers(item),
    )


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
