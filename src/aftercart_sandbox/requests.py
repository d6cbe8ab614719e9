"""``C/cancellation_requests/``: requests that the back office works (contract section 8)."""

import json
from dataclasses import replace
from typing import Any

from aftercart_sandbox import decisions, ledger
from aftercart_sandbox.call import Call, Reply
from aftercart_sandbox.cancellation import open_request
from aftercart_sandbox.errors import invalid, refused
from aftercart_sandbox.listing import Listing, columns, list_rows
from aftercart_sandbox.orders import find, map_object
from aftercart_sandbox.refunds import value_of
from aftercart_sandbox.returns import issue_code, read_company
from aftercart_sandbox.store import Row, dump, pick
from aftercart_sandbox.tables import (
    CANCELLATION_TYPES,
    CANCELLATION_WAITING,
    LEGAL_FROM,
    REQUEST_CLOSED,
    REQUEST_EXISTS,
    REQUEST_ILLEGAL,
    REQUEST_OPEN,
)
from aftercart_sandbox.values import need, truth, whole


def request_json(_call: Call | None, row: Row) -> dict[str, Any]:
    """Return a cancellation request as the API shows it."""
    return pick(row, *_SHOWN) | {
        "id": row["pk"],
        "order": row["order_pk"],
        "fully_refund_as_loyalty_money": bool(row["fully_refund_as_loyalty_money"]),
        "easy_return": None if row["easy_return"] is None else json.loads(row["easy_return"]),
    }


_SHOWN = (
    "pk",
    "channel",
    "order_item",
    "reason",
    "status",
    "remote_id",
    "cancellation_type",
    "description",
    "quantity",
    "iban",
    "holder_name",
    "reject_reason",
    "refund_amount",
    "created_date",
    "modified_date",
)

REQUESTS = Listing(
    "requests",
    columns(order_item="int", reason="int", status="text", remote_id="text", cancellation_type="text")
    | {"order": ("order_pk", "int")},
    "-pk",
    request_json,
)


def list_requests(call: Call) -> Reply:
    """``GET C/cancellation_requests/``: newest first."""
    return list_rows(call, REQUESTS, "channel = ?", call.channel)


def list_request_updates(call: Call) -> Reply:
    """``GET C/cancellation_requests/updates/``: those that changed since they were made, oldest first."""
    updates = replace(REQUESTS, sort="modified_date")
    return list_rows(call, updates, "channel = ? AND changed = 1", call.channel)


def read_request(call: Call) -> Reply:
    """``GET C/cancellation_requests/{pk}/``."""
    return Reply(request_json(call, find("requests", call)))


def create_request(call: Call) -> Reply:
    """``POST C/cancellation_requests/``: 201 and the request; 406 if the item has an open one.

    As in reality nothing is unique about ``remote_id``: once the first request is closed, the same body makes
    another.
    """
    store, body = call.store, call.json()
    item = _item(call, body)
    row = _read_body(call, body, item)
    if open_request(store, item["pk"]) or item["status"] == CANCELLATION_WAITING:
        raise refused(REQUEST_EXISTS)
    if item["status"] not in LEGAL_FROM[row["cancellation_type"]]:
        raise refused(REQUEST_ILLEGAL)
    now = store.stamp()
    row |= {"channel": call.channel, "order_pk": item["order_pk"], "order_item": item["pk"]}
    pk = store.insert("requests", row | {"status": "waiting", "created_date": now, "modified_date": now})
    if row["easy_return"] is not None:
        code = issue_code(store, pk, json.loads(row["easy_return"]))
        store.update("requests", pk, easy_return=dump(code))
    if row["remote_id"] is not None:
        map_object(store, call.channel, "cancellationrequest", pk, row["remote_id"])
    units = ledger.units_of(item, row["quantity"])
    amount = value_of(store, item, row["quantity"])
    ledger.write(store, "request_accepted", row["cancellation_type"], item, units, amount, call.number)
    return Reply(request_json(call, store.get("requests", pk)), 201)


def reject_request(call: Call) -> Reply:
    """``POST C/cancellation_requests/{pk}/reject/ {"reject_reason"?}``: 200; 406 if it is closed."""
    row = find("requests", call)
    body = call.json()
    reason = body.get("reject_reason") if isinstance(body, dict) else None
    if reason is not None and not isinstance(reason, str):
        raise invalid("reject_reason", "Not a valid string.")
    if row["status"] not in REQUEST_OPEN:
        raise refused(REQUEST_CLOSED)
    decisions.decide_request(call.store, row, "reject", reason or "", call.number)
    return Reply(request_json(call, find("requests", call)))


def _item(call: Call, body: Any) -> Row:
    pk = whole(need(body, "order_item"), "order_item")
    item = call.store.one("SELECT * FROM items WHERE pk = ? AND channel = ?", pk, call.channel)
    if item is None:
        raise invalid("order_item", f'Invalid pk "{pk}" - object does not exist.', "does_not_exist")
    return item


def _read_body(call: Call, body: Any, item: Row) -> dict[str, Any]:
    """Return the request's columns from the body, or raise a 400 naming the field."""
    kind = need(body, "cancellation_type")
    if kind not in CANCELLATION_TYPES:
        raise invalid("cancellation_type", f'"{kind}" is not a valid choice.', "invalid_choice")
    pk = whole(need(body, "reason"), "reason")
    reason = call.store.one("SELECT * FROM reasons WHERE pk = ? AND is_active = 1", pk)
    if reason is None:
        raise invalid("reason", f'Invalid pk "{pk}" - object does not exist.', "does_not_exist")
    if reason["cancellation_type"] != kind:
        raise invalid("reason", "The reason is not of this cancellation type.")
    left = item["quantity"] - item["cancelled_quantity"]
    quantity = left if body.get("quantity") is None else whole(body["quantity"], "quantity")
    if left and not 1 <= quantity <= left:
        raise invalid("quantity", f"Ensure this value is between 1 and {left}.")
    texts = {name: _text(body, name) for name in ("description", "iban", "holder_name")}
    if bool(texts["iban"]) != bool(texts["holder_name"]):
        raise invalid("holder_name" if texts["iban"] else "iban", "iban and holder_name go together.")
    remote_id = body.get("remote_id")
    if isinstance(remote_id, bool) or not isinstance(remote_id, str | int | None):
        raise invalid("remote_id", "Not a valid string.")
    company = body.get("shipping_company") if kind == "refund" else None
    points = truth(body.get("fully_refund_as_loyalty_money"), "fully_refund_as_loyalty_money")
    return texts | {
        "cancellation_type": kind,
        "reason": pk,
        "quantity": quantity,
        "remote_id": None if remote_id is None else str(remote_id),
        "easy_return": None if company is None else dump(read_company(company, "shipping_company")),
        "fully_refund_as_loyalty_money": points,
    }


def _text(body: dict[str, Any], field: str) -> str | None:
    value = body.get(field)
    if value is not None and not isinstance(value, str):
        raise invalid(field, "Not a valid string.")
    return value
