"""Complete an order document made of the OMS's with what the shop's own document of it has beyond that."""

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings

from aftercart.commerce.connect import get_commerce

#: What the shop knows as well as the OMS or not at all; what becomes of an order, the OMS alone says.
_FROM_OMS: Final = frozenset(
    {"status", "refund_amount", "discount_refund_amount", "shipping_refund_amount", "cancelled_quantity"}
)
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})


def complete_document(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with what it leaves out, where the shop is configured and knows the order.

    Raises `CommerceUnavailable`.
    """
    if not (settings.COMMERCE_TOKEN and settings.COMMERCE_URL):
        return document
    shops = get_commerce().read_order(str(document["number"]))
    return document if shops is None else merge_documents(document, shops)


def merge_documents(document: dict[str, Any], shops: Mapping[str, Any]) -> dict[str, Any]:
    """Return the OMS's document with the gaps filled from the shop's, its items by id, else by SKU and place."""
    rows = shops.get("orderitem_set")
    left = [dict(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    items = []
    for item in document["orderitem_set"]:
        found = next((row for row in left if _is_same(item, row)), None)
        if found is not None:
            left.remove(found)
        items.append(_fill(item, _name_id(found or {})))
    return {**_fill(document, _name_id(shops)), "orderitem_set": items}


def _name_id(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its id under the name that the contract has for it."""
    return {**row, "id": row.get("id") or row.get("pk")}


def _is_same(item: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    shop_id = row.get("id") or row.get("pk")
    return str(item["id"]) == str(shop_id) if item.get("id") else _find_sku(item) == _find_sku(row)


def _find_sku(row: Mapping[str, Any]) -> Any:
    product = row.get("product")
    return row.get("sku") or (product.get("sku") if isinstance(product, dict) else None)


def _fill(document: Mapping[str, Any], shops: Mapping[str, Any]) -> dict[str, Any]:
    """Fill what is empty; a product, of which the OMS has an id and a name, is the shop's."""
    gaps = {
        name: value
        for name, value in shops.items()
        if name not in _FROM_OMS and value not in _EMPTY and document.get(name) in _EMPTY
    }
    product = shops.get("product")
    if isinstance(product, dict) and product:
        gaps["product"] = {**(document.get("product") or {}), **product}
    return {**document, **gaps}
