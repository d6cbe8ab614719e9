"""Points over HTTP: the balance, the ledger, the customer's page."""

import re
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from aftercart.accounts.models import User
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.models import Order
from tests.http.conftest import Api
from tests.shop import Shop, make_customer

pytestmark = pytest.mark.django_db


def add(
    user: User, kind: str, amount: str, *, currency: str = "TRY", order: Order | None = None
) -> LoyaltyEntry:
    return LoyaltyEntry.objects.create(
        user=user, kind=kind, amount=Decimal(amount), currency=currency, order=order
    )


def test_the_balance_is_the_callers_own_of_one_currency(api: Api, shop: Shop, settings: Settings) -> None:
    add(shop.user, "earned", "50.00")
    add(shop.user, "spent", "-12.50")
    add(shop.user, "earned", "3.00", currency="EUR")
    add(make_customer(), "earned", "900.00")
    api.log_in(shop.user)

    answer = api.get("/account/loyalty-account-balance/")
    assert (answer.status_code, answer.json()) == (200, {"balance": "37.50"})
    assert api.get("/account/loyalty-account-balance/?currency=eur").json() == {"balance": "3.00"}
    assert api.get("/account/loyalty-account-balance/?currency=JPY").json() == {"balance": "0.00"}
    settings.LOYALTY_CURRENCY = "EUR"
    assert api.get("/account/loyalty-account-balance/").json() == {"balance": "3.00"}


@pytest.mark.parametrize("path", ["/account/loyalty-account-balance/", "/account/loyalty/"])
def test_who_is_not_logged_in_gets_401_and_nonsense_400(api: Api, shop: Shop, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.json()["detail"]) == (
        401,
        "Authentication credentials were not provided.",
    )
    api.log_in(shop.user)
    assert api.get(f"{path}?currency=liras").status_code == 400
    assert api.get(f"{path}?currency=%00%00%00").status_code == 400
    assert api.post(path, {}).status_code == 405


def test_the_ledger_is_the_callers_newest_first_in_pages(api: Api, shop: Shop) -> None:
    first = add(shop.user, "earned", "50.00", order=shop.order)
    second = add(shop.user, "spent", "-12.50")
    third = add(shop.user, "earned", "3.00", currency="EUR")
    add(make_customer(), "earned", "900.00")
    api.log_in(shop.user)

    body = api.get("/account/loyalty/?limit=2").json()
    assert (body["count"], body["previous"]) == (3, None)
    assert body["next"] == "http://testserver/account/loyalty/?limit=2&page=2"
    assert [row["id"] for row in body["results"]] == [third.pk, second.pk]
    last = api.get("/account/loyalty/?limit=2&page=2").json()["results"]
    assert last == [
        {
            "id": first.pk,
            "kind": {"value": "earned", "label": "Earned"},
            "amount": "50.00",
            "currency": "TRY",
            "order": shop.order.pk,
            "order_number": shop.order.number,
            "created_date": last[0]["created_date"],
            "transaction": {"created_date": last[0]["created_date"], "order": shop.order.number},
        }
    ]
    assert [row["id"] for row in api.get("/account/loyalty/?currency=eur").json()["results"]] == [third.pk]
    assert api.get("/account/loyalty/?page=9").status_code == 404


@pytest.mark.parametrize("count", [1, 12])
def test_the_number_of_queries_does_not_depend_on_the_number_of_entries(
    api: Api, shop: Shop, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for _ in range(count):
        add(shop.user, "earned", "50.00", order=shop.order)
    api.log_in(shop.user)

    # The session with its user, count, entries with their orders.
    with django_assert_num_queries(3):
        assert api.get("/account/loyalty/").status_code == 200
    with django_assert_num_queries(2):
        assert api.get("/account/loyalty-account-balance/").status_code == 200


def test_an_orders_document_tells_its_entries_or_else_what_the_shop_sent(api: Api, shop: Shop) -> None:
    Order.objects.update(details={"loyaltytransaction_set": [{"pk": 1, "odd": True}]})
    api.log_in(shop.user)
    path = f"/users/orders/{shop.order.pk}/"
    assert api.get(path).json()["loyaltytransaction_set"] == [{"pk": 1, "odd": True}]

    entry = add(shop.user, "spent", "-12.50", order=shop.order)

    shown = api.get(path).json()["loyaltytransaction_set"]
    assert shown == [
        {
            "pk": entry.pk,
            "order": shop.order.pk,
            "transaction_type": {"value": "spent", "label": "Spent"},
            "amount": "-12.50",
            "reference": None,
            "created_date": shown[0]["created_date"],
        }
    ]


def text_of(html: bytes) -> str:
    return re.sub(r"\s+", " ", BeautifulSoup(html.decode(), "html.parser").get_text(" "))


def test_the_page_shows_balance_and_ledger_to_who_has_points(client: Client, shop: Shop) -> None:
    client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    assert "My points" not in text_of(client.get("/users/orders/").content)
    assert "You have no points yet." in text_of(client.get("/account/points/").content)

    add(shop.user, "earned", "50.00", order=shop.order)
    add(shop.user, "spent", "-1250.00")
    add(make_customer(), "earned", "777.00")

    page = client.get("/account/points/")
    text = text_of(page.content)
    assert page.status_code == 200
    minus = "\N{MINUS SIGN}"
    for words in (
        f"{minus}TRY 1,200.00",
        "Spent",
        f"{minus}TRY 1,250.00",
        "TRY 50.00",
        f"Order {shop.order.number}",
    ):
        assert words in text
    assert "777" not in text
    assert f'href="/users/orders/{shop.order.pk}/"' in page.content.decode()
    assert 'href="/account/points/"' in client.get("/users/orders/").content.decode()


def test_the_page_is_for_who_is_logged_in(client: Client) -> None:
    answer = client.get("/account/points/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/users/login/?next=/account/points/")
