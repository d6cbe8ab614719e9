"""What is given back for units of an order: pure; no query, no clock, no setting. In words: docs/money.md.

Every unit has its own price, its own share of the order's discount, of the interest and of the points earned.
The shares are split once, by the largest remainder, over all units that were bought, and stay with the unit: so
whatever is cancelled, in whatever order and in whatever parts, the refunds add up to what was paid.

Inside, everything is counted in the currency's smallest unit; outside, amounts are `Decimal` in its major one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from aftercart.lib.money import ZERO, from_minor, share_of_units, share_out, take_share, to_minor
from aftercart.orders.facts import RequestedUnits

#: A percentage, counted in hundredths of a percent.
_WHOLE: Final = 10_000


class ShippingRefund(models.TextChoices):
    """When what the delivery cost is given back; of several rules the earlier one here counts."""

    NEVER = "never", _("Never")
    WHEN_NOTHING_REMAINS = "when_nothing_remains", _("When nothing remains")
    ALWAYS = "always", _("Always")


@dataclass(frozen=True, slots=True)
class RefundTerms:
    """What a shop keeps and what it gives back, of one line.

    `fee_percent` is of the line's refund; `fee_amount` is once for all lines that are cancelled together, the
    highest that any of them names. The shipping, which belongs to the order, comes back only if no line's terms say
    otherwise.
    """

    fee_percent: Decimal = ZERO
    fee_amount: Decimal = ZERO
    shipping_refund: ShippingRefund = ShippingRefund.WHEN_NOTHING_REMAINS


DEFAULT_TERMS: Final = RefundTerms()


@dataclass(frozen=True, slots=True)
class PaidItem:
    """What a line cost. `discount_amount` is the line's own, for all of its units.

    `is_paid` says whether the money for it has been paid; points that were spent on the order have been in any
    case. `gone_quantity` units have been cancelled or returned, or are about to be: always the first ones.
    """

    order_item: int
    quantity: int
    unit_amount: Decimal
    discount_amount: Decimal = ZERO
    tax_rate: Decimal = ZERO
    is_tax_included: bool = True
    gone_quantity: int = 0
    is_paid: bool = True


@dataclass(frozen=True, slots=True)
class Given:
    """What of the order as a whole has been given back, or quoted, so far."""

    has_shipping: bool = False
    has_gift_box: bool = False
    points_returned: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Points:
    """Points of an order: what part of its total was paid with them, and how many it earned."""

    spent: Decimal = ZERO
    earned: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class PaidOrder:
    """What an order cost: its lines, less `discount_amount`, and what came on top of them.

    The order's discount is not above the sum of its lines.
    """

    currency: str
    items: tuple[PaidItem, ...]
    discount_amount: Decimal = ZERO
    shipping_amount: Decimal = ZERO
    interest_amount: Decimal = ZERO
    gift_box_amount: Decimal = ZERO
    points: Points = Points()
    given: Given = Given()


@dataclass(frozen=True, slots=True)
class LineQuote:
    """What comes back for units of one line.

    `item_amount` is what they cost, tax included, `discount_share` their part of the order's discount,
    `interest_share` what comes back of the interest, and `refund_amount` is the first less the second plus the
    third. `tax_included` is the tax in it. `fee_amount` is kept. Of `refund_amount - fee_amount`,
    `points_returned` were paid with points and come back as points, and `points_credited` were paid with money
    but are wanted as points. `points_clawed_back` were earned and are lost.

    Where the line is not paid, nothing but points comes back, and `refund_amount` is those.
    """

    order_item: int
    quantity: int
    item_amount: Decimal
    discount_share: Decimal
    interest_share: Decimal
    tax_included: Decimal
    refund_amount: Decimal
    fee_amount: Decimal
    points_returned: Decimal
    points_credited: Decimal
    points_clawed_back: Decimal
    is_paid: bool = True


@dataclass(frozen=True, slots=True)
class Quote:
    """What comes back for one submission: its lines, and what belongs to the order as a whole.

    `rest_points_returned` and `rest_points_credited` are the points among `shipping_refund` and
    `gift_box_refund`. `is_rest_for_last` says that those two come back since nothing will be left of the order.
    """

    currency: str
    lines: tuple[LineQuote, ...]
    shipping_refund: Decimal
    gift_box_refund: Decimal
    rest_points_returned: Decimal
    rest_points_credited: Decimal
    is_rest_for_last: bool = False

    @property
    def fees(self) -> Decimal:
        """What is kept."""
        return sum((line.fee_amount for line in self.lines), ZERO)

    @property
    def points_returned(self) -> Decimal:
        """What comes back as points because it was paid with points."""
        return sum((line.points_returned for line in self.lines), self.rest_points_returned)

    @property
    def points_credited(self) -> Decimal:
        """What comes back as points because the customer wants it so."""
        return sum((line.points_credited for line in self.lines), self.rest_points_credited)

    @property
    def points_clawed_back(self) -> Decimal:
        """How many points that the order had earned are lost."""
        return sum((line.points_clawed_back for line in self.lines), ZERO)

    @property
    def total(self) -> Decimal:
        """All that comes back, in money and in points."""
        refunds = sum((line.refund_amount for line in self.lines), ZERO)
        return refunds + self.shipping_refund + self.gift_box_refund - self.fees

    @property
    def is_paid(self) -> bool:
        """Whether any of its lines is paid; true where it has none."""
        return any(line.is_paid for line in self.lines) or not self.lines

    @property
    def money_amount(self) -> Decimal:
        """What comes back in money."""
        return self.total - self.points_returned - self.points_credited


def compute_total(order: PaidOrder) -> Decimal:
    """Compute what was paid for an order, in money and in points."""
    books = _Books(order)
    paid = sum(books.count_paid(item, item.quantity) for item in order.items)
    rest = books.shipping + books.gift_box if books.is_any_paid else 0
    return from_minor(max(paid + rest, books.points_spent), order.currency)


def compute_quote(
    order: PaidOrder,
    requested: Sequence[RequestedUnits],
    *,
    terms: Mapping[int, RefundTerms] | None = None,
    is_all_as_points: bool = False,
) -> Quote:
    """Compute what comes back for these units: for each line the first ones that are left.

    `requested` names each line once, and no more units than are left (None: all of them). `terms` are by item;
    a line without any has the default.
    """
    books = _Books(order)
    lines = [_cut_line(books, each, (terms or {}).get(each.order_item, DEFAULT_TERMS)) for each in requested]
    points_left = max(books.points_spent - books.count(order.given.points_returned), 0)
    _keep_unpaid(books, lines, points_left)
    _charge_fees(books, lines)
    shipping, gift_box = _find_rest(books, lines)
    for line in lines:
        line.points_returned = min(line.refund - line.fee, points_left)
        points_left -= line.points_returned
        line.points_credited = line.refund - line.fee - line.points_returned if is_all_as_points else 0
    if not books.is_any_paid:
        shipping = min(shipping, points_left)
        gift_box = min(gift_box, points_left - shipping)
    rest = shipping + gift_box
    rest_returned = min(rest, points_left)
    return Quote(
        currency=order.currency,
        lines=tuple(line.write(order.currency) for line in lines),
        shipping_refund=from_minor(shipping, order.currency),
        gift_box_refund=from_minor(gift_box, order.currency),
        rest_points_returned=from_minor(rest_returned, order.currency),
        rest_points_credited=from_minor(rest - rest_returned if is_all_as_points else 0, order.currency),
        is_rest_for_last={line.terms.shipping_refund for line in lines} != {ShippingRefund.ALWAYS}
        or gift_box > 0,
    )


# --- inside: everything is counted in the currency's smallest unit -----------------------------------------


class _Books:
    """What each line has of everything, split once for the whole order."""

    def __init__(self, order: PaidOrder) -> None:
        self.order = order
        gross = [self._count_gross(item) for item in order.items]
        discount = share_out(min(self.count(order.discount_amount), sum(gross)), gross)
        self.gross, self.discount = gross, discount
        self.net = [cost - less for cost, less in zip(gross, discount, strict=True)]
        self.interest = share_out(self.count(order.interest_amount), self.net)
        self.earned = share_out(self.count(order.points.earned), self.net)
        self.shipping = self.count(order.shipping_amount)
        self.gift_box = self.count(order.gift_box_amount)
        self.points_spent = self.count(order.points.spent)
        self.is_any_paid = any(item.is_paid for item in order.items)
        self.places = {item.order_item: place for place, item in enumerate(order.items)}

    def count(self, amount: Decimal) -> int:
        """Count an amount in the order's currency."""
        return to_minor(amount, self.order.currency)

    def _count_gross(self, item: PaidItem) -> int:
        cost = max(self.count(item.unit_amount * item.quantity - item.discount_amount), 0)
        return (
            cost if item.is_tax_included else cost + take_share(cost, _count_percent(item.tax_rate), _WHOLE)
        )

    def cut_tax(self, place: int, first: int, count: int) -> int:
        """Count the tax in so many units of a line, from the one at `first` on.

        It is rounded as the units add up, not for each: so it belongs to the unit, adds up to the line's, and
        is never above what the unit cost.
        """
        item = self.order.items[place]
        rate = _count_percent(item.tax_rate)

        def upto(place_of_unit: int) -> int:
            cost = share_of_units(self.gross[place], item.quantity, 0, place_of_unit)
            less = share_of_units(self.discount[place], item.quantity, 0, place_of_unit)
            return take_share(cost - less, rate, _WHOLE + rate)

        return upto(first + count) - upto(first)

    def count_paid(self, item: PaidItem, count: int) -> int:
        """Count what was paid for the last units of a line, each as it is cut when it comes back."""
        if not item.is_paid:
            return 0
        place, first = self.places[item.order_item], item.quantity - count
        parts = (self.gross, self.discount, self.interest)
        gross, less, interest = (share_of_units(part[place], item.quantity, first, count) for part in parts)
        return gross - less + interest


def _count_percent(percent: Decimal) -> int:
    return to_minor(max(percent, ZERO), "")  # an unknown currency has two decimals, as a percentage has here


@dataclass(slots=True)
class _Line:
    """A line of the quote, while it is being made."""

    item: PaidItem
    terms: RefundTerms
    quantity: int
    gross: int
    discount: int
    tax: int
    interest: int
    clawed_back: int
    fee: int = 0
    points_returned: int = 0
    points_credited: int = 0

    @property
    def refund(self) -> int:
        return self.gross - self.discount + self.interest

    def write(self, currency: str) -> LineQuote:
        """Write it in the currency's major unit."""
        return LineQuote(
            order_item=self.item.order_item,
            quantity=self.quantity,
            item_amount=from_minor(self.gross, currency),
            discount_share=from_minor(self.discount, currency),
            interest_share=from_minor(self.interest, currency),
            tax_included=from_minor(self.tax, currency),
            refund_amount=from_minor(self.refund, currency),
            fee_amount=from_minor(self.fee, currency),
            points_returned=from_minor(self.points_returned, currency),
            points_credited=from_minor(self.points_credited, currency),
            points_clawed_back=from_minor(self.clawed_back, currency),
            is_paid=self.item.is_paid,
        )


def _cut_line(books: _Books, requested: RequestedUnits, terms: RefundTerms) -> _Line:
    """Cut the asked units out of what their line has of everything."""
    place = books.places[requested.order_item]
    item = books.order.items[place]
    left = item.quantity - item.gone_quantity
    count = left if requested.quantity is None else min(requested.quantity, left)

    def cut(shares: Sequence[int]) -> int:
        return share_of_units(shares[place], item.quantity, item.gone_quantity, count)

    return _Line(
        item=item,
        terms=terms,
        quantity=count,
        gross=cut(books.gross),
        discount=cut(books.discount),
        tax=books.cut_tax(place, item.gone_quantity, count),
        interest=cut(books.interest),
        clawed_back=cut(books.earned),
    )


def _keep_unpaid(books: _Books, lines: Sequence[_Line], points_left: int) -> None:
    """Keep of unpaid lines what no points were spent for.

    Where another part of the order is paid, points count as spent on that first: so never does more come back
    than was paid, whatever is cancelled before.
    """
    given = books.order.given
    owed = sum(books.count_paid(item, item.quantity - item.gone_quantity) for item in books.order.items)
    if books.is_any_paid:
        owed += 0 if given.has_shipping else books.shipping
        owed += 0 if given.has_gift_box else books.gift_box
    free = max(points_left - owed, 0)
    for line in lines:
        if not line.item.is_paid:
            line.gross = min(line.refund, free)
            line.discount = line.tax = line.interest = 0
            free -= line.gross


def _charge_fees(books: _Books, lines: Sequence[_Line]) -> None:
    """Charge each paid line its percentage, and all of them together the highest fixed fee; never below zero."""
    lines = [line for line in lines if line.item.is_paid]
    for line in lines:
        line.fee = min(take_share(line.refund, _count_percent(line.terms.fee_percent), _WHOLE), line.refund)
    fixed = max((books.count(line.terms.fee_amount) for line in lines), default=0)
    left = [line.refund - line.fee for line in lines]
    for line, share in zip(lines, share_out(min(fixed, sum(left)), left), strict=True):
        line.fee += share


def _find_rest(books: _Books, lines: Sequence[_Line]) -> tuple[int, int]:
    """Find what comes back of the shipping and of the gift box, which belong to no line."""
    given, rules = books.order.given, {line.terms.shipping_refund for line in lines}
    asked = {line.item.order_item: line.quantity for line in lines}
    if not any(asked.values()):
        return 0, 0
    is_last = all(
        item.gone_quantity + asked.get(item.order_item, 0) >= item.quantity for item in books.order.items
    )
    is_due = (is_last and ShippingRefund.NEVER not in rules) or rules == {ShippingRefund.ALWAYS}
    return (
        books.shipping if is_due and not given.has_shipping else 0,
        books.gift_box if is_last and not given.has_gift_box else 0,
    )
