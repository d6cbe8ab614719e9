"""Asking a shop's backend, a real process, whose a session is: within a second, and left alone while it fails."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from aftercart.commerce.client import CommerceUnavailable, Configuration, HttpCommerce, ShopUser
from tests.remote.commerce_process import CommerceProcess, running_commerce

ADDRESS = {"pk": 5, "title": "Ev", "line": "Moda Caddesi 14"}
CUSTOMER: dict[str, Any] = {
    "pk": 77, "email": "ayse@example.com", "password": "demo-12345", "first_name": "Ayşe", "last_name": "Kaya",
    "addresses": [ADDRESS],
}  # fmt: skip


@pytest.fixture(scope="module")
def process() -> Iterator[CommerceProcess]:
    with running_commerce() as running:
        running.load(CUSTOMER)
        yield running


@pytest.fixture
def shop(process: CommerceProcess) -> CommerceProcess:
    process.recover()
    return process


def make_client(url: str, **changes: Any) -> HttpCommerce:
    fields: dict[str, Any] = {
        "url": url, "seconds": 1.0, "most_calls": 4, "breaker_failures": 3, "breaker_seconds": 60,
    }  # fmt: skip
    return HttpCommerce(Configuration(**{**fields, **changes}))


def test_a_session_is_its_customers_until_they_log_out(shop: CommerceProcess) -> None:
    client, key = make_client(shop.base_url), shop.log_in("ayse@example.com", "demo-12345")

    assert client.read_user(key) == ShopUser(77, "ayse@example.com", "Ayşe", "Kaya")
    assert client.list_addresses(key) == [ADDRESS]
    shop.log_out(key)
    assert client.read_user(key) is None
    assert client.list_addresses(key) == []


def test_a_made_up_key_is_nobodys(shop: CommerceProcess) -> None:
    assert make_client(shop.base_url).read_user("a" * 32) is None


def test_a_slow_shop_is_waited_for_no_longer_than_its_second(shop: CommerceProcess) -> None:
    shop.fail("slow", seconds=20)
    begun = time.monotonic()

    with pytest.raises(CommerceUnavailable, match="timeout"):
        make_client(shop.base_url).read_user("a" * 32)

    assert time.monotonic() - begun < 5  # on a busy machine


def test_a_shop_that_fails_is_left_alone(shop: CommerceProcess) -> None:
    shop.fail("down")
    client = make_client(shop.base_url)
    for _ in range(3):
        with pytest.raises(CommerceUnavailable, match="server_error"):
            client.read_user("a" * 32)
    shop.recover()
    asked = shop.count_asked()

    with pytest.raises(CommerceUnavailable, match="breaker_open"):
        client.read_user("a" * 32)

    assert shop.count_asked() == asked


def test_a_shop_that_is_not_there(shop: CommerceProcess) -> None:
    del shop
    with pytest.raises(CommerceUnavailable, match="unreachable"):
        make_client("http://127.0.0.1:1").read_user("a" * 32)


def test_more_questions_than_places_are_refused_at_once(shop: CommerceProcess) -> None:
    client = make_client(shop.base_url, most_calls=1)
    with client._bulkhead.place(), pytest.raises(CommerceUnavailable, match="bulkhead_full"):
        client.read_user("a" * 32)
    assert not client.breaker.is_open
