"""Reads that the front answers by itself: to the byte what Django answers, and nothing that it would refuse."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import psycopg
import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import connection
from django.http import HttpRequest
from django.middleware.csrf import _does_token_match  # type: ignore[attr-defined]  # Django names it for itself
from django.utils import timezone
from pytest_django import Settings

from aftercart.accounts.models import Session, User
from aftercart.accounts.sessions import SessionStore
from aftercart.actions.account.revoke_links import revoke_links
from aftercart.commerce.connect import replace_commerce
from aftercart.front.hot_reads import HotReads
from aftercart.front.lane import Lane, LaneLost
from aftercart.lib.links import sign_number
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.models import DiscountItem, Order, OrderItem, StoredDocument
from aftercart.wsgi import application
from tests.clock import stop_clock
from tests.commerce import FakeCommerce
from tests.http.fuzz import Headers, Proto, Scope, send
from tests.shop import Line, Shop, make_customer, make_order, request_units

pytestmark = pytest.mark.django_db(transaction=True)

JSON = ("accept", "application/json")


def log_in(user: User, **changes: str) -> str:
    """Make a session; return its key."""
    session = SessionStore()
    session.update({
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
        HASH_SESSION_KEY: user.get_session_auth_hash(),
        **changes,
    })  # fmt: skip
    session.save()
    return session.session_key or ""


def make_scope(path: str, key: str, *headers: tuple[str, str], query: str = "", method: str = "GET") -> Scope:
    cookies = [("cookie", f"sessionid={key}; osessionid={key}")] if key else []
    return Scope(method, path, query, Headers([("host", "127.0.0.1:8000"), *cookies, *headers]))


def answer_hot(scope: Scope) -> Proto | None:
    """Have the front answer as it does with a connection that is there; None if it leaves it to Django."""

    async def run() -> Proto | None:
        hot, proto = HotReads(application), Proto()
        try:
            await hot._lane._open(asyncio.get_running_loop())
            return proto if await hot.answer(scope, proto) else None
        finally:
            hot.close()

    return asyncio.run(run())


#: What is another in each answer: an id, the time, and how a token is masked.
_VARIES = re.compile(r"(?<=expires=)[^;]*|(?<= csrftoken=)[^;]*")
_MASKED = re.compile(rb"(?<=\")\w{64}(?=\")")


def is_same(one: Proto, other: Proto) -> bool:
    assert (one.status, _MASKED.sub(b"", one.body)) == (other.status, _MASKED.sub(b"", other.body))

    def read(proto: Proto) -> list[tuple[str, str]]:
        return [
            (name, "" if name in {"X-Request-ID", "Expires"} else _VARIES.sub("", value))
            for name, value in proto.headers
        ]

    assert read(one) == read(other)
    return True


def signed(order: Order) -> str:
    token = sign_number(order.number, purpose="completed", link_version=order.link_version)
    return f"/orders/completed/{token}/"


def list_paths(order: Order) -> list[str]:
    return [f"/users/orders/{order.pk}/", signed(order)]


def answer_both(scope: Scope) -> Proto:
    """Answer by Django, then by the front, which must say the same."""
    by_django = send(scope, b"")
    by_front = answer_hot(scope)
    assert by_front is not None
    assert is_same(by_front, by_django)
    return by_front


def assert_left_to_django(scope: Scope, status: int) -> None:
    """Check that the front leaves it to Django, which answers so; also once the document is there."""
    assert answer_hot(scope) is None
    assert send(scope, b"").status == status
    assert answer_hot(scope) is None


@pytest.fixture
def shop() -> Shop:
    return Shop(lines=[Line(), Line("550", quantity=2, price="40.00")])


@pytest.fixture
def key(shop: Shop) -> str:
    """The session of the shop's customer, whose documents are stored."""
    key = log_in(shop.user)
    for path in list_paths(shop.order):
        assert send(make_scope(path, key, JSON), b"").status == 200
    return key


def make_orders(shop: Shop) -> list[Order]:
    """Make an order of each kind."""
    rich = make_order(
        shop.user, Line("500"), Line("100", cancelled_quantity=1), details={"notes": "İki kez çal\u2028!"}
    )
    DiscountItem.objects.create(order=rich, name="Yaz", amount=5)
    LoyaltyEntry.objects.create(user=shop.user, order=rich, kind="earned", amount=5, currency="TRY")
    campaigns = make_order(shop.user, campaigns=[{"name": "Kış", "amount": "1.00"}])
    request_units(shop)
    return [
        shop.order,
        rich,
        campaigns,
        make_order(shop.user, Line("600", cancelled_quantity=1), status="600"),
    ]


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


def _expire(_shop: Shop) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def _log_out(_shop: Shop) -> None:
    Session.objects.all().delete()


def _deactivate(_shop: Shop) -> None:
    User.objects.update(is_active=False)


def _change_password(shop: Shop) -> None:
    shop.user.set_password("another-12345")
    shop.user.save()


def _tamper(_shop: Shop) -> None:
    Session.objects.update(session_data="e30:1tampered:with")


def _be_another(_shop: Shop) -> None:
    """Have the row name another customer than the signed data."""
    Session.objects.update(user=make_customer())


@pytest.mark.parametrize("change", [_expire, _log_out, _deactivate, _change_password, _tamper])
def test_whose_session_is_over_is_left_to_django(
    shop: Shop, key: str, change: Callable[[Shop], None]
) -> None:
    change(shop)
    for path in list_paths(shop.order):
        assert_left_to_django(make_scope(path, key, JSON), 401)


def test_a_row_and_its_data_that_disagree_are_left_to_django(shop: Shop, key: str) -> None:
    _be_another(shop)
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


def clear_caches() -> None:
    from aftercart.front import hot_reads

    hot_reads._decode_session.cache_clear()
    hot_reads._hash_password.cache_clear()


@pytest.fixture(autouse=True)
def _no_caches() -> None:
    """Forget what holds for a process: another key or setting is another process's."""
    from aftercart.front import hot_requests

    clear_caches()
    hot_requests._check_origin.cache_clear()


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
    _log_out(shop)
    assert_left_to_django(make_scope("/users/orders/", key, JSON), 401)


HTML = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
SECRET = "c" * 32


def make_browser_scope(
    path: str, key: str, *headers: tuple[str, str], more: str = "", query: str = ""
) -> Scope:
    cookie = ("cookie", f"sessionid={key}; osessionid={key}; csrftoken={SECRET}{more}")
    return make_scope(path, "", HTML, cookie, ("sec-fetch-mode", "navigate"), *headers, query=query)


@pytest.mark.parametrize("language", ["en", "tr"])
def test_every_page_of_an_order_is_answered_to_the_byte(shop: Shop, language: str) -> None:
    key = log_in(shop.user)
    for order in make_orders(shop):
        for path in list_paths(order):
            scope = make_browser_scope(path, key, ("accept-language", language))
            assert answer_hot(scope) is None
            page = answer_both(scope)
            token = _MASKED.findall(page.body)[0].decode()
            assert {found.decode() for found in _MASKED.findall(page.body)} == {token}
            assert _does_token_match(token, SECRET)
            assert b"\0" not in page.body
            first = answer_both(make_scope(path, key, HTML, ("accept-language", language)))
            cookie = next(value for name, value in first.headers if name == "Set-Cookie")
            secret = cookie.strip().removeprefix("csrftoken=")[:32]
            assert secret != SECRET
            assert _does_token_match(_MASKED.findall(first.body)[0].decode(), secret)


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


@pytest.mark.parametrize("change", [_expire, _log_out, _deactivate, _change_password, _tamper])
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


def run_lane(statements: dict[bytes, bytes], use: Callable[[Lane], Awaitable[Any]]) -> Any:
    """Use a lane with other statements."""

    async def run() -> Any:
        parameters = connection.get_connection_params()
        lane = Lane(lambda: psycopg.connect(**{**parameters, "autocommit": True}), statements)
        try:
            await lane._open(asyncio.get_running_loop())
            return await use(lane)
        finally:
            lane.close()

    return asyncio.run(run())


def test_many_who_ask_at_once_get_each_their_own_answer() -> None:
    async def use(lane: Lane) -> list[Any]:
        return await asyncio.gather(*(lane.ask(b"echo", [str(n).encode()]) for n in range(300)))

    rows = run_lane({b"echo": b"SELECT $1::text WHERE $1::text <> '7'"}, use)
    assert rows == [[] if n == 7 else [(str(n).encode(),)] for n in range(300)]


def test_an_answer_longer_than_any_buffer_is_whole() -> None:
    async def use(lane: Lane) -> Any:
        return await asyncio.gather(*(lane.ask(b"long", [b"x" * 300_000]) for _ in range(5)))

    assert run_lane({b"long": b"SELECT repeat($1::text, 10)"}, use) == [[(b"x" * 3_000_000,)]] * 5


def test_a_statement_that_fails_or_takes_too_long_leaves_nobody_waiting() -> None:
    async def use(lane: Lane) -> list[Any]:
        with mock.patch("aftercart.front.lane._PATIENCE", 0.2):
            slow = await asyncio.gather(
                lane.ask(b"sleep", [b"2"]), lane.ask(b"divide", [b"1"]), return_exceptions=True
            )
        lane._retry_at = 0.0
        await lane._open(asyncio.get_running_loop())
        return [*slow, *await asyncio.gather(lane.ask(b"divide", [b"0"]), return_exceptions=True)]

    statements = {b"sleep": b"SELECT pg_sleep($1::float)", b"divide": b"SELECT 1 / $1::int"}
    assert [type(found) for found in run_lane(statements, use)] == [LaneLost, LaneLost, LaneLost]


# --- sessions of the shop ----------------------------------------------------------------------------------


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
