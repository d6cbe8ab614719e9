"""Loading the shop's orders: documents in; orders, items and integration actions of our own out."""

import json
from typing import Any

from aftercart_sandbox.errors import ApiError, invalid
from aftercart_sandbox.orders import map_object
from aftercart_sandbox.store import Store, dump
from aftercart_sandbox.tables import APPROVED, CANCELLATION_WAITING, REFUNDABLE
from aftercart_sandbox.values import money, need, plain, read_moment, read_money, read_status, truth, whole

FLAGS = ("no_purchase_transaction", "nothing_refundable", "pay_on_delivery")
_MAX_SPLIT = 1000


def load_orders(store: Store, body: Any) -> dict[str, int]:
    """Load ``{"channel_id", "orders": [document], "split_units"?, "replace"?, "announce"?}`` and answer what was done.

    Documents have the shape of contract section 6; statuses may be bare or ``{"value", "label"}``. An order
    whose number is known stays as it is, unless ``replace``: then it takes the document's content and keeps
    its keys. ``split_units``, for all or in an item, makes an item of quantity n into n items of quantity 1.
    ``announce`` puts new orders into the list of updates, as a shop's do that have just been placed.
    A document may carry ``"sandbox": {flag: true}`` with the flags of `FLAGS`. Answers counts: ``{"loaded",
    "replaced", "kept", "items"}``. A malformed document is a 400 that names its place; then nothing is
    loaded.
    """
    channel = whole(need(body, "channel_id"), "channel_id")
    documents = need(body, "orders")
    if not isinstance(documents, list):
        raise invalid("orders", "Expected a list of orders.")
    split, replace = truth(body.get("split_units"), "split_units"), truth(body.get("replace"), "replace")
    announce = truth(body.get("announce"), "announce")
    counts = {"loaded": 0, "replaced": 0, "kept": 0, "items": 0}
    for place, document in enumerate(documents):
        try:
            outcome, items = _load(store, channel, document, split=split, replace=replace, announce=announce)
        except ApiError as error:
            raise _located(error, f"orders[{place}]") from None
        counts[outcome] += 1
        counts["items"] += items
    return counts


def restore_orders(store: Store) -> None:
    """Put every order back to what it was when it was loaded; requests go, the other keys stay."""
    store.run("DELETE FROM requests")
    store.run("DELETE FROM actions WHERE content_type = 'cancellationrequest'")
    for order in store.all("SELECT pk, channel, source FROM orders"):
        source = json.loads(order["source"])
        _load(store, order["channel"], source["document"], split=source["split"], replace=True)
    store.run("UPDATE orders SET changed = 0, modified_date = created_date")
    store.run("UPDATE items SET modified_date = created_date")


def _load(
    store: Store, channel: int, document: Any, *, split: bool, replace: bool, announce: bool = False
) -> tuple[str, int]:
    number = str(need(document, "number"))
    remote_id = str(whole(need(document, "id"), "id"))
    known = store.one("SELECT pk FROM orders WHERE channel = ? AND number = ?", channel, number)
    if known is not None and not replace:
        return "kept", 0
    lines = document.get("orderitem_set") or []
    if not isinstance(lines, list):
        raise invalid("orderitem_set", "Expected a list of items.")
    row = _order_row(store, channel, document) | {"number": number, "remote_id": remote_id}
    row["source"] = dump({"document": document, "split": split})
    if known is not None:
        row |= {"pk": known["pk"], "changed": 1, "modified_date": store.stamp()}
    elif announce:
        row |= {"changed": 1, "modified_date": store.stamp()}
    items: list[dict[str, Any]] = []
    for place, line in enumerate(lines):
        try:
            items += _item_rows(store, row, line, split=split)
        except ApiError as error:
            raise _located(error, f"orderitem_set[{place}]") from None
    pk = store.insert("orders", row)
    if known is None:
        map_object(store, channel, "order", pk, remote_id)
    _put_items(store, pk, items)
    return ("loaded" if known is None else "replaced"), len(items)


def _put_items(store: Store, order_pk: int, items: list[dict[str, Any]]) -> None:
    """Write an order's items; those it had before keep their keys, those it has no more go."""
    before = {
        (item["remote_id"], item["unit"]): item["pk"]
        for item in store.all("SELECT * FROM items WHERE order_pk = ?", order_pk)
    }
    for item in items:
        row = item | {"order_pk": order_pk}
        pk = before.pop((item["remote_id"], item["unit"]), None)
        if pk is None:
            map_object(store, item["channel"], "orderitem", store.insert("items", row), item["remote_id"])
        else:
            store.insert("items", row | {"pk": pk})
    for pk in before.values():
        store.run("DELETE FROM actions WHERE content_type = 'orderitem' AND object_id = ?", pk)
        store.run("DELETE FROM requests WHERE order_item = ?", pk)
        store.run("DELETE FROM items WHERE pk = ?", pk)


def _order_row(store: Store, channel: int, document: dict[str, Any]) -> dict[str, Any]:
    status = read_status(document.get("status", APPROVED), "status")
    flags = document.get("sandbox") or {}
    if not isinstance(flags, dict) or not set(flags) <= set(FLAGS):
        raise invalid("sandbox", f"Flags are {', '.join(FLAGS)}.")
    created = _date(store, document, "created_date")
    lines = [line for line in document.get("orderitem_set") or [] if isinstance(line, dict)]
    before = [read_status(line.get("status", status), "status") for line in lines]
    open_before = [value for value in before if value != CANCELLATION_WAITING]
    base = min(open_before, default=APPROVED, key=int) if status == CANCELLATION_WAITING else status
    waiting = CANCELLATION_WAITING in (status, *before)
    return {
        "channel": channel,
        "status": status,
        "base_status": base,
        "cancel_status": _name(plain(document.get("cancel_status")), "cancel_status")
        or ("waiting" if waiting else None),
        "currency": str(plain(document.get("currency")) or "try"),
        "shipping_address": dump(document.get("shipping_address")),
        "flags": dump(flags),
        "document": dump(
            {key: value for key, value in document.items() if key not in ("orderitem_set", "sandbox")}
        ),
        "changed": 0,
        "created_date": created,
        "modified_date": created,
        **{
            name: money(read_money(document.get(name) or 0, name))
            for name in (
                "amount",
                "refund_amount",
                "discount_refund_amount",
                "shipping_amount",
                "shipping_refund_amount",
            )
        },
    }


def _item_rows(store: Store, order: dict[str, Any], line: Any, *, split: bool) -> list[dict[str, Any]]:
    """Return the rows of one line of the shop: one, or as many as its quantity if it is to be split."""
    remote_id = str(whole(need(line, "id"), "id"))
    quantity = whole(line.get("quantity", 1), "quantity")
    if not 1 <= quantity <= _MAX_SPLIT:
        raise invalid("quantity", f"Ensure this value is between 1 and {_MAX_SPLIT}.")
    status = read_status(line.get("status", order["status"]), "status")
    waiting = status == CANCELLATION_WAITING
    product = line.get("product")
    product = product if isinstance(product, dict) else {"pk": product}
    price = money(read_money(need(line, "price"), "price"))
    row = {
        "channel": order["channel"],
        "remote_id": remote_id,
        "product": _name(product.get("pk"), "product"),
        "sku": _name(product.get("sku"), "product"),
        "status": status,
        "status_before": order["base_status"] if waiting else None,
        "cancel_status": "waiting" if waiting else _name(plain(line.get("cancel_status")), "cancel_status"),
        "cancel_kind": ("refund" if order["base_status"] in REFUNDABLE else "cancel") if waiting else None,
        "waiting_since": store.stamp() if waiting else None,
        "price": price,
        "refund_amount": money(read_money(line.get("refund_amount") or 0, "refund_amount")),
        "document": dump({"name": product.get("name")} | {k: v for k, v in line.items() if k != "product"}),
        "created_date": order["created_date"],
        "modified_date": order["modified_date"],
    }
    split = split or truth(line.get("split_units"), "split_units")
    units = range(1, quantity + 1) if split else (1,)
    each = 1 if split else quantity
    amount = money(read_money(price, "price") * each) if waiting else None
    return [row | {"unit": unit, "quantity": each, "waiting_amount": amount} for unit in units]


def _name(value: Any, field: str) -> int | str | None:
    """Return what the shop calls something, or raise a 400 for ``field``: no column holds anything else."""
    return value if value is None or isinstance(value, str) else whole(value, field)


def _date(store: Store, document: dict[str, Any], field: str) -> str:
    value = document.get(field)
    return store.stamp() if value is None else read_moment(value, field)


def _located(error: ApiError, place: str) -> ApiError:
    """Return the error with ``place`` before the names of its fields."""
    body = {f"{place}.{field}": text for field, text in error.body.items() if field != "code"}
    return ApiError(error.status, body | {"code": error.body["code"]})
