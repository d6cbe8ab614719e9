"""Reads that the front answers by itself: to the byte what Django answers, and nothing that it would refuse."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import psycopg
import pytest
from django.contrib.auth import BACKEND_SESSION_KEY
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from aftercart.accounts.models import Session
from aftercart.actions.account.revoke_links import revoke_links
from aftercart.commerce.connect import replace_commerce
from aftercart.front.hot_reads import HotReads
from aftercart.lib.links import sign_number
from aftercart.orders.models import Order, OrderItem, StoredDocument
from aftercart.wsgi import application
from tests.clock import stop_clock
from tests.commerce import FakeCommerce
from tests.http.fuzz import Proto, send
from tests.http.hot_reads.steps import (
    ENDINGS,
    JSON,
    answer_both,
    answer_hot,
    assert_left_to_django,
    be_another,
    clear_caches,
    list_paths,
    log_in,
    log_out,
    make_orders,
    make_scope,
    signed,
)
from tests.shop import Shop, make_customer, make_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("language", ["en", "tr", "de", "tr-TR,tr;q=0.9,en;q=0.8"])
def test_every_kind_of_order_is_answered_to_the_byte(shop: Shop, language: str) -> None:
    key = log_in(shop.user)
    for order in make_orders(shop):
        for path in list_paths(order):
            scope = make_scope(path, key, JSON, ("accept-language", language))
            assert answer_hot(scope) is None  # nobody has read it yet
            answer = answer_both(scope)
            etag = dict(answer.headers)["ETag"]
            known = make_scope(path, key, JSON, ("accept-language", language), ("if-none-match", etag))
            assert answer_both(known).status == 304


HEADERS: list[list[tuple[str, str]]] = [
    [("accept", "*/*"), ("content-type", "application/json")],
    [("accept", "application/json, */*"), ("user-agent", "axios/1"), ("x-requested-with", "XMLHttpRequest")],
    [JSON, ("if-none-match", '"other"')],
    [JSON, ("if-none-match", "*")],
    [JSON, ("if-none-match", 'nonsense, W/"x",')],
    [JSON, ("cache-control", "no-cache"), ("sec-fetch-site", "same-origin"), ("referer", "https://a.example/")],
    [JSON, ("x-forwarded-for", "192.0.2.1"), ("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https")],
    [JSON, ("x-request-id", "given-1")],
    [JSON, ("accept-encoding", "gzip, br"), ("connection", "keep-alive")],
]  # fmt: skip


@pytest.mark.parametrize("headers", HEADERS)
def test_every_header_counts_as_it_does_for_django(
    shop: Shop, key: str, headers: list[tuple[str, str]]
) -> None:
    for path in list_paths(shop.order):
        answer_both(make_scope(path, key, *headers))


def test_behind_a_proxy_its_word_counts(shop: Shop, key: str, settings: Settings) -> None:
    settings.TRUSTED_PROXY, settings.TRUSTED_PROXY_HOPS = True, 1
    settings.USE_X_FORWARDED_HOST = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.ALLOWED_HOSTS = ["shop.example"]
    proxied = [
        JSON,
        ("x-forwarded-proto", "https"),
        ("x-request-id", "given-1"),
        ("x-forwarded-for", "192.0.2.9"),
    ]
    path = list_paths(shop.order)[0]
    answer = answer_both(make_scope(path, key, *proxied, ("x-forwarded-host", "shop.example")))
    assert dict(answer.headers)["X-Request-ID"] == "given-1"
    assert_left_to_django(make_scope(path, key, *proxied, ("x-forwarded-host", "evil.example")), 400)


def test_a_format_in_the_query_counts(shop: Shop, key: str) -> None:
    for path in list_paths(shop.order):
        answer_both(make_scope(path, key, ("accept", "text/html"), query="format=json"))
        assert_left_to_django(make_scope(path, key, query="format=xml"), 404)
        assert_left_to_django(make_scope(path, key, JSON, query="version=1"), 200)


def test_either_cookie_is_enough_and_the_chosen_language_counts(shop: Shop, key: str) -> None:
    path = list_paths(shop.order)[0]
    for cookies in (f"osessionid={key}", f"a=b; sessionid={key}", f'sessionid="{key}"; osessionid={key}'):
        answer_both(make_scope(path, "", JSON, ("cookie", cookies)))
    turkish = make_scope(path, "", JSON, ("cookie", f"sessionid={key}; django_language=tr"))
    send(turkish, b"")
    assert '"Onaylandı"'.encode() in answer_both(turkish).body


@pytest.mark.parametrize("change", ENDINGS)
def test_whose_session_is_over_is_left_to_django(
    shop: Shop, key: str, change: Callable[[Shop], None]
) -> None:
    change(shop)
    for path in list_paths(shop.order):
        assert_left_to_django(make_scope(path, key, JSON), 401)


def test_a_row_and_its_data_that_disagree_are_left_to_django(shop: Shop, key: str) -> None:
    be_another(shop)
    assert answer_hot(make_scope(list_paths(shop.order)[0], key, JSON)) is None
    other = log_in(shop.user, **{BACKEND_SESSION_KEY: "nobody.Knows"})
    assert_left_to_django(make_scope(list_paths(shop.order)[0], other, JSON), 401)


def test_who_is_somebody_else_gets_what_nobody_gets(shop: Shop, key: str) -> None:
    stranger = log_in(make_customer())
    other = make_order(make_customer())
    guests = make_order(None)
    for path in list_paths(shop.order):
        assert_left_to_django(make_scope(path, stranger, JSON), 404)
        assert_left_to_django(make_scope(path, "", JSON), 401)
        assert_left_to_django(
            make_scope(path, "", JSON, ("cookie", f"sessionid={key}; osessionid={stranger}")), 401
        )
    for path in [*list_paths(other), *list_paths(guests), "/users/orders/999999/"]:
        assert_left_to_django(make_scope(path, key, JSON), 404)


def test_a_link_that_is_not_good_is_left_to_django(shop: Shop, key: str, settings: Settings) -> None:
    path = signed(shop.order)
    wrong = path[:-2] + ("A/" if path[-2] != "A" else "B/")
    viewed = sign_number(shop.order.number, purpose="guest-view", link_version=1)
    for bad in (wrong, f"/orders/completed/{viewed}/", f"/orders/completed/{shop.order.number}/"):
        assert_left_to_django(make_scope(bad, key, JSON), 404)
    with mock.patch("time.time", return_value=timezone.now().timestamp() + 3600):
        from_the_future = signed(shop.order)
    assert_left_to_django(make_scope(from_the_future, key, JSON), 404)
    settings.LINK_LIFE = timedelta(0)
    assert_left_to_django(make_scope(path, key, JSON), 404)
    settings.LINK_LIFE = timedelta(days=7)
    answer_both(make_scope(path, key, JSON))
    revoke_links(shop.order.number)
    assert_left_to_django(make_scope(path, key, JSON), 404)


def test_keys_rotate(shop: Shop, key: str, settings: Settings) -> None:
    path = signed(shop.order)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-for-today"
    clear_caches()
    # Django gives the session a hash with the new key, and the cookies with it.
    assert answer_hot(make_scope(path, key, JSON)) is None
    answer = send(make_scope(path, key, JSON), b"")
    assert answer.status == 200
    fresh = next(
        value
        for name, value in answer.headers
        if name == "Set-Cookie" and value.strip().startswith("sessionid=")
    )
    answer_both(make_scope(path, fresh.partition("=")[2].partition(";")[0], JSON))
    settings.SECRET_KEY_FALLBACKS = []
    clear_caches()
    assert answer_hot(make_scope(path, key, JSON)) is None


@pytest.mark.parametrize("query", [
    "", "limit=2", "limit=2&page=2", "page=3&limit=1", "page_size=500", "limit=2&format=json", "page=1",
])  # fmt: skip
def test_every_page_of_a_list_is_answered_to_the_byte(shop: Shop, query: str) -> None:
    key = log_in(shop.user)
    make_orders(shop)
    make_order(make_customer())
    scope = make_scope("/users/orders/", key, JSON, query=query)
    assert answer_hot(scope) is None
    answer_both(scope)
    Order.objects.filter(pk=shop.order.pk).update(invoice_number="I-1")
    make_order(shop.user)
    send(scope, b"")
    answer_both(scope)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("page=9", 404), ("page=0", 404), ("page=last", 200), ("limit=x", 200), ("search=ORD", 200),
        ("page=1&page=1", 200), ("last_month=1", 200), ("limit=%31", 200), ("format=xml", 404), ("limit=", 200),
    ],
)  # fmt: skip
def test_another_list_is_left_to_django(key: str, query: str, status: int) -> None:
    send(make_scope("/users/orders/", key, JSON), b"")
    assert_left_to_django(make_scope("/users/orders/", key, JSON, query=query), status)


def test_nobodys_list_and_an_empty_one_are_left_to_django(shop: Shop, key: str) -> None:
    send(make_scope("/users/orders/", key, JSON), b"")
    assert_left_to_django(make_scope("/users/orders/", log_in(make_customer()), JSON), 200)
    log_out(shop)
    assert_left_to_django(make_scope("/users/orders/", key, JSON), 401)


OTHERS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"method": "HEAD"}, [JSON]),
    ({"method": "OPTIONS"}, [JSON]),
    ({}, [JSON, ("accept-language", "en"), ("accept-language", "tr")]),
    ({}, [JSON, ("authorization", "Basic x")]),
    ({}, [JSON, ("x-unheard-of", "1")]),
    ({}, [JSON, ("if-modified-since", "Sat, 01 Jan 2028 00:00:00 GMT")]),
    ({}, [JSON, ("content-length", "0")]),
]


@pytest.mark.parametrize(("fields", "headers"), OTHERS)
def test_what_is_not_known_for_certain_is_left_to_django(
    shop: Shop, key: str, fields: dict[str, Any], headers: list[tuple[str, str]]
) -> None:
    assert_left_to_django(make_scope(list_paths(shop.order)[0], key, *headers, **fields), 200)


@pytest.mark.parametrize(
    "path", ["/users/orders/01/", "/users/orders/1", "/users/orders/%31/", "/orders/completed/a b/"]
)
def test_another_path_is_left_to_django(key: str, path: str) -> None:
    assert answer_hot(make_scope(path, key, JSON)) is None


def test_what_was_written_is_in_the_next_read(shop: Shop, key: str) -> None:
    scope = make_scope(list_paths(shop.order)[0], key, JSON)
    before = answer_both(scope)
    OrderItem.objects.filter(order=shop.order).update(quantity=9)
    assert answer_hot(scope) is None
    after = answer_both(scope)
    assert before.body.count(b'"quantity":9') == 0
    assert after.body.count(b'"quantity":9') == 2


def test_a_window_that_has_closed_is_left_to_django(shop: Shop, key: str) -> None:
    scope = make_scope(list_paths(shop.order)[0], key, JSON)
    answer_both(scope)
    until = StoredDocument.objects.get(kind="json", language="en").valid_until
    assert until is not None
    with stop_clock(until):
        Session.objects.update(expire_date=until + timedelta(days=1))
        assert answer_hot(scope) is not None
    with stop_clock(until + timedelta(microseconds=1)):
        assert answer_hot(scope) is None


def test_without_a_database_everything_is_left_to_django_and_it_comes_back(shop: Shop, key: str) -> None:
    scope = make_scope(list_paths(shop.order)[0], key, JSON)

    async def run() -> None:
        hot = HotReads(application)
        loop = asyncio.get_running_loop()
        assert await hot.answer(scope, Proto()) is False  # it only begins to connect
        assert hot._lane._opening is not None
        await hot._lane._opening
        assert await hot.answer(scope, Proto()) is True
        assert hot._lane._connection is not None
        await asyncio.to_thread(end, hot._lane._connection)
        assert await hot.answer(scope, Proto()) is False
        await hot._lane._open(loop)
        assert await hot.answer(scope, Proto()) is True
        hot.close()

    asyncio.run(run())


def end(connection_of_lane: psycopg.Connection[Any]) -> None:
    """Have PostgreSQL end a connection, and wait until it has."""
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [connection_of_lane.info.backend_pid])


def test_a_session_of_the_shop_is_hot_once_it_is_remembered(shop: Shop, settings: Settings) -> None:
    settings.AFTERCART_IDENTITY = "commerce"
    commerce, key = FakeCommerce(), "k3v0y2q8m1x7c5b9n4z6a8s2d1f7g3h5"
    commerce.log_in(key, 77, shop.user.email)
    scope = make_scope(f"/users/orders/{shop.order.pk}/", key, JSON)
    with replace_commerce(commerce):
        assert answer_hot(scope) is None  # the shop is asked by Django
        assert send(scope, b"").status == 200

        assert answer_both(scope).status == 200
        Session.objects.update(expire_date=timezone.now())
        assert answer_hot(scope) is None

    assert commerce.asked == {key: 1}
