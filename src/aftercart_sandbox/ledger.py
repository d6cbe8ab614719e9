"""The ledger: what really happened to every unit, appended in the transaction that made it happen.

Its rows can be neither changed nor deleted (triggers forbid it), so a unit that was cancelled twice stays
visible whatever the orders' own rows say afterwards.
"""

from decimal import Decimal
from typing import Any

from aftercart_sandbox.store import Row, Store
from aftercart_sandbox.values import allocate, money

EVENTS = {
    "cancel_accepted": "cancels_accepted",
    "cancel_rejected": "cancels_rejected",
    "request_accepted": "requests_accepted",
    "request_rejected": "requests_rejected",
    "completed": "cancelled",
}
"""Ledger event to the counter that `units` reports it under."""


def write(
    store: Store, event: str, kind: str, item: Row, units: list[int], amount: Decimal, call: int | None
) -> None:
    """Append ``event`` (of ``kind`` cancel or refund) for each of ``units``, which share ``amount``."""
    row = {
        "event": event,
        "kind": kind,
        "order_pk": item["order_pk"],
        "order_number": store.get("orders", item["order_pk"])["number"],
        "item_pk": item["pk"],
        "remote_id": item["remote_id"],
        "call": call,
    }
    for unit, share in zip(units, allocate(amount, [Decimal(1)] * len(units)), strict=True):
        store.insert("ledger", row | {"at": store.stamp(), "unit": unit, "amount": money(share)})


def units_of(item: Row, quantity: int | None = None) -> list[int]:
    """Return the numbers of the item's units that are left, the first ``quantity`` of them if given.

    A split item is one unit of the shop's line (its ``unit``); a merged one is units 1 … quantity.
    """
    if item["quantity"] == 1:
        return [item["unit"]]
    left = list(range(item["cancelled_quantity"] + 1, item["quantity"] + 1))
    return left if quantity is None else left[:quantity]


def units(store: Store, number: str | None) -> list[dict[str, Any]]:
    """Return every unit with its counters, of one order (by number) or of all.

    Each is ``{order_number, order_pk, item_pk, remote_id, unit, cancels_accepted, cancels_rejected,
    requests_accepted, requests_rejected, cancelled, refunded_amount}``; ``cancelled`` counts completed
    decisions, ``refunded_amount`` is what they gave back, as a money string.
    """
    found: dict[tuple[int, int], dict[str, Any]] = {}
    query = "SELECT items.*, orders.number FROM items JOIN orders ON orders.pk = order_pk"
    events = "SELECT * FROM ledger"
    values = () if number is None else (number,)
    for item in store.all(query + (" WHERE number = ?" if values else "") + " ORDER BY items.pk", *values):
        every = [item["unit"]] if item["quantity"] == 1 else range(1, item["quantity"] + 1)
        for unit in every:
            found[item["pk"], unit] = _empty(
                item["number"], item["order_pk"], item["pk"], item["remote_id"], unit
            )
    for event in store.all(events + (" WHERE order_number = ?" if values else "") + " ORDER BY n", *values):
        key = event["item_pk"], event["unit"]
        blank = _empty(
            event["order_number"], event["order_pk"], event["item_pk"], event["remote_id"], event["unit"]
        )
        row = found.setdefault(key, blank)
        row[EVENTS[event["event"]]] += 1
        if event["event"] == "completed":
            row["refunded_amount"] += Decimal(event["amount"])
    return [row | {"refunded_amount": money(row["refunded_amount"])} for row in found.values()]


def _empty(number: str, order: int, item: int, remote_id: str, unit: int) -> dict[str, Any]:
    row = {"order_number": number, "order_pk": order, "item_pk": item, "remote_id": remote_id, "unit": unit}
    return row | dict.fromkeys(EVENTS.values(), 0) | {"refunded_amount": Decimal()}
