"""Quotes: what they say of an order's rows, and when they bind."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.quote_cancellation import quote_cancellation
from aftercart.actions.commands import CancellationCommand
from aftercart.actions.withdraw.withdraw_order import WithdrawalCommand, withdraw_order
from aftercart.cancellations.models import (
    CancellationRequest,
    RefundQuote,
    RefundQuoteLine,
    Submission,
    SubmissionLine,
)
from aftercart.lib.clock import get_now
from aftercart.orders.errors import CancellationRefused, InputInvalid, OrderNotFound, QuoteStale
from aftercart.orders.models import IdempotencyRecord, Order, OrderItem, TimelineEntry
from aftercart.orders.paid import gather_paid
from aftercart.orders.quotes import compute_total
from tests.shop import Line, Shop, ask, get_items, make_caller, make_command, make_customer, make_order

pytestmark = pytest.mark.django_db

WRITTEN = (Submission, SubmissionLine, RefundQuote, RefundQuoteLine, CancellationRequest, IdempotencyRecord)


def make_shop(*lines: Line, **fields: Any) -> Shop:
    """Make a shop whose order's total is what its parts say."""
    shop = Shop(lines or (Line(price="60.00"), Line(price="40.00")))
    order = shop.order
    for name, value in fields.items():
        setattr(order, name, Decimal(value))
    order.amount += order.shipping_amount - order.discount_amount
    order.save()
    return shop


def assert_nothing_happened(shop: Shop, version: int = 1) -> None:
    shop.order.refresh_from_db()
    assert shop.order.version == version
    assert shop.fake.posts == []
    for model in (*WRITTEN, TimelineEntry):
        assert model.objects.count() == 0, model.__name__
    assert set(OrderItem.objects.values_list("reserved_quantity", flat=True)) == {0}


def read_back(order: Order) -> Order:
    order.refresh_from_db()
    return order


# --- what was paid -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "total", "discount"),
    [
        ({"amount": "100"}, "100", "0"),
        ({"amount": "90", "discount_amount": "10"}, "90", "10"),
        ({"amount": "129.90", "shipping_amount": "29.90"}, "129.90", "0"),
        # Beside the total: interest, shipping, both.
        ({"amount": "100", "installment_interest_amount": "6"}, "106", "0"),
        ({"amount": "100", "shipping_amount": "29.90"}, "129.90", "0"),
        ({"amount": "90", "shipping_amount": "30", "installment_interest_amount": "6", "discount_amount": "10"},
         "126", "10"),
        # In the total.
        ({"amount": "106", "installment_interest_amount": "6"}, "106", "0"),
        # Nothing explains it: what it is short of is discount, what it has too much belongs to nothing.
        ({"amount": "70", "discount_amount": "10"}, "70", "30"),
        ({"amount": "115"}, "100", "0"),
        # Free shipping is a discount that the lines cannot bear.
        ({"amount": "0", "shipping_amount": "30", "discount_amount": "130"}, "0", "100"),
        ({"amount": "-5"}, "0", "100"),
    ],
)  # fmt: skip
def test_what_was_paid_is_read_out_of_the_order(fields: dict[str, str], total: str, discount: str) -> None:
    order = read_back(make_order(None, Line(price="100.00")))
    for name, value in fields.items():
        setattr(order, name, Decimal(value))

    paid = gather_paid(order, get_items(order))

    assert (compute_total(paid), paid.discount_amount) == (Decimal(total), Decimal(discount))


@pytest.mark.parametrize("amount", ["15.00", 15, "much", None, "-1", "1e40", [], "NaN"])
def test_a_gift_box_that_the_shop_prices_comes_back_and_nonsense_counts_as_nothing(amount: Any) -> None:
    details = {"extra_field": {"gift_box_amount": amount}}
    order = read_back(make_order(None, Line(price="100.00"), details=details))

    paid = gather_paid(order, get_items(order))

    assert paid.gift_box_amount == (15 if amount in ("15.00", 15) else 0)


def test_tax_that_is_not_in_the_prices_comes_on_top() -> None:
    details = {"extra_field": {"is_tax_included": False}}
    order = read_back(make_order(None, Line(price="100.00"), details=details))
    order.amount = Decimal(120)

    assert compute_total(gather_paid(order, get_items(order))) == 120


# --- the quote ---------------------------------------------------------------------------------------------


def test_a_quote_tells_what_would_come_back_and_writes_nothing() -> None:
    shop = make_shop(discount_amount="10", shipping_amount="29.90")
    first, second = shop.items

    document = quote_cancellation(shop.command()).write_document()

    expires = document.pop("expires")
    assert document.pop("quote").count(":") == 2
    assert document == {
        "lines": [
            {
                "order_item": first.pk,
                "quantity": 1,
                "eligible": True,
                "codes": [],
                "item_amount": "60.00",
                "discount_share": "6.00",
                "interest_share": "0.00",
                "tax_included": "9.00",
                "refund_amount": "54.00",
            },
            {
                "order_item": second.pk,
                "quantity": 1,
                "eligible": True,
                "codes": [],
                "item_amount": "40.00",
                "discount_share": "4.00",
                "interest_share": "0.00",
                "tax_included": "6.00",
                "refund_amount": "36.00",
            },
        ],
        "shipping_refund": "29.90",
        "gift_box_refund": "0.00",
        "fees": "0.00",
        "loyalty": {"returned": "0.00", "credited": "0.00", "clawed_back": "0.00"},
        "total": "119.90",
        "destination": "payment_method",
        "way": "direct",
        "order_version": 1,
    }
    assert expires > (timezone.now() + timedelta(minutes=29)).strftime("%Y-%m-%dT%H:%M")
    assert_nothing_happened(shop)


def test_what_the_rules_refuse_is_told_in_its_line() -> None:
    shop = make_shop(Line(price="60.00"), Line(price="40.00", status="500"), Line(price="5", quantity=2))
    first, second, third = shop.items
    command = make_command(
        shop.order,
        ask(first, shop.cancel_reason),
        ask(second, shop.cancel_reason),
        ask(third, shop.cancel_reason, quantity=1),
    )

    document = quote_cancellation(command).write_document()

    assert [(line["eligible"], line["codes"], line["refund_amount"]) for line in document["lines"]] == [
        (True, [], "60.00"),
        (False, ["status_not_allowed"], "0.00"),
        (True, ["partial_line"], "5.00"),
    ]
    assert (document["total"], document["way"]) == ("65.00", "review")


def test_input_that_makes_no_sense_is_an_error_as_for_the_cancellation() -> None:
    shop, stranger = make_shop(), make_shop()
    command = make_command(shop.order, ask(stranger.items[0], shop.cancel_reason))

    with pytest.raises(InputInvalid):
        quote_cancellation(command)


def test_a_foreign_order_is_not_found() -> None:
    shop = make_shop()

    with pytest.raises(OrderNotFound):
        quote_cancellation(shop.command(user=make_customer()))


def test_units_that_are_being_cancelled_count_as_gone() -> None:
    shop = make_shop(shipping_amount="29.90")

    assert quote_cancellation(shop.command(1)).quote.shipping_refund == 0
    cancel_items(shop.command(0), shop.fake)

    assert quote_cancellation(shop.command(1)).quote.shipping_refund == Decimal("29.90")


def test_a_quote_costs_the_same_queries_for_any_number_of_lines(
    django_assert_max_num_queries: Any,
) -> None:
    shop = make_shop(*(Line(quantity=2) for _ in range(12)))
    command = shop.command()

    with django_assert_max_num_queries(4) as captured:
        quote_cancellation(command)

    assert isinstance(captured, CaptureQueriesContext)
    # Order, items, policy, reasons.
    assert len(captured) == 4


# --- binding -----------------------------------------------------------------------------------------------


def quoted(shop: Shop, *positions: int, **fields: Any) -> CancellationCommand:
    """Quote, and make the command that brings the quote back."""
    command = shop.command(*positions, **fields)
    return replace(command, quote=quote_cancellation(command).token)


def test_a_quote_that_still_holds_is_taken_and_kept() -> None:
    shop = make_shop(discount_amount="10", shipping_amount="29.90")

    answer = cancel_items(quoted(shop), shop.fake)

    assert answer.status == 204
    quote = RefundQuote.objects.get()
    assert (quote.is_binding, quote.order_version, quote.way) == (True, 1, "direct")
    assert (quote.total_amount, quote.shipping_refund_amount) == (Decimal("119.90"), Decimal("29.90"))
    assert list(quote.lines.values_list("refund_amount", "discount_share")) == [(54, 6), (36, 4)]
    assert shop.fake.posts[0].body["is_cargo_refund"] is True
    assert shop.fake.posts[0].body["forced_refund_amount"] is None


def test_a_submission_without_a_quote_keeps_one_all_the_same() -> None:
    shop = make_shop(shipping_amount="29.90")

    cancel_items(shop.command(0), shop.fake)

    quote = RefundQuote.objects.get()
    assert (quote.is_binding, quote.total_amount) == (False, 60)
    assert shop.fake.posts[0].body["is_cargo_refund"] is False


@pytest.mark.parametrize("change", ["version", "expiry", "asks", "points", "policy"])
def test_a_quote_that_no_longer_holds_is_answered_with_a_fresh_one_and_nothing_else(
    change: str, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    shop = make_shop(shipping_amount="29.90")
    command = quoted(shop)
    if change == "version":
        Order.objects.update(version=2)
    elif change == "expiry":
        later = get_now() + timedelta(minutes=30, seconds=1)
        monkeypatch.setattr("aftercart.actions.cancel.read_case.get_now", lambda: later)
    elif change == "asks":
        command = replace(command, items=command.items[:1])
    elif change == "points":
        command = replace(command, fully_refund_as_loyalty_money=True)
    else:
        settings.REVIEW_ABOVE_AMOUNT = Decimal(50)

    with pytest.raises(QuoteStale) as caught:
        cancel_items(command, shop.fake)

    body = caught.value.body()
    assert (caught.value.status, body["code"]) == (409, "quote_stale")
    assert body["total"] == ("60.00" if change == "asks" else "129.90")
    assert_nothing_happened(shop, version=2 if change == "version" else 1)

    if change != "expiry":
        assert cancel_items(replace(command, quote=body["quote"]), shop.fake).status in {200, 204}


@pytest.mark.parametrize("whose", ["forged", "another order's", "another customer's"])
def test_a_quote_of_something_else_is_an_input_error(whose: str) -> None:
    shop = make_shop()
    other = make_shop()
    if whose == "another order's":
        other.order.user = shop.user
        other.order.save(update_fields=["user"])
    token = "eyJ1c2VyIjoxfQ:1vw9Gq:AAAA" if whose == "forged" else quoted(other).quote

    with pytest.raises(InputInvalid) as caught:
        cancel_items(replace(shop.command(), quote=token), shop.fake)

    assert caught.value.body() == {
        "quote": ["This quote does not belong to this order."],
        "code": "quote_invalid",
    }
    assert_nothing_happened(shop)


def test_a_replay_of_a_bound_cancellation_gets_its_first_answer() -> None:
    shop = make_shop()
    command = quoted(shop)
    cancel_items(command, shop.fake)

    again = cancel_items(command, shop.fake)

    assert (again.status, again.is_replay) == (204, True)
    assert shop.count_posts() == 1


def test_what_the_rules_refuse_is_refused_before_a_stale_quote_is() -> None:
    shop = make_shop()
    command = quoted(shop)
    OrderItem.objects.update(status="500")
    Order.objects.update(version=2)

    with pytest.raises(CancellationRefused):
        cancel_items(command, shop.fake)


def test_a_withdrawal_takes_the_delivery_along_though_a_part_of_the_order_was_shipped() -> None:
    shop = make_shop(Line("400"), Line("550"), shipping_amount="29.90")
    caller = make_caller(shop.user)

    withdraw_order(WithdrawalCommand(caller, shop.order.number, "Ayşe Yılmaz", shop.user.email), shop.fake)

    quotes = RefundQuote.objects.order_by("pk").values_list("total_amount", "shipping_refund_amount")
    assert list(quotes) == [(100, 0), (Decimal("129.90"), Decimal("29.90"))]
