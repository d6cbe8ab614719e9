"""Pages that the front answers by itself: to the byte what Django answers."""

from collections.abc import Callable

import pytest
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest
from django.middleware.csrf import _does_token_match  # type: ignore[attr-defined]  # Django names it for itself

from tests.http.fuzz import send
from tests.http.hot_reads.steps import (
    ENDINGS,
    HTML,
    MASKED,
    SECRET,
    answer_both,
    answer_hot,
    assert_left_to_django,
    list_paths,
    log_in,
    make_browser_scope,
    make_orders,
    make_scope,
)
from tests.shop import Shop, make_customer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("language", ["en", "tr"])
def test_every_page_of_an_order_is_answered_to_the_byte(shop: Shop, language: str) -> None:
    key = log_in(shop.user)
    for order in make_orders(shop):
        for path in list_paths(order):
            scope = make_browser_scope(path, key, ("accept-language", language))
            assert answer_hot(scope) is None
            page = answer_both(scope)
            token = MASKED.findall(page.body)[0].decode()
            assert {found.decode() for found in MASKED.findall(page.body)} == {token}
            assert _does_token_match(token, SECRET)
            assert b"\0" not in page.body
            first = answer_both(make_scope(path, key, HTML, ("accept-language", language)))
            cookie = next(value for name, value in first.headers if name == "Set-Cookie")
            secret = cookie.strip().removeprefix("csrftoken=")[:32]
            assert secret != SECRET
            assert _does_token_match(MASKED.findall(first.body)[0].decode(), secret)


def test_a_page_of_which_something_is_a_visitors_own_is_left_to_django(shop: Shop, key: str) -> None:
    for path in list_paths(shop.order):
        send(make_browser_scope(path, key), b"")
        answer_both(make_browser_scope(path, key))
        message = CookieStorage(HttpRequest())._encode([Message(20, "Well done.")])  # type: ignore[attr-defined]  # as Django itself does
        for scope in (
            make_scope(path, "", HTML, ("cookie", f"sessionid={key}; csrftoken={'c' * 64}")),
            make_scope(path, "", HTML, ("cookie", f"sessionid={key}; csrftoken=short")),
            make_browser_scope(path, key, more=f"; messages={message}"),
            make_browser_scope(path, key, query="a=b"),
        ):
            assert_left_to_django(scope, 200)
    assert_left_to_django(make_browser_scope("/users/orders/", key), 200)
    cookies = log_in(shop.user, _messages="[]")
    assert answer_hot(make_browser_scope(list_paths(shop.order)[0], cookies)) is None


@pytest.mark.parametrize("change", ENDINGS)
def test_whose_session_is_over_gets_no_page(shop: Shop, key: str, change: Callable[[Shop], None]) -> None:
    for path in list_paths(shop.order):
        send(make_browser_scope(path, key), b"")
        answer_both(make_browser_scope(path, key))
    change(shop)
    for path in list_paths(shop.order):
        assert_left_to_django(make_browser_scope(path, key), 302)


def test_a_stranger_gets_no_page(shop: Shop, key: str) -> None:
    stranger = log_in(make_customer())
    for path in list_paths(shop.order):
        send(make_browser_scope(path, key), b"")
        assert_left_to_django(make_browser_scope(path, stranger), 404)
