"""The bare yardstick: the least that can be done for an authenticated read of a stored document.

A WSGI handler that Granian runs, and one prepared statement that joins session, user and document; bytes out. No
framework, no check of the session's signature, no header beyond the type.
"""

import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

_QUERY = """
    SELECT document.body FROM accounts_session session
    JOIN accounts_user customer ON customer.id = session.user_id AND customer.is_active
    JOIN bench_document document ON document.order_id = %s AND document.user_id = customer.id
    WHERE session.session_key = %s AND session.expire_date > now()
"""
_local = threading.local()


def _connect() -> psycopg.Connection[Any]:
    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(
            os.environ["BENCH_DATABASE"], autocommit=True, prepare_threshold=0
        )
    connection: psycopg.Connection[Any] = _local.connection
    return connection


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer `GET /users/orders/{id}/`."""
    order = environ["PATH_INFO"].split("/")[3]
    cookies = dict(part.strip().partition("=")[::2] for part in environ.get("HTTP_COOKIE", "").split(";"))
    cursor = _connect().execute(_QUERY, (int(order), cookies.get("sessionid", "")), binary=True)
    row = cursor.fetchone()
    if row is None:
        start_response("404 Not Found", [])
        return [b""]
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(row[0])))])
    return [row[0]]
