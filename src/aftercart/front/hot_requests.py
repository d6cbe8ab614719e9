"""What a hot read asks for, and who asks: all that can be known before the database is asked.

Each function that reads returns None for what is not known for certain; that is Django's to answer.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import DisallowedHost
from django.http import Http404, HttpRequest, parse_cookie
from django.utils.datastructures import MultiValueDict
from django.utils.translation import get_language_from_request
from rest_framework.utils.urls import remove_query_param, replace_query_param

from aftercart.accounts.middleware import find_session_key
from aftercart.accounts.shop_sessions import name_remembered
from aftercart.api.pagination import PagePagination
from aftercart.front.kept import keep_answers
from aftercart.lib.forwarded import settle_forwarded
from aftercart.lib.identity import has_own_accounts
from aftercart.lib.links import peek_number
from aftercart.lib.negotiation import choose_format

Read = Literal["detail", "signed", "list", "page", "signed_page"]

_DETAIL: Final = re.compile(r"/users/orders/([1-9][0-9]{0,17})/", re.ASCII)
_SIGNED: Final = re.compile(r"/orders/completed/([A-Za-z0-9._:-]{1,200})/", re.ASCII)
_QUERIES: Final = frozenset({"", "format=json"})
#: As Django makes them; older ones are longer.
_SECRET: Final = re.compile("[A-Za-z0-9]{32}", re.ASCII)
_NUMBER: Final = re.compile("[1-9][0-9]{0,5}", re.ASCII)
_NOTHING: Final = re.compile("(?!)")
#: What may stand in the query of a list.
_PAGES: Final = {
    "page": _NUMBER,
    "limit": _NUMBER,
    "page_size": _NUMBER,
    "format": re.compile("json"),
}

#: What an answer depends on.
_READ: Final = frozenset(
    {"host", "cookie", "accept", "accept-language", "content-type", "if-none-match", "x-request-id"}
    | {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
)
#: What none depends on. Any other header is Django's to know.
_IGNORED: Final = frozenset(
    {
        "accept-encoding",
        "accept-charset",
        "connection",
        "keep-alive",
        "user-agent",
        "referer",
        "origin",
        "dnt",
    }
    | {
        "cache-control",
        "pragma",
        "te",
        "priority",
        "upgrade-insecure-requests",
        "save-data",
        "via",
        "forwarded",
    }
    | {"x-requested-with", "x-csrftoken", "x-real-ip", "x-forwarded-port", "x-forwarded-server", "cdn-loop"}
    | {"traceparent", "tracestate", "true-client-ip", "device-memory", "downlink", "ect", "rtt"}
)
_IGNORED_FAMILIES: Final = ("sec-", "cf-", "x-amzn-", "x-b3-", "x-cloud-", "x-akamai-")


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for, the parameters that only it has, and the token of a signed link."""

    read: Read
    parameters: tuple[bytes, ...]
    token: str = ""

    def as_page(self) -> "Ask":
        """Return the same for a browser."""
        return replace(self, read="page" if self.read == "detail" else "signed_page")


@dataclass(frozen=True, slots=True)
class Origin:
    """Under which of our names a client came, and whether by TLS."""

    host: str
    is_secure: bool


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of who asks, before the database is asked."""

    fields: dict[str, str]
    key: str
    language: str
    origin: Origin
    #: What the browser's CSRF token is made of, "" before it has one; None for who wants JSON.
    csrf_secret: str | None = None


def find_ask(scope: Any) -> Ask | None:
    """Find what is asked for; None for what is Django's to answer."""
    if scope.method != "GET":
        return None
    path = scope.path
    if path == "/users/orders/":
        return _find_list(scope.query_string)
    if scope.query_string not in _QUERIES:
        return None
    if found := _DETAIL.fullmatch(path):
        return Ask("detail", (found[1].encode(),))
    if found := _SIGNED.fullmatch(path):
        return Ask("signed", (peek_number(found[1]).encode(),), found[1])
    return None


def _find_list(query: str) -> Ask | None:
    page = _read_page(query)
    if page is None:
        return None
    return Ask("list", (str(page.size).encode(), str(page.size * (page.number - 1)).encode()))


def read_client(scope: Any, hops: int) -> Client | None:
    """Read who asks, and how; None if Django is to decide about any of it."""
    fields = _read_headers(scope.headers)
    if fields is None:
        return None
    chosen_format = _choose_format(scope.query_string, fields.get("accept"), fields.get("content-type", ""))
    origin = _check_origin(scope.scheme, hops, *map(fields.get, _ORIGIN))
    cookies = parse_cookie(fields.get("cookie", ""))
    key = find_session_key(cookies)
    if not chosen_format or origin is None or key is None:
        return None
    if not has_own_accounts():  # of a session of the shop's, what is remembered; an own one is left to Django
        key = name_remembered(key)
    secret = None
    if chosen_format == "html":
        secret = cookies.get(settings.CSRF_COOKIE_NAME, "")
        # With something to be said once, a page is made for its visitor.
        is_known = not secret or _SECRET.fullmatch(secret)
        if scope.query_string or not is_known or CookieStorage.cookie_name in cookies:
            return None
    language = _find_language(
        fields.get("accept-language", ""), cookies.get(settings.LANGUAGE_COOKIE_NAME, "")
    )
    return Client(fields, key, language, origin, secret)


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of a list, from 1 on, and how long pages are."""

    number: int
    size: int


@keep_answers(1024)
def _read_page(query: str) -> _Page | None:
    """Read which page of a list is asked for; None if the query has anything else in it."""
    named: dict[str, str] = {}
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if name in named or _PAGES.get(name, _NOTHING).fullmatch(value) is None:
            return None
        named[name] = value
    size = int(named.get("limit") or named.get("page_size") or PagePagination.page_size)
    return _Page(int(named.get("page", 1)), min(size, PagePagination.max_page_size))


def write_list(scope: Any, origin: Origin, count: int, bodies: Sequence[bytes]) -> bytes:
    """Write the list that is asked for as Django REST framework does, of documents as they are."""
    page = _read_page(scope.query_string)
    assert page is not None  # noqa: S101 - or nobody would have asked for it
    query = f"?{scope.query_string}" if scope.query_string else ""
    url = f"{'https' if origin.is_secure else 'http'}://{origin.host}{scope.path}{query}"
    following = replace_query_param(url, "page", page.number + 1) if count > page.number * page.size else None
    before = None
    if page.number > 1:
        is_first = page.number - 1 == 1
        before = (
            remove_query_param(url, "page") if is_first else replace_query_param(url, "page", page.number - 1)
        )
    frame = b'{"count":%d,"next":%b,"previous":%b,"results":[%b]}'
    links = [json.dumps(link).encode() for link in (following, before)]
    return frame % (count, *links, b",".join(bodies))


def _read_headers(headers: Any) -> dict[str, str] | None:
    """Read the headers that matter; None if there is one of which nothing is known, or one comes twice."""
    fields: dict[str, str] = {}
    for name, value in headers.items():
        if name in _READ:
            if name in fields:
                return None
            fields[name] = value
        elif name not in _IGNORED and not name.startswith(_IGNORED_FAMILIES):
            return None
    return fields


def _make_request(**meta: str | None) -> HttpRequest:
    """Make as much of a request as Django's own functions ask for."""
    request = HttpRequest()
    request.META.update({name: value for name, value in meta.items() if value is not None})
    return request


@keep_answers(1024)
def _choose_format(query: str, accept: str | None, content_type: str) -> Literal["html", "json", ""]:
    """Choose as Django does; "" for a format that there is not."""
    request = _make_request(HTTP_ACCEPT=accept)
    request.content_type = content_type.partition(";")[0].strip().lower()
    if "format=json" in query:
        request.GET = MultiValueDict({"format": ["json"]})  # type: ignore[assignment]  # as good as a QueryDict here
    try:
        return choose_format(request)
    except Http404:
        return ""


#: The headers that say under which name, and how, a client came here.
_ORIGIN: Final = ("host", "x-forwarded-host", "x-forwarded-proto")


@keep_answers(1024)
def _check_origin(
    scheme: str, hops: int, host: str | None, forwarded_host: str | None, forwarded_proto: str | None
) -> Origin | None:
    """Find how the client came; None if Django is to decide about its host."""
    if not host:
        return None
    request = _make_request(
        HTTP_HOST=host, HTTP_X_FORWARDED_HOST=forwarded_host, HTTP_X_FORWARDED_PROTO=forwarded_proto
    )
    settle_forwarded(request.META, hops)
    request._get_scheme = lambda: scheme  # type: ignore[attr-defined]  # noqa: SLF001 - what a WSGIRequest defines
    try:
        return Origin(request.get_host(), request.is_secure())
    except DisallowedHost:
        return None


@keep_answers(1024)
def _find_language(accepted: str, chosen: str) -> str:
    request = _make_request(HTTP_ACCEPT_LANGUAGE=accepted)
    request.COOKIES = {settings.LANGUAGE_COOKIE_NAME: chosen} if chosen else {}
    return get_language_from_request(request)
