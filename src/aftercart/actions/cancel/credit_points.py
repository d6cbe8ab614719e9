"""Book what a finished cancellation does to the customer's points. Inside the transaction that finishes it.

What was quoted to the customer is booked, within what the ledger holds; without a quote the amounts are worked
out here, from the order and its ledger.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from aftercart.cancellations.models import SubmissionLine
from aftercart.lib.failpoints import failpoint
from aftercart.lib.money import ZERO, format_amount, round_amount
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.loyalty.selectors import read_order_points
from aftercart.loyalty.shares import LinePoints, limit_points, share_points
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.paid import read_payment
from aftercart.orders.timeline import Actor, record_event

_Kind = LoyaltyEntry.Kind


def credit_points(
    order: Order,
    item: OrderItem,
    actor: Actor,
    *,
    line: SubmissionLine | None,
    quantity: int,
    reported: Decimal = ZERO,
    quoted: LinePoints | None = None,
    extra: Decimal = ZERO,
) -> None:
    """Book the points of `quantity` units of an item that are gone now, once: the ledger's indexes say so.

    The order must be locked, the item saved. `line` asked for it; None where the OMS cancelled by itself.
    `reported` is what the OMS says the units gave back, `quoted` what was quoted for them; `extra` is refunded as
    points besides. A guest has no points.
    """
    if order.user_id is None:
        return
    goods, past = _read_goods(order), read_order_points(order.pk)
    if quoted is not None:
        points = limit_points(past, quoted, is_all_gone=goods.is_all_gone)
    else:
        points = share_points(
            past,
            currency=order.currency,
            value=find_line_value(order, item, goods, quantity=quantity, reported=reported),
            goods=goods.bought,
            gone=goods.gone,
            is_all_gone=goods.is_all_gone,
            is_refund_as_points=line is not None
            and line.fully_refund_as_loyalty_money
            and read_payment(order).covers(item),
        )
    points = replace(points, refund_credit=points.refund_credit + extra)
    entries = _make_entries(order, item, line, points)
    if not entries:
        return
    LoyaltyEntry.objects.bulk_create(entries, ignore_conflicts=True)
    failpoint("points.booked")
    data = {entry.kind: format_amount(entry.amount) for entry in entries}
    record_event(order, "points_booked", actor, item=item, data=data)


def _make_entries(
    order: Order, item: OrderItem, line: SubmissionLine | None, points: LinePoints
) -> list[LoyaltyEntry]:
    """Make the entries, unsaved, of what is not zero."""
    amounts = {
        _Kind.RETURNED: points.returned,
        _Kind.REFUND_CREDIT: points.refund_credit,
        _Kind.CLAWED_BACK: -points.clawed_back,
    }
    return [
        LoyaltyEntry(
            user_id=order.user_id,
            currency=order.currency,
            kind=kind,
            amount=amount,
            order=order,
            line=line,
            reference="" if line is not None else f"item:{item.pk}:{item.cancelled_quantity}",
        )
        for kind, amount in amounts.items()
        if amount
    ]


@dataclass(frozen=True, slots=True)
class Goods:
    """What all goods of an order cost, what those that are gone did, and whether none are left."""

    bought: Decimal
    gone: Decimal
    is_all_gone: bool


def find_line_value(
    order: Order, item: OrderItem, goods: Goods, *, quantity: int, reported: Decimal
) -> Decimal:
    """Find what these units give back, in whatever form: what the OMS told, or their part of what was paid.

    The part is that of their price in the price of all goods, of what was paid for goods; never more than
    their price.
    """
    if reported > 0:
        return reported
    if goods.bought <= 0:
        return ZERO
    price: Decimal = item.price * quantity
    paid = max(order.amount - order.shipping_amount - order.installment_interest_amount, ZERO)
    return min(price, round_amount(price * paid / goods.bought, order.currency))


def _read_goods(order: Order) -> Goods:
    rows = list(order.items.values_list("price", "quantity", "cancelled_quantity"))
    return Goods(
        bought=sum((price * bought for price, bought, _gone in rows), ZERO),
        gone=sum((price * gone for price, _bought, gone in rows), ZERO),
        is_all_gone=all(gone >= bought for _price, bought, gone in rows),
    )
