"""``POST C/orders/{pk}/cancel/``: the direct cancellation and its named refusals (contract section 8)."""

import json
from decimal import Decimal
from typing import Any

from aftercart_sandbox import ledger
from aftercart_sandbox.call import Call, Reply
from aftercart_sandbox.errors import invalid, refused, required
from aftercart_sandbox.orders import get_order, items_of, order_json, refresh_order
from aftercart_sandbox.refunds import value_of, worth_of
from aftercart_sandbox.returns import issue_code, read_company
from aftercart_sandbox.store import Row, Store, dump
from aftercart_sandbox.tables import (
    ALREADY_WAITING,
    CANCELLATION_WAITING,
    CLOSED,
    ILLEGAL_MOVE,
    LEGAL_FROM,
    MISSING_REASON,
    MIXED_TYPES,
    NO_PURCHASE,
    NOTHING_REFUNDABLE,
    OVERLAPPING,
    PAY_ON_DELIVERY,
    REQUEST_OPEN,
    SEVERAL_STATUSES,
)
from aftercart_sandbox.values import allocate, money, plain, read_money, truth, whole


def cancel_order(call: Call) -> Reply:
    """Set the named items to cancellation_waiting and answer the order; refusals are 406, bad bodies 400.

    There is no idempotency: a second call for the same item is refused as already waiting, nothing tells the
    two apart.
    """
    store = call.store
    order = get_order(store, call.channel, call.pk)
    body = _read_body(call.json(), order)
    items = _chosen(store, order, body)
    kind, reasons = _kind(store, items, body["reasons"])
    _check_items(store, items, kind)
    amounts = _check_money(store, order, items, body["forced_refund_amount"])
    for item, amount in zip(items, amounts, strict=True):
        store.update(
            "items",
            item["pk"],
            status=CANCELLATION_WAITING,
            cancel_status="waiting",
            status_before=item["status"],
            cancel_kind=kind,
            cancel_reason=reasons[item["pk"]],
            waiting_amount=money(amount),
            waiting_since=store.stamp(),
            modified_date=store.stamp(),
        )
        if kind == "refund" and item["pk"] in body["shipping_companies"]:
            _issue_code(store, item, body["shipping_companies"][item["pk"]])
        ledger.write(store, "cancel_accepted", kind, item, ledger.units_of(item), amount, call.number)
    if body["is_cargo_refund"]:
        store.update("orders", order["pk"], shipping_refund_pending=1)
    refresh_order(store, order["pk"])
    return Reply(order_json(call, get_order(store, call.channel, order["pk"])))


def _issue_code(store: Store, item: Row, company: int | str) -> None:
    """Issue the code of a return that is collected; the item shows it."""
    document = json.loads(item["document"]) | {"easy_return": issue_code(store, item["pk"], company)}
    store.update("items", item["pk"], document=dump(document))


def open_request(store: Store, item_pk: int) -> Row | None:
    """Return the request for an item that is still in progress, or None."""
    query = f"SELECT * FROM requests WHERE order_item = ? AND status IN {REQUEST_OPEN}"  # noqa: S608 - a tuple of strings reads the same in SQL
    return store.one(query, item_pk)


def _read_body(body: Any, order: Row) -> dict[str, Any]:
    """Return the body with its types settled, or raise a 400 naming the field."""
    if not isinstance(body, dict):
        raise invalid("non_field_errors", "Invalid data. Expected a dictionary.")
    if body.get("order") is not None and whole(body["order"], "order") != order["pk"]:
        raise invalid("order", "The order is not the one in the address.")
    everything = truth(body.get("is_all"), "is_all")
    pks = body.get("cancel_items")
    if pks is None and not everything:
        raise required("cancel_items")
    if not isinstance(pks or [], list):
        raise invalid("cancel_items", "Expected a list of items but got another type.", "not_a_list")
    pks = [whole(pk, "cancel_items") for pk in pks or []]
    if len(set(pks)) != len(pks):
        raise invalid("cancel_items", "An order item may not stand here twice.")
    if not pks and not everything:
        raise invalid("cancel_items", "This list may not be empty.", "empty")
    forced = body.get("forced_refund_amount")
    for field in ("reasons", "ibans", "holder_names", "shipping_companies"):
        if not isinstance(body.get(field) or {}, dict):
            raise invalid(field, "Expected a dictionary of items.", "not_a_dict")
    return {
        "is_all": everything,
        "cancel_items": pks,
        "reasons": {
            whole(key, "reasons"): whole(value, "reasons")
            for key, value in (body.get("reasons") or {}).items()
            if value is not None
        },
        "shipping_companies": {
            whole(key, "shipping_companies"): read_company(value, "shipping_companies")
            for key, value in (body.get("shipping_companies") or {}).items()
        },
        "forced_refund_amount": None if forced is None else read_money(forced, "forced_refund_amount"),
        "is_cargo_refund": truth(body.get("is_cargo_refund"), "is_cargo_refund"),
    }


def _chosen(store: Store, order: Row, body: dict[str, Any]) -> list[Row]:
    """Return the items to cancel; with ``is_all`` those that are not closed yet."""
    items = items_of(store, order["pk"])
    if body["is_all"]:
        if body["cancel_items"]:
            raise refused(OVERLAPPING)
        chosen = [item for item in items if item["status"] not in CLOSED]
        if not chosen:
            raise refused(ILLEGAL_MOVE)
        return chosen
    known = {item["pk"]: item for item in items}
    for pk in body["cancel_items"]:
        if pk not in known:
            raise invalid("cancel_items", f'Invalid pk "{pk}" - object does not exist.', "does_not_exist")
    return [known[pk] for pk in body["cancel_items"]]


def _kind(store: Store, items: list[Row], reasons: dict[int, int]) -> tuple[str, dict[int, int]]:
    """Return ``cancel`` or ``refund``, as the reasons' own types say, and the reasons by item."""
    kinds = set()
    for item in items:
        if item["pk"] not in reasons:
            raise refused(MISSING_REASON)
        pk = reasons[item["pk"]]
        reason = store.one("SELECT * FROM reasons WHERE pk = ? AND is_active = 1", pk)
        if reason is None:
            raise invalid("reasons", f'Invalid pk "{pk}" - object does not exist.', "does_not_exist")
        kinds.add(reason["cancellation_type"])
    if len(kinds) != 1:
        raise refused(MIXED_TYPES)
    return kinds.pop(), reasons


def _check_items(store: Store, items: list[Row], kind: str) -> None:
    """Raise the 406 for items that wait already or whose status does not allow ``kind``."""
    for item in items:
        if item["status"] == CANCELLATION_WAITING or open_request(store, item["pk"]):
            raise refused(ALREADY_WAITING)
    for item in items:
        if item["status"] not in LEGAL_FROM[kind]:
            raise refused(ILLEGAL_MOVE)


def _check_money(store: Store, order: Row, items: list[Row], forced: Decimal | None) -> list[Decimal]:
    """Return the amount to refund by item, or raise the 406 of money that can not go back."""
    flags = json.loads(order["flags"])
    if flags.get("no_purchase_transaction"):
        raise refused(NO_PURCHASE)
    values = [value_of(store, item) for item in items]
    total = sum(values, Decimal())
    if flags.get("nothing_refundable") or sum((worth_of(store, item) for item in items), Decimal()) <= 0:
        raise refused(NOTHING_REFUNDABLE)
    option = json.loads(order["document"]).get("payment_option") or {}
    on_delivery = flags.get("pay_on_delivery") or plain(option.get("payment_type")) == PAY_ON_DELIVERY
    if on_delivery and len({item["status"] for item in items}) > 1:
        raise refused(SEVERAL_STATUSES)
    if forced is None:
        return values
    if not 0 <= forced <= total:
        raise invalid("forced_refund_amount", f"Ensure this value is between 0.00 and {money(total)}.")
    return allocate(forced, values)
