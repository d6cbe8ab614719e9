"""Quotes: what they say of an order's rows, when they bind, and what is booked of them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from aftercart.actions import price_lines as pricing
from aftercart.actions.cancel_items import cancel_items
from aftercart.actions.commands import CancellationCommand
from aftercart.actions.deliver_request import deliver_request
from aftercart.actions.quote_cancellation import quote_cancellation
from aftercart.actions.reconcile_orders import reconcile_order
from aftercart.actions.reject_request import reject_request
from aftercart.actions.request_cancellation import request_cancellation
from aftercart.actions.sync_order import sync_order
from aftercart.cancellations.models import (
    CancellationRequest,
    Difference,
    RefundQuote,
    RefundQuoteLine,
    Submission,
    SubmissionLine,
)
from aftercart.orders.errors import CancellationRefused, InputInvalid, OrderNotFound, QuoteStale
from aftercart.orders.models import DiscountItem, IdempotencyRecord, Order, OrderItem, TimelineEntry
from aftercart.orders.paid import gather_paid
from aftercart.orders.quotes import Terms, compute_total
from aftercart.orders.selectors import get_now
from tests.shop import Line, Shop, ask, get_items, make_command, make_customer, make_order

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
        # Nothing explains it: the total is right.
        ({"amount": "70", "discount_amount": "10"}, "70", "30"),
        ({"amount": "115"}, "115", "0"),
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

    with django_assert_max_num_queries(8) as captured:
        quote_cancellation(command)

    assert isinstance(captured, CaptureQueriesContext)
    # Order, items, policy, reasons, companies, open lines, what was given, points.
    assert len(captured) == 8


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
        monkeypatch.setattr("aftercart.actions.price_lines.get_now", lambda: later)
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

    assert caught.value.body() == {"quote": ["This is not a quote of this order."], "code": "quote_invalid"}
    assert_nothing_happened(shop)


def test_a_repeat_of_a_bound_cancellation_gets_its_first_answer() -> None:
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


# --- units -------------------------------------------------------------------------------------------------


def get_units(shop: Shop) -> tuple[int, int]:
    item = shop.items[0]
    return item.cancelled_quantity, item.reserved_quantity


def ask_for(shop: Shop, quantity: int) -> CancellationRequest:
    command = make_command(shop.order, ask(shop.items[0], shop.cancel_reason, quantity=quantity))
    request_cancellation(command)
    return CancellationRequest.objects.latest("pk")


def test_units_are_reserved_until_the_request_is_decided() -> None:
    shop = make_shop(Line(quantity=5))
    request = ask_for(shop, 2)
    assert get_units(shop) == (0, 2)

    reject_request(request.pk, shop.user, "No.")
    assert get_units(shop) == (0, 0)

    request = ask_for(shop, 3)
    deliver_request(request.pk, shop.fake)
    request.refresh_from_db()
    shop.fake.decide_request("approve", request.remote_pks[0])
    sync_order(shop.order.pk, shop.fake)
    assert get_units(shop) == (3, 0)


# --- booking -----------------------------------------------------------------------------------------------


def complete(shop: Shop, command: CancellationCommand, told: str | None = None) -> None:
    """Cancel, and let Omnitron approve it, telling this refund of each item (None: the price)."""
    cancel_items(command, shop.fake)
    for pk in shop.fake.posts[-1].body["cancel_items"]:
        shop.fake.decide_items("approve", pk)
        record = shop.fake.backoffice.items[pk]
        if told is not None:
            record.remote = replace(record.remote, refund_amount=Decimal(told))
            shop.fake.backoffice.refresh(record.remote.order_pk)
    sync_order(shop.order.pk, shop.fake)
    shop.order.refresh_from_db()


def get_refunds(shop: Shop) -> tuple[Any, ...]:
    order = shop.order
    return order.refund_amount, order.discount_refund_amount, order.shipping_refund_amount


def test_what_was_quoted_is_booked_while_omnitron_tells_no_amount() -> None:
    shop = make_shop(discount_amount="10", shipping_amount="29.90")
    for amount in (7, 3):
        DiscountItem.objects.create(order=shop.order, name="Autumn", amount=amount)

    complete(shop, shop.command(0), told="0")
    assert get_refunds(shop) == (54, 6, 0)
    assert list(DiscountItem.objects.values_list("cancel_amount", flat=True)) == [
        Decimal("4.20"),
        Decimal("1.80"),
    ]
    complete(shop, shop.command(1), told="0")

    assert get_refunds(shop) == (Decimal("119.90"), 10, Decimal("29.90"))
    assert [item.refund_amount for item in shop.items] == [54, 36]
    assert list(DiscountItem.objects.values_list("cancel_amount", flat=True)) == [7, 3]
    assert RefundQuote.objects.filter(rest_booked_at=None).count() == 0
    assert Difference.objects.count() == 0
    told = TimelineEntry.objects.filter(event="cancellation_completed").values_list(
        "data__refund_amount", flat=True
    )
    assert list(told) == ["54.00", "65.90"]


def test_another_amount_of_omnitrons_is_booked_and_kept_as_a_difference() -> None:
    shop = make_shop(discount_amount="10")

    complete(shop, shop.command(0), told="50")

    assert shop.items[0].refund_amount == 50
    assert shop.order.refund_amount == 50
    [difference] = Difference.objects.all()
    assert (difference.item_id, difference.what) == (shop.items[0].pk, "refund_amount")
    assert (difference.ours, difference.theirs) == ("54.00", "50.00")
    # The daily comparison finds the same, and does not take what is booked for what was promised.
    reconcile_order(shop.order.pk, shop.fake)
    assert set(Difference.objects.filter(resolved_at=None).values_list("item", "ours", "theirs")) == {
        (shop.items[0].pk, "54.00", "50.00"),
        (None, "54.00", "50.00"),
    }


def test_a_refund_that_omnitron_corrects_later_is_taken_over_and_settles_the_difference() -> None:
    shop = make_shop(discount_amount="10")
    complete(shop, shop.command(0), told="50")
    pk = shop.fake.posts[0].body["cancel_items"][0]
    record = shop.fake.backoffice.items[pk]
    record.remote = replace(record.remote, refund_amount=Decimal(54))
    shop.fake.backoffice.refresh(record.remote.order_pk)

    reconcile_order(shop.order.pk, shop.fake)

    shop.order.refresh_from_db()
    assert (shop.items[0].refund_amount, shop.order.refund_amount) == (54, 54)
    assert Difference.objects.filter(resolved_at=None).count() == 0


def test_a_cancellation_that_we_did_not_send_is_taken_over_with_its_refund() -> None:
    shop = make_shop()
    [pk, _other] = [record.remote.pk for record in shop.fake.backoffice.items.values()]
    record = shop.fake.backoffice.items[pk]
    record.remote = replace(record.remote, status="100", refund_amount=Decimal(60))

    sync_order(shop.order.pk, shop.fake)

    shop.order.refresh_from_db()
    assert (shop.items[0].refund_amount, shop.order.refund_amount) == (60, 60)
    assert Difference.objects.count() == 0


def test_a_line_from_before_there_were_quotes_books_what_omnitron_tells() -> None:
    shop = make_shop()
    cancel_items(shop.command(0), shop.fake)
    RefundQuote.objects.all().delete()
    shop.fake.decide_items("approve", shop.fake.posts[0].body["cancel_items"][0])

    sync_order(shop.order.pk, shop.fake)

    shop.order.refresh_from_db()
    assert (shop.items[0].refund_amount, shop.order.refund_amount) == (60, 60)


def test_a_fee_is_forced_on_omnitron_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_terms(_policy: Any, _items: Any, lines: Any) -> dict[int, Terms]:
        return {line.order_item_id: Terms(fee_percent=Decimal(10)) for line in lines}

    monkeypatch.setattr(pricing, "_find_terms", find_terms)
    shop = make_shop()

    complete(shop, shop.command(0), told="54")

    assert shop.fake.posts[0].body["forced_refund_amount"] == "54.00"
    assert (shop.items[0].refund_amount, shop.order.refund_amount) == (54, 54)
    assert Difference.objects.count() == 0
