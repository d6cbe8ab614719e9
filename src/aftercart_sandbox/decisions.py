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
PENDING_ITEMS = (
    "SELECT items.* FROM items JOIN orders ON orders.pk = order_pk WHERE waiting_since IS NOT NULL"
)
PENDING_REQUESTS = (
    "SELECT requests.* FROM requests JOIN orders ON orders.pk = requests.order_pk"  # noqa: S608 - a tuple of strings reads the same in SQL
    f" WHERE requests.status IN {REQUEST_OPEN}"
)
_BY_ITEM, _BY_REQUEST = " ORDER BY items.pk", " ORDER BY requests.pk"
#: By what a decision may name: where that has to be found, and which waiting items and requests are meant.
_TARGETS = {
    "order": ("orders WHERE number = ?", "orders.number = ?", "orders.number = ?"),
    "item": ("items WHERE pk = ?", "items.pk = ?", "requests.order_item = ?"),
    "remote_item": (
        "items WHERE remote_id = ?",
        "items.remote_id = ?",
        "requests.order_item IN (SELECT pk FROM items WHERE remote_id = ?)",
    ),
    "request": ("requests WHERE pk = ?", "", "requests.pk = ?"),
}


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
    items, requests = _select_pending(store, body)
    for item in items:
        decide_item(store, item, decision)
    for request in requests:
        decide_request(store, request, decision, reason, None)
    return {"items": [item["pk"] for item in items], "requests": [request["pk"] for request in requests]}


def _select_pending(store: Store, body: dict[str, Any]) -> tuple[list[Row], list[Row]]:
    """Return the items and requests that the body selects of those that wait, or raise 400 or 404."""
    named = [name for name in (*_TARGETS, "all") if body.get(name)]
    if len(named) != 1:
        raise invalid("non_field_errors", "Name exactly one of order, item, remote_item, request or all.")
    [name] = named
    if name == "all":
        return store.all(PENDING_ITEMS + _BY_ITEM), store.all(PENDING_REQUESTS + _BY_REQUEST)
    target, of_items, of_requests = _TARGETS[name]
    value = whole(body[name], name) if name in ("item", "request") else str(body[name])
    if store.one(f"SELECT 1 FROM {target}", value) is None:  # noqa: S608  # one of the constants above
        raise not_found()
    items = store.all(f"{PENDING_ITEMS} AND {of_items}{_BY_ITEM}", value) if of_items else []
    return items, store.all(f"{PENDING_REQUESTS} AND {of_requests}{_BY_REQUEST}", value)


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
    store.update("items", item["pk"], waiting_since=None, waiting_amount=None, status_before=None)
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
    item = store.get("items", request["order_item"])
    kind, quantity = request["cancellation_type"], request["quantity"]
    units = ledger.units_of(item, quantity)
    status = {"approve": "completed", "reject": "rejected", "confirm": "confirmed"}[decision]
    store.update(
        "requests",
        request["pk"],
        status=status,
        reject_reason=reason or None if decision == "reject" else None,
        changed=1,
        modified_date=store.stamp(),
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
    store.update("requests", request["pk"], refund_amount=money(amount))
    ledger.write(store, "completed", kind, item, units, amount, call)
    if _is_closed(store, item["order_pk"]):
        _refund_shipping(store, item["order_pk"])
        _refund_gift_box(store, item["order_pk"])
    refresh_order(store, item["order_pk"], "approved")


def _set_item(store: Store, item: Row, status: str, cancel_status: str) -> None:
    now = store.stamp()
    store.update("items", item["pk"], status=status, cancel_status=cancel_status, modified_date=now)


def _refund(store: Store, item: Row, amount: Decimal, quantity: int) -> None:
    """Add ``amount`` to what the item and its order gave back, ``quantity`` to the units that are gone."""
    discount = discount_of(store, item, quantity)
    store.update(
        "items",
        item["pk"],
        refund_amount=money(Decimal(item["refund_amount"]) + amount),
        cancelled_quantity=item["cancelled_quantity"] + quantity,
    )
    order = store.get("orders", item["order_pk"])
    store.update(
        "orders",
        order["pk"],
        refund_amount=money(Decimal(order["refund_amount"]) + amount),
        discount_refund_amount=money(Decimal(order["discount_refund_amount"]) + discount),
    )


def _settle_shipping(store: Store, order_pk: int, decision: str) -> None:
    """Give the shipping fee back with the first approval, if the cancellation had ``is_cargo_refund``."""
    if decision == "approve":
        if store.get("orders", order_pk)["shipping_refund_pending"]:
            _refund_shipping(store, order_pk)
    elif store.one(f"{PENDING_ITEMS} AND order_pk = ?", order_pk) is None:
        store.update("orders", order_pk, shipping_refund_pending=0)


def _refund_shipping(store: Store, order_pk: int) -> None:
    """Give the shipping fee back, once; it is a part of what the order gives back."""
    order = store.get("orders", order_pk)
    fee = max(shipping_of(store, order) - Decimal(order["shipping_refund_amount"]), Decimal())
    store.update(
        "orders",
        order_pk,
        shipping_refund_amount=money(Decimal(order["shipping_refund_amount"]) + fee),
        refund_amount=money(Decimal(order["refund_amount"]) + fee),
        shipping_refund_pending=0,
    )


def _is_closed(store: Store, order_pk: int) -> bool:
    """Return whether nothing is left of an order; what ends so is never decided again."""
    return all(row["status"] in CLOSED for row in items_of(store, order_pk))


def _refund_gift_box(store: Store, order_pk: int) -> None:
    """Give back what the shop says that the gift box cost."""
    order = store.get("orders", order_pk)
    total = Decimal(order["refund_amount"]) + gift_box_of(store, order)
    store.update("orders", order_pk, refund_amount=money(total))


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
