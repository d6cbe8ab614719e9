"""The lines and the discounts of an order document as rows of our tables: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from aftercart.lib.money import ZERO
from aftercart.orders.document import DiscountItem, OrderItem
from aftercart.orders.intake.details import add_extra, read_details
from aftercart.orders.intake.forms import Form, Problems, read_each
from aftercart.orders.intake.values import (
    Document,
    DocumentInvalid,
    check_amount,
    make_optional_text_reader,
    make_required,
    make_text_reader,
    read_amount,
    read_field,
    read_flag,
    read_optional_amount,
    read_optional_currency,
    read_optional_id,
    read_optional_moment,
    read_optional_own_id,
    read_optional_status,
    read_optional_whole,
    read_rows,
)
from aftercart.orders.status import FINAL, SHIPPED, Status

_ITEM_DETAILS: Final = frozenset((*OrderItem.list_passed_on(), "is_tradable"))
ITEM_KNOWN: Final = frozenset((*OrderItem.list_names(), "pk", "sku", "refund_amount", "cancelled_quantity"))
_DISCOUNT_KNOWN: Final = frozenset(DiscountItem.list_names())
_DATES: Final = ("shipped_date", "delivered_date")
_NO_DATES: Final = (None, None)
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
    items = read_each(rows, "orderitem_set", lambda row: _read_item(row, order, order_extra))
    _check_unique([item.id for item in items], "orderitem_set", "id")
    ids = {item.id for item in items if item.id is not None}
    for item in items:
        if item.parent_id is not None and (item.parent_id not in ids or item.parent_id == item.id):
            item.columns["details"]["parent"] = item.parent_id
            item.parent_id = None
    return items


def _read_item(row: Document, order: Mapping[str, Any], order_extra: Document) -> ItemIntake:
    own_extra = row.get("extra_field")
    extras = [extra for extra in (own_extra, order_extra) if extra and isinstance(extra, dict)]
    try:
        given = _ITEM.read(row)
        shipped, delivered = [_find_date(extras, name) for name in _DATES] if extras else _NO_DATES
    except DocumentInvalid:
        _refuse_item(row, extras)
        raise
    columns = _make_columns(row, given, order, shipped, delivered)
    return ItemIntake(given["id"], given["parent"], columns, shipped is not None, delivered is not None)


def _refuse_item(row: Document, extras: Sequence[Document]) -> None:
    """Raise `DocumentInvalid` for all that is wrong with an item."""
    problems = Problems()
    problems.read(row, _ITEM)
    for name in _DATES:
        with problems.noted("extra_field"):
            _find_date(extras, name)
    problems.end()


def _make_columns(
    row: Document,
    given: Document,
    order: Mapping[str, Any],
    shipped: datetime | None,
    delivered: datetime | None,
) -> dict[str, Any]:
    """Make a line's columns of what the document says of it; what it leaves out follows from the rest."""
    status, quantity = given["status"] or order["status"], given["quantity"] or 1
    price, total = given["price"], given["total_amount"]
    product, sku = given["product"]
    guess = given["modified_date"] or order["modified_date"]
    return {
        "status": status,
        "status_before": order["status"] if _waits(status) and is_under_way(order["status"]) else "",
        "sku": sku,
        "product": product,
        "quantity": quantity,
        "cancelled_quantity": _find_cancelled(row, status, quantity),
        "price_currency": given["price_currency"] or order["currency"],
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
        "created_date": given["created_date"] or order["created_date"],
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
        product = {"pk": read_field(row, "product", _read_product_id)}
    sku = read_field(row, "sku", _read_sku) or read_field(row, "product", _find_sku)
    if not product:
        if not sku:
            raise DocumentInvalid("product", "is required")
        product = {"sku": sku}
    return product, sku


def _find_sku(product: Any) -> str:
    return read_field(product, "sku", _read_sku) if isinstance(product, dict) else ""


def _read_quantity(value: Any) -> int | None:
    return read_optional_whole(value, 1, _LARGEST_QUANTITY)


def _read_parent(value: Any) -> int | None:
    return read_optional_id(value.get("pk", value.get("id")) if isinstance(value, dict) else value)


def _find_cancelled(row: Document, status: str, quantity: int) -> int:
    if status in FINAL:
        return quantity
    return read_field(row, "cancelled_quantity", lambda value: read_optional_whole(value, most=quantity)) or 0


def _find_date(extras: Sequence[Document], name: str) -> datetime | None:
    moments = (read_field(extra, name, read_optional_moment) for extra in extras)
    return next(filter(None, moments), None)


def _read_final_sale(row: Document) -> bool:
    extra = row.get("extra_field")
    try:
        return isinstance(extra, dict) and read_field(extra, "is_final_sale", read_flag)
    except DocumentInvalid as error:
        raise error.within("extra_field") from None


_read_sku: Final = make_text_reader(128)
_read_product_id: Final = make_required(read_optional_id)
_ITEM: Final = Form(
    {
        "id": read_optional_own_id,
        "parent": _read_parent,
        "product": _read_product,
        "status": read_optional_status,
        "quantity": _read_quantity,
        "price_currency": read_optional_currency,
        "price": read_amount,
        **dict.fromkeys(_AMOUNTS, read_optional_amount),
        "invoice_number": make_text_reader(64),
        "is_final_sale": _read_final_sale,
        "created_date": read_optional_moment,
        "modified_date": read_optional_moment,
    },
    always=("price",),
    whole=("id", "product", "is_final_sale"),
)


def read_discounts(document: Document, order: Mapping[str, Any]) -> list[DiscountIntake]:
    """Read an order's discounts; what nobody knows of them goes to the order's `details`."""
    rows = [row for row in read_rows(document, "discountitem_set") if row]  # the vendor's examples hold `{}`
    discounts = read_each(rows, "discountitem_set", lambda row: _read_discount(row, order))
    _check_unique([discount.id for discount in discounts], "discountitem_set", "pk")
    _keep_unknown(rows, order["details"])
    return discounts


def _read_discount(row: Document, order: Mapping[str, Any]) -> DiscountIntake:
    columns = _DISCOUNT.read(row)  # the first that is wrong is told of a discount
    columns["cancel_amount"] = columns["cancel_amount"] or ZERO
    columns["offer_type"] = columns["offer_type"] or ""
    columns["created_date"] = columns["created_date"] or order["created_date"]
    columns["modified_date"] = columns["modified_date"] or order["modified_date"]
    return DiscountIntake(read_field(row, "pk", read_optional_id), columns)


def _read_promotion(value: Any) -> int | None:
    return read_optional_id(value.get("pk") if isinstance(value, dict) else value)


_DISCOUNT: Final = Form(
    {
        "name": make_text_reader(255),
        "amount": read_amount,
        "cancel_amount": read_optional_amount,
        "code": make_optional_text_reader(128),
        "offer_type": make_optional_text_reader(64),
        "promotion": _read_promotion,
        "session_offer_type": make_optional_text_reader(64),
        "created_date": read_optional_moment,
        "modified_date": read_optional_moment,
    },
    always=("amount",),
)


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
