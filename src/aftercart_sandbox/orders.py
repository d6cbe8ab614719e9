"""Reading orders and items, and keeping an order in step with its items."""

import json
from dataclasses import replace
from typing import Any

from aftercart_sandbox.call import Call, Reply
from aftercart_sandbox.errors import not_found
from aftercart_sandbox.listing import Listing, columns, list_rows
from aftercart_sandbox.store import Row, Store, pick
from aftercart_sandbox.tables import CANCELLATION_WAITING, CLOSED, CONTENT_TYPES, REFUNDED
from aftercart_sandbox.values import plain

_COMMON = ("pk", "channel", "status", "cancel_status", "refund_amount", "created_date", "modified_date")
_ORDER_COLUMNS = (
    *_COMMON,
    "number",
    "currency",
    "amount",
    "discount_refund_amount",
    "shipping_amount",
    "shipping_refund_amount",
)
_ITEM_COLUMNS = (*_COMMON, "product", "sku", "price", "quantity", "cancelled_quantity")
_ORDER_EXTRAS = (
    "billing_address",
    "payment_option",
    "amount_without_discount",
    "discount_amount",
    "shipping_tax_rate",
    "client_type",
    "tracking_number",
    "tracking_url",
    "invoice_number",
    "invoice_date",
    "e_archive_url",
    "remote_addr",
    "has_gift_box",
    "gift_box_note",
    "language_code",
    "notes",
    "delivery_range",
    "extra_field",
    "shipping_company",
    "shipping_option_slug",
    "payment_option_slug",
    "installment_count",
    "installment_interest_amount",
    "segment",
    "user_email",
    "is_payable",
    "discountitem_set",
)
_ITEM_EXTRAS = (
    "parent",
    "price_currency",
    "retail_price",
    "tax_rate",
    "tracking_number",
    "tracking_url",
    "shipping_company",
    "invoice_number",
    "invoice_date",
    "e_archive_url",
    "extra_field",
    "attributes",
    "attributes_kwargs",
    "estimated_delivery_date",
    "total_amount",
    "unit_price",
)


def order_json(_call: Call | None, row: Row) -> dict[str, Any]:
    """Return an order as the API shows it; the status is a numeric string, money has two decimals."""
    document = json.loads(row["document"])
    option = document.get("payment_option") or {}
    shown = {name: document.get(name) for name in _ORDER_EXTRAS}
    if "user" in document and document["user"] is None:
        shown["is_guest"] = True
    return (
        shown
        | pick(row, *_ORDER_COLUMNS)
        | {
            "id": row["pk"],
            "date_placed": row["created_date"],
            "shipping_address": json.loads(row["shipping_address"]),
            "payment_type": plain(option.get("payment_type")),
        }
    )


def item_json(_call: Call | None, row: Row) -> dict[str, Any]:
    """Return an order item as the API shows it; ``price`` is that of one unit."""
    document = json.loads(row["document"])
    shown = {name: document.get(name) for name in _ITEM_EXTRAS}
    return (
        shown
        | pick(row, *_ITEM_COLUMNS)
        | {
            "id": row["pk"],
            "order": row["order_pk"],
            "product_name": document.get("name"),
            "easy_return": document.get("easy_return"),
        }
    )


def action_json(_call: Call, row: Row) -> dict[str, Any]:
    """Return an integration action: which of the shop's ids (``remote_id``) is which object here."""
    model = row["content_type"]
    shown = pick(row, "pk", "object_id", "remote_id", "channel", "created_date", "modified_date")
    return shown | {
        "id": row["pk"],
        "content_type": {"id": CONTENT_TYPES[model], "app_label": "omnitron", "model": model},
        "status": "success",
        "state": {},
        "version_date": row["modified_date"],
    }


def reason_json(_call: Call, row: Row) -> dict[str, Any]:
    """Return a cancellation reason."""
    subjects = {"en": row["subject"], "tr": row["turkish"]}
    return pick(row, "pk", "cancellation_type", "subject", "created_date") | {
        "id": row["pk"],
        "extra_information_needed": bool(row["extra_information_needed"]),
        "is_active": bool(row["is_active"]),
        "order": row["pk"],
        "translations": {language: {"subject": subject} for language, subject in subjects.items()},
        "modified_date": row["created_date"],
    }


ORDERS = Listing(
    "orders", columns(number="text", status="text", cancel_status="text", currency="text"), "-pk", order_json
)
ITEMS = Listing(
    "items",
    columns(status="text", cancel_status="text", sku="text", product="int")
    | {"order": ("order_pk", "int"), "order_id": ("order_pk", "int")},
    "pk",
    item_json,
)
ACTIONS = Listing(
    "actions",
    columns(object_id="int", remote_id="text")
    | {"content_type_name": ("content_type", "text"), "content_type_model": ("content_type", "text")},
    "pk",
    action_json,
)
REASONS = Listing(
    "reasons",
    {
        "pk": ("pk", "int"),
        "id": ("pk", "int"),
        "cancellation_type": ("cancellation_type", "text"),
        "created_date": ("created_date", "date"),
    },
    "pk",
    reason_json,
)


def list_orders(call: Call) -> Reply:
    """``GET C/orders/``: newest first."""
    return list_rows(call, ORDERS, "channel = ?", call.channel)


def list_order_updates(call: Call) -> Reply:
    """``GET C/orders/updates/``: the orders that changed since they were loaded, oldest change first."""
    updates = replace(ORDERS, sort="modified_date")
    return list_rows(call, updates, "channel = ? AND changed = 1", call.channel)


def read_order(call: Call) -> Reply:
    """``GET C/orders/{pk}/``."""
    return Reply(order_json(call, get_order(call.store, call.channel, call.pk)))


def list_items(call: Call) -> Reply:
    """``GET C/order_items/``."""
    return list_rows(call, ITEMS, "channel = ?", call.channel)


def read_item(call: Call) -> Reply:
    """``GET C/order_items/{pk}/``."""
    return Reply(item_json(call, find("items", call)))


def list_actions(call: Call) -> Reply:
    """``GET C/integration_actions/``."""
    return list_rows(call, ACTIONS, "channel = ?", call.channel)


def list_reasons(call: Call) -> Reply:
    """``GET C/cancellation_reasons/``: the same for every channel."""
    return list_rows(call, REASONS)


def find(table: str, call: Call) -> Row:
    """Return the row of ``table`` that the call's address names, or raise the 404."""
    return _find(call.store, table, call.channel, call.pk)


def get_order(store: Store, channel: int, pk: int) -> Row:
    """Return an order of the channel, or raise the 404."""
    return _find(store, "orders", channel, pk)


def _find(store: Store, table: str, channel: int, pk: int) -> Row:
    row = store.one(f"SELECT * FROM {table} WHERE pk = ? AND channel = ?", pk, channel)  # noqa: S608 - only names of our own are put in
    if row is None:
        raise not_found()
    return row


def map_object(store: Store, channel: int, content_type: str, object_id: int, remote_id: str) -> None:
    """Note which of the shop's ids is which object here, as an integration action."""
    row = {"channel": channel, "content_type": content_type, "object_id": object_id, "remote_id": remote_id}
    now = store.stamp()
    store.insert("actions", row | {"created_date": now, "modified_date": now})


def items_of(store: Store, order_pk: int) -> list[Row]:
    """Return an order's items, oldest first."""
    return store.all("SELECT * FROM items WHERE order_pk = ? ORDER BY pk", order_pk)


def refresh_order(store: Store, order_pk: int, outcome: str | None = None) -> None:
    """Derive an order's status and cancel_status from its items, and mark it as changed.

    The status follows the items once they agree on 50, 100 or 600 (600 also for a mixture of the closed two);
    before that it stays what it was. ``outcome`` is the cancel_status of the last decision, for when nothing
    waits any more.
    """
    order = store.get("orders", order_pk)
    items = items_of(store, order_pk)
    statuses = {item["status"] for item in items}
    if len(statuses) == 1 and statuses <= CLOSED | {CANCELLATION_WAITING}:
        status = statuses.pop()
    elif statuses and statuses <= CLOSED:
        status = REFUNDED
    else:
        status = order["base_status"]
    waiting = [item["cancel_status"] for item in items if item["status"] == CANCELLATION_WAITING]
    cancel_status = waiting[0] if waiting else outcome or order["cancel_status"]
    now = store.stamp()
    store.update("orders", order_pk, status=status, cancel_status=cancel_status, changed=1, modified_date=now)
