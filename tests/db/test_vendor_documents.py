"""Order documents as the vendor's public documentation shows them are read as they are."""

import json
from typing import Any

import pytest

from aftercart.actions.intake.import_orders import ImportResult, import_orders
from aftercart.actions.intake.pull_orders import make_document
from aftercart.omnitron import documents
from aftercart.orders.intake.order import read_order
from aftercart.orders.models import Order

pytestmark = pytest.mark.django_db

STAMPS = {"created_date": "2024-11-20T11:22:23.702774Z", "modified_date": "2024-11-20T11:22:23.702774Z"}
ADDRESS: dict[str, Any] = {
    "pk": 1,
    "email": "user@example.com",
    "phone_number": "+905551112233",
    "first_name": "John",
    "last_name": "Doe",
    "country": {"id": 1, "name": "Türkiye", "code": "TR", "is_active": True, "translations": None, **STAMPS},
    "city": {"id": 1, "name": "Istanbul", "is_active": True, "country": 1, "translations": None, **STAMPS},
    "township": {"id": 1, "name": "Kadikoy", "city": 1, **STAMPS},
    "district": {"id": 1, "name": "Moda", "city": 1, "township": 1, **STAMPS},
    "line": "Moda Cad. 1",
    "title": "Home",
    "postcode": None,
}
#: An order of the shop's API: `pk`, labelled values, no quantities, an empty discount.
SHOPS: dict[str, Any] = {
    "pk": 1,
    "number": "1234567890123456",
    "status": {"value": "550", "label": "Teslim Edildi"},
    "currency": {"value": "try", "label": "TL"},
    "amount": "100.00",
    "discount_amount": "0.00",
    "amount_without_discount": "100.00",
    "shipping_amount": "0.00",
    "shipping_tax_rate": None,
    "refund_amount": "0.00",
    "orderitem_set": [
        {
            "pk": 11,
            "status": {"value": "550", "label": "Teslim Edildi"},
            "price_currency": {"value": "try", "label": "TL"},
            "price": "100.00",
            "retail_price": "120.00",
            "product": {"pk": 5, "name": "T-shirt", "sku": "TS-1", "image": None, "attributes": {}},
            **STAMPS,
        }
    ],
    "discountitem_set": [{}],
    "shipping_address": ADDRESS,
    "billing_address": ADDRESS,
    "payment_option": {"pk": 1, "name": "Card", "payment_type": {"value": "credit_card", "label": "Card"}},
    "bank": None,
    "user_email": "user@example.com",
    "tracking_number": None,
    "extra_field": {},
    **STAMPS,
}


def test_a_list_page_of_the_shops_api_is_imported_as_it_is() -> None:
    page = {"count": 1, "next": None, "previous": None, "results": [SHOPS]}
    text = json.dumps(page, indent=2, ensure_ascii=False).encode()
    bad: list[Any] = []

    result = import_orders(text.split(b"\n"), report_bad=bad.append)

    assert (result, bad) == (ImportResult(created=1), [])
    order = Order.objects.get()
    item = order.items.get()
    assert (order.pk, order.status, order.currency, order.discounts.count()) == (1, "550", "TRY", 0)
    assert (item.pk, item.quantity, item.total_amount) == (11, 1, 100)
    assert (order.shipping_address or {})["township"]["name"] == "Kadikoy"


@pytest.mark.parametrize(("kind", "is_guest"), [("guest", True), ("registered", False)])
def test_an_order_of_omnitrons_api_becomes_a_document_of_ours(kind: str, is_guest: bool) -> None:
    order = documents.read_order(
        {
            "pk": 70,
            "number": "ORDER12345",
            "channel": {"id": 5, "name": "Commerce Channel"},
            "status": "approved",
            "date_placed": "2024-11-20T11:22:23.702774Z",
            "customer": {"pk": 123, "email": "user@example.com", "user_type": kind},
            "shipping_address": ADDRESS,
            "billing_address": ADDRESS,
            "currency": "try",
            "amount": "100.00",
            "discountitem_set": [{}],
            "modified_date": STAMPS["modified_date"],
        }
    )
    item = documents.read_item(
        {
            "pk": 71,
            "order": 70,
            "product": 5,
            "sku": "TS-1",
            "status": "approved",
            "price": "100.00",
            **STAMPS,
        }
    )

    ids = {("order", 70): "9", ("orderitem", 71): "91"}
    intake = read_order(make_document(order, [item], ids, 5), channel_id=5)

    assert (intake.id, intake.email, intake.is_guest) == (9, "user@example.com", is_guest)
    assert (intake.columns["status"], intake.columns["channel_id"]) == ("400", 5)
    assert [(row.id, row.columns["quantity"], row.columns["sku"]) for row in intake.items] == [
        (91, 1, "TS-1")
    ]
