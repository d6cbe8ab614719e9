"""What becomes of quoted units and amounts: reserved, then booked, and where Omnitron tells another, its word."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from aftercart.actions.cancel import price_lines as pricing
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.quote_cancellation import quote_cancellation
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.commands import CancellationCommand
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.reject_request import reject_request
from aftercart.actions.sync.reconcile_orders import list_orders_to_reconcile, reconcile_order
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import CancellationRequest, Difference, RefundQuote, RefundQuoteLine
from aftercart.lib.clock import get_now
from aftercart.orders.models import DiscountItem, Order, TimelineEntry
from aftercart.orders.quotes import RefundTerms
from tests.db.test_quotes import make_shop, read_back
from tests.shop import Line, Shop, ask, make_command

pytestmark = pytest.mark.django_db


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


UNREPORTED = "unreported"


def complete(shop: Shop, command: CancellationCommand, reported: str | None = None) -> None:
    """Cancel, and let Omnitron approve it, reporting this refund of each item (None: the price)."""
    cancel_items(command, shop.fake)
    for pk in shop.fake.posts[-1].body["cancel_items"]:
        shop.fake.decide_items("approve", pk)
        record = shop.fake.backoffice.items[pk]
        if reported is not None:
            amount = None if reported == UNREPORTED else Decimal(reported)
            record.remote = replace(record.remote, refund_amount=amount)
            shop.fake.backoffice.refresh(record.remote.order_pk)
    sync_order(shop.order.pk, shop.fake)
    shop.order.refresh_from_db()


def list_differences() -> set[tuple[Any, ...]]:
    return set(Difference.objects.filter(resolved_at=None).values_list("item", "what", "ours", "theirs"))


def get_refunds(shop: Shop) -> tuple[Any, ...]:
    order = shop.order
    return order.refund_amount, order.discount_refund_amount, order.shipping_refund_amount


def test_what_was_quoted_is_booked_while_omnitron_reports_no_amount() -> None:
    shop = make_shop(discount_amount="10", shipping_amount="29.90")
    for amount in (7, 3):
        DiscountItem.objects.create(order=shop.order, name="Autumn", amount=amount)

    complete(shop, shop.command(0), reported=UNREPORTED)
    assert get_refunds(shop) == (54, 6, 0)
    assert list(DiscountItem.objects.values_list("cancel_amount", flat=True)) == [
        Decimal("4.20"),
        Decimal("1.80"),
    ]
    complete(shop, shop.command(1), reported=UNREPORTED)

    assert get_refunds(shop) == (Decimal("119.90"), 10, Decimal("29.90"))
    assert [item.refund_amount for item in shop.items] == [54, 36]
    assert list(DiscountItem.objects.values_list("cancel_amount", flat=True)) == [7, 3]
    assert RefundQuote.objects.filter(rest_booked_at=None).count() == 0
    assert Difference.objects.count() == 0
    reported = TimelineEntry.objects.filter(event="cancellation_completed").values_list(
        "data__refund_amount", flat=True
    )
    assert list(reported) == ["54.00", "65.90"]


def test_another_amount_of_omnitrons_is_booked_and_kept_as_a_difference() -> None:
    shop = make_shop(discount_amount="10")

    complete(shop, shop.command(0), reported="50")

    assert shop.items[0].refund_amount == 50
    assert shop.order.refund_amount == 50
    expected = {
        (shop.items[0].pk, "refund_amount", "54.00", "50.00"),
        (None, "refund_amount", "54.00", "50.00"),
    }
    assert list_differences() == expected
    # The daily comparison finds the same, and does not take what is booked for what was quoted.
    reconcile_order(shop.order.pk, shop.fake)
    assert list_differences() == expected


def test_a_refund_that_omnitron_corrects_later_is_taken_over_and_settles_the_difference() -> None:
    shop = make_shop(discount_amount="10")
    complete(shop, shop.command(0), reported="50")
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
    def find_terms(_case: Any, requested: Any) -> dict[int, RefundTerms]:
        return {each.order_item: RefundTerms(fee_percent=Decimal(10)) for each in requested}

    monkeypatch.setattr(pricing, "_find_terms", find_terms)
    shop = make_shop()

    complete(shop, shop.command(0), reported="54")

    assert shop.fake.posts[0].body["forced_refund_amount"] == "54.00"
    assert (shop.items[0].refund_amount, shop.order.refund_amount) == (54, 54)
    assert Difference.objects.count() == 0


# --- every amount that is reported -------------------------------------------------------------------------


def report(shop: Shop, **amounts: str) -> None:
    """Have Omnitron report these amounts of the order."""
    [record] = shop.fake.backoffice.orders.values()
    reported: dict[str, Any] = {name: Decimal(value) for name, value in amounts.items()}
    record.remote = replace(record.remote, **reported)
    record.is_changed = True


def test_zero_is_an_amount_and_none_is_not() -> None:
    shop = make_shop(discount_amount="10")

    complete(shop, shop.command(0), reported="0")

    assert (shop.items[0].refund_amount, shop.order.refund_amount) == (0, 0)
    assert list_differences() == {
        (shop.items[0].pk, "refund_amount", "54.00", "0.00"),
        (None, "refund_amount", "54.00", "0.00"),
    }
    quoted = RefundQuoteLine.objects.get()
    assert (quoted.booked_amount, quoted.reported_amount) == (Decimal(0), Decimal(0))
    assert not quoted.is_refunded
    assert quoted.given_amount == 54  # it is still to come


SHIPPING, TOTAL, ABOVE = "shipping_refund_amount", "refund_amount", "refund_above_paid"


@pytest.mark.parametrize(
    ("total", "shipping", "booked", "differences"),
    [
        # Without the delivery, of which it says zero; too much, in two ways; nothing; as quoted; told apart.
        ("100", "0", 100, {(SHIPPING, "10.00", "0.00"), (TOTAL, "110.00", "100.00")}),
        (
            "125",
            "25",
            125,
            {(SHIPPING, "10.00", "25.00"), (TOTAL, "110.00", "125.00"), (ABOVE, "110.00", "125.00")},
        ),
        ("125", "10", 125, {(TOTAL, "110.00", "125.00"), (ABOVE, "110.00", "125.00")}),
        ("0", "0", 0, {(SHIPPING, "10.00", "0.00"), (TOTAL, "110.00", "0.00")}),
        ("110", "10", 110, set()),
        ("100", "10", 110, set()),
    ],
)
@pytest.mark.parametrize("is_late", [False, True])
def test_whatever_omnitron_reports_of_an_order_is_shown_and_what_differs_is_told_at_once(
    total: str, shipping: str, booked: int, differences: set[tuple[str, str, str]], *, is_late: bool
) -> None:
    shop = make_shop(Line(price="100.00"), shipping_amount="10")
    cancel_items(shop.command(0), shop.fake)
    shop.fake.decide_items("approve", shop.fake.posts[0].body["cancel_items"][0])
    if is_late:  # the order is closed by then
        sync_order(shop.order.pk, shop.fake)
        assert read_back(shop.order).refund_amount == 110
        assert list_differences() == set()
    report(shop, refund_amount=total, shipping_refund_amount=shipping)

    sync_order(shop.order.pk, shop.fake)

    order = read_back(shop.order)
    assert (order.status, order.refund_amount) == ("100", booked)
    assert {difference[1:] for difference in list_differences()} == differences
    assert {difference[0] for difference in list_differences()} <= {None}
    report(shop, refund_amount="110", shipping_refund_amount="10")
    sync_order(shop.order.pk, shop.fake)
    assert (read_back(shop.order).refund_amount, list_differences()) == (110, set())


def test_a_discount_that_is_reported_otherwise_is_a_difference() -> None:
    shop = make_shop(discount_amount="10")
    complete(shop, shop.command(0))
    report(shop, discount_refund_amount="0")

    sync_order(shop.order.pk, shop.fake)

    assert read_back(shop.order).discount_refund_amount == 0
    assert (None, "discount_refund_amount", "6.00", "0.00") in list_differences()


def test_lately_closed_orders_are_reconciled_and_older_ones_are_at_rest() -> None:
    shop = make_shop(Line(price="100.00"), shipping_amount="10")
    complete(shop, shop.command(0))
    assert list(list_orders_to_reconcile()) == [shop.order.pk]

    Order.objects.update(modified_date=get_now() - timedelta(days=15))

    assert list(list_orders_to_reconcile()) == []


def test_a_delivery_that_rests_on_another_cancellation_is_booked_when_that_is_done() -> None:
    shop = make_shop(Line(price="50.00"), Line(price="20.00"), shipping_amount="29.90")
    cancel_items(shop.command(0), shop.fake)
    cancel_items(shop.command(1), shop.fake)
    first, second = (post.body["cancel_items"][0] for post in shop.fake.posts)
    assert [row.shipping_refund_amount for row in RefundQuote.objects.order_by("pk")] == [0, Decimal("29.90")]

    shop.fake.decide_items("approve", second)
    report(shop, shipping_refund_amount="0")
    sync_order(shop.order.pk, shop.fake)
    assert get_refunds(read(shop)) == (20, 0, 0)
    assert list_differences() == set()

    shop.fake.decide_items("approve", first)
    report(shop, shipping_refund_amount="29.90", refund_amount="99.90")
    sync_order(shop.order.pk, shop.fake)
    assert get_refunds(read(shop)) == (Decimal("99.90"), 0, Decimal("29.90"))
    assert list_differences() == set()


def test_a_delivery_whose_other_cancellation_is_declined_is_not_booked_and_quoted_again() -> None:
    shop = make_shop(Line(price="50.00"), Line(price="20.00"), shipping_amount="29.90")
    cancel_items(shop.command(0), shop.fake)
    cancel_items(shop.command(1), shop.fake)
    first, second = (post.body["cancel_items"][0] for post in shop.fake.posts)
    shop.fake.decide_items("approve", second)
    sync_order(shop.order.pk, shop.fake)
    shop.fake.decide_items("reject", first)
    sync_order(shop.order.pk, shop.fake)
    assert get_refunds(read(shop)) == (20, 0, 0)

    assert quote_cancellation(shop.command(0)).quote.shipping_refund == Decimal("29.90")
    complete(shop, shop.command(0))

    # Both had quoted it; it comes back once.
    assert get_refunds(shop) == (Decimal("99.90"), 0, Decimal("29.90"))
    assert RefundQuote.objects.filter(rest_booked_at=None).count() == 1  # of what was declined
    assert list_differences() == set()


def test_a_discount_above_the_goods_never_lets_more_come_back_unseen() -> None:
    shop = make_shop(Line(price="100.00"), shipping_amount="30")
    Order.objects.update(discount_amount=130, amount=0)
    cancel_items(shop.command(0), shop.fake)
    [pk] = shop.fake.posts[0].body["cancel_items"]
    shop.fake.decide_items("approve", pk)
    record = shop.fake.backoffice.items[pk]
    record.remote = replace(record.remote, refund_amount=Decimal(0))
    report(shop, refund_amount="30", shipping_refund_amount="30", discount_refund_amount="100")

    sync_order(shop.order.pk, shop.fake)

    assert read_back(shop.order).refund_amount == 30
    assert {difference[1:] for difference in list_differences()} == {
        ("refund_amount", "0.00", "30.00"),
        ("shipping_refund_amount", "0.00", "30.00"),
        ("refund_above_paid", "0.00", "30.00"),
    }


def read(shop: Shop) -> Shop:
    shop.order.refresh_from_db()
    return shop
