"""What a guest's link shows is a list of its own: what is not on it stays hidden, whatever is added."""

from typing import Any

from aftercart.cancellations.document import ItemRequest, Order, OrderItem
from aftercart.orders.document import NO_ADDRESS, DiscountItem, Product
from aftercart.orders.guest_document import (
    DISCOUNT_FIELDS,
    ITEM_FIELDS,
    ORDER_FIELDS,
    REQUEST_FIELDS,
    view_document,
)

#: What was looked at and is not shown. A new field of a document belongs here or on the list.
HIDDEN_OF_ORDER = {
    "bank", "basket", "billing_address", "bin_number", "checkout_provider", "client_type", "e_archive_url",
    "extra_field", "gift_box_note", "installment", "invoice_date", "language_code", "loyaltytransaction_set",
    "notes", "order_type", "remote_addr", "segment", "shipping_option", "user", "user_email",
}  # fmt: skip
HIDDEN_OF_ITEM = {
    "datasource", "e_archive_url", "extra_field", "extra_product_price", "extra_product_stock", "invoice_date",
}  # fmt: skip
#: Shown in part, or by lists of their own.
PARTS_OF_ORDER = {"orderitem_set", "discountitem_set", "shipping_address", "refund_set"}
PARTS_OF_ITEM = {"cancellationrequest_set", "active_cancellation_request", "product"}


def list_fields(document: Any) -> set[str]:
    return set(document().fields)


def test_every_field_is_shown_or_hidden_on_purpose() -> None:
    assert list_fields(Order) == ORDER_FIELDS | HIDDEN_OF_ORDER | PARTS_OF_ORDER
    assert list_fields(OrderItem) == ITEM_FIELDS | HIDDEN_OF_ITEM | PARTS_OF_ITEM
    assert list_fields(ItemRequest) == REQUEST_FIELDS | {"description"}
    assert list_fields(DiscountItem) == DISCOUNT_FIELDS | {
        "code",
        "offer_type",
        "promotion",
        "session_offer_type",
    }


def make_refund() -> dict[str, Any]:
    label = "Account ending in 1326"
    destination = {"value": "iban", "label": label, "account_end": "1326"}
    lines = [{"quantity": 1, "exchange_preference": "Size 42"}]
    return {"amount": "5.00", "destination": destination, "lines": lines}


HIDDEN_REFUND = {
    "amount": "5.00",
    "destination": {"value": "iban", "label": "A bank account", "account_end": None},
    "lines": [{"quantity": 1, "exchange_preference": ""}],
}


def make_document() -> dict[str, Any]:
    """Write a document in which every value that is no part names its field."""
    request = {name: f"request {name}" for name in list_fields(ItemRequest)}
    item = {
        **{name: f"item {name}" for name in list_fields(OrderItem)},
        "product": {"name": "Mug", "cost_price": "1.00"},
        "cancellationrequest_set": [request],
        "active_cancellation_request": request,
    }
    return {
        **{name: f"order {name}" for name in list_fields(Order)},
        "orderitem_set": [item],
        "discountitem_set": [{name: f"discount {name}" for name in list_fields(DiscountItem)}],
        "refund_set": [make_refund()],
        "shipping_address": {
            "line": "Street 1",
            "phone_number": "5",
            "retail_store": {"name": "A", "tel": "5"},
        },
        "extra_field": {"gift_box_amount": "5.00", "campaign": "x"},
    }


def test_what_is_hidden_is_null_or_empty_however_deep_and_no_field_is_missing() -> None:
    document = make_document()

    viewed = view_document(document)

    assert viewed.keys() == document.keys()
    assert {name for name, value in viewed.items() if value == f"order {name}"} == ORDER_FIELDS
    assert viewed["shipping_address"] == {
        **NO_ADDRESS,
        "line": "Street 1",
        "retail_store": {"name": "A"},
    }
    assert viewed["billing_address"] == NO_ADDRESS
    assert viewed["extra_field"] == {"gift_box_amount": "5.00"}
    [item] = viewed["orderitem_set"]
    assert {name for name, value in item.items() if value == f"item {name}"} == ITEM_FIELDS - {"product"}
    assert item["product"] == {**dict.fromkeys(Product.list_names()), "name": "Mug"}
    for request in (item["active_cancellation_request"], *item["cancellationrequest_set"]):
        assert request == {
            **{name: f"request {name}" for name in REQUEST_FIELDS},
            "description": "",
        }
    assert viewed["refund_set"] == [HIDDEN_REFUND]
    [discount] = viewed["discountitem_set"]
    assert {name for name, value in discount.items() if value is not None} == DISCOUNT_FIELDS


def test_what_an_order_does_not_have_is_no_trouble() -> None:
    bare = {
        **make_document(),
        "orderitem_set": [{**make_document()["orderitem_set"][0], "active_cancellation_request": None}],
        "shipping_address": {},
        "extra_field": None,
    }

    viewed = view_document(bare)

    assert (viewed["shipping_address"], viewed["extra_field"]) == (NO_ADDRESS, None)
    assert viewed["orderitem_set"][0]["active_cancellation_request"] is None
