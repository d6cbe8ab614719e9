"""Stored documents: an order as it is sent, kept until anything that it shows is written (docs/decisions/0032).

Whoever builds reads the revisions first and the rows afterwards. A write that comes in between moves a revision, so
that what was built without it is kept under one that has gone, and never found.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.utils.translation import get_language

import aftercart
from aftercart.lib.clock import get_now
from aftercart.orders.models import Order
from aftercart.orders.models.stored import SHARED_ROW

Kind = Literal["json", "signed_json", "page", "signed_page"]

#: What a document is written by, besides our own code.
_PACKAGES: Final = ("Django", "djangorestframework")

#: What a stored document has to be to hold; the parameters are named as in `list_terms`.
HOLDS: Final = """
    document.revision = revision.revision AND document.shared_revision = coalesce(shared.revision, 0)
    AND document.conditions = %(conditions)s
    AND (document.valid_until IS NULL OR document.valid_until >= %(now)s)
"""
#: Which orders, in which order: named one by one, or found by a query.
_NAMED: Final = "unnest(%(orders)s::bigint[]) WITH ORDINALITY AS page(id, place)"
_FOUND: Final = (
    "(SELECT id, row_number() OVER (ORDER BY created_date DESC, id DESC) AS place FROM ({}) found) page"
)
_READ: Final = f"""
    SELECT revision.order_id, revision.revision, coalesce(shared.revision, 0), document.body, document.etag
    FROM {{page}}
    JOIN orders_orderrevision revision ON revision.order_id = page.id
    LEFT JOIN orders_sharedrevision shared ON shared.id = {SHARED_ROW}
    LEFT JOIN orders_storeddocument document ON document.order_id = revision.order_id
        AND document.kind = %(kind)s AND document.language = %(language)s AND {HOLDS}
    ORDER BY page.place
"""  # noqa: S608 - constants
_KEEP: Final = """
    INSERT INTO orders_storeddocument AS document
        (order_id, kind, language, revision, shared_revision, conditions, valid_until, body, etag)
    VALUES (%(order)s, %(kind)s, %(language)s, %(revision)s, %(shared)s, %(conditions)s, %(valid_until)s, %(body)s,
        %(etag)s)
    ON CONFLICT (order_id, kind, language) DO UPDATE SET revision = excluded.revision,
        shared_revision = excluded.shared_revision, conditions = excluded.conditions,
        valid_until = excluded.valid_until, body = excluded.body, etag = excluded.etag, built_at = now()
    WHERE document.revision <= excluded.revision AND document.shared_revision <= excluded.shared_revision
"""


@dataclass(frozen=True, slots=True)
class Built:
    """A document that was just built, and the last instant at which it holds; None: until something is written."""

    body: bytes
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it is sent."""

    body: bytes
    etag: str


Build = Callable[[Sequence[Order]], Sequence[Built]]


def read_documents(
    orders: Sequence[int] | models.QuerySet[Order], kind: Kind, build: Build
) -> list[Document]:
    """Return documents in the active language: in the order of ids, or of a query, newest first.

    One statement where nothing is missing; what is missing is built and kept. `build` gets orders that were read after
    the revisions, and must read all else by itself. An order that is gone has no document.
    """
    try:
        page, parameters = _name_page(orders)
    except EmptyResultSet:  # what is asked for cannot be: an id that no column holds, a year without orders
        return []
    terms = {**list_terms(), "kind": kind, "language": get_language() or settings.LANGUAGE_CODE}
    with connection.cursor() as cursor:
        cursor.execute(_READ.format(page=page), {**terms, **parameters})
        rows = cursor.fetchall()
    missing = {pk: (revision, shared) for pk, revision, shared, body, _etag in rows if body is None}
    found = _build(missing, terms, build) if missing else {}
    return [
        found[pk] if body is None else Document(bytes(body), etag)
        for pk, _revision, _shared, body, etag in rows
        if body is not None or pk in found
    ]


def _name_page(orders: Sequence[int] | models.QuerySet[Order]) -> tuple[str, dict[str, Any]]:
    """Write which orders are read as a part of the statement, and its parameters."""
    if not isinstance(orders, models.QuerySet):
        return _NAMED, {"orders": list(orders)}
    sql, values = orders.values("id", "created_date").query.sql_with_params()
    names = [f"found_{place}" for place in range(len(values))]
    named = sql % tuple(f"%({name})s" for name in names)
    return _FOUND.format(named), dict(zip(names, values, strict=True))


def _build(missing: dict[int, tuple[int, int]], terms: dict[str, Any], build: Build) -> dict[int, Document]:
    found = {}
    orders = list(Order.objects.filter(pk__in=missing))
    for order, built in zip(orders, build(orders), strict=True):
        found[order.pk] = document = Document(built.body, make_etag(built.body))
        revision, shared = missing[order.pk]
        row = {"order": order.pk, "revision": revision, "shared": shared, "valid_until": built.valid_until}
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, {**terms, **row, "body": document.body, "etag": document.etag})
    return found


def list_terms() -> dict[str, Any]:
    """List the parameters of `HOLDS`."""
    return {"conditions": digest_conditions(), "now": get_now()}


def make_etag(body: bytes) -> str:
    """Make a strong ETag: the same bytes have the same one, wherever and whenever they are built."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def find_first(*instants: datetime | None) -> datetime | None:
    """Find the earliest of instants; None if there is none."""
    return min((each for each in instants if each is not None), default=None)


def digest_conditions() -> str:
    """Digest what a document depends on besides rows: code, translations, templates, settings."""
    return _digest(
        frozenset(settings.CANCEL_STATUSES),
        frozenset(settings.REFUND_STATUSES),
        frozenset(settings.ADDRESS_STATUSES),
        settings.ADDRESS_SAME_COUNTRY,
        settings.INVOICE_NEEDS_REVIEW,
        settings.DIRECT_CANCEL_WINDOW,
        settings.RETURN_WINDOW,
        settings.REVIEW_ABOVE_AMOUNT,
        frozenset(settings.REVIEW_TYPES),
        settings.EASY_RETURN,
        frozenset(settings.HOLIDAYS),
        settings.SHOP_TIME_ZONE,
        frozenset(settings.WITHDRAWAL_COUNTRIES),
        settings.WITHDRAWAL_DAYS,
        settings.REFUND_LIFE,
        settings.SHOP_NAME,
        settings.CONTACT_EMAIL,
        settings.CONTACT_PHONE,
        settings.CONTACT_CHAT_URL,
        settings.TERMS_URL,
        settings.PRIVACY_URL,
        settings.BRAND,
        tuple(settings.IMAGE_ORIGINS),
    )


@lru_cache(maxsize=64)
def _digest(*values: Any) -> str:
    digest = hashlib.sha256(_digest_code().encode())
    for value in values:
        if isinstance(value, frozenset):  # of which the order is another in each process
            digest.update(repr(sorted(map(_write, value))).encode())
        else:
            digest.update(repr(value).encode())
    if settings.BRAND:
        for path in sorted(path for path in settings.BRAND.rglob("*") if path.is_file()):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _write(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


@cache
def _digest_code() -> str:
    """Digest our installed code and its templates, once a process: whatever changes there, documents are built anew."""
    digest = hashlib.sha256(repr([version(name) for name in _PACKAGES]).encode())
    folder = Path(aftercart.__file__).parent
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".py", ".html", ".mo", ".css", ".js"}:
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
