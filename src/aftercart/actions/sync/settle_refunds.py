"""Take over what the OMS reports of an order's refunds, and record at once what differs from what was quoted.

Inside a transaction that has locked the order; the caller saves it.
"""

from decimal import Decimal
from operator import attrgetter

from django.db import models

from aftercart.actions.cancel.book_refund import find_reported_rest
from aftercart.actions.sync.compare_refunds import (
    REFUND_KINDS,
    ItemBooks,
    RefundBooks,
    compare_books,
)
from aftercart.actions.sync.record_difference import record_difference
from aftercart.cancellations.models import Difference, RefundQuote
from aftercart.lib.clock import get_now
from aftercart.lib.money import ZERO
from aftercart.lib.prepared import prepared
from aftercart.oms.messages import RemoteOrder
from aftercart.orders.models import Order
from aftercart.orders.selectors import save_item


def settle_refunds(order: Order, remote: RemoteOrder) -> None:
    """Take over every amount that the OMS reports, and record what differs; what differs no more is resolved.

    It moves the money: where all that is gone was quoted here, its amounts replace ours, whether they are higher
    or lower. What came from elsewhere (an import, say) never shrinks.
    """
    books = RefundBooks.read(order, remote)
    for of_item in books.items:
        if of_item.is_ours and of_item.lines and not of_item.is_open:
            _take_item(order, of_item)
    _take_rest(books)
    if books.is_ours:
        _take_whole(books)
    else:
        _take_more(books)
    found = {record_difference(order, *difference).pk for difference in compare_books(books)}
    resolved = set(_list_open(order.pk)) - found
    if resolved:
        Difference.objects.filter(pk__in=resolved).update(resolved_at=get_now())


@prepared
def _list_open(order: int) -> models.QuerySet[Difference, int]:
    rows = Difference.objects.filter(order=order, resolved_at=None, what__in=sorted(REFUND_KINDS))
    return rows.values_list("pk", flat=True)


def _take_item(order: Order, books: ItemBooks) -> None:
    """Take over what is reported of an item; its newest line bears what changes."""
    item, reported = books.item, books.reported
    booked = [line.booked_amount or ZERO for line in books.lines]
    if reported is None or sum(booked, ZERO) != item.refund_amount:  # more than our lines is booked of it
        return
    change = reported - item.refund_amount
    if change and reported == books.quoted - books.unpaid_points:
        change = books.quoted - item.refund_amount
    if not change and all(line.reported_amount is not None for line in books.lines):
        return
    for line in books.lines:
        if line is books.lines[-1]:
            line.booked_amount = booked[-1] + change
        line.reported_amount = line.booked_amount
        line.save(update_fields=["booked_amount", "reported_amount"])
    if change:
        item.refund_amount += change
        order.refund_amount += change
        save_item(item, "refund_amount")


def _take_rest(books: RefundBooks) -> None:
    """Take over what was given back besides the items: it is that of the quotes that were booked first."""
    left = find_reported_rest(books.remote) or ZERO
    booked = [quote for quote in books.quotes if quote.rest_booked_at and quote.rest_money > 0]
    reported = []
    for quote in sorted(booked, key=attrgetter("rest_booked_at")):
        if left > 0 and not quote.is_rest_reported:
            reported.append(quote.pk)
        left -= quote.rest_money
    if reported:
        RefundQuote.objects.filter(pk__in=reported).update(is_rest_reported=True)


def _take_whole(books: RefundBooks) -> None:
    order, remote = books.order, books.remote
    rest = find_reported_rest(remote)
    items = sum((of_item.item.refund_amount for of_item in books.items), ZERO)
    if rest is not None:
        order.refund_amount = items + _choose_rest(books, rest)
    if remote.shipping_refund_amount is not None:
        order.shipping_refund_amount = remote.shipping_refund_amount
    if books.is_undecided:
        return
    if remote.discount_refund_amount is not None:
        order.discount_refund_amount = remote.discount_refund_amount
    if remote.refund_amount is not None and remote.refund_amount not in _list_totals(books):
        order.refund_amount = remote.refund_amount


def _list_totals(books: RefundBooks) -> set[Decimal]:
    """List what the OMS's total may be if what is booked is right: with the delivery, or, unless it is zero, without.

    The points of what nobody has paid may be missing in it.
    """
    booked, shipping = books.order.refund_amount, books.remote.shipping_refund_amount
    apart = books.order.shipping_refund_amount if shipping is None else shipping
    return {booked - less - points for less in (ZERO, apart) for points in (ZERO, books.unpaid_points)}


def _choose_rest(books: RefundBooks, reported: Decimal) -> Decimal:
    """Choose what is booked besides the items: what is reported, and points that it need not be."""
    points = books.unpaid_points - sum((of_item.unpaid_points for of_item in books.items), ZERO)
    return max(reported, min(points, books.quoted_rest))


def _take_more(books: RefundBooks) -> None:
    """Take over what is more than we know of; the delivery is a part of the whole."""
    order, remote = books.order, books.remote
    shipping = max((remote.shipping_refund_amount or ZERO) - order.shipping_refund_amount, ZERO)
    order.refund_amount += shipping
    order.shipping_refund_amount += shipping
    if books.is_undecided:
        return
    for name in ("refund_amount", "discount_refund_amount"):
        reported = getattr(remote, name)
        if reported is not None:
            setattr(order, name, max(getattr(order, name), reported))
