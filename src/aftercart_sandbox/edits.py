"""What the back office does to an order by itself: prepare, ship, deliver; correct what it has given back."""

from typing import Any

from aftercart_sandbox.errors import invalid, not_found
from aftercart_sandbox.orders import items_of, refresh_order
from aftercart_sandbox.store import Store
from aftercart_sandbox.tables import CANCELLATION_WAITING, CLOSED
from aftercart_sandbox.values import money, need, read_money, read_status, whole

_REFUNDS = ("refund_amount", "discount_refund_amount", "shipping_refund_amount")


def set_status(store: Store, body: Any) -> dict[str, Any]:
    """Move an order's open items (``order``: number) or one item (``item``: pk) to ``status``.

    Items that are closed or wait for a decision stay as they are. Answers ``{"order": pk, "items": [pk
    moved]}``.
    """
    status = read_status(need(body, "status"), "status")
    if status == CANCELLATION_WAITING or status in CLOSED:
        raise invalid(
            "status", "Cancel through the API and decide; this is for the statuses from 200 to 550."
        )
    if body.get("item") is not None:
        item = store.one("SELECT order_pk FROM items WHERE pk = ?", whole(body["item"], "item"))
        order_pk = None if item is None else item["order_pk"]
    else:
        order = store.one("SELECT pk FROM orders WHERE number = ?", str(need(body, "order")))
        order_pk = None if order is None else order["pk"]
    if order_pk is None:
        raise not_found()
    moved = [
        item["pk"]
        for item in items_of(store, order_pk)
        if item["status"] not in CLOSED | {CANCELLATION_WAITING} and body.get("item") in (None, item["pk"])
    ]
    for pk in moved:
        store.update("items", pk, status=status, modified_date=store.stamp())
    if body.get("item") is None:
        store.update("orders", order_pk, base_status=status)
    refresh_order(store, order_pk)
    return {"order": order_pk, "items": moved}


def set_refunds(store: Store, body: Any) -> dict[str, Any]:
    """Set what an order (``order``: number) says that it has given back, whatever was decided.

    ``refund_amount``, ``discount_refund_amount`` and ``shipping_refund_amount`` are the order's, ``items`` maps the
    shop's ids to theirs; what is not named stays. Answers ``{"order": pk}``.
    """
    order = store.one("SELECT pk FROM orders WHERE number = ?", str(need(body, "order")))
    if order is None:
        raise not_found()
    items = body.get("items") or {}
    if not isinstance(items, dict):
        raise invalid("items", "Expected a dictionary of amounts.", "not_a_dict")
    amounts = {name: money(read_money(body[name], name)) for name in _REFUNDS if body.get(name) is not None}
    of_items = {str(remote_id): money(read_money(amount, "items")) for remote_id, amount in items.items()}
    for remote_id, amount in of_items.items():
        where = "order_pk = ? AND remote_id = ?"
        store.run(f"UPDATE items SET refund_amount = ? WHERE {where}", amount, order["pk"], remote_id)  # noqa: S608 - only names of our own are put in
    if amounts:
        store.update("orders", order["pk"], **amounts)
    refresh_order(store, order["pk"])
    return {"order": order["pk"]}
