"""Querysets and updates whose SQL is made once (lib/prepared.py)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now

from aftercart.accounts.models import User
from aftercart.cancellations.models import SubmissionLine
from aftercart.lib.clock import get_now
from aftercart.lib.prepared import prepared, prepared_update
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.status import Status
from tests.shop import Line, get_items, make_customer, make_order
from tests.statements import recording_statements

pytestmark = pytest.mark.django_db


def test_rows_are_those_of_the_queryset_and_its_sql_is_made_once() -> None:
    made = []

    @prepared
    def list_items(order: int) -> QuerySet[OrderItem]:
        made.append(order)
        lines = SubmissionLine.objects.filter(order_item=OuterRef("pk"))
        items = OrderItem.objects.filter(order=order).select_related("order__user")
        return items.annotate(has_lines=Exists(lines)).order_by("-pk")

    orders = [make_order(make_customer(), *[Line()] * count) for count in (1, 2, 3)]
    for order in orders:
        with recording_statements() as statements:
            found = list_items(order.pk)
            assert [item.order.user for item in found] == [order.user] * len(found)
        assert found == get_items(order)[::-1]
        assert [vars(item)["has_lines"] for item in found] == [False] * len(found)
        assert [item.order.amount for item in found] == [order.amount] * len(found)
        assert len(statements.executed) == 1
    assert len(made) == 1


def test_an_argument_of_several_values_stands_for_any_of_them() -> None:
    @prepared
    def list_numbers(pks: list[int], *, owner: int) -> "QuerySet[Order, str]":
        orders = Order.objects.filter(pk=pks, user_id=owner)  # type: ignore[misc]  # the argument stands for one of them
        return orders.order_by("pk").values_list("number", flat=True)

    user = make_customer()
    orders = [make_order(user) for _number in range(3)]
    foreign = make_order(make_customer())
    pks = [order.pk for order in (*orders[:2], foreign)]
    assert list_numbers(pks, owner=user.pk) == [order.number for order in orders[:2]]
    assert list_numbers([], owner=user.pk) == []
    assert list_numbers([orders[2].pk], owner=user.pk) == [orders[2].number]


def test_what_can_never_find_anything_asks_nobody() -> None:
    @prepared
    def list_none(pk: int) -> QuerySet[User]:
        return User.objects.filter(pk=pk).none()

    with recording_statements() as statements:
        assert list_none(1) == []
    assert statements.executed == []


def test_none_is_null_and_a_row_is_its_id() -> None:
    @prepared
    def list_orders(**lookup: object) -> QuerySet[Order]:
        return Order.objects.filter(**lookup).order_by("pk")

    user = make_customer()
    order, of_guest = make_order(user), make_order(None)
    for _time in range(2):
        assert list_orders(user=user) == [order]
        assert list_orders(user=None) == [of_guest]
        assert list_orders(user=user, number=of_guest.number) == []
        assert list_orders(pk=of_guest.pk) == [of_guest]


def test_a_number_that_no_column_holds_finds_nothing() -> None:
    @prepared
    def list_orders(pk: int) -> QuerySet[Order]:
        return Order.objects.filter(pk=pk)

    for number in (2**63, -(2**63) - 1):
        with pytest.raises(OverflowError):
            list_orders(number)
    assert list_orders(2**63 - 1) == []


def test_a_moment_is_not_kept_in_the_sql() -> None:
    @prepared
    def list_new(user: int) -> QuerySet[Order]:
        return Order.objects.filter(user=user, created_date__lt=get_now())

    with pytest.raises(TypeError, match="must be an argument"):
        list_new(1)


def test_moments_and_durations_are_computed_with() -> None:
    @prepared
    def list_orders(at: datetime, before: timedelta) -> QuerySet[Order]:
        return Order.objects.filter(created_date__lt=at, modified_date__gt=Now() - before)

    order = make_order(make_customer())
    assert list_orders(get_now(), timedelta(hours=1)) == [order]
    assert list_orders(get_now() - timedelta(hours=1), timedelta(hours=1)) == []
    assert list_orders(get_now(), timedelta(0)) == []


def test_an_update_is_made_once_and_counts_its_rows() -> None:
    made = []

    @prepared_update
    def move(pks: list[int], before: str, **fields: Any) -> "tuple[QuerySet[Order], dict[str, Any]]":
        made.append(pks)
        return Order.objects.filter(pk=pks, status=before), {"version": F("version") + 1, **fields}  # type: ignore[misc]  # the argument stands for one of them

    orders = [make_order(make_customer()) for _number in range(3)]
    pks = [order.pk for order in orders[:2]]
    for count, number in ((2, "one"), (0, "two")):
        details = {"is_gift": True, "ids": [1]}
        assert move(pks, "400", status=Status.CANCELED, details=details, invoice_number=number) == count
    found = Order.objects.order_by("pk").values_list("status", "version", "details", "invoice_number")
    before = orders[0].version
    assert list(found) == [("100", before + 1, details, "one")] * 2 + [("400", before, {}, "")]
    assert len(made) == 1
