"""The address change (contract sections 4 and 8): the one call that names the shop's own order id."""

import json
from typing import Any

from aftercart_sandbox.call import Call, Reply
from aftercart_sandbox.errors import ApiError, invalid, refused
from aftercart_sandbox.orders import get_order, items_of
from aftercart_sandbox.store import Row, dump
from aftercart_sandbox.tables import CLOSED, ORDER_CLOSED, REFUNDABLE, TOO_LATE
from aftercart_sandbox.values import need, whole

_FILLED = ("pk", "first_name", "last_name", "line", "country", "city")
_TYPES = ("shipping", "billing")


def change_address(call: Call) -> Reply:
    """``POST C/orders/change_address/``: 200 ``{"status": "ok", "order": pk}``.

    The same address again changes nothing.

    400 names the field of a bad body; 406 is "too late" for an order that has shipped or is closed.
    """
    body = call.json()
    if whole(need(body, "channel_id"), "channel_id") != call.channel:
        raise invalid("channel_id", "The channel is not the one in the address.")
    order = _order(call, need(body, "order"))
    address = _address(need(body, "address"))
    types = need(body, "order_address_types")
    if not isinstance(types, list) or not types or any(kind not in _TYPES for kind in types):
        raise invalid("order_address_types", f"A list of {' and '.join(_TYPES)}.")
    statuses = {item["status"] for item in items_of(call.store, order["pk"])} | {order["status"]}
    if statuses & REFUNDABLE:
        raise refused(TOO_LATE)
    if order["status"] in CLOSED:
        raise refused(ORDER_CLOSED)
    _apply(call, order, address, types)
    return Reply({"status": "ok", "order": order["pk"]})


def _order(call: Call, value: Any) -> Row:
    """Resolve the shop's order id through the integration actions."""
    remote_id = str(whole(value, "order"))
    action = call.store.one(
        "SELECT object_id FROM actions WHERE channel = ? AND content_type = 'order' AND remote_id = ?",
        call.channel,
        remote_id,
    )
    if action is None:
        raise invalid("order", f'Invalid pk "{remote_id}" - object does not exist.', "does_not_exist")
    return get_order(call.store, call.channel, action["object_id"])


def _address(address: Any) -> dict[str, Any]:
    if not isinstance(address, dict):
        raise invalid("address", "Expected a dictionary.")
    missing = {name: ["This field is required."] for name in _FILLED if address.get(name) in (None, "")}
    if missing:
        raise ApiError(400, {"address": missing, "code": "required"})
    return address


def _apply(call: Call, order: Row, address: dict[str, Any], types: list[str]) -> None:
    store, document = call.store, json.loads(order["document"])
    shipping = address if "shipping" in types else json.loads(order["shipping_address"])
    billing = address if "billing" in types else document.get("billing_address")
    if shipping == json.loads(order["shipping_address"]) and billing == document.get("billing_address"):
        return
    store.update(
        "orders",
        order["pk"],
        shipping_address=dump(shipping),
        document=dump(document | {"billing_address": billing}),
        changed=1,
        modified_date=store.stamp(),
    )
