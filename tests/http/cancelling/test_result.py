"""The third step: an honest word about what became of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models import F
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from aftercart.actions.cancel.close_line import complete_line, reject_line
from aftercart.cancellations.models import CancellationReason, CancellationRequest, Submission, SubmissionLine
from aftercart.lib.formats import format_day
from aftercart.oms.errors import AnswerUnknown, NotSent
from aftercart.orders.models import Order
from aftercart.orders.status import Status
from aftercart.orders.timeline import OMS
from tests.browser.fixtures import list_products, make_customer, make_order
from tests.fake_omnitron import FakeOmnitron
from tests.http.cancelling.form import Form, read_outcome
from tests.http.forms import read

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cancellation_that_omnitron_takes_is_said_to_be_sent(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    answer = Form(client, order).choose(0, reasons[0]).send()
    assert answer.status_code == 303
    submission = Submission.objects.get()
    assert answer["Location"] == f"/orders/{order.number}/cancel/{submission.uuid}/"
    assert read_outcome(client, answer) == [
        "We have passed on your cancellation",
        "It is being confirmed. We will e-mail you as soon as it is done.",
    ]
    assert submission.refund_quote.is_binding
    assert submission.refund_quote.total_amount == Decimal("530.52")
    assert [item.status for item in order.items.all()] == [Status.CANCELLATION_WAITING, "400", "450"]
    assert [post.call for post in fake.posts] == ["cancel_items"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            NotSent,
            [
                "We have received your cancellation request",
                "Nothing is cancelled yet: our team will decide and e-mail you.",
                "The warehouse's system did not respond just now, so our team is taking care of it.",
                "You will have an answer by {day}.",
            ],
        ),
        (
            AnswerUnknown,
            [
                "We are waiting for your cancellation to be confirmed",
                (
                    "We have passed it on, and the confirmation is taking longer than usual. We will e-mail you the "
                    "result; there is no need to ask again."
                ),
            ],
        ),
    ],
)
def test_what_the_back_office_has_to_decide_is_said_to_be_received_no_more(
    client: Client,
    order: Order,
    fake: FakeOmnitron,
    reasons: list[CancellationReason],
    error: Any,
    said: list[str],
) -> None:
    fake.fail("cancel_items", error)
    answer = Form(client, order).choose(0, reasons[0]).choose(1, reasons[0]).send()
    assert answer.status_code == 303
    day = format_day(Submission.objects.get().created_at + timedelta(days=3))
    assert read_outcome(client, answer) == [line.format(day=day) for line in said]
    page = read(client.get(answer["Location"]))
    assert ("Your refund if approved" in page.get_text()) is (error is NotSent)
    assert ("We tried to pass it on." in page.get_text()) is (error is NotSent)
    assert CancellationRequest.objects.count() == 2


def test_the_page_of_a_submission_is_its_customers_alone(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    path = Form(client, order).choose(0, reasons[0]).send()["Location"]
    assert client.get(path).status_code == 200
    other = make_order(make_customer("other@example.com"), list_products("400"), number="ORD-OTHER")
    assert client.get(path.replace(order.number, other.number)).status_code == 404
    assert client.get(f"/orders/{order.number}/cancel/{uuid4()}/").status_code == 404
    client.force_login(other.user)  # type: ignore[arg-type]  # the order has its customer
    assert client.get(path).status_code == 404
    assert client.get(path.replace(order.number, other.number)).status_code == 404
    assert len(fake.posts) == 1


def test_the_orders_page_leads_to_what_became_of_it(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    fake.fail("cancel_items", NotSent)
    result = Form(client, order).choose(0, reasons[0]).send()["Location"]
    page = read(client.get(f"/users/orders/{order.pk}/"))
    assert [link["href"] for link in page.select(".story a")] == [result]
    assert [link["href"] for link in page.select(".request a")] == [result]


def test_a_page_that_shows_what_is_asks_for_nothing_more(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    path = Form(client, order).choose(0, reasons[0]).send()["Location"]
    for page in (path, f"/users/orders/{order.pk}/"):
        live = read(client.get(page)).select_one("[data-live]")
        assert live is not None
        assert client.get(f"{page}?version={live['data-version']}").status_code == 204
        assert client.get(f"{page}?version=0").status_code == 200
        Order.objects.update(version=F("version") + 1)
        assert client.get(f"{page}?version={live['data-version']}").status_code == 200
    assert len(fake.posts) == 1


@pytest.mark.parametrize(
    ("outcome", "reason", "said"),
    [
        ("completed", "", ["Your cancellation is complete", "There is nothing else you need to do."]),
        (
            "rejected",
            "It is on the lorry.",
            ["We could not complete your cancellation", "Your order goes ahead as planned."],
        ),
    ],
)
def test_the_end_is_told_with_its_reason_and_is_no_longer_asked_for(
    client: Client,
    order: Order,
    fake: FakeOmnitron,
    reasons: list[CancellationReason],
    outcome: str,
    reason: str,
    said: list[str],
) -> None:
    fake.fail("cancel_items", NotSent)
    answer = Form(client, order).choose(0, reasons[0]).send()
    with transaction.atomic():
        line = SubmissionLine.objects.select_related("order_item").get()
        if outcome == "completed":
            complete_line(order, line, OMS)
        else:
            reject_line(order, line, OMS, reason=reason)
    assert read_outcome(client, answer) == said
    page = read(client.get(answer["Location"]))
    assert page.select("[data-live]") == []
    assert [line.get_text() for line in page.select(".items .reason")] == ([reason] if reason else [])


def test_the_number_of_queries_does_not_depend_on_how_much_is_asked(
    client: Client,
    order: Order,
    fake: FakeOmnitron,
    reasons: list[CancellationReason],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    with django_assert_max_num_queries(17):  # one for how to send it back
        client.get(form.path)
    with django_assert_max_num_queries(32) as one:
        form.go_on()
    form.choose(1, reasons[0]).choose(2, reasons[0])
    with django_assert_max_num_queries(len(one)):
        fields = form.look()
    path = form.confirm(fields)["Location"]
    with django_assert_max_num_queries(17):  # one for how to send it back
        client.get(path)
    order.refresh_from_db()
    with django_assert_max_num_queries(4):
        assert client.get(f"{path}?version={order.version}").status_code == 204
    assert len(fake.posts) == 1


def test_a_request_is_taken_back_by_a_button_while_it_is_undecided(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    fake.fail("cancel_items", NotSent)
    answer = Form(client, order).choose(0, reasons[0]).send()
    form = read(client.get(answer["Location"])).select_one("form[action$='take-back/']")
    assert form is not None

    taken = client.post(str(form["action"]))

    assert taken["Location"] == answer["Location"]
    assert read_outcome(client, taken) == [
        "You have taken your cancellation request back",
        "Your order goes ahead as planned.",
    ]
    assert read(client.get(answer["Location"])).select("form[action$='take-back/']") == []
    assert client.post(str(form["action"]))["Location"] == answer["Location"]  # a second click
    assert [post.call for post in fake.posts if post.call == "cancel_items"] == []
