"""What an order's page says of where it is: dates, the newest event, and requests that are open, all of one mind."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.orders.models import Order, OrderItem
from tests.http.browser import Browser
from tests.http.forms import read
from tests.shop import Line, Shop, ask, make_command

pytestmark = pytest.mark.django_db

SHIPPED_AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DELIVERED_AT = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)


def log_in(shop: Shop) -> Client:
    client = Browser()
    client.force_login(shop.user, backend="aftercart.accounts.backends.GuardedBackend")
    return client


def read_order(client: Client, order: Order) -> list[str]:
    page = read(client.get(f"/users/orders/{order.pk}/"))
    found = [page.select_one(name) for name in ("h1", ".lead", ".latest span:not(.dot)")]
    return [" ".join(each.get_text(" ").split()) for each in found if each]


def test_the_newest_event_of_a_delivered_order_is_its_delivery() -> None:
    shop = Shop([Line("550"), Line("550")], order_fields={"status": "550"})
    Order.objects.update(created_date=SHIPPED_AT - timedelta(days=1))
    OrderItem.objects.update(shipped_at=SHIPPED_AT, delivered_at=DELIVERED_AT)

    headline, lead, latest = read_order(log_in(shop), shop.order)

    assert headline == "Your order has been delivered"
    assert lead.startswith("Delivered on Wednesday, 25 November.")
    assert latest == "Your order was delivered. 25 November 2026, 15:30"
    page = read(log_in(shop).get(f"/users/orders/{shop.order.pk}/"))
    assert [line.get_text() for line in page.select(".story li p:first-child")] == [
        "You placed the order.",
        "Your order was handed to the carrier.",
        "Your order was delivered.",
    ]


def test_what_has_been_delivered_says_until_when_it_can_be_returned() -> None:
    shop = Shop([Line("550")], order_fields={"status": "550"})
    delivered_at = timezone.now() - timedelta(days=2)
    OrderItem.objects.update(shipped_at=delivered_at, delivered_at=delivered_at)

    _headline, lead, _latest = read_order(log_in(shop), shop.order)

    assert "You can return items until " in lead


def test_the_expected_day_stays_while_the_parcel_is_on_its_way() -> None:
    shop = Shop([Line("500")], order_fields={"status": "500"})
    OrderItem.objects.update(shipped_at=SHIPPED_AT, details={"estimated_delivery_date": "2026-11-27"})

    _headline, lead, latest = read_order(log_in(shop), shop.order)

    assert lead == "Handed to the carrier on Monday, 23 November. Expected by Friday, 27 November."
    assert latest.startswith("Your order was handed to the carrier.")


def test_an_open_request_stands_beside_the_orders_status_on_its_page_and_in_the_list() -> None:
    shop = Shop([Line("550")], order_fields={"status": "550"})
    request_cancellation(make_command(shop.order, ask(shop.items[0], shop.refund_reason)))
    client = log_in(shop)

    page = read(client.get(f"/users/orders/{shop.order.pk}/"))
    assert [badge.get_text() for badge in page.select(".hero .badge")] == ["Return in progress"]
    listed = read(client.get("/users/orders/"))
    assert [badge.get_text() for badge in listed.select(".chips .badge")] == ["Delivered", "Return requested"]


def test_an_order_is_found_by_what_is_in_it() -> None:
    shop = Shop([Line()])
    client = log_in(shop)
    assert len(read(client.get("/users/orders/?search=shirt")).select(".card")) == 1
    assert read(client.get("/users/orders/?search=trousers")).select(".card") == []


def test_sixty_items_are_folded_after_five() -> None:
    shop = Shop([Line() for _ in range(60)])
    page = read(log_in(shop).get(f"/users/orders/{shop.order.pk}/"))
    assert [
        len(page.select(f"[data-region=items] {where}")) for where in ("> section > .items > li", ".more li")
    ] == [
        5,
        55,
    ]
    form = read(log_in(shop).get(f"/orders/{shop.order.number}/cancel/"))
    assert (len(form.select(".choice")), len(form.select(".more .choice"))) == (60, 55)


def test_every_part_of_a_living_page_is_a_region() -> None:
    shop = Shop([Line()])
    page = read(log_in(shop).get(f"/users/orders/{shop.order.pk}/"))
    outside = [
        section.get("aria-labelledby")
        for section in page.select("[data-live] section")
        if section.find_parent(attrs={"data-region": True}) is None
    ]
    assert outside == ["headline"]
    heading = page.select_one("#headline")
    assert heading is not None
    assert heading.find_parent(attrs={"data-region": True}) is not None


def test_how_to_reach_the_shop_and_its_terms_stand_on_every_page(settings: object) -> None:
    shop = Shop([Line()])
    for name, value in {
        "CONTACT_EMAIL": "Shop <help@example.com>",
        "CONTACT_PHONE": "+90 212 555 00 00",
        "TERMS_URL": "https://shop.example.com/terms",
    }.items():
        setattr(settings, name, value)
    client = log_in(shop)

    page = read(client.get(f"/users/orders/{shop.order.pk}/"))

    links = [str(link["href"]) for link in page.select("footer .ways a, footer .legal a")]
    assert links == [
        f"mailto:help@example.com?subject=Order%20{shop.order.number}",
        "tel:+902125550000",
        "https://shop.example.com/terms",
        "/withdraw/",
    ]
    lost = read(client.get("/nowhere/"))
    assert next(str(link["href"]) for link in lost.select("footer .ways a")) == "mailto:help@example.com"
    assert lost.select_one("main a[href='/orders/guest/']") is not None
