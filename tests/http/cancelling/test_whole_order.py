"""Choosing everything at once: the whole order, and one reason for all of it."""

from typing import Any

import pytest
from django.test import Client

from aftercart.cancellations.models import CancellationReason, SubmissionLine
from aftercart.orders.models import Order
from tests.fake_omnitron import FakeOmnitron
from tests.http.cancelling.form import Form, complaints
from tests.http.forms import read

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_whole_order_is_cancelled_with_one_tick_and_one_reason(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order)
    form.fields |= {"whole": "on", "reason-cancel": reasons[0].pk}

    answer = form.send()

    assert answer.status_code == 303
    lines = SubmissionLine.objects.order_by("order_item")
    assert [(line.order_item_id, line.quantity, line.reason_id) for line in lines] == [
        (item.pk, item.quantity, reasons[0].pk) for item in order.items.order_by("pk")
    ]
    assert len(fake.posts) == 1


def test_a_reason_of_its_own_goes_before_the_one_for_all(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[1], description="It is late.")
    form.fields |= {f"item-{form.items[1]}-is_chosen": "on", "reason-cancel": reasons[0].pk}

    form.send()

    assert [line.reason_id for line in SubmissionLine.objects.order_by("order_item")] == [
        reasons[1].pk,
        reasons[0].pk,
    ]
    assert len(fake.posts) == 1


def test_the_whole_order_without_a_reason_says_so_at_each_item(
    client: Client, order: Order, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order)
    form.fields |= {"whole": "on"}

    answer = form.go_on()

    assert answer.status_code == 400
    assert [text.split(": ")[-1] for text in complaints(answer)] == ["Please choose a reason."] * 3
    assert len(read(answer).select(".choice [type=checkbox][checked]")) == 3
    assert reasons


@pytest.mark.parametrize(
    ("statuses", "question", "whole"),
    [
        (("400", "400", "450"), "Which items would you like to cancel?", "Cancel the whole order"),
        (("550", "550", "550"), "Which items would you like to return?", "Return the whole order"),
        (
            ("550", "400", "400"),
            "Which items would you like to cancel or return?",
            "Choose all of these items",
        ),
    ],
)
def test_the_question_follows_what_can_be_done(
    client: Client, order: Order, reasons: list[Any], statuses: tuple[str, ...], question: str, whole: str
) -> None:
    for item, status in zip(order.items.order_by("pk"), statuses, strict=True):
        order.items.filter(pk=item.pk).update(status=status)

    page = read(client.get(f"/orders/{order.number}/cancel/"))

    found = [page.select_one(name) for name in ("#which", ".whole span")]
    assert [each.get_text() for each in found if each] == [question, whole]
    assert reasons
