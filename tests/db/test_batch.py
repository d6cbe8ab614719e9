from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Lower

from aftercart.lib.batch import Batch, allocate_ids
from aftercart.lib.clock import get_now
from aftercart.lib.prepared import prepared_part
from aftercart.orders.models import Order, OrderItem, TimelineEntry
from tests.shop import Line, get_items, make_customer, make_order
from tests.statements import recording_statements

pytestmark = pytest.mark.django_db


def make_entry(order: Order, pk: int, event: str) -> TimelineEntry:
    return TimelineEntry(pk=pk, order=order, event=event, actor="worker", data={"a": ["ç", None]})


def test_writes_of_several_tables_are_one_statement() -> None:
    order = make_order(make_customer(), Line(quantity=3), Line())
    [pks] = allocate_ids((TimelineEntry, 2))
    entries = [make_entry(order, pk, f"event {pk}") for pk in pks]
    batch = Batch()
    batch.insert(*entries)
    batch.update(Order.objects.filter(pk=order.pk), version=F("version") + 1, status="50")
    batch.update(OrderItem.objects.filter(order=order), reserved_quantity=1)

    with recording_statements() as statements:
        batch.execute()

    assert len(statements.executed) == 1
    found = TimelineEntry.objects.filter(order=order).order_by("pk")
    assert [(entry.pk, entry.event, entry.data) for entry in found] == [
        (pk, f"event {pk}", {"a": ["ç", None]}) for pk in pks
    ]
    assert all(entry.at is not None for entry in found)
    before = order.version
    order.refresh_from_db()
    assert (order.version, order.status) == (before + 1, "50")
    assert [item.reserved_quantity for item in get_items(order)] == [1, 1]


def test_of_writes_of_which_one_fails_none_is_done() -> None:
    order = make_order(make_customer(), Line(quantity=1))
    [pks] = allocate_ids((TimelineEntry, 1))
    batch = Batch()
    batch.insert(make_entry(order, pks[0], "event"))
    batch.update(OrderItem.objects.filter(order=order), reserved_quantity=2)

    with pytest.raises(IntegrityError), transaction.atomic():
        batch.execute()

    assert not TimelineEntry.objects.filter(order=order).exists()


def test_the_insert_of_one_row_is_made_once_and_takes_the_values_of_each() -> None:
    first, second = (make_order(make_customer(), Line()) for _number in range(2))
    [pks] = allocate_ids((TimelineEntry, 3))
    batch = Batch()
    for pk, order in zip(pks, (first, second, first), strict=True):
        batch.insert(make_entry(order, pk, f"event {pk}"))
    batch.execute()

    entries = TimelineEntry.objects.filter(pk__in=pks).order_by("pk")
    assert [(entry.order_id, entry.event) for entry in entries] == [
        (order.pk, f"event {pk}") for pk, order in zip(pks, (first, second, first), strict=True)
    ]
    assert {str(entry.data) for entry in entries} == {"{'a': ['ç', None]}"}


@pytest.mark.parametrize("is_known", [False, True])
def test_a_row_with_an_expression_is_written_with_it(*, is_known: bool) -> None:
    order = make_order(make_customer(), Line())
    [pks] = allocate_ids((TimelineEntry, 2))
    entry = make_entry(order, pks[1], "event")
    entry.event = Lower(Value("ABC"))
    batch = Batch()
    if is_known:
        batch.insert(make_entry(order, pks[0], "before"))
    batch.insert(entry)
    batch.execute()

    assert TimelineEntry.objects.get(pk=pks[1]).event == "abc"


def test_an_update_that_was_prepared_is_a_part_of_a_batch() -> None:
    @prepared_part
    def reserve(pks: list[int], quantity: int, at: datetime) -> tuple[QuerySet[OrderItem], dict[str, Any]]:
        items = OrderItem.objects.filter(pk=pks)  # type: ignore[misc]  # the argument stands for one of them
        return items, {"reserved_quantity": F("reserved_quantity") + quantity, "modified_date": at}

    order = make_order(make_customer(), Line(quantity=5), Line(quantity=5), Line(quantity=5))
    now, [first, second, third] = get_now(), [item.pk for item in get_items(order)]
    batch = Batch()
    batch.add(reserve([first, second], 2, now))
    batch.add(reserve([third], 3, now))
    with recording_statements() as statements:
        batch.execute()

    assert len(statements.executed) == 1
    items = get_items(order)
    assert [(item.reserved_quantity, item.modified_date) for item in items] == [(2, now), (2, now), (3, now)]


def test_ids_are_given_out_once() -> None:
    first, items = allocate_ids((TimelineEntry, 3), (OrderItem, 1))
    [second] = allocate_ids((TimelineEntry, 2))
    assert (len(set(first) | set(second)), len(items)) == (5, 1)


def test_rows_may_refer_to_rows_of_the_same_batch() -> None:
    user = make_customer()
    [orders], [items] = (list(found) for found in allocate_ids((Order, 1), (OrderItem, 1)))
    order = Order(pk=orders, number="BATCH-1", channel_id=1, user=user, status="400", currency="TRY")
    batch = Batch()
    batch.insert(OrderItem(pk=items, order=order, status="400", price_currency="TRY"))
    batch.insert(order)
    batch.execute()
    connection.check_constraints()
    assert get_items(order)[0].order.number == "BATCH-1"
