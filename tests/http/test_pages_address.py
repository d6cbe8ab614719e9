"""Sending an order to another address."""

from collections.abc import Iterator
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from aftercart.accounts.models import Address
from aftercart.cancellations.models import AddressChange
from aftercart.oms.connect import replace_client
from aftercart.oms.errors import NotSent, Refused
from aftercart.orders.models import Order
from tests.browser.fixtures import list_products, make_address, make_customer, make_omnitron, make_order
from tests.fake_omnitron import FakeOmnitron

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/orders/change-address/"


@pytest.fixture
def order(client: Client) -> Order:
    user = make_customer()
    make_address(user, primary=True)
    client.force_login(user)
    return make_order(user, list_products("400", "400"))


@pytest.fixture
def work(order: Order) -> Address:
    assert order.user is not None
    return make_address(order.user, "Work", line="Büyükdere Caddesi 201")


@pytest.fixture
def fake(order: Order) -> Iterator[FakeOmnitron]:
    fake = make_omnitron(order)
    with replace_client(fake):
        yield fake


def read_key(page: bytes) -> str:
    field = BeautifulSoup(page, "html.parser").select_one("[name=idempotency_key]")
    assert field is not None
    return str(field["value"])


def send(client: Client, order: Order, address: Any, key: str = "") -> Any:
    key = key or read_key(client.get(f"{PATH}?order={order.pk}").content)
    return client.post(PATH, {"order": order.pk, "address": address, "idempotency_key": key})


def notice(client: Client, answer: Any) -> str:
    page = BeautifulSoup(client.get(answer["Location"]).content, "html.parser")
    return " ".join(tag.get_text(strip=True) for tag in page.select(".notice[role=status]"))


def complaints(answer: Any) -> list[str]:
    page = BeautifulSoup(answer.content, "html.parser")
    return [line.get_text(strip=True) for line in page.select(".summary li, .field .wrong")]


def test_the_caller_chooses_from_the_own_addresses(client: Client, order: Order, work: Address) -> None:
    make_address(make_customer("other@example.com"), "Secret place")
    page = BeautifulSoup(client.get(f"{PATH}?order={order.pk}").content, "html.parser")
    assert [option.strong.get_text() for option in page.select(".option") if option.strong] == [
        "Home",
        "Work",
    ]
    assert page.select_one(f"input[type=radio][value='{work.pk}']") is not None


def test_an_address_that_omnitron_takes_is_shown_at_once(
    client: Client, order: Order, work: Address, fake: FakeOmnitron
) -> None:
    answer = send(client, order, work.pk)
    assert answer.status_code == 303
    assert notice(client, answer) == "Your order now goes to the new address."
    order.refresh_from_db()
    assert order.shipping_address is not None
    assert order.shipping_address["line"] == work.line
    assert [post.call for post in fake.posts] == ["change_address"]


def test_a_silent_omnitron_is_told_as_it_is(
    client: Client, order: Order, work: Address, fake: FakeOmnitron
) -> None:
    fake.fail("change_address", NotSent)
    answer = send(client, order, work.pk)
    assert answer.status_code == 303
    assert notice(client, answer).startswith("We have noted the new address and are passing it on.")
    order.refresh_from_db()
    assert order.shipping_address is not None
    assert order.shipping_address["title"] == "Home"


def test_a_refusal_is_told_with_its_reason(
    client: Client, order: Order, work: Address, fake: FakeOmnitron
) -> None:
    fake.fail("change_address", Refused)
    answer = send(client, order, work.pk)
    assert answer.status_code == 400
    assert complaints(answer) == ["Refused."]


def test_what_is_too_late_has_no_form(
    client: Client, order: Order, work: Address, fake: FakeOmnitron
) -> None:
    key = read_key(client.get(f"{PATH}?order={order.pk}").content)
    order.items.update(status="500")
    page = client.get(f"{PATH}?order={order.pk}").content.decode()
    assert "too late to change this order" in page
    assert "<fieldset" not in page
    answer = send(client, order, work.pk, key)
    assert answer.status_code == 400
    assert complaints(answer) == ["It is too late to change this order's address."]
    assert AddressChange.objects.count() == 0
    assert fake.posts == []


def test_a_choice_is_needed_and_only_the_own_addresses_are_one(
    client: Client, order: Order, work: Address, fake: FakeOmnitron
) -> None:
    foreign = make_address(make_customer("other@example.com"), "Secret place")
    assert "Please choose an address." in complaints(send(client, order, ""))
    for address in (foreign.pk, "x", 10**30):
        answer = send(client, order, address)
        assert answer.status_code == 400
        assert "Secret place" not in answer.content.decode()
    assert AddressChange.objects.count() == 0
    assert fake.posts == []
    assert work.pk


def test_a_double_click_changes_once(client: Client, order: Order, work: Address, fake: FakeOmnitron) -> None:
    key = read_key(client.get(f"{PATH}?order={order.pk}").content)
    assert [send(client, order, work.pk, key).status_code for _ in range(2)] == [303, 303]
    assert len(fake.posts) == 1
    home = Address.objects.get(title="Home", user=order.user)
    assert send(client, order, home.pk, key).status_code == 409
    assert len(fake.posts) == 1


@pytest.mark.parametrize("typed", ["", "x", "-1", "0", "²", "9" * 60])
def test_an_order_that_does_not_exist_is_not_found(client: Client, order: Order, typed: str) -> None:
    assert client.get(PATH, {"order": typed}).status_code == 404
    assert client.post(PATH, {"order": typed}).status_code == 404
    assert order.pk


def test_a_foreign_order_is_not_found(
    client: Client, order: Order, work: Address, fake: FakeOmnitron
) -> None:
    key = read_key(client.get(f"{PATH}?order={order.pk}").content)
    client.force_login(make_customer("other@example.com"))
    assert client.get(f"{PATH}?order={order.pk}").status_code == 404
    assert send(client, order, work.pk, key).status_code == 404
    assert fake.posts == []


def test_an_empty_address_book_is_told(client: Client, order: Order) -> None:
    Address.objects.all().delete()
    page = client.get(f"{PATH}?order={order.pk}").content.decode()
    assert "Your address book is empty." in page
