"""Book what a completed line gave back. Inside a transaction that has locked the order; the caller saves it.

What was quoted is booked, unless Omnitron tells another amount: it moves the money (decision 13).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Q

from aftercart.actions.record_difference import record_difference
from aftercart.cancellations.models import RefundQuote, RefundQuoteLine, SubmissionLine
from aftercart.lib.money import ZERO, format_amount, from_minor, round_amount, share_out, to_minor
from aftercart.orders.models import DiscountItem, Order, OrderItem
from aftercart.orders.paid import gather_paid
from aftercart.orders.quotes import compute_quote
from aftercart.orders.rules import Ask
from aftercart.orders.selectors import get_now

#: The kind of difference between what was promised and what Omnitron tells.
REFUND_DIFFERS = "refund_amount"
#: The fields of an order that booking changes, for the caller to save.
REFUND_FIELDS = ("refund_amount", "discount_refund_amount", "shipping_refund_amount")


@dataclass(frozen=True, slots=True)
class Booked:
    """What completing a line gave back, in money and points together, and which of it are points.

    With the last line of a quote, what was quoted for the order as a whole is in it. `points_clawed_back` is no
    part of `amount`. Without a quote (from before there were any) nothing is known of points.
    """

    is_quoted: bool
    amount: Decimal = ZERO
    points_returned: Decimal = ZERO
    points_credited: Decimal = ZERO
    points_clawed_back: Decimal = ZERO


def book_refund(order: Order, line: SubmissionLine, *, told: Decimal | None) -> Booked:
    """Book a line that has just been closed as completed. `told` is its item's whole refund, by Omnitron.

    Changes, unsaved, the item's `refund_amount` and the order's `REFUND_FIELDS`. Nothing and zero are not told:
    Omnitron often tells the status before the amount.
    """
    item = line.order_item
    quoted = RefundQuoteLine.objects.select_related("quote").filter(line=line).first()
    if quoted is None:  # from before there were quotes
        return Booked(is_quoted=False, amount=book_told_refund(order, item, told))
    if line.completed_quantity < line.quantity:
        _reduce(order, line, quoted)
    before = item.refund_amount
    expected = before + quoted.refund_amount - quoted.fee_amount
    if told and told != expected:
        item.refund_amount = max(before, told)
        record_difference(order, item, REFUND_DIFFERS, write_amount(expected), write_amount(told))
    else:
        item.refund_amount = expected
    quoted.booked_amount = item.refund_amount - before
    quoted.save(update_fields=["booked_amount"])
    order.refund_amount += item.refund_amount - before
    order.discount_refund_amount += quoted.discount_share
    _cancel_discounts(order, quoted.discount_share)
    rest = _book_rest(order, quoted.quote)
    return Booked(
        is_quoted=True,
        amount=item.refund_amount - before + rest.amount,
        points_returned=quoted.points_returned + rest.points_returned,
        points_credited=quoted.points_credited + rest.points_credited,
        points_clawed_back=quoted.points_clawed_back,
    )


def _reduce(order: Order, line: SubmissionLine, quoted: RefundQuoteLine) -> None:
    """Reduce what a line was quoted to those of its units that are gone: the first ones, with their own shares.

    Its item must not have been saved yet. Its fee and its points are reduced in proportion.
    """
    done, currency = line.completed_quantity, order.currency
    items = list(order.items.all())
    for item in items:
        if item.pk == line.order_item_id:  # with its own units among those that are left
            item.reserved_quantity = max(item.reserved_quantity - line.quantity, 0)
    paid = gather_paid(order, items)
    ask = Ask(line.order_item_id, line.cancellation_type, done)  # type: ignore[arg-type]
    [priced] = compute_quote(paid, [ask]).lines
    for name in ("item_amount", "discount_share", "interest_share", "tax_included", "refund_amount"):
        setattr(quoted, name, getattr(priced, name))
    for name in ("fee_amount", "points_returned", "points_credited", "points_clawed_back"):
        whole = to_minor(getattr(quoted, name), currency)
        part, _rest = share_out(whole, [done, line.quantity - done])
        setattr(quoted, name, from_minor(part, currency))
    quoted.save()


def find_promise(lines: Sequence[SubmissionLine]) -> tuple[Decimal | None, bool]:
    """Find what Omnitron has to be told to give back what was quoted: a forced amount, and the shipping.

    Its own amount is ours but for a fee, which it does not know; so without one nothing is forced.
    """
    rows = list(RefundQuoteLine.objects.filter(line__in=lines).select_related("quote"))
    fees = sum((row.fee_amount for row in rows), ZERO)
    refund = sum((row.refund_amount for row in rows), ZERO)
    has_shipping = any(row.quote.shipping_refund_amount > 0 for row in rows)
    return (round_amount(refund - fees, lines[0].order_item.price_currency) if fees else None), has_shipping


def book_told_refund(order: Order, item: OrderItem, told: Decimal | None) -> Decimal:
    """Take over what Omnitron tells of an item that we have quoted nothing for; what was added."""
    added: Decimal = max((told or ZERO) - item.refund_amount, ZERO)
    item.refund_amount += added
    order.refund_amount += added
    return added


def write_amount(amount: Decimal) -> str:
    """Write an amount for a difference."""
    return str(format_amount(amount))


def _book_rest(order: Order, quote: RefundQuote) -> Booked:
    """Book what was quoted for the order as a whole, with the quote's last line, if all of them went through."""
    whole = Q(line__outcome="completed", line__completed_quantity=F("line__quantity"))
    if quote.lines.exclude(whole).exists():
        return Booked(is_quoted=True)
    shipping = max(quote.shipping_refund_amount - order.shipping_refund_amount, ZERO)
    order.shipping_refund_amount += shipping
    amount = shipping + quote.gift_box_refund_amount
    order.refund_amount += amount
    quote.rest_booked_at = get_now()
    quote.save(update_fields=["rest_booked_at"])
    return Booked(
        is_quoted=True,
        amount=amount,
        points_returned=quote.rest_points_returned,
        points_credited=quote.rest_points_credited,
    )


def _cancel_discounts(order: Order, share: Decimal) -> None:
    """Take a share of the order's discount back from its discounts, in proportion to what is left of each."""
    discounts = [row for row in order.discounts.order_by("pk") if row.amount > row.cancel_amount]
    left = [to_minor(row.amount - row.cancel_amount, order.currency) for row in discounts]
    count = min(to_minor(share, order.currency), sum(left))
    for row, part in zip(discounts, share_out(count, left), strict=True):
        row.cancel_amount += from_minor(part, order.currency)
    DiscountItem.objects.bulk_update(discounts, ["cancel_amount"])
