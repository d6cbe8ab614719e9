"""A code lets a guest act, for a quarter of an hour, on one order; and strangers learn nothing."""

import re
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from pytest_django import Settings

from aftercart.accounts.models import Session
from aftercart.cancellations.models import Submission
from aftercart.orders.models import IdempotencyRecord, OneTimeCode, Order, TimelineEntry
from tests.emails import prove, read_code
from tests.fake_omnitron import FakeOmnitron
from tests.http.browser import Browser
from tests.http.guests.steps import ask, choose, confirm, look, pass_time, sign, text_of
from tests.shop import get_items, get_statuses, make_customer, make_order, make_reason

pytestmark = pytest.mark.django_db


def test_whatever_is_typed_the_answer_is_the_same_to_the_letter(order: Order) -> None:
    customer = make_customer()
    pages = []
    for number, email in (
        (order.number, "guest@example.com"),
        (order.number, "somebody@example.com"),
        ("ORD-2026-999999", "guest@example.com"),
        (make_order(customer).number, customer.email),
    ):
        client = Browser()
        answer = ask(client, number, email)
        assert (answer.status_code, answer["Location"]) == (303, "/orders/guest/code/")
        wrong = client.post("/orders/guest/code/", {"code": "nothing"})
        assert wrong.status_code == 400
        pages.append((mask(client.get("/orders/guest/code/")), mask(wrong)))

    assert len(set(pages)) == 1
    assert "If there is such an order" in pages[0][0]


def mask(response: Any) -> str:
    return re.sub(r'(value|content)="[A-Za-z0-9]{64}"', "", response.content.decode())


def test_the_right_code_opens_the_order_and_lets_the_guest_cancel(
    client: Client, order: Order, fake: FakeOmnitron
) -> None:
    reason = make_reason()

    entered = prove(client, order)

    assert (entered.status_code, entered["Location"]) == (303, f"/users/orders/{order.pk}/")
    page = client.get(f"/orders/{order.number}/cancel/")
    assert page.status_code == 200
    answer = confirm(client, order, look(client, order, choose(get_items(order)[0].pk, reason.pk)))
    submission = Submission.objects.get()
    result = f"/orders/{order.number}/cancel/{submission.uuid}/"
    assert (answer.status_code, answer["Location"]) == (303, result)
    assert get_statuses(order) == ["50"]
    assert [post.call for post in fake.posts] == ["cancel_items"]
    assert (submission.user, submission.state) == (None, "applied")
    said = client.get(result)
    assert "We have passed on your cancellation" in text_of(said)
    assert "My orders" not in text_of(said)
    version = Order.objects.get(pk=order.pk).version
    for path in (result, f"/users/orders/{order.pk}/"):
        assert client.get(f"{path}?version={version}").status_code == 204
        assert client.get(f"{path}?version={version - 1}").status_code == 200
    receipt = f"/users/orders/{order.pk}/receipt/"
    assert "This receipt is for your records." in text_of(client.get(receipt))
    for path in (result, receipt):
        assert Browser().get(path)["Location"].startswith("/users/login/")
    actors = set(TimelineEntry.objects.filter(order=order).values_list("actor", "user"))
    assert [(actor, user is None) for actor, user in actors] == [("customer", True)]


def test_the_same_form_sent_twice_by_a_guest_is_one_cancellation(
    client: Client, order: Order, fake: FakeOmnitron
) -> None:
    prove(client, order)
    second = look(client, order, choose(get_items(order)[0].pk, make_reason().pk))

    answers = [confirm(client, order, second) for _ in range(3)]

    result = f"/orders/{order.number}/cancel/{Submission.objects.get().uuid}/"
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(303, result)] * 3
    assert len(fake.posts) == 1
    record = IdempotencyRecord.objects.get()
    assert (record.user_id, record.guest_order_id, record.key) == (None, order.pk, second["idempotency_key"])


def test_a_guest_is_offered_no_points_and_gets_none(client: Client, order: Order, fake: FakeOmnitron) -> None:
    prove(client, order)
    second = look(client, order, choose(get_items(order)[0].pk, make_reason().pk))
    assert [name for name in second if name.startswith("quote-")] == ["quote-payment_method"]

    answer = confirm(client, order, {**second, "destination": "loyalty"})

    assert answer.status_code == 400
    assert not Submission.objects.exists()
    assert fake.posts == []


def test_a_step_goes_on_where_it_was_asked_for(client: Client, order: Order) -> None:
    client.get(sign(order))
    step = client.get(f"/orders/{order.number}/cancel/")["Location"]
    page = BeautifulSoup(client.get(step).content, "html.parser")
    form = {field["name"]: field["value"] for field in page.select("main input[type=hidden]")}

    sent = client.post("/orders/guest/code/", {**form, "send": "1"})

    assert sent.status_code == 303
    entered = client.post(sent["Location"], {"code": read_code()})
    assert entered["Location"] == f"/orders/{order.number}/cancel/"
    assert client.get(entered["Location"]).status_code == 200


def test_nobody_is_sent_elsewhere_by_a_code(client: Client, order: Order) -> None:
    ask(client, order.number)

    entered = client.post("/orders/guest/code/", {"code": read_code(), "next": "https://evil.example/"})

    assert entered["Location"] == f"/users/orders/{order.pk}/"


def test_after_a_quarter_of_an_hour_the_guest_may_look_and_no_longer_act(
    client: Client, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove(client, order)
    second = look(client, order, choose(get_items(order)[0].pk, make_reason().pk))
    result = confirm(client, order, second)["Location"]

    pass_time(monkeypatch, timedelta(minutes=14))
    assert client.get(f"/orders/{order.number}/cancel/").status_code == 200
    pass_time(monkeypatch, timedelta(minutes=16))
    assert client.get(f"/orders/{order.number}/cancel/")["Location"].startswith("/orders/guest/code/")
    assert client.get(f"/users/orders/{order.pk}/").status_code == 200
    assert client.get(result).status_code == 200


def test_a_code_for_one_order_opens_no_other(client: Client, order: Order) -> None:
    other = make_order(None)
    prove(client, order)

    assert client.get(f"/orders/{other.number}/cancel/")["Location"].startswith("/users/login/")
    assert client.get(f"/orders/change-address/?order={other.pk}")["Location"].startswith("/users/login/")


def test_a_session_that_somebody_else_knows_is_left_behind(client: Client, order: Order) -> None:
    ask(client, order.number)
    planted = client.cookies["sessionid"].value

    client.post("/orders/guest/code/", {"code": read_code()})

    assert client.cookies["sessionid"].value != planted
    assert client.cookies["osessionid"].value == client.cookies["sessionid"].value
    assert not Session.objects.filter(session_key=planted).exists()
    thief = Browser()
    thief.cookies["sessionid"] = planted
    assert thief.get(f"/orders/{order.number}/cancel/")["Location"].startswith("/users/login/")


def test_a_code_without_a_request_is_wrong(client: Client) -> None:
    assert client.post("/orders/guest/code/", {"code": "123456"}).status_code == 400
    assert client.get("/orders/guest/code/")["Location"] == "/orders/guest/"
    assert client.post("/orders/guest/code/", {"send": "1", "order": "1"})["Location"] == "/orders/guest/"


@pytest.mark.parametrize("number", ["", "\x00", "x" * 65])
def test_what_is_no_number_is_told_and_asks_for_nothing(client: Client, number: str) -> None:
    assert ask(client, number).status_code == 400
    assert not OneTimeCode.objects.exists()


def test_who_asks_too_often_is_told_to_wait(client: Client, order: Order, settings: Settings) -> None:
    settings.GUEST_LOOKUPS = 2

    answers = [ask(client, order.number) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert 1 <= int(answers[2]["Retry-After"]) <= 600
    assert OneTimeCode.objects.count() == 2


def test_a_form_without_its_token_is_refused(order: Order) -> None:
    client = Browser(enforce_csrf_checks=True)

    assert ask(client, order.number).status_code == 403
    assert client.post("/orders/guest/code/", {"code": "123456"}).status_code == 403
    assert not OneTimeCode.objects.exists()
