"""A form that is sent without a session is not lost: it goes through the log-in, and is offered again after it."""

from typing import Any

import pytest
from django.test import Client

from aftercart.orders.models import Order
from aftercart.pages.kept_forms import KEPT_FIELD
from tests.http.browser import Browser
from tests.http.forms import read, read_fields
from tests.shop import PASSWORD, make_customer, make_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> Order:
    return make_order(make_customer("ayse@example.com"))


def send(client: Client, order: Order, **options: Any) -> Any:
    fields = {"step": "quote", "item-1-description": "It does not fit."}
    return client.post(f"/orders/{order.number}/cancel/", fields, **options)


def log_in(client: Client, page: Any) -> Any:
    form = read(page).select_one("#typed")
    assert form is not None
    fields = read_fields(form) | {"email": "ayse@example.com", "password": PASSWORD}
    return client.post(str(form["action"]), fields)


def test_what_was_typed_is_offered_again_after_the_log_in(order: Order) -> None:
    client = Browser()

    asked = send(client, order)
    assert asked.status_code == 401
    assert "Location" not in asked.headers
    answer = log_in(client, asked)

    form = read(answer).select_one("#typed")
    assert form is not None
    assert form["action"] == f"/orders/{order.number}/cancel/"
    fields = read_fields(form)
    assert (fields["step"], fields["item-1-description"]) == ("quote", "It does not fit.")


def test_a_wrong_password_does_not_lose_it(order: Order) -> None:
    client = Browser()
    form = read(send(client, order)).select_one("#typed")
    fields = read_fields(form) | {"email": "ayse@example.com", "password": "wrong"}

    answer = client.post("/users/login/", fields)

    assert answer.status_code == 400
    assert KEPT_FIELD in read_fields(read(answer).select_one("#typed"))
    assert log_in_again(client, answer).status_code == 200


def log_in_again(client: Client, answer: Any) -> Any:
    fields = read_fields(read(answer).select_one("#typed"))
    return client.post("/users/login/", fields | {"email": "ayse@example.com", "password": PASSWORD})


def test_without_any_cookie_only_a_form_of_ours_is_kept(order: Order) -> None:
    client = Browser(enforce_csrf_checks=True)

    ours = send(client, order, headers={"origin": "http://testserver"})
    foreign = send(client, order, headers={"origin": "https://elsewhere.example"})

    assert ours.status_code == 401
    assert KEPT_FIELD in read_fields(read(ours).select_one("#typed"))
    assert foreign.status_code == 403
    assert KEPT_FIELD not in foreign.content.decode()


@pytest.mark.parametrize("forged", ["", "x:y", "eyJ9:1:2"])
def test_a_forged_form_is_not_offered(order: Order, forged: str) -> None:
    client = Browser()
    fields = {"email": "ayse@example.com", "password": PASSWORD, KEPT_FIELD: forged}
    answer = client.post("/users/login/", fields)
    assert (answer.status_code, answer["Location"]) == (303, "/users/orders/")
    assert order.user is not None
