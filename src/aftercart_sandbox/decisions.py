"""What the back office decides about cancellations and requests, by hand or by itself after a while."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from aftercart_sandbox import ledger
from aftercart_sandbox.errors import invalid, not_found
from aftercart_sandbox.orders import items_of, refresh_order
from aftercart_sandbox.refunds import discount_of, gift_box_of, shipping_of, value_of
from aftercart_sandbox.store import Row, Store
from aftercart_sandbox.tables import CANCELLATION_WAITING, CLOSED, ENDS_IN, REQUEST_OPEN
from aftercart_sandbox.values import money, stamp, whole

DECISIONS = ("approve", "reject", "confirm")
_OPEN = str(REQUEST_OPEN)  # a tuple of strings reads the same in SQL
PENDING_ITEMS = (
    "SELECT items.* FROM items JOIN orders ON orders.pk = order_pk WHERE waiting_since IS NOT NULL"
)
PENDING_REQUESTS = (
    "SELECT requests.* FROM requests JOIN orders ON orders.pk = requests.order_pk"  # noqa: S608 - only names of our own are put in
    f" WHERE requests.status IN {_OPEN}"
)


def decide(store: Store, body: dict[str, Any]) -> dict[str, Any]:
    """Decide everything pending that the body selects, and answer ``{"items": [pk], "requests": [pk]}``.

    The body is ``{"decision": "approve" | "reject" | "confirm", "reason"?}`` with one of ``order`` (number),
    ``item`` (pk here), ``remote_item`` (the shop's id), ``request`` (pk) or ``all: true``. ``confirm`` moves
    to the intermediate ``confirmed``. A target that does not exist is a 404; one with nothing pending decides
    nothing.
    """
    decision = body.get("decision")
    if decision not in DECISIONS:
        raise invalid("decision", f"One of {', '.join(DECISIONS)}.")
    reason = str(body.get("reason") or "")
    where, value = _selection(store, body)
    items: list[Row] = []
    if "request" not in where:
        items = store.all(f"{PENDING_ITEMS} AND {where['item']} ORDER BY items.pk", *value)
        requests = store.all(f"{PENDING_REQUESTS} AND {where['of_item']} ORDER BY requests.pk", *value)
    else:
        requests = store.all(f"{PENDING_REQUESTS} AND {where['request']}", *value)
    for item in items:
        decide_item(store, item, decision)
    for request in requests:
        decide_request(store, request, decision, reason, None)
    return {"items": [item["pk"] for item in items], "requests": [request["pk"] for request in requests]}


def _selection(store: Store, body: dict[str, Any]) -> tuple[dict[str, str], tuple[Any, ...]]:
    """Return the conditions for items and requests, and their value, or raise 400 or 404."""
    named = [name for name in ("order", "item", "remote_item", "request", "all") if body.get(name)]
    if len(named) != 1:
        raise invalid("non_field_errors", "Name exactly one of order, item, remote_item, request or all.")
    match named[0]:
        case "all":
            return {"item": "1", "of_item": "1"}, ()
        case "order":
            value: Any = str(body["order"])
            known, where = (
                "orders WHERE number = ?",
                {"item": "orders.number = ?", "of_item": "orders.number = ?"},
            )
        case "item":
            value = whole(body["item"], "item")
            known, where = (
                "items WHERE pk = ?",
                {"item": "items.pk = ?", "of_item": "requests.order_item = ?"},
            )
        case "remote_item":
            value = str(body["remote_item"])
            of_item = "requests.order_item IN (SELECT pk FROM items WHERE remote_id = ?)"
            known, where = "items WHERE remote_id = ?", {"item": "items.remote_id = ?", "of_item": of_item}
        case _:
            value = whole(body["request"], "request")
            known, where = "requests WHERE pk = ?", {"request": "requests.pk = ?"}
    if store.one(f"SELECT 1 FROM {known}", value) is None:  # noqa: S608  # one of the constants above
        raise not_found()
    return where, (value,)


def decide_item(store: Store, item: Row, decision: str) -> None:
    """Approve, reject or confirm one waiting cancellation."""
    kind, amount = item["cancel_kind"], Decimal(item["waiting_amount"])
    units = ledger.units_of(item)
    if decision == "confirm":
        _set_item(store, item, CANCELLATION_WAITING, "confirmed")
        refresh_order(store, item["order_pk"])
        return
    outcome = "approved" if decision == "approve" else "rejected"
    status = ENDS_IN[kind] if decision == "approve" else item["status_before"]
    store.run(
        "UPDATE items SET waiting_since = NULL, waiting_amount = NULL, status_before = NULL WHERE pk = ?",
        item["pk"],
    )
    _set_item(store, item, status, outcome)
    if decision == "approve":
        _refund(store, item, amount, len(units))
        ledger.write(store, "completed", kind, item, units, amount, None)
    else:
        ledger.write(store, "cancel_rejected", kind, item, units, Decimal(), None)
    _settle_shipping(store, item["order_pk"], decision)
    if decision == "approve" and _is_closed(store, item["order_pk"]):
        _refund_gift_box(store, item["order_pk"])
    refresh_order(store, item["order_pk"], outcome)


def decide_request(store: Store, request: Row, decision: str, reason: str, call: int | None) -> None:
    """Approve, reject (with a reason) or confirm an open request; ``call`` is the API call that did it."""
    item = store.all("SELECT * FROM items WHERE pk = ?", request["order_item"])[0]
    kind, quantity = request["cancellation_type"], request["quantity"]
    units = ledger.units_of(item, quantity)
    status = {"approve": "completed", "reject": "rejected", "confirm": "confirmed"}[decision]
    store.run(
        "UPDATE requests SET status = ?, reject_reason = ?, changed = 1, modified_date = ? WHERE pk = ?",
        status,
        reason or None if decision == "reject" else None,
        store.stamp(),
        request["pk"],
    )
    if decision == "confirm":
        return
    if decision == "reject":
        _set_item(store, item, item["status"], "rejected")
        ledger.write(store, "request_rejected", kind, item, units, Decimal(), call)
        refresh_order(store, item["order_pk"], "rejected")
        return
    whole_line = item["cancelled_quantity"] + quantity >= item["quantity"]
    amount = value_of(store, item, quantity)
    _set_item(store, item, ENDS_IN[kind] if whole_line else item["status"], "approved")
    _refund(store, item, amount, quantity)
    store.run("UPDATE requests SET refund_amount = ? WHERE pk = ?", money(amount), request["pk"])
    ledger.write(store, "completed", kind, item, units, amount, call)
    if _is_closed(store, item["order_pk"]):
        _refund_shipping(store, item["order_pk"])
        _refund_gift_box(store, item["order_pk"])
    refresh_order(store, item["order_pk"], "approved")


def _set_item(store: Store, item: Row, status: str, cancel_status: str) -> None:
    store.run(
        "UPDATE items SET status = ?, cancel_status = ?, modified_date = ? WHERE pk = ?",
        status,
        cancel_status,
        store.stamp(),
        item["pk"],
    )


def _refund(store: Store, item: Row, amount: Decimal, quantity: int) -> None:
    """Add ``amount`` to what the item and its order gave back, ``quantity`` to the units that are gone."""
    discount = discount_of(store, item, quantity)
    store.run(
        "UPDATE items SET refund_amount = ?, cancelled_quantity = cancelled_quantity + ? WHERE pk = ?",
        money(Decimal(item["refund_amount"]) + amount),
        quantity,
        item["pk"],
    )
    order = store.all("SELECT * FROM orders WHERE pk = ?", item["order_pk"])[0]
    store.run(
        "UPDATE orders SET refund_amount = ?, discount_refund_amount = ? WHERE pk = ?",
        money(Decimal(order["refund_amount"]) + amount),
        money(Decimal(order["discount_refund_amount"]) + discount),
        order["pk"],
    )


def _settle_shipping(store: Store, order_pk: int, decision: str) -> None:
    """Give the shipping fee back with the first approval, if the cancellation had ``is_cargo_refund``."""
    order = store.all("SELECT * FROM orders WHERE pk = ?", order_pk)[0]
    if decision == "approve":
        if order["shipping_refund_pending"]:
            _refund_shipping(store, order_pk)
    elif store.one(f"{PENDING_ITEMS} AND order_pk = ?", order_pk) is None:
        store.run("UPDATE orders SET shipping_refund_pending = 0 WHERE pk = ?", order_pk)


def _refund_shipping(store: Store, order_pk: int) -> None:
    """Give the shipping fee back, once; it is a part of what the order gives back."""
    order = store.all("SELECT * FROM orders WHERE pk = ?", order_pk)[0]
    fee = max(shipping_of(store, order) - Decimal(order["shipping_refund_amount"]), Decimal())
    store.run(
        "UPDATE orders SET shipping_refund_amount = ?, refund_amount = ?, shipping_refund_pending = 0 WHERE pk = ?",
        money(Decimal(order["shipping_refund_amount"]) + fee),
        money(Decimal(order["refund_amount"]) + fee),
        order_pk,
    )


def _is_closed(store: Store, order_pk: int) -> bool:
    """Return whether nothing is left of an order; what ends so is never decided again."""
    return all(row["status"] in CLOSED for row in items_of(store, order_pk))


def _refund_gift_box(store: Store, order_pk: int) -> None:
    """Give back what the shop says that the gift box cost."""
    order = store.all("SELECT * FROM orders WHERE pk = ?", order_pk)[0]
    total = Decimal(order["refund_amount"]) + gift_box_of(store, order)
    store.run("UPDATE orders SET refund_amount = ? WHERE pk = ?", money(total), order_pk)


def automatic(store: Store) -> dict[str, Any] | None:
    """Return the setting ``{"after_seconds", "decision"}``, or None while everything waits for a person."""
    text = store.setting("auto")
    return None if text is None else dict(json.loads(text))


def set_automatic(store: Store, auto: Any) -> dict[str, Any] | None:
    """Keep ``{"after_seconds": N, "decision": "approve" | "reject"}`` durably; None switches it off."""
    if auto is None:
        store.set_setting("auto", None)
        return None
    if not isinstance(auto, dict) or auto.get("decision", "approve") not in ("approve", "reject"):
        raise invalid("auto", 'Null, or {"after_seconds": N, "decision": "approve" | "reject"}.')
    seconds = auto.get("after_seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 10**8:
        raise invalid("auto", "after_seconds is a number of seconds, 0 or more.")
    kept = {"after_seconds": seconds, "decision": auto.get("decision", "approve")}
    store.set_setting("auto", json.dumps(kept))
    return kept


def decide_due(store: Store) -> int:
    """Decide what has waited for as long as the automatic setting says; return how many that were."""
    auto = automatic(store)
    if auto is None:
        return 0
    before = stamp(store.now() - dt.timedelta(seconds=auto["after_seconds"]))
    items = store.all(f"{PENDING_ITEMS} AND waiting_since <= ?", before)
    requests = store.all(f"{PENDING_REQUESTS} AND requests.created_date <= ?", before)
    if items or requests:
        with store.transaction():
            for item in items:
                decide_item(store, item, auto["decision"])
            for request in requests:
                decide_request(store, request, auto["decision"], "Decided automatically.", None)
    return len(items) + len(requests)
