"""Documents as the storefront's client types them: objects where it looks inside, and nothing out of its place."""

from typing import Any

import pytest

from aftercart.loyalty.models import LoyaltyEntry
from tests.http.conftest import Api
from tests.import_documents import make_document, make_item, run_import
from tests.shop import Shop, make_customer

pytestmark = pytest.mark.django_db


def read_order(api: Api, pk: int) -> dict[str, Any]:
    document: dict[str, Any] = api.get(f"/users/orders/{pk}/").json()
    return document


def read_imported(api: Api, **changes: Any) -> dict[str, Any]:
    user = make_customer("ayse.kaya@example.com")
    run_import(make_document(**changes))
    order = user.orders.get()
    return read_order(api.log_in(user), order.pk)


def test_an_order_without_addresses_or_payment_has_blank_ones(api: Api, shop: Shop) -> None:
    shop.order.payment_option = {}
    shop.order.save()

    document = read_order(api.log_in(shop.user), shop.order.pk)

    for name in ("shipping_address", "billing_address"):
        address = document[name]
        assert (address["pk"], address["first_name"], address["line"]) == (None, "", "")
        assert [address[place]["name"] for place in ("country", "city", "township")] == ["", "", ""]
    assert document["payment_option"] == {"pk": None, "name": "", "payment_type": "", "slug": ""}


def test_attributes_are_objects_where_the_shop_sent_none(api: Api, shop: Shop) -> None:
    [item] = read_order(api.log_in(shop.user), shop.order.pk)["orderitem_set"]

    assert (item["product"]["attributes"], item["product"]["attributes_kwargs"]) == ({}, {})
    assert (item["attributes"], item["localized_attributes"]) == ({}, {})


def test_what_nobody_knows_keeps_its_place(api: Api) -> None:
    images = [{"pk": 1, "image": "https://cdn.example.com/1.jpg"}]
    item = make_item(
        productimage_set=images, product={"pk": 1, "sku": "S", "name": "Mug", "productimage_set": images}
    )

    document = read_imported(api, orderitem_set=[item], erp={"code": 3, "staff_note": "rude"})

    assert document["erp"] == {"code": 3}
    assert document["extra_field"] is None
    [line] = document["orderitem_set"]
    assert (line["productimage_set"], line["product"]["productimage_set"]) == (images, images)
    assert line["extra_field"] is None


def test_an_unknown_field_cannot_stand_for_a_known_one(api: Api) -> None:
    document = read_imported(api, is_cancelled=True, unknown={"number": "other"})

    assert (document["is_cancelled"], document["number"]) == (False, "ORD-2026-000001")
    assert document["unknown"] == {"number": "other"}


def test_a_shipped_item_has_its_orders_tracking_where_it_has_none_of_its_own(api: Api) -> None:
    items = [
        make_item(id=1, status="500"),
        make_item(id=2, status="500", tracking_number="OWN"),
        make_item(id=3, status="400"),
    ]

    document = read_imported(
        api, orderitem_set=items, tracking_number="ORDER", tracking_url="https://t.example.com/1"
    )

    assert [(item["tracking_number"], item["tracking_url"]) for item in document["orderitem_set"]] == [
        ("ORDER", "https://t.example.com/1"),
        ("OWN", None),
        (None, None),
    ]


def test_what_is_cancelled_directly_is_the_active_request(api: Api, shop: Shop) -> None:
    api.log_in(shop.user)
    [item] = shop.items
    body = {"order_item": item.pk, "reason": shop.cancel_reason.pk, "cancellation_type": "cancel"}
    done = api.post(f"/orders/{shop.order.number}/cancel/", {"cancel_order_items": [body]})

    [document] = read_order(api, shop.order.pk)["orderitem_set"]

    assert (done.status_code, document["status"]["value"]) == (204, "50")
    assert document["active_cancellation_request"] == {
        "id": None,
        "cancellation_type": {"value": "cancel", "label": "Cancellation"},
        "status": {"value": "confirmed", "label": "Confirmed"},
        "easy_return": None,
        "description": "",
        "reason": shop.cancel_reason.pk,
        "order_item": item.pk,
    }
    assert document["cancellationrequest_set"] == []


def test_a_loyalty_entry_holds_the_transaction_that_the_client_reads(api: Api, shop: Shop) -> None:
    for order in (None, shop.order):
        LoyaltyEntry.objects.create(user=shop.user, order=order, currency="TRY", kind="earned", amount=5)

    rows = api.log_in(shop.user).get("/account/loyalty/").json()["results"]

    assert [row["transaction"] for row in rows] == [
        {"created_date": rows[0]["created_date"], "order": shop.order.number},
        {"created_date": rows[1]["created_date"], "order": ""},
    ]
