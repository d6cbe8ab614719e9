"""The stored pages of an order: the live page, but for what is the visitor's own."""

import re
from datetime import timedelta

import pytest
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from aftercart.accounts.models import User
from aftercart.cancellations.models import WithdrawalPolicy
from aftercart.cancellations.policy.selectors import get_book_and_end
from aftercart.lib.links import sign_number
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.models import Order, OrderItem, StoredDocument, TimelineEntry
from tests.clock import stop_clock
from tests.http.browser import Browser
from tests.shop import Line, Shop, make_customer, make_order

pytestmark = pytest.mark.django_db

_TOKEN = re.compile(r'(?:content|value)="(\w{64})"')


@pytest.fixture
def shop() -> Shop:
    return Shop(lines=[Line(), Line("550", quantity=2)])


def log_in(user: User) -> Browser:
    client = Browser()
    client.force_login(user, backend="aftercart.accounts.backends.GuardedBackend")
    return client


def list_paths(order: Order) -> list[str]:
    token = sign_number(order.number, purpose="completed", link_version=order.link_version)
    return [f"/users/orders/{order.pk}/", f"/orders/completed/{token}/"]


def read(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_stored_page_costs_three_statements_at_most(
    shop: Shop, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = log_in(shop.user)
    for path, count in zip(list_paths(shop.order), (2, 3), strict=True):
        first = read(client, path)
        with django_assert_num_queries(count):
            second = read(client, path)
        assert _TOKEN.sub("", first) == _TOKEN.sub("", second)


def test_a_token_is_the_visitors_own_and_the_address_the_one_that_was_asked_for(shop: Shop) -> None:
    path = list_paths(shop.order)[0]
    one, other = log_in(shop.user), log_in(shop.user)
    tokens = [set(_TOKEN.findall(read(client, path))) for client in (one, other, one)]
    assert [len(each) for each in tokens] == [1, 1, 1]
    assert len(set.union(*tokens)) == 3  # masked anew each time
    page = read(one, f"{path}?a=1&b=%3C")
    assert 'name="next" value="/users/orders/' in page
    assert f'value="{path}?a=1&amp;b=%3C"' in page
    assert "\0" not in page
    token = _TOKEN.findall(page)[0]
    client = Browser(enforce_csrf_checks=True)
    client.cookies = one.cookies
    assert client.post("/users/logout/", {"csrfmiddlewaretoken": token}).status_code in {302, 303}


def test_a_foreign_page_is_nobodys(shop: Shop) -> None:
    for path in list_paths(shop.order):
        read(log_in(shop.user), path)
        assert log_in(make_customer()).get(path).status_code == 404
        assert Browser().get(path).status_code == 302
    assert log_in(shop.user).get("/users/orders/99999999999999999999999/").status_code == 404


def test_what_the_page_shows_besides_the_document_is_in_the_next_read(shop: Shop) -> None:
    client = log_in(shop.user)
    detail, signed = list_paths(shop.order)
    assert "My points" not in read(client, detail)

    LoyaltyEntry.objects.create(user=shop.user, kind="earned", amount=5, currency="TRY")
    assert "My points" in read(client, detail)

    User.objects.filter(pk=shop.user.pk).update(first_name="Defne")
    assert "Defne" in read(client, signed)

    TimelineEntry.objects.create(order=shop.order, event="address_change_confirmed", actor="worker")
    assert "The delivery address was changed." in read(client, detail)

    assert "Withdraw from contract here" in read(client, detail)
    WithdrawalPolicy.objects.create(country="", is_offered=False, days=14)
    assert "Withdraw from contract here" not in read(client, detail)


def test_a_message_is_said_once_and_never_stored(shop: Shop) -> None:
    client = log_in(shop.user)
    path = list_paths(shop.order)[0]
    read(client, path)
    client.cookies[CookieStorage.cookie_name] = _sign_messages("Well done.")
    assert "Well done." in read(client, path)
    assert "Well done." not in read(client, path)


def _sign_messages(text: str) -> str:
    storage = CookieStorage(HttpRequest())
    encoded: str = storage._encode([Message(constants.INFO, text)])  # type: ignore[attr-defined]  # as Django itself does
    return encoded


def test_a_page_holds_until_the_period_of_withdrawal_ends(shop: Shop) -> None:
    client = log_in(shop.user)
    path = list_paths(shop.order)[0]
    delivered_at = timezone.now() - timedelta(days=8)
    OrderItem.objects.filter(order=shop.order).update(status="550", delivered_at=delivered_at)
    assert "Withdraw from contract here" in read(client, path)
    until = StoredDocument.objects.get(kind="page").valid_until
    assert until is not None
    later = until + timedelta(days=6)  # a period that would end on a free day ends on the next that is not
    assert get_book_and_end(later)[1] is None
    with stop_clock(later):
        assert "Withdraw from contract here" not in read(client, path)


def test_a_page_in_each_language_is_kept(shop: Shop) -> None:
    client = log_in(shop.user)
    path = list_paths(shop.order)[0]
    english = read(client, path)
    turkish = client.get(path, headers={"accept-language": "tr"}).content.decode()
    assert ('lang="en"' in english, '<html lang="tr"' in turkish) == (True, True)
    assert StoredDocument.objects.filter(kind="page").count() == 2


def test_another_order_has_another_page(shop: Shop) -> None:
    client = log_in(shop.user)
    other = make_order(shop.user)
    assert shop.order.number in read(client, list_paths(shop.order)[0])
    assert other.number in read(client, list_paths(other)[0])
