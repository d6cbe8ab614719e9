"""What pages say of a refund: nothing where nothing was paid, "refunded" only where Omnitron has reported it."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from aftercart.actions.cancel.close_line import complete_line
from aftercart.cancellations.models import CancellationReason, RefundQuoteLine, SubmissionLine
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.loyalty.selectors import get_balance
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import OMS
from tests.fake_omnitron import FakeOmnitron
from tests.http.cancelling.form import IBAN, Form, assert_nothing_happened, complaints, read_second
from tests.http.forms import read

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING = "Nothing was paid, so nothing is returned."


@pytest.fixture
def unpaid(order: Order) -> Order:
    Order.objects.update(status="300", payment_option={"payment_type": "funds_transfer", "name": "Transfer"})
    OrderItem.objects.update(status="300")
    order.refresh_from_db()
    return order


def complete(reported: str | None) -> None:
    with transaction.atomic():
        line = SubmissionLine.objects.select_related("order_item").get()
        locked = lock_order(pk=line.order_item.order_id)
        amount = None if reported is None else Decimal(reported)
        complete_line(locked, line, OMS, refund_amount=amount)
        save_order(locked, "refund_amount", "discount_refund_amount", "shipping_refund_amount")


def list_facts(page: Any) -> dict[str, str]:
    rows = page.select(".amounts > div")
    return {row.dt.get_text(strip=True): row.dd.get_text(strip=True) for row in rows}


def test_the_second_step_of_an_unpaid_order_offers_no_destination_and_says_why(
    client: Client, unpaid: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, unpaid).choose(0, reasons[0])
    answer = form.go_on()

    page = read(answer)
    assert NOTHING in page.get_text()
    assert list_facts(page)["Your refund"] == "TRY 0.00"
    fields = read_second(answer)
    assert fields["destination"] == "none"
    assert not {"iban", "holder_name", "quote-loyalty", "quote-payment_method"} & set(fields)
    sent = form.confirm(fields)
    assert sent.status_code == 303
    result = read(client.get(sent["Location"]))
    assert NOTHING in result.get_text()
    assert "Refunded to" not in list_facts(result)
    assert len(fake.posts) == 1


def test_points_that_the_form_does_not_offer_are_refused(
    client: Client, unpaid: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, unpaid).choose(0, reasons[0])
    fields = form.look()

    answer = form.confirm(fields | {"destination": "loyalty", "quote-loyalty": fields["quote-none"]})

    assert answer.status_code == 400
    assert complaints(answer) != []
    assert_nothing_happened(fake)


def test_json_says_so_and_refuses_points_with_a_code(
    client: Client, unpaid: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    item = unpaid.items.earliest("pk")
    body = {
        "cancel_order_items": [
            {"order_item": item.pk, "reason": reasons[0].pk, "cancellation_type": "cancel"}
        ]
    }
    path = f"/orders/{unpaid.number}/cancel/"

    quote = client.post(f"{path}quote/", body, content_type="application/json").json()
    assert (quote["total"], quote["destination"], quote["message"]) == ("0.00", "none", NOTHING)
    assert quote["lines"][0]["codes"] == ["nothing_paid"]

    body |= {"fully_refund_as_loyalty_money": True}  # type: ignore[dict-item]  # other fields are lists
    for url in (path, "/users/orders/bulk_cancellation_requests/"):
        answer = client.post(url, body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "points_need_payment")
    assert unpaid.user is not None
    assert get_balance(unpaid.user, "TRY") == 0
    assert_nothing_happened(fake)


@pytest.mark.parametrize(
    ("reported", "label", "amount"),
    [
        (None, "Refund on its way", "TRY 530.52"),
        ("0", "Refund on its way", "TRY 530.52"),
        ("530.52", "Refunded", "TRY 530.52"),
        ("500", "Refunded", "TRY 500.00"),
    ],
)
def test_refunded_is_said_only_once_omnitron_has_reported_it(
    client: Client,
    order: Order,
    fake: FakeOmnitron,  # noqa: ARG001 - what is sent goes there
    reasons: list[CancellationReason],
    reported: str | None,
    label: str,
    amount: str,
) -> None:
    answer = Form(client, order).choose(0, reasons[0]).send()
    assert list_facts(read(client.get(answer["Location"])))["Your refund"] == "TRY 530.52"

    complete(reported)

    facts = list_facts(read(client.get(answer["Location"])))
    assert facts[label] == amount
    assert len({"Refund on its way", "Refunded"} & set(facts)) == 1
    page = list_facts(read(client.get(f"/users/orders/{order.pk}/")))
    on_its_way = [name for name in page if name.startswith("Refund on its way")]
    assert len(on_its_way) == (label != "Refunded")
    assert ("Refunded so far" in page) is (label == "Refunded")


def test_an_account_and_the_points_are_told_where_they_are_chosen(
    client: Client,
    order: Order,
    fake: FakeOmnitron,  # noqa: ARG001 - what is sent goes there
    reasons: list[CancellationReason],
) -> None:
    Order.objects.update(payment_option={"payment_type": "funds_transfer", "name": "Transfer"})
    LoyaltyEntry.objects.create(
        user=order.user, currency="TRY", kind="spent", amount=-40, order=order, reference="import:1"
    )
    form = Form(client, order).choose(0, reasons[0])
    sent = form.confirm(form.look(), iban=IBAN, holder_name="Ayşe Yılmaz")

    facts = list_facts(read(client.get(sent["Location"])))
    assert facts["Refunded to"] == "Account ending in 1326"
    assert facts["of which in points (you paid with points)"] == "TRY 40.00"
    assert RefundQuoteLine.objects.get().points_returned == 40
    for path in (f"/users/orders/{order.pk}/", f"/users/orders/{order.pk}/receipt/"):
        assert list_facts(read(client.get(path)))["of which paid with points"] == "TRY 40.00"
