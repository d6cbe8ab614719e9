"""Take over what others have changed of an order at the OMS: tracking, invoices, addresses, items that were added."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aftercart.actions.intake.pull_orders import make_items
from aftercart.actions.intake.resolve_customers import snapshot_address
from aftercart.actions.intake.write_orders import add_items
from aftercart.cancellations.models import AddressChange
from aftercart.oms.messages import RemoteItem, RemoteOrder
from aftercart.orders.intake.address import AddressIntake, read_address
from aftercart.orders.intake.details import read_details
from aftercart.orders.intake.items import read_items
from aftercart.orders.intake.values import DocumentInvalid, make_text_reader, read_optional_amount
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.selectors import read_order_items, save_item
from aftercart.orders.timeline import OMS, record_event

_TRACKING: Final = (
    "shipping_company", "tracking_number", "tracking_url", "shipping_tracking_url", "invoice_date",
    "e_archive_url",
)  # fmt: skip
_ORDER_DETAILS: Final = (*_TRACKING, "defined_tracking_url", "delivery_range")
_ITEM_DETAILS: Final = (*_TRACKING, "estimated_delivery_date")
_AMOUNTS: Final = ("amount", "amount_without_discount", "discount_amount", "shipping_amount")
#: What a courier reads; the rest of an address is no change of it.
_ADDRESS_TEXTS: Final = ("first_name", "last_name", "phone_number", "line", "postcode")
_read_invoice: Final = make_text_reader(64)
_PLACES: Final = ("city", "township", "district")
#: Columns of an order that may follow.
FOLLOWED: Final = ("details", "invoice_number", "shipping_address", "billing_address", *_AMOUNTS)


def follow_changes(
    order: Order,
    remote: RemoteOrder,
    remote_pks: Mapping[int, Sequence[int]],
    shop_ids: Mapping[int, str],
) -> None:
    """Take over into a locked order, which the caller saves, what its document at the OMS says otherwise.

    `remote_pks` are the OMS's ids for our items; `shop_ids` those of the shop for the OMS's items that are unknown
    here. What the OMS leaves out, or what makes no sense, changes nothing. Wants a transaction.
    """
    if not remote.document:
        return
    changed = _follow_details(order, remote.document, _ORDER_DETAILS)
    changed += _follow_addresses(order, remote)
    rows = {row.pk: row for row in remote.items}
    for item in read_order_items(order):
        theirs = [rows[pk] for pk in remote_pks.get(item.pk, ()) if pk in rows]
        _follow_item(item, theirs)
    added = _add_new_items(order, remote, shop_ids)
    if added:
        changed += ["orderitem_set", *_follow_amounts(order, remote.document)]
    if changed:
        record_event(order, "order_followed", OMS, data={"fields": sorted(changed)})


def _follow_details(row: Order | OrderItem, document: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Take over what the document says of these names, and the invoice's number; return what is new."""
    given = {name: value for name in names if (value := document.get(name)) not in (None, "", {}, [])}
    details = read_details(given, frozenset(given), frozenset(given))
    changed = [name for name, value in details.items() if row.details.get(name) != value]
    if changed:
        row.details = row.details | details
    try:
        invoice = _read_invoice(document.get("invoice_number"))
    except DocumentInvalid:
        invoice = ""
    if invoice and invoice != row.invoice_number:
        row.invoice_number = invoice
        changed.append("invoice_number")
    return changed


def _follow_item(item: OrderItem, theirs: Sequence[RemoteItem]) -> None:
    """Take over what the OMS says of an item; of several there, the first that says it speaks."""
    given: dict[str, Any] = {}
    for row in reversed(theirs):
        given |= {name: value for name, value in row.document.items() if value not in (None, "")}
    if _follow_details(item, given, _ITEM_DETAILS):
        save_item(item, "details", "invoice_number")


# --- addresses ---------------------------------------------------------------------------------------------


def _follow_addresses(order: Order, remote: RemoteOrder) -> list[str]:
    changed = []
    for name in ("shipping_address", "billing_address"):
        theirs = _find_address(remote.document, name)
        if theirs is None or _is_same(getattr(order, name) or {}, theirs):
            continue
        if name == "shipping_address" and _is_ours_to_settle(order, remote):
            continue
        snapshot = json.loads(snapshot_address(theirs))
        setattr(order, name, snapshot | {"pk": _find_pk(remote.document[name])})
        changed.append(name)
    return changed


def _is_ours_to_settle(order: Order, remote: RemoteOrder) -> bool:
    """Return whether a change of the customer's is on its way, or may have arrived late: see `compare_address`."""
    changes = order.address_changes.all()
    return (
        order.address_due_at is not None
        or changes.filter(state=AddressChange.State.PENDING).exists()
        or changes.filter(address__pk=remote.shipping_address_pk).exists()
    )


def _find_address(document: Mapping[str, Any], name: str) -> AddressIntake | None:
    """Find an address that is complete: with names of its places, not with ids alone."""
    value = document.get(name)
    if not isinstance(value, dict) or not value.get("line"):
        return None
    if not all(isinstance(value.get(place), dict | str) for place in ("city", "township")):
        return None
    try:
        return read_address(value)
    except DocumentInvalid:
        return None


def _find_pk(address: Mapping[str, Any]) -> int | None:
    pk = address.get("pk", address.get("id"))
    return pk if type(pk) is int else None


def _is_same(ours: Mapping[str, Any], theirs: AddressIntake) -> bool:
    """Return whether a courier would read the same, however it is written."""
    texts = [(ours.get(name), theirs.columns[name]) for name in _ADDRESS_TEXTS]
    places = [((ours.get(name) or {}).get("name"), getattr(theirs.places, name)) for name in _PLACES]
    return all(_fold(one) == _fold(other) for one, other in (*texts, *places))


def _fold(text: str | None) -> str:
    return re.sub(r"\W", "", (text or "").casefold()).removeprefix("90").removeprefix("0")


# --- items -------------------------------------------------------------------------------------------------


def _add_new_items(order: Order, remote: RemoteOrder, shop_ids: Mapping[int, str]) -> bool:
    """Add the items that the shop has at the OMS and that nobody has here; those that make no sense are left."""
    rows = [row for row in remote.items if row.pk in shop_ids]
    ids = {("orderitem", pk): shop_id for pk, shop_id in shop_ids.items()}
    columns = {
        "status": order.status,
        "currency": order.currency,
        "created_date": remote.modified_date or order.modified_date,
        "modified_date": remote.modified_date or order.modified_date,
    }
    try:
        intakes = read_items({"orderitem_set": make_items(rows, ids)}, columns) if rows else []
    except DocumentInvalid:
        return False
    taken = set(OrderItem.objects.filter(pk__in=[item.id for item in intakes]).values_list("pk", flat=True))
    new = [item for item in intakes if item.id is not None and item.id not in taken]
    add_items([(order.pk, item) for item in new])
    return bool(new)


def _follow_amounts(order: Order, document: Mapping[str, Any]) -> list[str]:
    """Take over the order's amounts, which other items have changed."""
    changed = []
    for name in _AMOUNTS:
        try:
            amount = read_optional_amount(document.get(name))
        except DocumentInvalid:
            continue
        if amount is not None and amount != getattr(order, name):
            setattr(order, name, amount)
            changed.append(name)
    return changed
