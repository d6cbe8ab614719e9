"""What becomes of quoted units and amounts: reserved, then booked, and where Omnitron tells another, its word."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from aftercart.actions import price_lines as pricing
from aftercart.actions.cancel_items import cancel_items
from aftercart.actions.commands import CancellationCommand
from aftercart.actions.deliver_request import deliver_request
from aftercart.actions.reconcile_orders import reconcile_order
from aftercart.actions.reject_request import reject_request
from aftercart.actions.request_cancellation import request_cancellation
from aftercart.actions.sync_order import sync_order
from aftercart.cancellations.models import CancellationRequest, Difference, RefundQuote
from aftercart.orders.models import DiscountItem, TimelineEntry
from aftercart.orders.quotes import Terms
from tests.db.test_quotes import make_shop
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
