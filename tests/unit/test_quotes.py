"""Refunds for any order and any way of cancelling it: 10,000 made-up orders in all, in a deep run."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercart.lib.money import ZERO, from_minor, get_exponent, share_of_units, share_out
from aftercart.orders.facts import RequestedUnits
from aftercart.orders.quotes import (
    Given,
    PaidItem,
    PaidOrder,
    Points,
    Quote,
    RefundTerms,
    ShippingRefund,
    compute_quote,
    compute_total,
)
from tests.strength import examples


def make_order(dice: random.Random) -> PaidOrder:
    """Make up an order: everything in it may be nothing, tiny, awkward or large."""
    currency = dice.choice(("TRY", "TRY", "EUR", "JPY", "KWD"))

    def amount(largest: int) -> Decimal:
        return from_minor(dice.choice((0, 1, dice.randint(0, 10), dice.randint(0, largest))), currency)

    items = []
    for pk in range(1, dice.randint(1, 5) + 1):
        quantity, price = dice.randint(1, dice.choice((1, 3, 7))), amount(50_000)
        own = min(amount(9_000), price * quantity)
        rate = Decimal(dice.choice(("0", "1", "8", "10", "18", "20", "7.75")))
        items.append(PaidItem(pk, quantity, price, own, rate, dice.random() < 0.8))
    goods = compute_total(PaidOrder(currency, tuple(items)))
    discount = dice.choice((ZERO, goods, min(goods, amount(20_000)), min(goods, amount(3))))
    order = PaidOrder(
        currency, tuple(items), discount, amount(9_000), amount(5_000), dice.choice((ZERO, amount(2_000)))
    )
    spent = dice.choice((ZERO, compute_total(order), min(compute_total(order), amount(20_000))))
    return replace(order, points=Points(spent, amount(4_000)))


orders = st.builds(lambda seed: make_order(random.Random(seed)), st.integers(0, 2**40))  # noqa: S311 - made-up orders
dices = st.builds(random.Random, st.integers(0, 2**40))


@dataclass(slots=True)
class Till:
    """Gives back by quotes, one after the other, as the database does."""

    order: PaidOrder
    terms: RefundTerms = field(default_factory=RefundTerms)
    quotes: list[Quote] = field(default_factory=list)
    is_all_as_points: bool = False

    def give_back(self, asks: Sequence[RequestedUnits]) -> Quote:
        quote = compute_quote(
            self.order,
            asks,
            terms={ask.order_item: self.terms for ask in asks},
            is_all_as_points=self.is_all_as_points,
        )
        asked = {line.order_item: line.quantity for line in quote.lines}
        given = self.order.given
        self.order = replace(
            self.order,
            items=tuple(
                replace(item, gone_quantity=item.gone_quantity + asked.get(item.order_item, 0))
                for item in self.order.items
            ),
            given=Given(
                given.has_shipping or quote.shipping_refund > 0,
                given.has_gift_box or quote.gift_box_refund > 0,
                given.points_returned + quote.points_returned,
            ),
        )
        self.quotes.append(quote)
        return quote

    def sum(self, name: str) -> Decimal:
        return sum((getattr(quote, name) for quote in self.quotes), ZERO)

    def sum_lines(self, name: str) -> Decimal:
        return sum((getattr(line, name) for quote in self.quotes for line in quote.lines), ZERO)


def partition(order: PaidOrder, dice: random.Random) -> list[list[RequestedUnits]]:
    """Cut all units of an order into submissions, in any order."""
    units = [item.order_item for item in order.items for _ in range(item.quantity)]
    dice.shuffle(units)
    parts: list[list[RequestedUnits]] = []
    while units:
        count = dice.randint(1, len(units))
        chosen, units = units[:count], units[count:]
        parts.append([RequestedUnits(pk, "cancel", chosen.count(pk)) for pk in dict.fromkeys(chosen)])
    return parts


def list_amounts(quotes: Iterable[Quote]) -> list[Decimal]:
    return [
        amount
        for quote in quotes
        for line in quote.lines
        for amount in (
            line.item_amount, line.discount_share, line.interest_share, line.tax_included, line.refund_amount,
            line.fee_amount, line.points_returned, line.points_credited, line.points_clawed_back,
            line.refund_amount - line.fee_amount - line.points_returned, line.item_amount - line.discount_share,
            line.refund_amount - line.interest_share - line.tax_included, quote.shipping_refund,
            quote.gift_box_refund, quote.total, quote.money_amount,
        )
    ]  # fmt: skip


@examples(4_000)
@given(orders, dices)
def test_however_an_order_is_cancelled_what_comes_back_is_what_was_paid(
    order: PaidOrder, dice: random.Random
) -> None:
    till = Till(order)
    for asks in partition(order, dice):
        till.give_back(asks)

    assert till.sum("total") == compute_total(order)
    assert till.sum("points_returned") == order.points.spent
    assert till.sum("points_clawed_back") == order.points.earned
    assert till.sum_lines("discount_share") == order.discount_amount
    assert till.sum_lines("interest_share") == order.interest_amount
    assert (till.sum("shipping_refund"), till.sum("gift_box_refund")) == (
        order.shipping_amount,
        order.gift_box_amount,
    )
    smallest = Decimal(1).scaleb(-get_exponent(order.currency))
    for amount in list_amounts(till.quotes):
        assert amount >= 0
        assert amount == amount.quantize(smallest)


@examples(3_000)
@given(orders, dices)
def test_the_order_of_cancelling_changes_nothing_for_any_unit(order: PaidOrder, dice: random.Random) -> None:
    """What differs is which refund is paid in points, and which brings the shipping: the documented remainder."""
    amounts = []
    for _ in range(2):
        till = Till(order)
        for asks in partition(order, dice):
            till.give_back(asks)
        amounts.append(
            {
                item.order_item: [
                    sum(
                        (
                            getattr(line, name)
                            for quote in till.quotes
                            for line in quote.lines
                            if line.order_item == item.order_item
                        ),
                        ZERO,
                    )
                    for name in (
                        "item_amount",
                        "discount_share",
                        "interest_share",
                        "tax_included",
                        "refund_amount",
                        "points_clawed_back",
                    )
                ]
                for item in order.items
            }
        )

    assert amounts[0] == amounts[1]


@examples(1_000)
@given(orders, dices)
def test_cancelling_one_line_moves_nothing_of_another(order: PaidOrder, dice: random.Random) -> None:
    item = dice.choice(order.items)
    ask = RequestedUnits(item.order_item, "cancel", dice.randint(1, item.quantity))
    alone = compute_quote(order, [ask]).lines[0]
    till = Till(order)
    for other in order.items:
        if other is not item and dice.random() < 0.7:
            till.give_back([RequestedUnits(other.order_item, "cancel", dice.randint(1, other.quantity))])

    after = till.give_back([ask]).lines[0]

    assert replace(after, points_returned=ZERO) == replace(alone, points_returned=ZERO)


@examples(2_000)
@given(orders, dices)
def test_with_any_terms_no_amount_is_negative_and_nothing_is_kept_but_what_they_say(
    order: PaidOrder, dice: random.Random
) -> None:
    terms = RefundTerms(
        fee_percent=Decimal(dice.choice((0, 3, 10, 100))),
        fee_amount=from_minor(dice.choice((0, 1, 990, 10**9)), order.currency),
        shipping_refund=dice.choice(list(ShippingRefund)),
    )
    till = Till(order, terms)
    for asks in partition(order, dice):
        till.give_back(asks)

    assert min(list_amounts(till.quotes)) >= 0
    is_shipping_kept = terms.shipping_refund is ShippingRefund.NEVER
    kept = till.sum("fees") + (order.shipping_amount if is_shipping_kept else 0)
    assert till.sum("total") + kept == compute_total(order)
    assert till.sum("points_returned") == min(order.points.spent, till.sum("total"))


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=9))
def test_shares_add_up_and_differ_from_what_is_due_by_less_than_one(total: int, weights: list[int]) -> None:
    shares = share_out(total, weights)

    assert sum(shares) == total
    whole = sum(weights) or len(weights)
    for share, weight in zip(shares, weights, strict=True):
        due = total * (weight if any(weights) else 1)
        assert -whole < share * whole - due < whole
        assert total > sum(weights) or share <= weight


@given(st.integers(0, 10**6), st.integers(1, 30), dices)
def test_units_have_what_equal_weights_would_give_them(
    total: int, quantity: int, dice: random.Random
) -> None:
    first = dice.randint(0, quantity)
    count = dice.randint(0, quantity - first)

    shares = share_out(total, [1] * quantity)

    assert share_of_units(total, quantity, first, count) == sum(shares[first : first + count])


def test_nothing_of_what_is_left_is_asked_gives_nothing_back() -> None:
    order = PaidOrder("TRY", (PaidItem(1, 2, Decimal(50), gone_quantity=2),), shipping_amount=Decimal(30))

    quote = compute_quote(order, [RequestedUnits(1, "cancel")])

    assert (quote.lines[0].quantity, quote.total) == (0, ZERO)


def test_points_that_are_wanted_instead_of_money_are_credited_beside_those_that_come_back() -> None:
    order = PaidOrder(
        "TRY",
        (PaidItem(1, 1, Decimal(100)),),
        shipping_amount=Decimal(30),
        points=Points(spent=Decimal(40)),
    )

    quote = compute_quote(order, [RequestedUnits(1, "cancel")], is_all_as_points=True)

    assert (quote.points_returned, quote.points_credited, quote.money_amount) == (
        Decimal(40),
        Decimal(90),
        ZERO,
    )
    assert quote.rest_points_credited == 30


@pytest.mark.parametrize(
    ("rule", "expected"), [("when_nothing_remains", "30"), ("never", "0"), ("always", "30")]
)
def test_the_shipping_comes_back_by_the_terms(rule: str, expected: str) -> None:
    order = PaidOrder("TRY", (PaidItem(1, 1, Decimal(100)),), shipping_amount=Decimal(30))

    quote = compute_quote(
        order, [RequestedUnits(1, "refund")], terms={1: RefundTerms(shipping_refund=ShippingRefund(rule))}
    )

    assert quote.shipping_refund == Decimal(expected)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (("always", "always"), ["30", "0"]),
        (("always", "when_nothing_remains"), ["30", "0"]),
        (("when_nothing_remains", "always"), ["0", "30"]),
        (("always", "never"), ["30", "0"]),
        (("never", "always"), ["0", "30"]),
    ],
)
def test_shipping_that_always_comes_back_comes_back_once(rules: tuple[str, str], expected: list[str]) -> None:
    till = Till(
        PaidOrder("TRY", (PaidItem(1, 1, Decimal(60)), PaidItem(2, 1, Decimal(40))), ZERO, Decimal(30))
    )

    refunds = []
    for pk, rule in enumerate(rules, start=1):
        till.terms = RefundTerms(shipping_refund=ShippingRefund(rule))
        refunds.append(till.give_back([RequestedUnits(pk, "cancel")]).shipping_refund)

    assert refunds == [Decimal(amount) for amount in expected]


def test_of_different_rules_for_the_shipping_the_strictest_counts() -> None:
    order = PaidOrder("TRY", (PaidItem(1, 1, Decimal(60)), PaidItem(2, 1, Decimal(40))), ZERO, Decimal(30))
    terms = {
        1: RefundTerms(shipping_refund=ShippingRefund.ALWAYS),
        2: RefundTerms(shipping_refund=ShippingRefund.NEVER),
    }

    assert (
        compute_quote(
            order, [RequestedUnits(1, "cancel"), RequestedUnits(2, "cancel")], terms=terms
        ).shipping_refund
        == 0
    )


def test_an_unpaid_line_gets_no_points_that_the_units_left_of_a_paid_one_are_owed() -> None:
    """The discount of 0.01 is the first unit's of the five, so the three that are left cost all of their 0.03."""
    order = PaidOrder(
        "TRY",
        (PaidItem(1, 1, Decimal("0.03"), is_paid=False), PaidItem(2, 5, Decimal("0.01"))),
        discount_amount=Decimal("0.01"),
        points=Points(spent=Decimal("0.06")),
    )
    till = Till(order)

    asks = (RequestedUnits(2, "cancel", 2), RequestedUnits(1, "cancel"), RequestedUnits(2, "cancel"))
    totals = [till.give_back([ask]).total for ask in asks]

    assert totals == [Decimal("0.01"), Decimal("0.02"), Decimal("0.03")]
    assert till.sum("total") == compute_total(order) == Decimal("0.06")


@examples(2_000)
@given(orders, dices)
def test_never_does_more_come_back_than_was_paid_whatever_was_not(
    order: PaidOrder, dice: random.Random
) -> None:
    items = tuple(replace(item, is_paid=dice.random() < dice.choice((0, 0.5, 1))) for item in order.items)
    order = replace(order, items=items)
    till = Till(
        order,
        terms=RefundTerms(
            fee_percent=Decimal(dice.choice((0, 0, 10))), fee_amount=Decimal(dice.choice((0, 0, 15)))
        ),
        is_all_as_points=dice.random() < 0.5,
    )

    for asks in partition(order, dice):
        quote = till.give_back(asks)
        unpaid = [line for line in quote.lines if not line.is_paid]
        assert all(line.refund_amount == line.points_returned for line in unpaid)
        assert all(line.points_credited == line.fee_amount == 0 for line in unpaid)

    assert till.sum("total") <= compute_total(order)
    assert till.sum("points_returned") <= order.points.spent
    assert till.sum("money_amount") + till.sum("points_credited") >= 0
    if not any(item.is_paid for item in items):
        # Points were paid when the order was placed, and all of them come back.
        assert till.sum("total") == till.sum("points_returned") == order.points.spent
        assert till.sum("points_credited") == till.sum("money_amount") == 0
    assert min(list_amounts(till.quotes), default=ZERO) >= 0
