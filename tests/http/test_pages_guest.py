import pytest
from django.test import Client

from aftercart.actions.revoke_links import revoke_links
from aftercart.lib.links import Purpose, sign_number
from aftercart.orders.models import Order
from tests.shop import make_address, make_customer, make_order

pytestmark = pytest.mark.django_db


def get_page(order: Order, purpose: Purpose = "guest-view") -> tuple[int, str]:
    token = sign_number(order.number, purpose=purpose, link_version=order.link_version)
    answer = Client().get(f"/orders/guest/{token}/")
    return answer.status_code, answer.content.decode()


def test_a_guests_link_shows_the_order_to_look_at_and_no_more() -> None:
    order = make_order(None)

    status, page = get_page(order)

    assert status == 200
    assert order.number in page
    assert f"/orders/{order.number}/cancel/" not in page
    assert "/orders/change-address/" not in page


def test_a_link_of_another_purpose_or_to_a_customers_order_or_revoked_is_404() -> None:
    customer = make_customer()
    make_address(customer)
    guests = make_order(None)

    assert get_page(guests, "completed")[0] == 404
    assert get_page(guests, "guest-cancel")[0] == 404
    assert get_page(make_order(customer))[0] == 404
    stale = Order.objects.get(pk=guests.pk)
    revoke_links(guests.number)
    assert get_page(stale)[0] == 404


def test_a_guests_link_is_no_key_to_the_customers_page() -> None:
    customer = make_customer()
    order = make_order(customer)
    client = Client()
    client.force_login(customer, backend="django.contrib.auth.backends.ModelBackend")
    token = sign_number(order.number, purpose="guest-view", link_version=1)

    assert client.get(f"/orders/completed/{token}/").status_code == 404
