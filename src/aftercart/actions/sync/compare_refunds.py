"""Compare what was quoted with every amount that the OMS reports, zero included; None is no report."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

from django.db import models
from django.db.models import Q

from aftercart.actions.cancel.book_refund import find_reported_rest
from aftercart.cancellations.models import RefundQuote, RefundQuoteLine, SubmissionLine
from aftercart.cancellations.quoted import group_by_quote, is_rest_quoted
from aftercart.cancellations.selectors import BEING_REJECTED
from aftercart.lib.money import ZERO, format_amount
from aftercart.lib.prepared import prepared
from aftercart.loyalty.selectors import read_order_points
from aftercart.oms.messages import RemoteItem, RemoteOrder
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.paid import gather_paid, read_payment
from aftercart.orders.quotes import compute_total
from aftercart.orders.selectors import read_order_items
from aftercart.orders.status import FINAL

#: The kinds of differences of money. Those of one item bear it; the others are the order's.
REFUND_DIFFERS: Final = "refund_amount"
SHIPPING_DIFFERS: Final = "shipping_refund_amount"
DISCOUNT_DIFFERS: Final = "discount_refund_amount"
#: More is booked than was paid: whoever reported it.
ABOVE_PAID: Final = "refund_above_paid"
#: Nothing was paid when it was quoted, but is by now, and the OMS reports no refund.
PAID_MEANWHILE: Final = "paid_meanwhile"
#: A refund was quoted that no payment stands behind any more.
NOT_PAID: Final = "quoted_without_payment"
REFUND_KINDS: Final = frozenset(
    {REFUND_DIFFERS, SHIPPING_DIFFERS, DISCOUNT_DIFFERS, ABOVE_PAID, PAID_MEANWHILE, NOT_PAID}
)

#: The item (None: the whole order), what differs, ours, theirs.
Found = tuple[OrderItem | None, str, str, str]


def _make(item: OrderItem | None, what: str, ours: Decimal, theirs: Decimal) -> Found:
    return item, what, format_amount(ours), format_amount(theirs)


@dataclass(slots=True)
class ItemBooks:
    """What is quoted and reported of one item. `is_ours`: all of its gone units were quoted here."""

    item: OrderItem
    lines: list[RefundQuoteLine]
    reported: Decimal | None
    is_open: bool
    is_ours: bool

    @property
    def quoted(self) -> Decimal:
        """What was quoted for the units that are gone."""
        return sum((line.quoted_amount for line in self.lines), ZERO)

    @property
    def unpaid_points(self) -> Decimal:
        """Points that come back though nothing else was paid: the OMS need not report them."""
        return sum((line.points_returned for line in self.lines if not line.is_paid), ZERO)


@dataclass(slots=True)
class RefundBooks:
    """What is quoted and reported of an order, read once."""

    order: Order
    remote: RemoteOrder
    items: list[ItemBooks]
    quotes: list[RefundQuote]
    is_rest_pending: bool

    @classmethod
    def read(cls, order: Order, remote: RemoteOrder) -> Self:
        """Read them from the rows of a locked order."""
        quoted: dict[int, list[RefundQuoteLine]] = defaultdict(list)
        rows = _list_quoted(order.pk)
        quotes = group_by_quote(rows)
        for row in rows:
            if row.line.outcome == "completed":
                quoted[row.line.order_item_id].append(row)
        is_open = frozenset(_list_undecided(order.pk))
        by_pk = {row.pk: row for row in remote.items}
        return cls(
            order=order,
            remote=remote,
            items=[_read_item(item, quoted[item.pk], by_pk, is_open) for item in read_order_items(order)],
            quotes=[
                quote
                for quote, of_quote in quotes.items()
                if quote.rest_booked_at is not None or (not is_open and _is_whole(of_quote))
            ],
            is_rest_pending=any(
                quote.rest_booked_at is None
                and quote.rest_amount > 0
                and is_rest_quoted(quote, of_quote, is_any_open=bool(is_open))
                for quote, of_quote in quotes.items()
            ),
        )

    @property
    def is_undecided(self) -> bool:
        """Whether something is, so that the OMS's totals may hold what is not booked here yet."""
        return any(books.is_open for books in self.items)

    @property
    def is_ours(self) -> bool:
        """Whether anything that is gone of the order was quoted here, and all of it was."""
        return any(books.lines for books in self.items) and all(books.is_ours for books in self.items)

    @property
    def quoted_shipping(self) -> Decimal:
        """What was quoted for the delivery, and is due: it comes back once, whoever has quoted it."""
        return max((quote.shipping_refund_amount for quote in self.quotes), default=ZERO)

    @property
    def quoted_rest(self) -> Decimal:
        """What was quoted besides the items, and is due."""
        gift_box = max((quote.gift_box_refund_amount for quote in self.quotes), default=ZERO)
        return self.quoted_shipping + gift_box

    @property
    def unpaid_points(self) -> Decimal:
        """Points that come back though nothing else was paid."""
        payment = read_payment(self.order)
        is_paid = any(payment.covers(books.item) for books in self.items)
        rest = ZERO if is_paid else sum((quote.rest_points_returned for quote in self.quotes), ZERO)
        return rest + sum((books.unpaid_points for books in self.items), ZERO)


@prepared
def _list_quoted(order: int) -> models.QuerySet[RefundQuoteLine]:
    rows = RefundQuoteLine.objects.filter(line__order_item__order=order).select_related("line", "quote")
    return rows.defer("line__iban", "line__holder_name").order_by("line__closed_at", "pk")


@prepared
def _list_undecided(order: int) -> models.QuerySet[SubmissionLine, int]:
    """List the items with an open line, or one whose rejection the OMS has still to be told."""
    lines = SubmissionLine.objects.filter(Q(is_open=True) | BEING_REJECTED, order_item__order=order)
    return lines.values_list("order_item_id", flat=True)


def _is_whole(lines: Collection[RefundQuoteLine]) -> bool:
    """Return whether all of a quote went through: with nothing open, what it quoted besides is due, or in question."""
    return all(
        row.line.outcome == "completed" and row.line.completed_quantity == row.line.quantity for row in lines
    )


def _read_item(
    item: OrderItem, lines: list[RefundQuoteLine], rows: dict[int, RemoteItem], is_open: Collection[int]
) -> ItemBooks:
    theirs = [rows[pk] for pk in item.remote_pks if pk in rows]
    return ItemBooks(
        item=item,
        lines=lines,
        reported=sum_reported(theirs),
        is_open=item.pk in is_open,
        is_ours=sum(row.line.completed_quantity for row in lines) == item.cancelled_quantity,
    )


def sum_reported(theirs: Collection[RemoteItem]) -> Decimal | None:
    """Add up what the OMS reports of the items that one of ours is there; None while any that is gone lacks it."""
    gone = [row.refund_amount for row in theirs if row.status in FINAL]
    amounts = [row.refund_amount for row in theirs if row.refund_amount is not None]
    return None if not amounts or None in gone else sum(amounts, ZERO)


def compare_books(books: RefundBooks) -> Iterator[Found]:
    """Find the refunds that differ, of items and then of the order as a whole.

    Only what can be compared is: items whose gone units were all quoted here and on which nothing is undecided.
    """
    for of_item in books.items:
        if not of_item.is_open and of_item.is_ours:
            yield from _compare_item(of_item, books.order)
    if books.is_ours:
        yield from _compare_whole(books)
    items = [of_item.item for of_item in books.items]
    paid = compute_total(gather_paid(books.order, items, points=read_order_points(books.order.pk)))
    if books.order.refund_amount > paid:
        yield _make(None, ABOVE_PAID, paid, books.order.refund_amount)


def _compare_item(books: ItemBooks, order: Order) -> Iterator[Found]:
    quoted, reported = books.quoted, books.reported
    if reported is not None and reported not in {quoted, quoted - books.unpaid_points}:
        yield _make(books.item, REFUND_DIFFERS, quoted, reported)
    for line in books.lines:
        if line.is_paid or reported:
            continue
        if line.quoted_amount > line.points_returned:
            yield _make(books.item, NOT_PAID, line.quoted_amount, reported or ZERO)
        elif read_payment(order).covers(books.item):
            yield _make(books.item, PAID_MEANWHILE, quoted, reported or ZERO)


def _compare_whole(books: RefundBooks) -> Iterator[Found]:
    remote, shipping = books.remote, books.remote.shipping_refund_amount
    if shipping is not None and shipping not in _list_accepted(books):
        yield _make(None, SHIPPING_DIFFERS, books.quoted_shipping, shipping)
    if remote.refund_amount is not None and not _is_total_understood(books):
        total = (_sum_quoted(books) or ZERO) + books.quoted_rest
        yield _make(None, REFUND_DIFFERS, total, remote.refund_amount)
    if remote.discount_refund_amount is not None and not books.is_undecided:
        lines = [line for of_item in books.items for line in of_item.lines if line.is_paid]
        discount = sum((line.discount_share for line in lines), ZERO)
        if remote.discount_refund_amount != discount:
            yield _make(None, DISCOUNT_DIFFERS, discount, remote.discount_refund_amount)


def _list_accepted(books: RefundBooks) -> set[Decimal]:
    """List the amounts of the delivery that are right: what is due, and what is quoted and may come early."""
    accepted = {books.quoted_shipping}
    if books.is_rest_pending:
        accepted.add(books.order.shipping_amount)
    if books.unpaid_points:
        accepted.add(ZERO)
    return accepted


def _sum_quoted(books: RefundBooks) -> Decimal | None:
    """Add up what is quoted of the items; of undecided ones, what the OMS reports stands for it."""
    amounts = [of_item.reported if of_item.is_open else of_item.quoted for of_item in books.items]
    if None in amounts:
        return None
    return sum((amount for amount in amounts if amount is not None), ZERO)


def _is_total_understood(books: RefundBooks) -> bool:
    """Return whether the OMS's total is what is quoted: with the delivery, or, unless it says zero, without.

    Of what nobody has paid, the points may be missing in it; what is quoted and not due yet may be in it.
    """
    quoted, total = _sum_quoted(books), books.remote.refund_amount
    if quoted is None or total is None:
        return True
    shipping = books.remote.shipping_refund_amount
    rests = {books.quoted_rest}
    if books.is_rest_pending:
        early = find_reported_rest(books.remote)
        rests |= set() if early is None else {early}
    if shipping is None or shipping > 0:
        rests.add(books.quoted_rest - (books.quoted_shipping if shipping is None else shipping))
    points = {ZERO, books.unpaid_points}
    return any(total == quoted + each - less for each in rests for less in points)
