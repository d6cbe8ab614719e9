"""A form is posted to an address that shows its page again: what reloading, and coming back, ask for."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from aftercart.lib.links import sign_number
from aftercart.oms.connect import replace_client
from aftercart.orders.models import Order
from tests.browser.fixtures import list_products, make_address, make_customer, make_omnitron, make_order
from tests.emails import prove

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def order(client: Client) -> Iterator[Order]:
    user = make_customer()
    make_address(user, primary=True)
    client.force_login(user)
    order = make_order(user, list_products("400"))
    with replace_client(make_omnitron(order)):
        yield order


def posts_to_itself(answer: Any) -> bool:
    """Return whether a page's forms are sent to its own address, with its query; those of list entries apart."""
    forms = BeautifulSoup(answer.content, "html.parser").select("main form:not([id^=address-] form)")
    return bool(forms) and not any(form.has_attr("action") for form in forms)


def send_and_reload(client: Client, address: str, **fields: str) -> Any:
    """Send a form wrongly, and ask for the address that the browser then stands at."""
    assert posts_to_itself(client.get(address))
    answer = client.post(address, fields)
    assert answer.status_code == 400
    assert posts_to_itself(answer)
    again = client.get(address)
    assert (again.status_code, posts_to_itself(again)) == (200, True)
    return BeautifulSoup(again.content, "html.parser")


def read_hidden(page: BeautifulSoup, name: str) -> str:
    field = page.select_one(f"main [name={name}]")
    assert field is not None
    return str(field["value"])


@pytest.mark.parametrize("is_guest", [False, True])
def test_another_address_can_be_chosen_for_the_same_order(
    client: Client, order: Order, *, is_guest: bool
) -> None:
    if is_guest:
        client.logout()
        Order.objects.update(user=None)
        prove(client, order)

    again = send_and_reload(client, f"/orders/change-address/?order={order.pk}", order=str(order.pk))

    assert read_hidden(again, "order") == str(order.pk)


@pytest.mark.parametrize("path", ["/users/login/", "/address/"])
def test_where_to_go_on_is_not_forgotten(client: Client, order: Order, path: str) -> None:
    target = f"/orders/change-address/?order={order.pk}"
    if path == "/users/login/":
        client.logout()

    again = send_and_reload(client, f"{path}?{urlencode({'next': target})}")

    assert read_hidden(again, "next") == target


def test_a_code_to_log_in_goes_on_to_the_same_page(client: Client) -> None:
    client.logout()
    asked = client.post(f"/users/login/code/?{urlencode({'next': '/address/'})}", {"email": "a@example.com"})

    again = send_and_reload(client, asked["Location"], code="wrong")

    assert read_hidden(again, "next") == "/address/"


def test_a_code_is_asked_for_the_same_order(client: Client, order: Order) -> None:
    client.logout()
    Order.objects.update(user=None)
    client.get(f"/orders/guest/{sign_number(order.number, purpose='guest-view', link_version=1)}/")
    wanted = f"/orders/{order.number}/cancel/"
    asking = client.get(wanted)["Location"]
    assert posts_to_itself(client.get(asking))
    client.post(asking, {"send": "1"})

    again = send_and_reload(client, asking, code="wrong")

    assert read_hidden(again, "next") == wanted
    assert read_hidden(again, "order") == str(order.pk)


def test_who_needs_a_code_to_send_an_address_comes_back_to_it(client: Client, order: Order) -> None:
    client.logout()
    Order.objects.update(user=None)
    client.get(f"/orders/guest/{sign_number(order.number, purpose='guest-view', link_version=1)}/")

    stopped = client.post(f"/orders/change-address/?order={order.pk}", {"order": order.pk})

    wanted = urlencode({"next": f"/orders/change-address/?order={order.pk}"})
    assert stopped["Location"] == f"/orders/guest/code/?order={order.pk}&{wanted}"
