"""The reads that are answered before Django is entered: orders as JSON, by their customer (docs/decisions/0033).

One statement says whether there is such a session, whose it is, whether the order is theirs, and what it looks like
now. Whatever is not known for certain is left to Django: another method, query or header, no session or a doubtful one,
a document that is not there, no connection. So nothing here refuses anything; `tests/http/hot_reads/` holds
every answer to Django's own, to the byte.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import psycopg
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.messages.storage.session import SessionStorage
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.http import HttpRequest
from django.middleware.csrf import get_token

from aftercart.accounts.models import User
from aftercart.accounts.sessions import SessionStore
from aftercart.cancellations.stored_documents import HOLDS, digest_conditions
from aftercart.front.hot_headers import Headers, Kind, Templates, write_csrf_cookie
from aftercart.front.hot_requests import Client, find_ask, read_client, write_list
from aftercart.front.lane import Lane, LaneLost, Row
from aftercart.lib.clock import get_now
from aftercart.lib.correlation import is_request_id, make_request_id
from aftercart.lib.etags import is_unchanged
from aftercart.lib.links import LinkInvalid, check_token
from aftercart.orders.models.stored import SHARED_ROW
from aftercart.pages.stored_pages import fill_page

#: Session, customer, order, and what is stored of it; a row only if all of it is there and holds.
_ONE: Final = """
    SELECT session.session_data, customer.id, customer.password, orders.link_version, document.body, document.etag
    FROM accounts_session session
    JOIN accounts_user customer ON customer.id = session.user_id AND customer.is_active
    JOIN orders_order orders ON orders.user_id = customer.id AND orders.{lookup} = $5
    JOIN orders_orderrevision revision ON revision.order_id = orders.id
    LEFT JOIN orders_sharedrevision shared ON shared.id = {shared}
    JOIN orders_storeddocument document ON document.order_id = orders.id AND document.kind = '{kind}'
        AND document.language = $2 AND {holds}
    WHERE session.session_key = $1 AND session.expire_date > $4
"""
#: The same for a page of the customer's orders, with how many there are; no body where none is stored.
_MANY: Final = """
    WITH caller AS (
        SELECT session.session_data, customer.id, customer.password
        FROM accounts_session session
        JOIN accounts_user customer ON customer.id = session.user_id AND customer.is_active
        WHERE session.session_key = $1 AND session.expire_date > $4
    ), page AS (
        SELECT id, created_date FROM orders_order WHERE user_id = (SELECT id FROM caller)
        ORDER BY created_date DESC, id DESC LIMIT $5::bigint OFFSET $6::bigint
    )
    SELECT caller.session_data, caller.id, caller.password,
        (SELECT count(*) FROM orders_order WHERE user_id = caller.id), document.body
    FROM caller CROSS JOIN page
    JOIN orders_orderrevision revision ON revision.order_id = page.id
    LEFT JOIN orders_sharedrevision shared ON shared.id = {shared}
    LEFT JOIN orders_storeddocument document ON document.order_id = page.id AND document.kind = 'json'
        AND document.language = $2 AND {holds}
    ORDER BY page.created_date DESC, page.id DESC
"""
#: Columns of the rows.
_COUNT, _BODY, _ETAG = 3, 4, 5


def _write_statement(template: str, **names: str) -> bytes:
    holds = HOLDS % {"conditions": "$3", "now": "$4"}
    return template.format(shared=SHARED_ROW, holds=holds, **names).encode()


STATEMENTS: Final = {
    b"detail": _write_statement(_ONE, lookup="id", kind="json"),
    b"signed": _write_statement(_ONE, lookup="number", kind="signed_json"),
    b"page": _write_statement(_ONE, lookup="id", kind="page"),
    b"signed_page": _write_statement(_ONE, lookup="number", kind="signed_page"),
    b"list": _write_statement(_MANY),
}


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
        ask = find_ask(scope)
        client = None if ask is None else read_client(scope, self._hops)
        if ask is None or client is None:
            return False
        is_page = client.csrf_secret is not None
        if is_page:
            if ask.read == "list":
                return False
            ask = ask.as_page()
        now = get_now().isoformat().encode()
        common = (client.key.encode(), client.language.encode(), self._conditions, now)
        try:
            rows = await self._lane.ask(ask.read.encode(), (*common, *ask.parameters))
        except LaneLost:
            return False
        session = _find_session(rows, ask.token)
        if session is None or (is_page and session.has_messages):
            return False
        if ask.read == "list":
            return self._send_list(scope, proto, rows, client)
        if is_page:
            self._send_page(scope, proto, rows[0], client)
        else:
            self._send_order(proto, rows[0], client)
        return True

    def _send_page(self, scope: Any, proto: Any, row: Row, client: Client) -> None:
        request = HttpRequest()
        if client.csrf_secret:
            request.META["CSRF_COOKIE"] = client.csrf_secret
        body = fill_page(row[_BODY] or b"", token=get_token(request), address=scope.path)
        headers = self._list_headers("page", client, length=len(body))
        proto.response_bytes(200, [*headers, write_csrf_cookie(request)], body)

    def _send_order(self, proto: Any, row: Row, client: Client) -> None:
        body, etag = row[_BODY] or b"", (row[_ETAG] or b"").decode()
        if is_unchanged(client.fields.get("if-none-match", ""), etag):
            proto.response_empty(304, self._list_headers("unchanged", client, etag=etag))
        else:
            proto.response_bytes(200, self._list_headers("order", client, etag=etag, length=len(body)), body)

    def _send_list(self, scope: Any, proto: Any, rows: list[Row], client: Client) -> bool:
        """Send a page of orders; False if one of them is not stored."""
        bodies = [row[_BODY] or b"" for row in rows]
        if b"" in bodies:
            return False
        body = write_list(scope, client.origin, int.from_bytes(rows[0][_COUNT] or b""), bodies)
        proto.response_bytes(200, self._list_headers("list", client, length=len(body)), body)
        return True

    def _list_headers(self, kind: Kind, client: Client, *, etag: str = "", length: int = 0) -> Headers:
        given = client.fields.get("x-request-id", "") if self._hops else ""
        request_id = given if is_request_id(given) else make_request_id()
        origin = client.origin
        template = self._templates.get(kind, client.language, origin.host, is_secure=origin.is_secure)
        return template.fill(request_id, etag=etag, length=length)


def _connect() -> psycopg.Connection[Any]:
    """Connect as Django does, but for its pool."""
    return psycopg.connect(**{**connections["default"].get_connection_params(), "autocommit": True})


@dataclass(frozen=True, slots=True)
class _Session:
    """What a session says: whose it is, the hash of their password then, and whether it has something to tell."""

    user: str
    password_hash: str
    has_messages: bool


def _find_session(rows: Sequence[Row], token: str) -> _Session | None:
    """Find the session that was read, if it is what it was when its customer logged in, and the link is good."""
    if not rows:
        return None
    data, user, password, link_version = rows[0][:4]
    assert data is not None and user is not None and password is not None and link_version is not None  # noqa: S101, PT018 - none of them is null
    session = _decode_session(data.decode())
    now = (str(int.from_bytes(user)), _hash_password(password.decode()))
    if session is None or (session.user, session.password_hash) != now:
        return None
    if token:
        version = int.from_bytes(link_version, signed=True)
        try:
            check_token(token, purpose="completed", link_version=version, life=settings.LINK_LIFE)
        except LinkInvalid:
            return None
    return session


@lru_cache(maxsize=4096)
def _decode_session(data: str) -> _Session | None:
    """Read what a session says; None for one that a back end of ours did not make.

    The same text always says the same; that its row is there, and not expired, is asked each time.
    """
    session = SessionStore().decode(data)
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    user, password_hash = str(session.get(SESSION_KEY)), str(session.get(HASH_SESSION_KEY))
    return _Session(user, password_hash, SessionStorage.session_key in session)


@lru_cache(maxsize=4096)
def _hash_password(password: str) -> str:
    return User(password=password).get_session_auth_hash()
