from datetime import timedelta

import pytest
from django.utils import timezone

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.sync.learn_ids import learn_ids
from tests.shop import Line, Shop, load_into, make_order

pytestmark = pytest.mark.django_db


def list_pks(shop: Shop) -> list[list[int]]:
    return [item.remote_pks for item in shop.items]


def test_ids_of_an_order_and_its_items_are_learnt_in_pages() -> None:
    shop = Shop(lines=[Line(), Line(quantity=2)], split_units=True)
    other = make_order(shop.user, Line())
    load_into(shop.fake, other)

    assert learn_ids(shop.fake) == 2

    shop.order.refresh_from_db()
    assert shop.order.remote_pk is not None
    assert [len(pks) for pks in list_pks(shop)] == [1, 2]
    assert sorted(set(shop.fake.calls)) == ["find_remote_ids", "list_orders", "read_order_items"]
    assert shop.fake.calls.count("find_remote_ids") == 1


def test_a_cancellation_with_learnt_ids_reads_once_and_sends() -> None:
    shop = Shop()
    learn_ids(shop.fake)
    shop.fake.calls.clear()
    cancel_items(shop.command(), shop.fake)
    assert shop.fake.calls == ["read_order_items", "cancel_items"]


def test_what_is_known_is_not_asked_again() -> None:
    shop = Shop()
    learn_ids(shop.fake)
    shop.fake.calls.clear()
    assert learn_ids(shop.fake) == 0
    assert shop.fake.calls == []


def test_an_order_that_omnitron_does_not_know_stays_without() -> None:
    shop = Shop()
    unknown = make_order(shop.user, Line())
    assert learn_ids(shop.fake) == 1
    unknown.refresh_from_db()
    assert unknown.remote_pk is None


def test_old_and_ended_orders_are_left_alone() -> None:
    shop = Shop(order_fields={"created_date": timezone.now() - timedelta(days=31)})
    load_into(shop.fake, make_order(shop.user, Line(status="100"), status="100"))
    assert learn_ids(shop.fake) == 0


def test_neither_version_nor_time_of_the_order_moves() -> None:
    shop = Shop()
    before = (shop.order.version, shop.order.modified_date)
    learn_ids(shop.fake)
    shop.order.refresh_from_db()
    assert (shop.order.version, shop.order.modified_date) == before
