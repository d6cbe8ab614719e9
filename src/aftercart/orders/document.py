"""The order as JSON, field names to the letter of contract section 6: pure, from rows already read.

Fields that Aftercart reasons about come from columns; those that it only passes on come from `details`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aftercart.accounts import document
from aftercart.lib.documents import integer, text
from aftercart.lib.money import format_amount
from aftercart.lib.secrets import drop_staff_notes
from aftercart.lib.times import format_time
from aftercart.orders.models import DiscountItem, Order, OrderItem
from aftercart.orders.status import FINAL, SHIPPED, label_document


class OrderCountry(document.Country):
    """A country, or a blank where none is known."""

    pk = integer(null=True)
    code = text("ISO 3166-1 alpha-2, in lower case.", pattern="^([a-z]{2})?$")


class OrderCity(document.City):
    """A city, or a blank where none is known."""

    pk = integer(null=True)
    country = integer("The country's pk.", null=True, source="country_id")


class OrderTownship(document.Township):
    """A township, or a blank where none is known."""

    pk = integer(null=True)
    city = integer("The city's pk.", null=True, source="city_id")


class OrderAddress(document.Address):
    """An address as an order has it. What is not known of it, or what a guest's link does not show, is blank."""

    country = OrderCountry()
    city = OrderCity()
    township = OrderTownship()


_CURRENCY_LABELS = {"TRY": "TL", "EUR": "€", "USD": "$", "GBP": "£"}

#: Passed on as they came; None where nothing came.
ORDER_DETAIL_FIELDS = (
    "shipping_company", "client_type", "tracking_url", "tracking_number", "defined_tracking_url",
    "shipping_tracking_url", "bank", "invoice_date", "e_archive_url", "order_type", "remote_addr",
    "gift_box_note", "language_code", "notes", "delivery_range", "extra_field", "shipping_option_slug",
    "payment_option_slug", "bin_number", "installment_count", "segment", "basket", "shipping_option",
    "installment", "checkout_provider",
)  # fmt: skip
ITEM_DETAIL_FIELDS = (
    "shipping_company", "tracking_url", "tracking_number", "shipping_tracking_url", "invoice_date",
    "e_archive_url", "image", "extra_field", "estimated_delivery_date", "attributes", "attributes_kwargs",
    "localized_attributes", "localized_attributes_kwargs", "extra_product_price", "extra_product_stock",
    "datasource",
)  # fmt: skip
PRODUCT_FIELDS = (
    "pk",
    "sku",
    "base_code",
    "name",
    "image",
    "absolute_url",
    "attributes",
    "attributes_kwargs",
)
_CARD_FIELDS = ("pk", "name", "slug")
#: Where the shop's unknown fields of an order, or of an item, are kept among its `details`.
UNKNOWN = "unknown"
#: Values by name in the client's types, which looks into them without asking.
_MAPPINGS = ("attributes", "attributes_kwargs", "localized_attributes", "localized_attributes_kwargs")
_NO_PAYMENT: Final = {"pk": None, "name": "", "payment_type": "", "slug": ""}
#: An address that is not known, or not shown: the client reads its parts, and the parts of these, as if all were there.
NO_ADDRESS: Final[Mapping[str, Any]] = OrderAddress.make_blank()
_ITEM_TRACKING = ("tracking_number", "tracking_url", "shipping_tracking_url")


def currency_document(currency: str) -> dict[str, str]:
    """Write a currency as the storefront knows it: value in lower case, label as shown."""
    return {"value": currency.lower(), "label": _CURRENCY_LABELS.get(currency, currency)}


def order_document(
    order: Order,
    *,
    items: Sequence[Mapping[str, Any]],
    discounts: Sequence[DiscountItem],
    points: Sequence[Mapping[str, Any]] = (),
    refunds: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Write an order of its parts' documents; without any of `points`, those that the shop sent are passed on."""
    details = order.details
    card = details.get("card")
    return {
        **_pass_on_unknown(details),
        "id": order.pk,
        "number": order.number,
        "status": label_document(order.status),
        "currency": currency_document(order.currency),
        "orderitem_set": list(items),
        "discountitem_set": [discount_document(discount) for discount in discounts],
        "is_cancelled": order.status in FINAL,
        "is_cancellable": any(item["is_cancellable"] for item in items),
        "is_refundable": any(item["is_refundable"] for item in items),
        "shipping_address": complete_address(order.shipping_address),
        "billing_address": complete_address(order.billing_address),
        "payment_option": _NO_PAYMENT | order.payment_option,
        "amount": format_amount(order.amount),
        "amount_without_discount": format_amount(order.amount_without_discount),
        "discount_amount": format_amount(order.discount_amount),
        "shipping_amount": format_amount(order.shipping_amount),
        "shipping_tax_rate": format_amount(order.shipping_tax_rate),
        "refund_amount": format_amount(order.refund_amount),
        "discount_refund_amount": format_amount(order.discount_refund_amount),
        "shipping_refund_amount": format_amount(order.shipping_refund_amount),
        "refund_set": list(refunds),
        "installment_interest_amount": format_amount(order.installment_interest_amount),
        "is_payable": bool(details.get("is_payable")),
        "has_gift_box": bool(details.get("has_gift_box")),
        "loyaltytransaction_set": list(points) or _list_passed_on(details, "loyaltytransaction_set"),
        "invoice_number": order.invoice_number or None,
        "user_email": order.user_email,
        "user": order.user_id,
        # Never a number: only what names the card.
        "card": {name: card.get(name) for name in _CARD_FIELDS} if isinstance(card, dict) else None,
        "created_date": format_time(order.created_date),
        "modified_date": format_time(order.modified_date),
        **{name: details.get(name) for name in ORDER_DETAIL_FIELDS},
        "extra_field": drop_staff_notes(details.get("extra_field")),
    }


def item_document(
    item: OrderItem,
    *,
    is_cancellable: bool,
    is_refundable: bool,
    requests: Sequence[Mapping[str, Any]],
    active_request: Mapping[str, Any] | None,
    companies: Sequence[Mapping[str, Any]],
    order_details: Mapping[str, Any],
) -> dict[str, Any]:
    """Write an item, with the verdict of the rules and the documents of its cancellation requests.

    Where a shipped item has no tracking of its own, that of its order's details is its.
    """
    details = item.details
    if item.status in SHIPPED and not any(details.get(name) for name in _ITEM_TRACKING):
        details = details | {name: order_details.get(name) for name in _ITEM_TRACKING}
    return {
        **_pass_on_unknown(details),
        "id": item.pk,
        "order": item.order_id,
        "parent": item.parent_id,
        "status": label_document(item.status),
        "price_currency": currency_document(item.price_currency),
        "product": write_product(item.product),
        "quantity": item.quantity,
        "price": format_amount(item.price),
        "retail_price": format_amount(item.retail_price),
        "unit_price": format_amount(item.unit_price),
        "total_amount": format_amount(item.total_amount),
        "tax_rate": format_amount(item.tax_rate),
        "is_cancelled": item.status in FINAL,
        "is_cancellable": is_cancellable,
        "is_refundable": is_refundable,
        "is_tradable": bool(item.details.get("is_tradable")),
        "cancellationrequest_set": list(requests),
        "active_cancellation_request": active_request,
        "available_easy_return_shipping_companies": list(companies) if is_refundable else [],
        "invoice_number": item.invoice_number or None,
        "created_date": format_time(item.created_date),
        "modified_date": format_time(item.modified_date),
        **{name: details.get(name) for name in ITEM_DETAIL_FIELDS},
        **{name: details.get(name) or {} for name in _MAPPINGS},
        "extra_field": drop_staff_notes(details.get("extra_field")),
    }


def write_product(product: Mapping[str, Any]) -> dict[str, Any]:
    """Write a product as the shop sent it: the contract's fields, and what else there is of it."""
    known = {name: product.get(name) for name in PRODUCT_FIELDS}
    mappings = {name: product.get(name) or {} for name in ("attributes", "attributes_kwargs")}
    return {**drop_staff_notes(dict(product)), **known, **mappings}


def complete_address(address: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return an address with every part that the client looks into, blank where nothing is known."""
    given = {name: value for name, value in (address or {}).items() if value is not None}
    return {**NO_ADDRESS, **given}


def _pass_on_unknown(details: Mapping[str, Any]) -> dict[str, Any]:
    unknown = drop_staff_notes(details.get(UNKNOWN))
    return unknown if isinstance(unknown, dict) else {}


def discount_document(discount: DiscountItem) -> dict[str, Any]:
    """Write a discount."""
    return {
        "pk": discount.pk,
        "order": discount.order_id,
        "name": discount.name,
        "amount": format_amount(discount.amount),
        "cancel_amount": format_amount(discount.cancel_amount),
        "code": discount.code,
        "offer_type": discount.offer_type,
        "promotion": discount.promotion,
        "session_offer_type": discount.session_offer_type,
        "created_date": format_time(discount.created_date),
        "modified_date": format_time(discount.modified_date),
    }


def _list_passed_on(details: dict[str, Any], name: str) -> list[Any]:
    """List what the shop has sent under a name, if it is a list; what else it sent is no list of ours."""
    rows = details.get(name)
    return rows if isinstance(rows, list) else []
