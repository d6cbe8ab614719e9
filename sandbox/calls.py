"""The log of everything the API received, in order; it survives a kill like the rest of the store."""

import json
from typing import Any

from sandbox.store import Row, Store, dump

_MAX_BODY = 100_000
_BY_NUMBER = "number = ?"
_BY_PK = "pk = ?"
_BY_ITEM = "pk = (SELECT order_pk FROM items WHERE pk = ?)"
_BY_REQUEST = "pk = (SELECT order_pk FROM requests WHERE pk = ?)"
_BY_SHOP = "pk = (SELECT object_id FROM actions WHERE content_type = 'order' AND remote_id = ?)"


def record(
    store: Store, call: str, method: str, path: str, query: dict[str, str], raw: bytes, pks: dict[str, str]
) -> int:
    """Write down a call as it arrives and return its number; ``pks`` are the variables of its address."""
    body = _body(raw)
    order = _order(store, call, query, body, pks)
    return store.run(
        "INSERT INTO calls(at, call, method, path, query, body, order_pk, order_number)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
        store.stamp(),
        call,
        method,
        path,
        dump(query),
        None if body is None else dump(body),
        None if order is None else order["pk"],
        None if order is None else order["number"],
    )


def settle(
    store: Store, number: int, answered: int | str, *, applied: bool, fault: int | None = None
) -> None:
    """Write down how a call was answered, and whether it changed anything."""
    store.run(
        "UPDATE calls SET answered = ?, applied = ?, fault = ? WHERE n = ?",
        dump(answered),
        int(applied),
        fault,
        number,
    )


def call_json(row: Row) -> dict[str, Any]:
    """Return ``{n, at, call, method, path, query, body, order, answered, applied, fault}``.

    ``answered`` is the status, "dropped", "hung", or null while the call is still being served; ``applied``
    is true for a write that took effect; ``order`` is the number of the order it was about, ``fault`` the id
    of what struck it.
    """
    return {
        "n": row["n"],
        "at": row["at"],
        "call": row["call"],
        "method": row["method"],
        "path": row["path"],
        "query": json.loads(row["query"]),
        "body": None if row["body"] is None else json.loads(row["body"]),
        "order": row["order_number"],
        "answered": None if row["answered"] is None else json.loads(row["answered"]),
        "applied": bool(row["applied"]),
        "fault": row["fault"],
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
    limit = int(query["limit"]) if query.get("limit", "").isdigit() else 1000
    source = f"FROM calls WHERE {' AND '.join(conditions)}"
    rows = store.all(f"SELECT * {source} ORDER BY n DESC LIMIT ?", *values, limit)
    count = store.count(f"SELECT count(*) {source}", *values)
    return {"count": count, "results": [call_json(row) for row in reversed(rows)]}


def _body(raw: bytes) -> Any:
    """Return the body for the log: parsed if it is JSON, without a password, and not without end."""
    if not raw:
        return None
    text = raw[:_MAX_BODY].decode(errors="replace")
    try:
        body = json.loads(raw, parse_constant=str) if len(raw) <= _MAX_BODY else text
    except (ValueError, RecursionError):
        return text
    return body | {"password": "***"} if isinstance(body, dict) and "password" in body else body


def _order(store: Store, call: str, query: dict[str, str], body: Any, pks: dict[str, str]) -> Row | None:
    """Return the order a call is about, as far as it says so."""
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
    sql, key = subjects.get(call, ("", None))
    return None if key is None else store.one("SELECT * FROM orders WHERE " + sql, key)  # noqa: S608


def _scalar(value: Any) -> str | None:
    return str(value) if isinstance(value, int | str) else None
