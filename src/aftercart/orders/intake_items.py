"""The lines and the discounts of an order document as rows of our tables: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from aftercart.lib.money import ZERO
from aftercart.orders.intake_details import add_extra, read_details
from aftercart.orders.intake_values import (
    Document,
    DocumentInvalid,
    Problems,
    check_amount,
    find_amount,
    find_currency,
    find_id,
    find_moment,
    find_status,
    find_text,
    find_whole,
    need,
    read_amount,
    read_flag,
    read_rows,
    read_text,
)
from aftercart.orders.status import FINAL, SHIPPED, Status

_ITEM_DETAILS: Final = (
    "is_tradable", "shipping_company", "tracking_url", "tracking_number", "shipping_tracking_url",
    "invoice_date", "e_archive_url", "image", "estimated_delivery_date", "attributes", "attributes_kwargs",
    "localized_attributes", "localized_attributes_kwargs", "extra_product_price", "extra_product_stock",
    "datasource",
)  # fmt: skip
ITEM_KNOWN: Final = frozenset(
    (
        *_ITEM_DETAILS, "id", "pk", "order", "parent", "status", "price_currency", "product", "sku", "quantity",
        "price", "retail_price", "unit_price", "total_amount", "tax_rate", "is_cancelled", "is_cancellable",
        "is_refundable", "cancellationrequest_set", "active_cancellation_request",
        "available_easy_return_shipping_companies", "invoice_number", "extra_field", "refund_amount",
        "cancelled_quantity", "created_date", "modified_date",
    )
)  # fmt: skip
_DISCOUNT_KNOWN: Final = frozenset(
    (
        "pk", "order", "name", "amount", "cancel_amount", "code", "offer_type", "promotion",
        "session_offer_type", "created_date", "modified_date",
    )
)  # fmt: skip
_AMOUNTS: Final = ("retail_price", "unit_price", "total_amount", "tax_rate", "refund_amount")
_MOST_ITEMS: Final = 1000
#: A line of more pieces than this is a slip of somebody's: what is counted piece by piece stays countable.
_LARGEST_QUANTITY: Final = 100_000


@dataclass(slots=True)
class ItemIntake:
    """One line of an order. `columns` are those of `OrderItem` without ids; dates not given are guessed."""

    id: int | None
    parent_id: int | None
    columns: dict[str, Any]
    is_shipping_date_given: bool
    is_delivery_date_given: bool


@dataclass(slots=True)
class DiscountIntake:
    """One discount of an order: columns of `DiscountItem` without ids."""

    id: int | None
    columns: dict[str, Any]


def read_items(document: Document, order: Mapping[str, Any]) -> list[ItemIntake]:
    """Read an order's lines; `order` are its columns. Raises `DocumentInvalid`."""
    rows = read_rows(document, "orderitem_set")
    if not rows:
        raise DocumentInvalid("orderitem_set", "needs at least one item")
    if len(rows) > _MOST_ITEMS:
        raise DocumentInvalid("orderitem_set", f"has more than {_MOST_ITEMS} items")
    extra = document.get("extra_field")
    order_extra = extra if isinstance(extra, dict) else {}
    items = []
    problems = Problems()
    for place, row in enumerate(rows):
        with problems.noted(f"orderitem_set[{place}]"):
            items.append(_read_item(row, order, order_extra))
    problems.end()
    _check_unique([item.id for item in items], "orderitem_set", "id")
    ids = {item.id for item in items if item.id is not None}
    for item in items:
        if item.parent_id is not None and (item.parent_id not in ids or item.parent_id == item.id):
            item.columns["details"]["parent"] = item.parent_id
            item.parent_id = None
    return items


def _read_item(row: Document, order: Mapping[str, Any], order_extra: Document) -> ItemIntake:
    own_extra = row.get("extra_field")
    extras = (own_extra, order_extra) if isinstance(own_extra, dict) else (order_extra,)
    problems = Problems()
    given = problems.read(
        {
            "id": lambda: find_id(row, "id") or find_id(row, "pk"),
            "parent": lambda: _find_parent(row),
            "product": lambda: _read_product(row),
            "status": lambda: find_status(row, "status") or order["status"],
            "quantity": lambda: find_whole(row, "quantity", smallest=1, largest=_LARGEST_QUANTITY) or 1,
            "price_currency": lambda: find_currency(row, "price_currency") or order["currency"],
            "price": lambda: read_amount(row, "price"),
            **{name: partial(find_amount, row, name) for name in _AMOUNTS},
            "invoice_number": lambda: read_text(row, "invoice_number", 64),
            "is_final_sale": lambda: _read_final_sale(own_extra),
            "shipped": lambda: _find_date(extras, "shipped_date"),
            "delivered": lambda: _find_date(extras, "delivered_date"),
            "created": lambda: find_moment(row, "created_date") or order["created_date"],
            "modified": lambda: find_moment(row, "modified_date"),
        }
    )
    problems.end()
    columns = _make_columns(row, given, order)
    return ItemIntake(
        given["id"],
        given["parent"],
        columns,
        is_shipping_date_given=given["shipped"] is not None,
        is_delivery_date_given=given["delivered"] is not None,
    )


def _make_columns(row: Document, given: Document, order: Mapping[str, Any]) -> dict[str, Any]:
    """Make a line's columns of what the document says of it; what it leaves out follows from the rest."""
    status, quantity, price, total = (given[name] for name in ("status", "quantity", "price", "total_amount"))
    product, sku = given["product"]
    shipped, delivered = given["shipped"], given["delivered"]
    guess = given["modified"] or order["modified_date"]
    return {
        "status": status,
        "status_before": order["status"] if _waits(status) and is_under_way(order["status"]) else "",
        "sku": sku,
        "product": product,
        "quantity": quantity,
        "cancelled_quantity": _find_cancelled(row, status, quantity),
        "price_currency": given["price_currency"],
        "price": price,
        "retail_price": _or(given["retail_price"], price),
        "unit_price": _or(given["unit_price"], price),
        "total_amount": check_amount(price * quantity, "total_amount") if total is None else total,
        "tax_rate": given["tax_rate"] or ZERO,
        "refund_amount": given["refund_amount"] or ZERO,
        "invoice_number": given["invoice_number"],
        "is_final_sale": given["is_final_sale"],
        "shipped_at": shipped or ((delivered or guess) if status in SHIPPED else None),
        "delivered_at": delivered or (guess if status == Status.DELIVERED else None),
        "details": read_details(row, _ITEM_DETAILS, ITEM_KNOWN),
        "created_date": given["created"],
        "modified_date": guess,
    }


def _or(amount: Decimal | None, instead: Decimal) -> Decimal:
    return instead if amount is None else amount


def _waits(status: str) -> bool:
    return status == Status.CANCELLATION_WAITING


def is_under_way(status: str) -> bool:
    """Return whether an item is on its way to the customer: neither cancelled nor waiting for it."""
    return status not in FINAL and not _waits(status)


def _read_product(row: Document) -> tuple[Document, str]:
    """Read an item's product and SKU: an object, or the bare pk of one, or the SKU alone."""
    product = row.get("product")
    if product is not None and not isinstance(product, dict):
        product = {"pk": need(find_id(row, "product"), "product")}
    sku = read_text(row, "sku", 128)
    if product:
        try:
            sku = sku or read_text(product, "sku", 128)
        except DocumentInvalid as error:
            raise error.within("product") from None
    elif sku:
        product = {"sku": sku}
    else:
        raise DocumentInvalid("product", "is required")
    return product, sku


def _find_parent(row: Document) -> int | None:
    parent = row.get("parent")
    return find_id(
        {"parent": parent.get("pk", parent.get("id")) if isinstance(parent, dict) else parent}, "parent"
    )


def _find_cancelled(row: Document, status: str, quantity: int) -> int:
    if status in FINAL:
        return quantity
    return find_whole(row, "cancelled_quantity", largest=quantity) or 0


def _find_date(extras: Sequence[Document], name: str) -> datetime | None:
    for extra in extras:
        try:
            moment = find_moment(extra, name)
        except DocumentInvalid as error:
            raise error.within("extra_field") from None
        if moment is not None:
            return moment
    return None


def _read_final_sale(extra: Any) -> bool:
    try:
        return isinstance(extra, dict) and read_flag(extra, "is_final_sale")
    except DocumentInvalid as error:
        raise error.within("extra_field") from None


def read_discounts(document: Document, order: Mapping[str, Any]) -> list[DiscountIntake]:
    """Read an order's discounts; what nobody knows of them goes to the order's `details`."""
    rows = [row for row in read_rows(document, "discountitem_set") if row]  # the vendor's examples hold `{}`
    discounts = []
    problems = Problems()
    for place, row in enumerate(rows):
        with problems.noted(f"discountitem_set[{place}]"):
            discounts.append(_read_discount(row, order))
    problems.end()
    _check_unique([discount.id for discount in discounts], "discountitem_set", "pk")
    _keep_unknown(rows, order["details"])
    return discounts


def _read_discount(row: Document, order: Mapping[str, Any]) -> DiscountIntake:
    promotion = row.get("promotion")
    if isinstance(promotion, dict):
        promotion = promotion.get("pk")
    columns = {
        "name": read_text(row, "name", 255),
        "amount": read_amount(row, "amount"),
        "cancel_amount": find_amount(row, "cancel_amount") or ZERO,
        "code": find_text(row, "code", 128),
        "offer_type": find_text(row, "offer_type", 64) or "",
        "promotion": find_id({"promotion": promotion}, "promotion"),
        "session_offer_type": find_text(row, "session_offer_type", 64),
        "created_date": find_moment(row, "created_date") or order["created_date"],
        "modified_date": find_moment(row, "modified_date") or order["modified_date"],
    }
    return DiscountIntake(find_id(row, "pk"), columns)


def _keep_unknown(rows: list[Document], details: Document) -> None:
    """Keep what nobody knows of the discounts, which have no place of their own for it, with the order."""
    unknown = [{name: row[name] for name in row.keys() - _DISCOUNT_KNOWN} for row in rows]
    if any(unknown):
        own = details.get("extra_field")
        extra = dict(own) if isinstance(own, dict) else {} if own is None else {"extra_field": own}
        add_extra(extra, "discountitem_set", unknown)
        details["extra_field"] = extra


def _check_unique(ids: list[int | None], name: str, key: str) -> None:
    given = [pk for pk in ids if pk is not None]
    if len(set(given)) < len(given):
        raise DocumentInvalid(f"{name}[].{key}", "given twice")
