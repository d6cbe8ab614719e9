"""The reads that are answered before Django is entered: an order as JSON, by its customer (docs/decisions/0033).

One statement says whether there is such a session, whose it is, whether the order is theirs, and what it looks like
now. Whatever is not known for certain is left to Django: another method, query or header, no session or a doubtful one,
a document that is not there, no connection. So nothing here refuses anything; `tests/http/test_hot_reads.py` holds
every answer to Django's own, to the byte.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import psycopg
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.http import Http404, HttpRequest, parse_cookie
from django.utils.datastructures import MultiValueDict
from django.utils.translation import get_language_from_request

from aftercart.accounts.middleware import find_session_key
from aftercart.accounts.models import User
from aftercart.accounts.sessions import SessionStore
from aftercart.cancellations.stored_documents import HOLDS, digest_conditions
from aftercart.front.hot_headers import Templates
from aftercart.front.lane import Lane, LaneLost, Row
from aftercart.lib.correlation import is_request_id, make_request_id
from aftercart.lib.etags import is_unchanged
from aftercart.lib.forwarded import settle_forwarded
from aftercart.lib.links import LinkInvalid, check_token, peek_number
from aftercart.lib.negotiation import choose_format
from aftercart.orders.selectors import get_now
from aftercart.orders.stored import SHARED_ROW

_DETAIL: Final = re.compile(r"/users/orders/([1-9][0-9]{0,17})/", re.ASCII)
_SIGNED: Final = re.compile(r"/orders/completed/([A-Za-z0-9._:-]{1,200})/", re.ASCII)
_QUERIES: Final = frozenset({"", "format=json"})

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

#: Session, customer, order, and what is stored of it; a row only if all of it is there and holds.
_STATEMENT: Final = """
    SELECT session.session_data, customer.id, customer.password, orders.link_version, document.body, document.etag
    FROM accounts_session session
    JOIN accounts_user customer ON customer.id = session.user_id AND customer.is_active
    JOIN orders_order orders ON orders.user_id = customer.id AND orders.{lookup} = $2
    JOIN orders_orderrevision revision ON revision.order_id = orders.id
    LEFT JOIN orders_sharedrevision shared ON shared.id = {shared}
    JOIN orders_storeddocument document ON document.order_id = orders.id AND document.kind = '{kind}'
        AND document.language = $3 AND {holds}
    WHERE session.session_key = $1 AND session.expire_date > $5
"""


def _write_statement(lookup: str, kind: str) -> bytes:
    holds = HOLDS % {"conditions": "$4", "now": "$5"}
    return _STATEMENT.format(lookup=lookup, kind=kind, shared=SHARED_ROW, holds=holds).encode()


STATEMENTS: Final = {
    b"detail": _write_statement("id", "json"),
    b"signed": _write_statement("number", "signed_json"),
}


@dataclass(frozen=True, slots=True)
class _Ask:
    """What is asked for: a statement, what it looks the order up by, and the token of a signed link."""

    statement: bytes
    lookup: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class _Origin:
    """Under which of our names a client came, and whether by TLS."""

    host: str
    is_secure: bool


class HotReads:
    """Answers what it can. For its event loop's thread only; settings are read once."""

    def __init__(self, application: WSGIHandler) -> None:
        self._lane = Lane(_connect, STATEMENTS)
        self._templates = Templates(application)
        self._conditions = digest_conditions().encode()
        self._hops = settings.TRUSTED_PROXY_HOPS if settings.TRUSTED_PROXY else 0

    def close(self) -> None:
        """Close the connection."""
        self._lane.close()

    async def answer(self, scope: Any, proto: Any) -> bool:
        """Answer a request, if what is to be answered is certain; else return False, with nothing sent."""
        ask = _find_ask(scope)
        if ask is None:
            return False
        fields = _read_headers(scope.headers)
        if fields is None or not _wants_json(
            scope.query_string, fields.get("accept"), fields.get("content-type", "")
        ):
            return False
        origin = _check_origin(scope.scheme, self._hops, *map(fields.get, _ORIGIN))
        cookies = parse_cookie(fields.get("cookie", ""))
        key = find_session_key(cookies)
        if origin is None or key is None:
            return False
        language = _find_language(
            fields.get("accept-language", ""), cookies.get(settings.LANGUAGE_COOKIE_NAME, "")
        )
        now = get_now().isoformat().encode()
        parameters = (key.encode(), ask.lookup.encode(), language.encode(), self._conditions, now)
        try:
            row = await self._lane.ask(ask.statement, parameters)
        except LaneLost:
            return False
        if row is None or not _is_allowed(row, ask.token):
            return False
        self._send(proto, row, fields, language, origin)
        return True

    def _send(self, proto: Any, row: Row, fields: dict[str, str], language: str, origin: _Origin) -> None:
        body, etag = row[4] or b"", (row[5] or b"").decode()
        given = fields.get("x-request-id", "") if self._hops else ""
        request_id = given if is_request_id(given) else make_request_id()
        is_known = is_unchanged(fields.get("if-none-match", ""), etag)
        template = self._templates.get(
            language, origin.host, is_secure=origin.is_secure, is_unchanged=is_known
        )
        if is_known:
            proto.response_empty(304, template.fill(etag, request_id))
        else:
            proto.response_bytes(200, template.fill(etag, request_id, len(body)), body)


def _connect() -> psycopg.Connection[Any]:
    """Connect as Django does, but for its pool."""
    return psycopg.connect(**{**connections["default"].get_connection_params(), "autocommit": True})


def _find_ask(scope: Any) -> _Ask | None:
    if scope.method != "GET" or scope.query_string not in _QUERIES:
        return None
    if found := _DETAIL.fullmatch(scope.path):
        return _Ask(b"detail", found[1])
    if found := _SIGNED.fullmatch(scope.path):
        return _Ask(b"signed", peek_number(found[1]), found[1])
    return None


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


@lru_cache(maxsize=1024)
def _wants_json(query: str, accept: str | None, content_type: str) -> bool:
    request = _make_request(HTTP_ACCEPT=accept)
    request.content_type = content_type.partition(";")[0].strip().lower()
    if query:
        request.GET = MultiValueDict({"format": ["json"]})  # type: ignore[assignment]  # as good as a QueryDict here
    try:
        return choose_format(request) == "json"
    except Http404:
        return False


#: The headers that say under which name, and how, a client came here.
_ORIGIN: Final = ("host", "x-forwarded-host", "x-forwarded-proto")


@lru_cache(maxsize=1024)
def _check_origin(
    scheme: str, hops: int, host: str | None, forwarded_host: str | None, forwarded_proto: str | None
) -> _Origin | None:
    """Find how the client came; None if Django is to decide about its host."""
    if not host:
        return None
    request = _make_request(
        HTTP_HOST=host, HTTP_X_FORWARDED_HOST=forwarded_host, HTTP_X_FORWARDED_PROTO=forwarded_proto
    )
    settle_forwarded(request.META, hops)
    request._get_scheme = lambda: scheme  # type: ignore[attr-defined]  # noqa: SLF001 - what a WSGIRequest defines
    try:
        return _Origin(request.get_host(), request.is_secure())
    except DisallowedHost:
        return None


@lru_cache(maxsize=1024)
def _find_language(accepted: str, chosen: str) -> str:
    request = _make_request(HTTP_ACCEPT_LANGUAGE=accepted)
    request.COOKIES = {settings.LANGUAGE_COOKIE_NAME: chosen} if chosen else {}
    return get_language_from_request(request)


def _is_allowed(row: Row, token: str) -> bool:
    """Return whether the session is what it was when its customer logged in, and the link is good."""
    data, user, password, link_version = row[:4]
    assert data is not None and user is not None and password is not None and link_version is not None  # noqa: S101, PT018 - none of them is null
    session = _decode_session(data.decode())
    if session != (str(int.from_bytes(user)), _hash_password(password.decode())):
        return False
    if not token:
        return True
    try:
        version = int.from_bytes(link_version, signed=True)
        check_token(token, purpose="completed", link_version=version, life=settings.LINK_LIFE)
    except LinkInvalid:
        return False
    return True


@lru_cache(maxsize=4096)
def _decode_session(data: str) -> tuple[str, str] | None:
    """Read whose a session is, and the hash of their password then; None for one that a back end of ours did not make.

    The same text always says the same; that its row is there, and not expired, is asked each time.
    """
    session = SessionStore().decode(data)
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    return str(session.get(SESSION_KEY)), str(session.get(HASH_SESSION_KEY))


@lru_cache(maxsize=4096)
def _hash_password(password: str) -> str:
    return User(password=password).get_session_auth_hash()
