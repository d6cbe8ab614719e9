"""Orders in the API: the document field by field, signed links, the list and its filters."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from aftercart.actions.account.revoke_links import revoke_links
from aftercart.lib.links import sign_number
from aftercart.orders.document import OrderItem as ItemDocument
from aftercart.orders.models import DiscountItem, Order
from tests.http.conftest import Api
from tests.shop import Line, Shop, make_customer, make_order

pytestmark = pytest.mark.django_db

ORDER_FIELDS = set(
    "id number status currency orderitem_set discountitem_set is_cancelled is_cancellable is_refundable "
    "shipping_address billing_address shipping_company client_type payment_option amount "
    "amount_without_discount discount_amount shipping_amount shipping_tax_rate refund_amount "
    "discount_refund_amount shipping_refund_amount refund_set is_payable tracking_url tracking_number "
    "defined_tracking_url shipping_tracking_url bank loyaltytransaction_set invoice_number invoice_date "
    "e_archive_url order_type remote_addr has_gift_box gift_box_note language_code notes delivery_range "
    "extra_field user_email shipping_option_slug payment_option_slug bin_number installment_count "
    "installment_interest_amount segment user basket shipping_option card installment checkout_provider "
    "created_date modified_date".split()
)
ITEM_FIELDS = set(
    "id order parent status price_currency product quantity price retail_price unit_price total_amount "
    "tax_rate is_cancelled is_cancellable is_refundable is_tradable cancellationrequest_set "
    "active_cancellation_request available_easy_return_shipping_companies shipping_company tracking_url "
    "tracking_number shipping_tracking_url invoice_number invoice_date e_archive_url image extra_field "
    "estimated_delivery_date attributes attributes_kwargs localized_attributes localized_attributes_kwargs "
    "extra_product_price extra_product_stock datasource created_date modified_date".split()
)
PRODUCT_FIELDS = set("pk sku base_code name image absolute_url attributes attributes_kwargs".split())
DISCOUNT_FIELDS = set(
    "pk order name amount cancel_amount code offer_type promotion session_offer_type created_date "
    "modified_date".split()
)


def sign(order: Order, purpose: Any = "completed") -> str:
    return sign_number(order.number, purpose=purpose, link_version=order.link_version)


def get_completed(api: Api, token: str) -> Any:
    return api.get(f"/orders/completed/{token}/?format=json")


def test_the_document_has_every_field_of_the_contract_and_no_other(api: Api, shop: Shop) -> None:
    DiscountItem.objects.create(order=shop.order, name="Autumn", amount=5)
    api.log_in(shop.user)

    answer = get_completed(api, sign(shop.order))

    order = answer.json()["order"]
    assert answer.status_code == 200
    assert set(answer.json()) == {"order", "campaigns"}
    assert set(order) == ORDER_FIELDS
    assert set(order["orderitem_set"][0]) == ITEM_FIELDS
    assert set(order["orderitem_set"][0]["product"]) == PRODUCT_FIELDS
    assert set(order["discountitem_set"][0]) == DISCOUNT_FIELDS
    assert [campaign["name"] for campaign in answer.json()["campaigns"]] == ["Autumn"]


def test_values_are_written_as_the_contract_says(api: Api, shop: Shop) -> None:
    placed = datetime(2026, 11, 1, 10, 20, 30, tzinfo=UTC)
    Order.objects.update(created_date=placed)
    order = api.log_in(shop.user).get(f"/users/orders/{shop.order.pk}/").json()

    assert order["status"] == {"value": "400", "label": "Approved"}
    assert order["currency"] == {"value": "try", "label": "TL"}
    assert order["amount"] == "100.00"
    assert order["created_date"] == "2026-11-01T10:20:30.000000Z"
    assert order["user"] == shop.user.pk
    assert order["orderitem_set"][0]["active_cancellation_request"] is None


def test_labels_follow_the_callers_language(api: Api, shop: Shop) -> None:
    api.log_in(shop.user)

    answer = api.get(f"/users/orders/{shop.order.pk}/", {"accept-language": "tr"})

    assert answer.json()["status"]["label"] != "Approved"
    assert answer.json()["status"]["value"] == "400"


def test_a_card_number_never_stands_in_the_document(api: Api, shop: Shop) -> None:
    card = {"pk": 1, "name": "Bonus", "slug": "bonus", "number": "4111111111111111"}
    Order.objects.update(details={"card": card})

    answer = api.log_in(shop.user).get(f"/users/orders/{shop.order.pk}/")

    assert answer.json()["card"] == {"pk": 1, "name": "Bonus", "slug": "bonus"}
    assert b"4111" not in answer.content


def make_bad_tokens(shop: Shop) -> dict[str, str]:
    stranger = make_order(make_customer())
    good = sign(shop.order)
    number, stamp, signature = good.rsplit(":", 2)
    with mock.patch("time.time", return_value=timezone.now().timestamp() - 8 * 86400):
        expired = sign(shop.order)
    with mock.patch("time.time", return_value=timezone.now().timestamp() + 3600):
        future = sign(shop.order)
    return {
        "unknown": sign_number("ORD-NONE", purpose="completed", link_version=1),
        "foreign": sign(stranger),
        "forged": f"{number}:{stamp}:{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        "another purpose": sign(shop.order, "guest-view"),
        "another version": sign_number(number, purpose="completed", link_version=2),
        "expired": expired,
        "future": future,
        "plain number": number,
        "one colon": f"{number}:{signature}",
        "odd stamp": f"{number}:!!!:{signature}",
        "nothing": ":",
        "not latin": "ş:ı:ğ",
        "a NUL": "x%00y:z:z",
    }


def test_every_miss_of_a_signed_link_is_the_same_404(api: Api, shop: Shop) -> None:
    api.log_in(shop.user)
    tokens = make_bad_tokens(shop)
    assert get_completed(api, sign(shop.order)).status_code == 200

    seen = set()
    for name, token in tokens.items():
        answer = get_completed(api, token)
        assert answer.status_code == 404, name
        seen.add((answer.content, tuple(sorted(answer.headers.items()))))

    bodies = {body for body, _headers in seen}
    assert bodies == {b'{"detail":"Not found.","code":"not_found"}'} or {
        tuple(json.loads(body).items()) for body in bodies
    } == {(("detail", "Not found."), ("code", "not_found"))}


def test_revoking_makes_every_link_of_an_order_void(api: Api, shop: Shop) -> None:
    api.log_in(shop.user)
    old = sign(shop.order)
    revoke_links(shop.order.number)
    shop.order.refresh_from_db()

    assert get_completed(api, old).status_code == 404
    assert get_completed(api, sign(shop.order)).status_code == 200


def test_links_survive_a_rotation_of_the_key(api: Api, shop: Shop, settings: Settings) -> None:
    token = sign(shop.order)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a quite different secret, long enough"
    api.log_in(shop.user)

    assert get_completed(api, token).status_code == 200


def test_the_list_has_only_the_callers_orders_newest_first(api: Api, shop: Shop) -> None:
    make_order(make_customer())
    newer = make_order(shop.user)
    Order.objects.filter(pk=shop.order.pk).update(created_date=timezone.now() - timedelta(days=1))

    page = api.log_in(shop.user).get("/users/orders/?page=1&limit=12 &created_date__gte=").json()

    assert page["count"] == 2
    assert [order["id"] for order in page["results"]] == [newer.pk, shop.order.pk]


def test_the_list_is_paged_and_filtered(api: Api, shop: Shop) -> None:
    old = make_order(shop.user, number="OLD-1")
    Order.objects.filter(pk=old.pk).update(created_date=datetime(2026, 3, 5, 12, tzinfo=UTC))
    api.log_in(shop.user)

    def find(query: str) -> list[int]:
        return [order["id"] for order in api.get(f"/users/orders/?{query}").json()["results"]]

    assert find("limit=1&page=2") == [old.pk]
    assert find("page_size=1") == [shop.order.pk]
    assert find("search=old") == [old.pk]
    assert find("last_month=1") == [shop.order.pk]
    assert find("created_date__lte=2026-03-05") == []  # its midnight, as a filter of DRF has it
    assert find("created_date__lte=2026-03-06") == [old.pk]
    assert find("created_date__gte=2026-03-06") == [shop.order.pk]
    assert api.get("/users/orders/?page=99").status_code == 404
    assert api.get("/users/orders/?created_date__gte=yesterday").status_code == 400
    # What no order can be of.
    assert find("created_date__lte=2026-03-05&created_date__gte=2026-03-05&search=x") == []
    assert find("created_date__lte=0261-10-28") == []
    assert find("last_month=&created_date__gte=2000-01-01&created_date__lte=2000-01-01") == []
    assert api.get("/users/orders/?search=%00").status_code == 400
    assert api.get("/users/orders/?limit=100000").json()["next"] is None


def test_a_foreign_order_is_the_same_404_as_an_unknown_one(api: Api, shop: Shop) -> None:
    foreign = make_order(make_customer())
    api.log_in(shop.user)

    answers = [api.get(f"/users/orders/{pk}/") for pk in (foreign.pk, 999_999, 10**25)]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("count", [1, 8])
def test_the_number_of_queries_does_not_depend_on_the_number_of_orders(
    api: Api, shop: Shop, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for _ in range(count):
        make_order(shop.user, Line(), Line(quantity=2))
    api.log_in(shop.user)

    # The session with its user; the order and the revisions, or count and page with them; then order, policy, items,
    # discounts, lines with their requests and refunds, companies, points, and what is kept, for each order.
    read, signed = f"/users/orders/{shop.order.pk}/", f"/orders/completed/{sign(shop.order)}/"
    with django_assert_num_queries(3 + 7 + count + 1):
        assert api.get("/users/orders/").status_code == 200
    with django_assert_num_queries(3):
        assert api.get("/users/orders/").status_code == 200
    with django_assert_num_queries(3):
        assert api.get(read).status_code == 200
    with django_assert_num_queries(3 + 8 + 1):
        assert api.get(signed).status_code == 200
    with django_assert_num_queries(3):
        assert api.get(signed).status_code == 200


def test_html_is_the_default_and_json_has_three_ways(shop: Shop) -> None:
    client = Client()
    client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    path = f"/orders/completed/{sign(shop.order)}/"

    def kind(url: str, **headers: str) -> str:
        return str(client.get(url, headers=headers).headers["Content-Type"].split(";")[0])

    assert kind(path) == "text/html"
    assert kind(path, accept="*/*") == "text/html"
    assert kind(path, accept="text/html,application/xhtml+xml,application/json;q=0.5") == "text/html"
    assert kind(f"{path}?format=json") == "application/json"
    assert kind(path, accept="application/json") == "application/json"
    assert kind(path, **{"content-type": "application/json"}) == "application/json"


def test_what_we_only_pass_on_is_passed_on(api: Api, shop: Shop) -> None:
    item = shop.items[0]
    item.details = {name: f"<{name}>" for name in ItemDocument.list_passed_on()}
    item.save()

    document = api.log_in(shop.user).get(f"/users/orders/{shop.order.pk}/").json()["orderitem_set"][0]

    assert {name: document[name] for name in ItemDocument.list_passed_on()} == item.details
