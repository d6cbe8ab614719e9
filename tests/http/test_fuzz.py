"""Whatever a client sends to whatever address, the answer is no 500."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aftercart.accounts.models import User
from aftercart.accounts.sessions import SessionStore
from tests.http.fuzz import Headers, Proto, Scope, send
from tests.shop import Line, make_customer, make_order, make_reason
from tests.strength import is_deep

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3_000)]

CASES = 5_000 if is_deep() else 400


def list_routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """List the routes of all views, as Django writes them."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + str(entry.pattern).lstrip("^")
        if isinstance(entry, URLResolver):
            yield from list_routes(entry, route)
        else:
            assert isinstance(entry, URLPattern)
            yield (
                re.sub(r"/\?\$$|\$$|\\Z$", "", route)
                if not isinstance(entry.pattern, RoutePattern)
                else route
            )


ROUTES = sorted(set(list_routes()))
PLACE = re.compile(r"<[^>]+>|\(\?P<[^>]+>[^)]*\)|\([^)]*\)")

ODD_TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "\0",
            "\ud800",
            "\u017f",
            "\u0131",
            "\u0663",
            "%",
            "%zz",
            "%ff",
            "%00",
            "../..",
            "'",
            '"',
            "<script>",
            "a" * 3000,
            " ",
            "null",
        ]
    ),
)
ODD_NUMBER = st.sampled_from(
    [
        "0",
        "-1",
        "1",
        "2147483648",
        "9223372036854775808",
        "9" * 40,
        "9" * 5000,
        "1.5",
        "1e400",
        "NaN",
        "\u0663",
        "+1",
        "0x1",
    ]
)
ODD = st.one_of(ODD_TEXT, ODD_NUMBER)
NAMES = st.one_of(
    st.sampled_from(
        "page limit page_size search format currency next created_date__gte created_date__lte last_month country q o p"
        " status version at reason item email number action _popup _changelist_filters e since signed".split()
    ),
    ODD_TEXT,
)
PAIRS = st.lists(st.tuples(NAMES, ODD), max_size=5)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), ODD),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from(
                    "cancel_order_items order_item reason cancellation_type quantity description iban holder_name"
                    " pickup_date pickup_address quote order address channel_id email password number events".split()
                ),
                ODD_TEXT,
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)
TYPES = st.sampled_from(
    [
        "application/json", "APPLICATION/JSON", "application/json; charset=hex", "application/json; charset=utf-16",
        "application/json; charset*=hex''61", "text/plain; charset=undefined", "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=idna", "multipart/form-data; boundary=x", "multipart/form-data",
        "multipart/form-data; boundary=" + "b" * 300, "text/html", "", "/", ";", "application/json; charset=zlib",
    ]
)  # fmt: skip
HEADERS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["Host", "X-Forwarded-Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-ID"]),
            st.sampled_from(["junk junk", "[::1", "a,b", "1.2.3.4:5", "evil.example", "@", ":", "localhost:99999999"]),
        ),
        st.tuples(st.sampled_from(["Accept", "Accept-Language", "If-None-Match", "Range", "Referer", "Origin"]), ODD),
        st.tuples(
            st.sampled_from(["Idempotency-Key", "X-Requested-With", "Authorization", "If-Modified-Since"]),
            ODD,
        ),
        st.tuples(
            st.just("Cookie"),
            st.sampled_from(
                [r'sessionid="\000abc"', r'osessionid="\000"', r'csrftoken="\000"', "django_language=../x", "=;=",
                 r'messages="\000"', "sessionid=" + "z" * 400, "a" * 9000]
            ),
        ),
    ),
    max_size=4,
)  # fmt: skip
METHODS = st.sampled_from(
    ["GET"] * 4 + ["POST"] * 4 + ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"]
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from(["none", "json", "form", "parts", "raw", "many", "deep"]))
    if kind == "json":
        return json.dumps(draw(JSON)).encode()
    if kind == "form":
        return write_query(draw(PAIRS)).encode()
    if kind == "parts":
        name, value = draw(NAMES), draw(ODD)
        text = f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="{value}"\r\n\r\n{value}\r\n--x--\r\n'
        return text.encode(errors="replace")
    if kind == "many":
        return b"&".join(b"a=1" for _ in range(1500))
    if kind == "deep":
        return b"[" * 50_000
    return draw(st.binary(max_size=60)) if kind == "raw" else b""


def write_query(pairs: list[tuple[str, str]]) -> str:
    return "&".join(
        f"{quote(name, errors='replace')}={quote(value, errors='replace')}" for name, value in pairs
    )


class Actors:
    """Session cookies of nobody, a customer with an order, and a member of staff; and what is in the database."""

    def __init__(self) -> None:
        customer = make_customer()
        order = make_order(customer, Line(), Line(quantity=3))
        staff = User.objects.create_superuser("staff@example.com", "staff-12345")
        make_reason("cancel")
        self.values = [
            order.number,
            str(order.pk),
            *(str(item.pk) for item in order.items.all()),
            "1",
            "orders",
            "order",
        ]
        self.cookies = ["", self._enter(customer), self._enter(staff)]

    def _enter(self, user: User) -> str:
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        return f"sessionid={session.session_key}; csrftoken={'c' * 32}"


@pytest.fixture
def actors(settings: Any) -> Actors:
    settings.ALLOWED_HOSTS = ["localhost"]
    return Actors()


def ask(actors: Actors, data: st.DataObject) -> Proto:
    route = data.draw(st.sampled_from(ROUTES), "route")
    values = st.one_of(st.sampled_from(actors.values), ODD)
    path = "/" + PLACE.sub(lambda _: quote(data.draw(values, "part"), errors="replace"), route)
    query = data.draw(
        st.one_of(PAIRS.map(write_query), st.text("&=%ab;+", max_size=20), st.just("a&" * 1200)), "query"
    )
    cookie = data.draw(st.sampled_from(actors.cookies), "cookie")
    headers = [*data.draw(HEADERS, "headers"), ("X-CSRFToken", "c" * 32)]
    if not any(name == "Host" for name, _ in headers):
        headers.append(("Host", "localhost"))
    if cookie:
        headers.append(("Cookie", cookie))
    body = data.draw(bodies(), "body")
    headers += [("Content-Type", data.draw(TYPES, "type")), ("Content-Length", str(len(body)))]
    decoded = unquote_to_bytes(path).decode(errors="replace")
    return send(Scope(data.draw(METHODS, "method"), decoded, query, Headers(headers)), body)


@given(data=st.data())
@settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
def test_no_request_is_a_500(actors: Actors, data: st.DataObject) -> None:
    answer = ask(actors, data)

    assert 200 <= answer.status < 500, answer.body[:500]


def test_the_routes_are_all_there() -> None:
    assert len(ROUTES) > 100
    assert "orders/<text:number>/cancel/" in ROUTES
    assert any(route.startswith("backoffice/") for route in ROUTES)
