"""A race to credit one line's points: what the index prevents, shown by taking it away."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.db import transaction

from aftercart.actions import credit_points as crediting
from aftercart.actions.cancel_items import cancel_items
from aftercart.actions.sync_order import sync_order
from aftercart.cancellations.models import SubmissionLine
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.loyalty.selectors import get_balance, read_order_points
from aftercart.orders.timeline import OMNITRON
from tests.races.test_cancel_items import without_index
from tests.races.together import race
from tests.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)


def make_refund() -> Shop:
    shop = Shop()
    cancel_items(replace(shop.command(), fully_refund_as_loyalty_money=True), shop.fake)
    shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
    return shop


@contextmanager
def all_at_the_same_step(count: int) -> Iterator[None]:
    """Hold every thread where it has read the ledger and not yet written to it."""
    barrier = threading.Barrier(count)
    read = read_order_points

    def read_and_wait(order_id: int) -> Any:
        points = read(order_id)
        barrier.wait(10)
        return points

    with mock.patch("aftercart.actions.credit_points.read_order_points", read_and_wait):
        yield


def credit_unlocked(shop: Shop) -> None:
    line = SubmissionLine.objects.select_related("order_item").get()
    with transaction.atomic():
        crediting.credit_points(shop.order, line.order_item, OMNITRON, line=line, quantity=1)


def test_of_many_who_book_one_decision_one_credits_its_points() -> None:
    shop = make_refund()

    race(8, lambda _n: sync_order(shop.order.pk, shop.fake))

    assert LoyaltyEntry.objects.count() == 1
    assert get_balance(shop.user, "TRY") == Decimal(100)


def test_without_the_lock_the_index_still_credits_once() -> None:
    shop = make_refund()

    with all_at_the_same_step(2):
        race(2, lambda _n: credit_unlocked(shop))

    assert LoyaltyEntry.objects.count() == 1
    assert get_balance(shop.user, "TRY") == Decimal(100)


def test_without_the_lock_and_the_index_one_refund_is_credited_twice() -> None:
    """The race that both are there for."""
    shop = make_refund()

    with without_index("one_effect_a_line", "loyalty_loyaltyentry"), all_at_the_same_step(2):
        race(2, lambda _n: credit_unlocked(shop))
        assert get_balance(shop.user, "TRY") == Decimal(200)
