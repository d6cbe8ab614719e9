"""What a customer would rather have than what is returned: passed on word for word, and promised by nobody."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.cancellations.models import CancellationReason, CancellationRequest, Submission, SubmissionLine
from aftercart.lib.clock import get_shop_now
from aftercart.orders.models import Order
from tests.emails import prove
from tests.fake_omnitron import FakeOmnitron
from tests.http.backoffice_world import log_in, make_staff
from tests.http.cancelling.form import Form, complaints
from tests.http.forms import read
from tests.http.guests.steps import sign
from tests.shop import get_items

pytestmark = pytest.mark.django_db(transaction=True)

WANTED = "Size 42, in <blue>"
_FIELD = "[name$=exchange_preference]"


@pytest.fixture
def form(client: Client, order: Order, fake: FakeOmnitron) -> Form:
    """The form of an order of which one item can be returned."""
    assert fake.posts == []
    order.items.filter(sku="shirt").update(status="550", delivered_at=timezone.now())
    return Form(client, order)


def test_it_is_asked_of_returns_alone_and_said_that_nothing_is_promised(form: Form) -> None:
    fields = form.page.select(_FIELD)

    assert [(field["name"], field["maxlength"]) for field in fields] == [
        (f"item-{form.items[0]}-exchange_preference", "200")
    ]
    hint = form.page.select_one(f"#{fields[0]['aria-describedby']}")
    assert hint is not None
    assert (
        hint.get_text() == "We pass it on to our team, but we can't promise an exchange: this stays a return."
    )


def test_it_goes_with_the_return_and_is_shown_on_every_step(
    client: Client, form: Form, order: Order, reasons: list[CancellationReason]
) -> None:
    form.choose(0, reasons[2], exchange_preference=WANTED)
    form.fields |= pick(form)

    second = read(form.go_on())
    assert f"You would rather have: {WANTED}" in second.get_text()
    answer = form.send()

    assert answer.status_code == 303, complaints(answer)
    assert SubmissionLine.objects.get().exchange_preference == WANTED
    assert f"You would rather have: {WANTED}" in read(client.get(answer["Location"])).get_text()
    staff = log_in(make_staff(is_superuser=True))
    for path in (
        f"/backoffice/orders/order/{order.pk}/change/",
        f"/backoffice/cancellations/submission/{Submission.objects.get().pk}/change/",
    ):
        assert WANTED in read(staff.get(path)).get_text()


def pick(form: Form) -> dict[str, Any]:
    """Choose who collects it, and when."""
    company = form.page.select_one("[name=shipping_company][value]")
    assert company is not None
    day = (get_shop_now() + timedelta(days=3)).date().isoformat()
    return {"shipping_company": company["value"], "pickup_date": day, "pickup_slot": "09:00-12:00"}


def call(client: Client, order: Order, **fields: Any) -> Any:
    item = {"order_item": get_items(order)[0].pk, "cancellation_type": "refund", **fields}
    return client.post("/users/orders/cancellation_requests/", item, content_type="application/json")


@pytest.mark.usefixtures("form")
def test_omnitrons_staff_read_it_before_the_customers_words(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason], settings: Settings
) -> None:
    settings.LANGUAGE_CODE = "en"
    answer = call(client, order, reason=reasons[2].pk, exchange_preference=WANTED, description="d" * 1000)
    assert answer.status_code == 201
    request = CancellationRequest.objects.get()
    deliver_request(request.pk, fake)

    sent = fake.posts[-1].body["description"]
    assert sent.startswith(f"Would rather have: {WANTED}\nddd")
    assert len(sent) == 1000
    document = client.get(f"/users/orders/{order.pk}/?format=json").json()
    [line] = document["refund_set"][0]["lines"]
    assert line["exchange_preference"] == WANTED
    assert document["orderitem_set"][0]["active_cancellation_request"]["description"] == "d" * 1000
    sheet = log_in(make_staff(is_superuser=True)).get(
        f"/backoffice/cancellations/cancellationrequest/{request.pk}/change/"
    )
    assert WANTED in read(sheet).get_text()


@pytest.mark.usefixtures("form")
def test_it_is_short_and_of_a_return(client: Client, order: Order, reasons: list[CancellationReason]) -> None:
    long = call(client, order, reason=reasons[2].pk, exchange_preference="x" * 201)
    assert (long.status_code, long.json()["exchange_preference"]) == (
        400,
        ["Ensure this field has no more than 200 characters."],
    )
    other = get_items(order)[1].pk
    cancelled = call(
        client, order, order_item=other, reason=reasons[0].pk, cancellation_type="cancel", exchange_preference="L"
    )  # fmt: skip
    assert cancelled.status_code == 400
    assert cancelled.json()["cancel_order_items"] == [
        f"Item {other}, exchange_preference: You can only ask for another size or colour when you return an item."
    ]
    assert not Submission.objects.exists()


def test_a_link_alone_does_not_show_it(form: Form, order: Order, reasons: list[CancellationReason]) -> None:
    assert call(form.client, order, reason=reasons[2].pk, exchange_preference=WANTED).status_code == 201
    Order.objects.update(user=None)
    guest = Client()
    guest.get(sign(order))
    paths = [
        f"/users/orders/{order.pk}/?format=json",
        f"/orders/{order.number}/cancel/{Submission.objects.get().uuid}/",
    ]
    assert ["Size 42" in guest.get(path).content.decode() for path in paths] == [False, False]

    prove(guest, order)
    assert ["Size 42" in guest.get(path).content.decode() for path in paths] == [True, True]
