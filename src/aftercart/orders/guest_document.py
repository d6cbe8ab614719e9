"""What a guest's signed link shows of an order: the document, less what is not on this list. Pure.

A link can be forwarded, and stands in browsers' histories and mail servers' logs. Who has no more than a link
sees what was bought, what it cost, where it goes and how it stands; not who pays, how to reach them, or what they
wrote. The fields stay, and those that are not shown are null or empty, so that a client finds each.
"""

from collections.abc import Mapping
from typing import Any, Final

from aftercart.orders.document import NO_ADDRESS, Product
from aftercart.orders.refund_words import name_destination

ORDER_FIELDS: Final = frozenset({
    "id", "number", "status", "currency", "is_cancelled", "is_cancellable", "is_refundable", "shipping_company",
    "payment_option", "amount", "amount_without_discount", "discount_amount", "shipping_amount",
    "shipping_tax_rate", "refund_amount", "discount_refund_amount", "shipping_refund_amount", "is_payable",
    "tracking_url", "tracking_number", "defined_tracking_url", "shipping_tracking_url", "invoice_number",
    "has_gift_box", "delivery_range", "shipping_option_slug", "payment_option_slug", "installment_count",
    "installment_interest_amount", "card", "created_date", "modified_date",
})  # fmt: skip
ITEM_FIELDS: Final = frozenset({
    "id", "order", "parent", "status", "price_currency", "product", "quantity", "price", "retail_price",
    "unit_price", "total_amount", "tax_rate", "is_cancelled", "is_cancellable", "is_refundable", "is_tradable",
    "available_easy_return_shipping_companies", "shipping_company", "tracking_url", "tracking_number",
    "shipping_tracking_url", "invoice_number", "image", "estimated_delivery_date", "attributes",
    "attributes_kwargs", "localized_attributes", "localized_attributes_kwargs", "created_date", "modified_date",
})  # fmt: skip
REQUEST_FIELDS: Final = frozenset({
    "id", "cancellation_type", "status", "easy_return", "reason", "order_item",
})  # fmt: skip
DISCOUNT_FIELDS: Final = frozenset({
    "pk", "order", "name", "amount", "cancel_amount", "created_date", "modified_date",
})  # fmt: skip
ADDRESS_FIELDS: Final = frozenset({
    "first_name", "last_name", "company_name", "line", "district", "township", "city", "country", "postcode",
})  # fmt: skip
#: Of what the shop adds of its own: the row that makes the amounts add up.
EXTRA_FIELDS: Final = frozenset({"gift_box_amount"})


def view_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a link alone shows of an order's document."""
    extra = document["extra_field"]
    return {
        **_keep(document, ORDER_FIELDS),
        "orderitem_set": [_view_item(item) for item in document["orderitem_set"]],
        "discountitem_set": [_keep(discount, DISCOUNT_FIELDS) for discount in document["discountitem_set"]],
        "shipping_address": _view_address(document["shipping_address"]),
        "billing_address": dict(NO_ADDRESS),
        "loyaltytransaction_set": [],
        "refund_set": [_view_refund(refund) for refund in document["refund_set"]],
        "extra_field": {name: extra[name] for name in extra.keys() & EXTRA_FIELDS}
        if isinstance(extra, dict)
        else None,
    }


def _view_item(item: Mapping[str, Any]) -> dict[str, Any]:
    active = item["active_cancellation_request"]
    return {
        **_keep(item, ITEM_FIELDS),
        "product": {name: item["product"].get(name) for name in Product.list_names()},
        "cancellationrequest_set": [_view_request(request) for request in item["cancellationrequest_set"]],
        "active_cancellation_request": active and _view_request(active),
    }


def _view_request(request: Mapping[str, Any]) -> dict[str, Any]:
    return {**_keep(request, REQUEST_FIELDS), "description": ""}


def _view_refund(refund: Mapping[str, Any]) -> dict[str, Any]:
    """Return a refund without the end of the account that it goes to, and without what the customer wrote."""
    lines = [{**line, "exchange_preference": ""} for line in refund["lines"]]
    destination = refund["destination"]
    if destination and destination["account_end"] is not None:
        hidden = {"account_end": None, "label": name_destination(destination["value"])}
        destination = {**destination, **hidden}
    return {**refund, "lines": lines, "destination": destination}


def _view_address(address: Mapping[str, Any]) -> dict[str, Any]:
    store = address.get("retail_store")
    named = {"name": store.get("name")} if isinstance(store, dict) else None
    shown = {name: value for name, value in address.items() if name in ADDRESS_FIELDS}
    return {**NO_ADDRESS, **shown, "retail_store": named}


def _keep(document: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value if name in names else None for name, value in document.items()}
