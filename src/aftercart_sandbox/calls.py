"""The log of everything the API received, in order; it survives a kill like the rest of the store."""

import json
from dataclasses import dataclass
from typing import Any

from aftercart_sandbox.call import parse
from aftercart_sandbox.errors import ApiError
from aftercart_sandbox.store import Row, Store, dump, pick

_MAX_BODY = 100_000
_MAX_ROWS = 1_000_000
_BY_NUMBER = "number = ?"
_BY_PK = "pk = ?"
_BY_ITEM = "pk = (SELECT order_pk FROM items WHERE pk = ?)"
_BY_REQUEST = "pk = (SELECT order_pk FROM requests WHERE pk = ?)"
_BY_SHOP = "pk = (SELECT object_id FROM actions WHERE content_type = 'order' AND remote_id = ?)"


@dataclass(frozen=True)
class Arrival:
    """A call as it arrives: ``pks`` are its address's variables, ``fault`` the id of what will strike it."""

    call: str
    method: str
    path: str
    query: dict[str, str]
    raw: bytes
    pks: dict[str, str]
    fault: int | None


def record(store: Store, arrival: Arrival) -> int:
    """Write down a call as it arrives and return its number."""
    body = _body(arrival.raw)
    order = _order(store, arrival, body)
    return store.insert(
        "calls",
        {
            "at": store.stamp(),
            "call": arrival.call,
            "method": arrival.method,
            "path": arrival.path,
            "query": dump(arrival.query),
            "body": None if body is None else dump(body),
            "order_pk": None if order is None else order["pk"],
            "order_number": None if order is None else order["number"],
            "fault": arrival.fault,
        },
    )


def settle(store: Store, number: int, answered: int | str, *, applied: bool) -> None:
    """Write down how a call was answered, and whether it changed anything."""
    store.run("UPDATE calls SET answered = ?, applied = ? WHERE n = ?", dump(answered), int(applied), number)


def call_json(row: Row) -> dict[str, Any]:
    """Return ``{n, at, call, method, path, query, body, order, answered, applied, fault}``.

    ``answered`` is the status, "dropped", "hung", or null while the call is still being served; ``applied``
    is true for a write that took effect; ``order`` is the number of the order it was about, ``fault`` the id
    of what struck it.
    """
    return pick(row, "n", "at", "call", "method", "path", "fault") | {
        "query": json.loads(row["query"]),
        "body": None if row["body"] is None else json.loads(row["body"]),
        "order": row["order_number"],
        "answered": None if row["answered"] is None else json.loads(row["answered"]),
        "applied": bool(row["applied"]),
    }


def list_calls(store: Store, query: dict[str, str]) -> dict[str, Any]:
    """Return ``{"count", "results"}`` for ``call``, ``order`` (number or pk), ``after`` (n) and ``limit``.

    The order is that of arrival; ``limit`` keeps the last ones (default 1000) while ``count`` counts all.
    """
    conditions, values = ["1"], []
    if query.get("call"):
        conditions.append("call = ?")
        values.append(query["call"])
    if query.get("order"):
        conditions.append("(order_number = ? OR order_pk = ?)")
        values += [query["order"], query["order"]]
    if query.get("after", "").isdigit():
        conditions.append("n > ?")
        values.append(query["after"])
    limit = min(int(query["limit"]), _MAX_ROWS) if query.get("limit", "").isdigit() else 1000
    source = f"FROM calls WHERE {' AND '.join(conditions)}"
    rows = store.all(f"SELECT * {source} ORDER BY n DESC LIMIT ?", *values, limit)
    count = store.count(f"SELECT count(*) {source}", *values)
    return {"count": count, "results": [call_json(row) for row in reversed(rows)]}


def _body(raw: bytes) -> Any:
    """Return the body for the log: parsed if it is JSON, without a password, and not without end."""
    if not raw:
        return None
    if len(raw) > _MAX_BODY:
        return raw[:_MAX_BODY].decode(errors="replace")
    try:
        body = parse(raw)
    except ApiError:
        return raw.decode(errors="replace")
    return body | {"password": "***"} if isinstance(body, dict) and "password" in body else body


def _order(store: Store, arrival: Arrival, body: Any) -> Row | None:
    """Return the order a call is about, as far as it says so."""
    query, pks = arrival.query, arrival.pks
    given = body if isinstance(body, dict) else {}
    shop_id = query.get("remote_id__exact") or query.get("remote_id")
    subjects = {
        "orders_list": (_BY_NUMBER, query.get("number")),
        "order_read": (_BY_PK, pks.get("pk")),
        "order_cancel": (_BY_PK, pks.get("pk")),
        "order_items": (_BY_ITEM, pks["pk"]) if "pk" in pks else (_BY_PK, query.get("order")),
        "request_create": (_BY_ITEM, _scalar(given.get("order_item"))),
        "request_read": (_BY_REQUEST, pks.get("pk")),
        "request_reject": (_BY_REQUEST, pks.get("pk")),
        "address_change": (_BY_SHOP, _scalar(given.get("order"))),
        "integration_actions": (_BY_SHOP, shop_id)
        if query.get("content_type_name") == "order"
        else ("", None),
    }
    sql, key = subjects.get(arrival.call, ("", None))
    return None if key is None else store.one("SELECT * FROM orders WHERE " + sql, key)  # noqa: S608 - only names of our own are put in


def _scalar(value: Any) -> str | None:
    return str(value) if isinstance(value, int | str) else None
