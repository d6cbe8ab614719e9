"""Races of sessions that the shop is asked about: one question a cookie, one customer an id."""

import threading
from collections.abc import Iterator
from unittest import mock

import pytest
from pytest_django import Settings

from aftercart.accounts.models import Session, User
from aftercart.actions.account.enter_from_shop import enter_from_shop, keep_customer, nobodies
from aftercart.commerce.client import ShopUser
from aftercart.commerce.connect import replace_commerce
from tests.commerce import FakeCommerce
from tests.http.test_shop_sessions import KEY, bring
from tests.races.together import interrupted, race, without_unique

pytestmark = pytest.mark.django_db(transaction=True)

SAVING = "aftercart.accounts.models.User.save_base"


@pytest.fixture
def commerce(settings: Settings) -> Iterator[FakeCommerce]:
    settings.AFTERCART_IDENTITY = "commerce"
    nobodies.clear()
    with replace_commerce(FakeCommerce()) as fake:
        assert isinstance(fake, FakeCommerce)
        yield fake
    nobodies.clear()


def test_of_many_who_bring_one_cookie_one_asks_and_all_are_answered(commerce: FakeCommerce) -> None:
    commerce.log_in(KEY, 77, "a@example.com")
    arrived = threading.Semaphore(0)

    def hold() -> None:
        arrived.acquire(timeout=0.3)  # the others come meanwhile

    with mock.patch.object(commerce, "hold", hold):
        users = race(12, lambda _n: enter_from_shop(KEY, "192.0.2.1"))

    assert commerce.asked == {KEY: 1}
    assert {user.pk for user in users} == {User.objects.get().pk}


def test_many_requests_with_a_cookie_leave_one_row_and_one_customer(commerce: FakeCommerce) -> None:
    commerce.log_in(KEY, 77, "a@example.com")

    statuses = race(8, lambda _n: bring().get("/current_user/").status_code)

    assert statuses == [200] * 8
    assert (Session.objects.count(), User.objects.count()) == (1, 1)


def test_who_makes_a_customer_second_finds_the_one_that_was_made_first() -> None:
    shop_user = ShopUser(77, "a@example.com")

    with interrupted(SAVING, lambda: keep_customer(shop_user).pk) as other:
        pk = keep_customer(shop_user).pk

    assert other.outcome == pk
    assert User.objects.count() == 1


def test_of_two_customers_of_one_address_one_gets_the_account_that_is_there() -> None:
    imported = User.objects.create_user("x@example.com")

    with interrupted(
        "enter_from_shop._claim", lambda: keep_customer(ShopUser(2, "x@example.com")).pk
    ) as other:
        first = keep_customer(ShopUser(1, "x@example.com")).pk

    assert other.outcome == imported.pk
    assert first != imported.pk
    assert set(User.objects.values_list("pk", "commerce_pk")) == {(imported.pk, 2), (first, 1)}


def test_without_the_constraint_one_customer_of_the_shop_is_made_twice() -> None:
    with (
        without_unique("accounts_user_commerce_pk_key"),
        interrupted(SAVING, lambda: keep_customer(ShopUser(77, "a@example.com"))),
    ):
        keep_customer(ShopUser(77, "b@example.com"))
        assert User.objects.filter(commerce_pk=77).count() == 2
        User.objects.all().delete()
