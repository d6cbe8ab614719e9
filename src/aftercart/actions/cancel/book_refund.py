"""Book what a completed line gave back. Inside a transaction that has locked the order; the caller saves it.

What was quoted is booked, unless the OMS reports another amount: it moves the money (decision 13). Where the two
differ is recorded by `settle_refunds`, in the same transaction.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from django.db.models import F, Q

from aftercart.cancellations.models import RefundQuote, RefundQuoteLine, SubmissionLine
from aftercart.lib.clock import get_now
from aftercart.lib.money import ZERO, from_minor, share_out, to_minor
from aftercart.loyalty.shares import LinePoints
from aftercart.oms.messages import RemoteOrder
from aftercart.orders.facts import RequestedUnits
from aftercart.orders.models import DiscountItem, Order, OrderItem
from aftercart.orders.paid import gather_paid, read_payment
from aftercart.orders.quotes import compute_quote

#: The fields of an order that booking changes, for the caller to save.
REFUND_FIELDS = ("refund_amount", "discount_refund_amount", "shipping_refund_amount")


@dataclass(frozen=True, slots=True)
class Booked:
    """What completing a line gave back, in money and points together, and which of it are points.

    What was quoted for the order as a whole is in it, if it came with this line. Points that are clawed back are no
    part of `amount`. Without a quote (from before there were any) nothing is known of points. `is_refunded`: the OMS
    has reported it, or it is points.
    """

    amount: Decimal
    points: LinePoints | None
    is_refunded: bool


def book_refund(
    order: Order, line: SubmissionLine, *, reported: Decimal | None, remote: RemoteOrder | None = None
) -> Booked:
    """Book a line that has just been closed as completed. `reported` is its item's whole refund, by the OMS.

    Changes, unsaved, the item's `refund_amount` and the order's `REFUND_FIELDS`. None and zero differ: zero is
    an amount. What `remote` reports besides its items is left to `settle_refunds`.
    """
    item = line.order_item
    quoted = RefundQuoteLine.objects.select_related("quote").filter(line=line).first()
    if quoted is None:  # from before there were quotes
        amount = book_reported(order, item, reported)
        return Booked(amount, points=None, is_refunded=amount > 0)
    if line.completed_quantity < line.quantity:
        _reduce(order, line, quoted)
    if quoted.is_paid and not read_payment(order).covers(item):  # what was quoted rests on a payment
        quoted.is_paid = False
    expected = quoted.quoted_amount if quoted.is_paid else min(quoted.points_returned, quoted.quoted_amount)
    amount, is_reported = _choose(quoted, expected, reported, item.refund_amount)
    quoted.booked_amount, quoted.reported_amount = amount, amount if is_reported else None
    quoted.save(update_fields=["booked_amount", "reported_amount", "is_paid"])
    item.refund_amount += amount
    order.refund_amount += amount
    share = quoted.discount_share if quoted.is_paid else ZERO
    order.discount_refund_amount += share
    _cancel_discounts(order, share)
    points = LinePoints(
        returned=quoted.points_returned,
        refund_credit=quoted.points_credited if quoted.is_paid else ZERO,
        clawed_back=quoted.points_clawed_back,
    )
    rest, rest_points = book_rest(order, line, remote)
    return Booked(amount + rest, points + rest_points, quoted.is_refunded)


def _choose(
    quoted: RefundQuoteLine, expected: Decimal, reported: Decimal | None, before: Decimal
) -> tuple[Decimal, bool]:
    """Choose what is booked, and return whether the OMS reports it; an amount never shrinks.

    Of what was not paid the OMS need not report the points, which are given back here.
    """
    if reported is None:
        return expected, False
    if not quoted.is_paid and reported == before + expected - quoted.points_returned:
        return expected, True
    return max(reported - before, ZERO), True


def _reduce(order: Order, line: SubmissionLine, quoted: RefundQuoteLine) -> None:
    """Reduce what a line was quoted to those of its units that are gone: the first ones, with their own shares.

    Its item must not have been saved yet. Its fee and its points are reduced in proportion.
    """
    done, currency = line.completed_quantity, order.currency
    items = list(order.items.all())
    for item in items:
        if item.pk == line.order_item_id:  # with its own units among those that are left
            item.reserved_quantity = max(item.reserved_quantity - line.quantity, 0)
    parts = ["fee_amount", "points_returned", "points_credited", "points_clawed_back"]
    shares = ["item_amount", "discount_share", "interest_share", "tax_included", "refund_amount"]
    if quoted.is_paid:
        paid = gather_paid(order, items)
        paid = replace(paid, items=tuple(replace(item, is_paid=True) for item in paid.items))
        requested = RequestedUnits(line.order_item_id, line.cancellation_type, done)  # type: ignore[arg-type]  # the column holds one of its choices
        [priced] = compute_quote(paid, [requested]).lines
        for name in shares:
            setattr(quoted, name, getattr(priced, name))
    else:  # nothing but points comes back
        parts += shares
    for name in parts:
        whole = to_minor(getattr(quoted, name), currency)
        part, _rest = share_out(whole, [done, line.quantity - done])
        setattr(quoted, name, from_minor(part, currency))
    quoted.save()


def book_reported(order: Order, item: OrderItem, reported: Decimal | None) -> Decimal:
    """Take over what the OMS reports of an item that we have quoted nothing for; what was added."""
    added: Decimal = max((reported or ZERO) - item.refund_amount, ZERO)
    item.refund_amount += added
    order.refund_amount += added
    return added


def book_rest(
    order: Order, line: SubmissionLine | None, remote: RemoteOrder | None
) -> tuple[Decimal, LinePoints]:
    """Book what was quoted for the order as a whole and is due by now: all lines of its quote went through.

    Returns what that gave back, and which of it are points.

    What rests on nothing being left of the order waits for that: another cancellation, which counted as done,
    may be decided later, or not be done at all. `line` is the one that is being completed; its item need not have
    been saved. None: the OMS has cancelled by itself.
    """
    whole = Q(line__outcome="completed", line__completed_quantity=F("line__quantity"))
    waiting = RefundQuote.objects.filter(submission__order=order, rest_booked_at=None)
    quotes = waiting.exclude(pk__in=RefundQuoteLine.objects.exclude(whole).values("quote")).order_by("pk")
    is_left = _is_anything_left(order, line)
    amount, points = ZERO, LinePoints()
    for quote in quotes:
        if is_left and quote.is_rest_for_last and quote.rest_amount > 0:
            continue
        more, more_points = _book_one(order, quote, line, remote)
        amount, points = amount + more, points + more_points
    return amount, points


def _is_anything_left(order: Order, line: SubmissionLine | None) -> bool:
    if line is not None and line.order_item.left_quantity:
        return True
    others = order.items.exclude(pk=line.order_item_id) if line is not None else order.items.all()
    return others.filter(cancelled_quantity__lt=F("quantity")).exists()


def _book_one(
    order: Order, quote: RefundQuote, line: SubmissionLine | None, remote: RemoteOrder | None
) -> tuple[Decimal, LinePoints]:
    """Book one quote's part. Each of the two is given back once, whatever several quotes have quoted."""
    given = RefundQuote.objects.filter(submission__order=order, rest_booked_at__isnull=False)
    shipping, gift_box = quote.shipping_refund_amount, quote.gift_box_refund_amount
    shipping = ZERO if given.filter(shipping_refund_amount__gt=0).exists() else shipping
    gift_box = ZERO if given.filter(gift_box_refund_amount__gt=0).exists() else gift_box
    payment = read_payment(order)
    is_paid = any(payment.covers(item) for item in order.items.all())
    amount = shipping + gift_box if is_paid else min(shipping + gift_box, quote.rest_points_returned)
    reported = None if remote is None else find_reported_rest(remote)
    if reported is None:
        order.shipping_refund_amount = max(order.shipping_refund_amount, min(shipping, amount))
        order.refund_amount += amount
    elif reported > 0 or is_paid:  # else the points, which the OMS need not report
        amount = min(amount, reported)
    quote.rest_booked_at, quote.rest_line, quote.rest_booked_amount = get_now(), line, amount
    quote.save(update_fields=["rest_booked_at", "rest_line", "rest_booked_amount"])
    if shipping + gift_box <= 0:
        return amount, LinePoints()
    credit = quote.rest_points_credited if is_paid else ZERO
    return amount, LinePoints(returned=quote.rest_points_returned, refund_credit=credit)


def find_reported_rest(remote: RemoteOrder) -> Decimal | None:
    """Find what the OMS reports as given back besides the items: delivery and gift box; None: it does not say.

    Its total may be with the delivery or without.
    """
    items = [item.refund_amount for item in remote.items]
    shipping, total = remote.shipping_refund_amount, remote.refund_amount
    if total is None or None in items:
        return shipping
    beyond = total - sum((amount for amount in items if amount is not None), ZERO)
    if shipping is None:
        return beyond if beyond > 0 else None
    return max(beyond, shipping)


def _cancel_discounts(order: Order, share: Decimal) -> None:
    """Take a share of the order's discount back from its discounts, in proportion to what is left of each."""
    discounts = [row for row in order.discounts.order_by("pk") if row.amount > row.cancel_amount]
    left = [to_minor(row.amount - row.cancel_amount, order.currency) for row in discounts]
    count = min(to_minor(share, order.currency), sum(left))
    for row, part in zip(discounts, share_out(count, left), strict=True):
        row.cancel_amount += from_minor(part, order.currency)
    DiscountItem.objects.bulk_update(discounts, ["cancel_amount"])
