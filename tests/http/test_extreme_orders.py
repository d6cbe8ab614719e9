"""Whatever an import lets through, every page and document of the order answers."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from aftercart.accounts.models import User
from aftercart.orders.models import Order
from tests.http.backoffice_world import ORDERS, log_in, make_staff
from tests.import_documents import make_address, make_document, make_item, run_import
from tests.strength import examples

pytestmark = pytest.mark.django_db

#: JSON as nobody wrote it on purpose: the wrong kinds, extreme numbers, times outside every calendar.
odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.sampled_from(
        ["", "9999-12-31T23:59:59Z", "0001-01-01", "x" * 300, "<b>", "\u202e\U0001f9fa", "1e400", "-1"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["value", "label", "name", "pk", "start"]), st.integers(), max_size=2),
)
#: What is passed on as it came.
PASSED_ON = (
    "invoice_date", "delivery_range", "bank", "tracking_url", "tracking_number", "shipping_company", "notes",
    "gift_box_note", "has_gift_box", "is_payable", "extra_field", "language_code", "loyaltytransaction_set",
    "installment_count", "order_type", "campaigns", "payment_option",
)  # fmt: skip
PASSED_ON_OF_ITEMS = (
    "estimated_delivery_date", "attributes", "attributes_kwargs", "localized_attributes", "image",
    "tracking_url", "tracking_number", "shipping_company", "invoice_date", "extra_field", "datasource",
)  # fmt: skip
PASSED_ON_OF_PRODUCTS = ("name", "image", "absolute_url", "attributes", "attributes_kwargs", "base_code")

LARGEST = "999999999999.9999"
EXTREMES: dict[str, dict[str, Any]] = {
    "first moment": {"created_date": "1970-01-01T00:00:00Z", "modified_date": "1970-01-01T00:00:00Z"},
    "last moment": {
        "created_date": "2100-01-01T00:00:00Z",
        "modified_date": "2100-01-01T00:00:00Z",
        "status": "550",
        "orderitem_set": [make_item(extra_field={"delivered_date": "2100-01-01T00:00:00Z"})],
    },
    "largest amounts": {
        "amount": LARGEST,
        "amount_without_discount": LARGEST,
        "shipping_amount": LARGEST,
        "discount_amount": LARGEST,
        "refund_amount": LARGEST,
        "installment_interest_amount": LARGEST,
        "orderitem_set": [make_item(price=LARGEST, unit_price=LARGEST, total_amount=LARGEST)] * 3,
        "discountitem_set": [{"name": "x" * 255, "amount": LARGEST, "cancel_amount": LARGEST}] * 2,
    },
    "largest quantity": {"orderitem_set": [make_item(quantity=100_000, price="0.0001")]},
    "longest names": {
        "number": "N" * 64,
        "shipping_address": make_address(line="W" * 512),
        "orderitem_set": [make_item(product={"pk": 2**53 - 1, "name": "M" * 10_000, "sku": "S" * 128})],
    },
}


def read_everything(order: Order, root: Client) -> Iterator[tuple[str, int]]:
    """Ask for all that shows an order, as its customer in both languages and as staff."""
    customer = log_in(order.user)  # type: ignore[arg-type]  # an imported order has its customer
    detail = f"/users/orders/{order.pk}/"
    for language in ("en", "tr"):
        with translation.override(language):
            for path in ("/users/orders/", detail, f"/orders/{order.number}/cancel/", f"{detail}receipt/"):
                answer = customer.get(path, headers={"accept": "text/html", "accept-language": language})
                yield path, answer.status_code
    for path in ("/users/orders/", detail):
        yield path, customer.get(path, headers={"accept": "application/json"}).status_code
    for path in (ORDERS, f"{ORDERS}{order.pk}/change/"):
        yield path, root.get(path).status_code


def import_one(document: dict[str, Any]) -> Order | None:
    """Import a document; None if it is refused."""
    result, _bad = run_import(document)
    return Order.objects.select_related("user").get(number=document["number"]) if result.bad == 0 else None


@pytest.fixture
def root() -> Client:
    return log_in(make_staff(is_superuser=True))


@pytest.mark.parametrize("changes", EXTREMES.values(), ids=EXTREMES)
def test_every_page_of_an_extreme_order_answers(changes: dict[str, Any], root: Client) -> None:
    order = import_one(make_document(**changes))
    assert order is not None
    assert {status for _path, status in read_everything(order, root)} == {200}


@examples(200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    of_order=st.dictionaries(st.sampled_from(PASSED_ON), odd, max_size=4),
    of_item=st.dictionaries(st.sampled_from(PASSED_ON_OF_ITEMS), odd, max_size=4),
    of_product=st.dictionaries(st.sampled_from(PASSED_ON_OF_PRODUCTS), odd, max_size=3),
    status=st.sampled_from(["50", "100", "300", "400", "500", "550", "600"]),
)
def test_every_page_answers_whatever_is_passed_on(
    of_order: dict[str, Any], of_item: dict[str, Any], of_product: dict[str, Any], status: str, root: Client
) -> None:
    User.objects.filter(is_staff=False).delete()
    product = {"pk": 1, "sku": "SKU-1", "name": "Kupa", **of_product}
    number = f"ORD-{Order.objects.count()}"
    document = make_document(
        **{
            "number": number,
            "status": status,
            "orderitem_set": [make_item(**{"product": product, **of_item})],
            **of_order,
        }
    )
    order = import_one(document)
    if order is not None:
        assert {status for _path, status in read_everything(order, root)} <= {200, 404}
