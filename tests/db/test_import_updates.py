from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from aftercart.actions.intake.import_orders import ImportResult
from aftercart.cancellations.models import CancellationReason, Submission, SubmissionLine
from aftercart.orders.models import DiscountItem, Order, OrderItem, TimelineEntry
from tests.import_documents import CREATED, LATER, MODIFIED, make_document, make_item, run_import

pytestmark = pytest.mark.django_db

ITEMS = [make_item(id=21, quantity=3), make_item(id=22)]


@pytest.fixture
def order() -> Order:
    run_import(make_document(id=11, orderitem_set=ITEMS))
    return Order.objects.get()


def update(**changes: Any) -> ImportResult:
    document = make_document(**{"id": 11, "orderitem_set": ITEMS, "modified_date": LATER, **changes})
    result, bad = run_import(document)
    assert bad == []
    return result


def ask_to_cancel(item_id: int, quantity: int = 1) -> None:
    item = OrderItem.objects.get(pk=item_id)
    reason = CancellationReason.objects.create(cancellation_type="cancel", subject="Other")
    submission = Submission.objects.create(order=item.order, origin="direct")
    SubmissionLine.objects.create(
        submission=submission,
        order_item=item,
        reason=reason,
        cancellation_type="cancel",
        quantity=quantity,
    )


def test_a_newer_document_replaces_what_we_have(order: Order) -> None:
    items = [make_item(id=21, quantity=3, status="500", price="90"), make_item(id=22, status="450")]
    assert update(status="500", orderitem_set=items, tracking_number="T1") == ImportResult(updated=1)
    changed = Order.objects.get()
    assert (changed.pk, changed.status, changed.amount) == (order.pk, "500", Decimal(370))
    assert (changed.version, changed.link_version) == (2, 1)
    assert changed.details == {"tracking_number": "T1"}
    assert list(changed.items.values_list("pk", "status", "price")) == [
        (21, "500", Decimal(90)),
        (22, "450", Decimal(100)),
    ]
    entry = TimelineEntry.objects.get(event="order_updated")
    assert (entry.actor, entry.data) == ("import", {"status_before": "400", "status": "500"})


@pytest.mark.parametrize(
    ("modified", "expected"),
    [(MODIFIED, ImportResult(unchanged=1)), (CREATED, ImportResult(kept=1))],
)
def test_the_same_or_an_older_document_changes_nothing(
    order: Order, modified: str, expected: ImportResult
) -> None:
    assert update(status="500", modified_date=modified) == expected
    order.refresh_from_db()
    assert (order.status, order.version) == ("400", 1)


def test_what_omnitron_and_the_links_know_survives_an_update(order: Order) -> None:
    Order.objects.update(remote_pk=5, link_version=3)
    OrderItem.objects.filter(pk=21).update(remote_pks=[8, 9])
    update()
    order.refresh_from_db()
    assert (order.remote_pk, order.link_version) == (5, 3)
    assert order.items.get(pk=21).remote_pks == [8, 9]


def test_an_item_that_is_being_cancelled_keeps_its_status(order: Order) -> None:
    ask_to_cancel(21, quantity=2)
    OrderItem.objects.filter(pk=21).update(status="50", status_before="400", cancelled_quantity=1)
    Order.objects.update(status="50", status_before="400")
    items = [make_item(id=21, quantity=1, status="500"), make_item(id=22, status="500")]
    update(status="500", orderitem_set=items)
    order.refresh_from_db()
    kept, moved = order.items.all()
    assert (kept.status, kept.status_before, kept.cancelled_quantity, kept.quantity) == ("50", "400", 1, 3)
    assert (moved.status, moved.quantity) == ("500", 1)
    assert (order.status, order.status_before) == ("50", "400")


def test_a_payment_that_comes_while_it_is_being_cancelled_is_not_lost(order: Order) -> None:
    ask_to_cancel(21, quantity=2)
    OrderItem.objects.filter(pk=21).update(status="50", status_before="300")
    Order.objects.update(status="50", status_before="300")
    update(status="400", orderitem_set=[make_item(id=21, quantity=2, status="400")])
    order.refresh_from_db()
    assert (order.status, order.status_before) == ("50", "400")


@pytest.mark.parametrize("final", ["100", "600"])
def test_nothing_comes_back_from_the_end_of_the_road(order: Order, final: str) -> None:
    OrderItem.objects.filter(pk=22).update(status=final, cancelled_quantity=1)
    update()
    item = order.items.get(pk=22)
    assert (item.status, item.cancelled_quantity) == (final, 1)


def test_cancelled_units_and_refunds_never_shrink(order: Order) -> None:
    OrderItem.objects.filter(pk=21).update(cancelled_quantity=2, refund_amount=200)
    Order.objects.update(refund_amount=200, discount_refund_amount=3, shipping_refund_amount=4)
    update(refund_amount="150", shipping_refund_amount="5")
    order.refresh_from_db()
    item = order.items.get(pk=21)
    assert (item.cancelled_quantity, item.refund_amount) == (2, Decimal(200))
    assert (order.refund_amount, order.discount_refund_amount, order.shipping_refund_amount) == (
        Decimal(200),
        Decimal(3),
        Decimal(5),
    )


def test_a_line_that_shrinks_below_what_was_cancelled_is_cancelled_whole(order: Order) -> None:
    OrderItem.objects.filter(pk=21).update(cancelled_quantity=2)
    update(orderitem_set=[make_item(id=21, quantity=1), make_item(id=22)])
    item = order.items.get(pk=21)
    assert (item.quantity, item.cancelled_quantity) == (1, 1)


def test_a_line_that_the_shop_no_longer_knows_goes_unless_it_has_a_history(order: Order) -> None:
    ask_to_cancel(21)
    update(orderitem_set=[make_item(id=23)])
    assert list(order.items.values_list("pk", flat=True)) == [21, 23]


def test_a_line_that_the_timeline_speaks_of_stays(order: Order) -> None:
    TimelineEntry.objects.create(order=order, item_id=22, event="item_moved", actor="omnitron")
    update(orderitem_set=[make_item(id=21, quantity=3)])
    assert list(order.items.values_list("pk", flat=True)) == [21, 22]


def test_lines_without_ids_are_matched_by_sku_and_position(order: Order) -> None:
    update(orderitem_set=[make_item(price="1"), make_item(price="2"), make_item(price="3")])
    rows = list(order.items.values_list("pk", "price"))
    assert rows[:2] == [(21, Decimal(1)), (22, Decimal(2))]
    assert rows[2][0] > 22


def test_a_guessed_delivery_date_does_not_move_with_every_update(order: Order) -> None:
    update(status="550")
    first = order.items.get(pk=21).delivered_at
    assert first == datetime.fromisoformat(LATER)
    update(status="550", modified_date="2026-04-01T00:00:00Z")
    assert order.items.get(pk=21).delivered_at == first
    given = {"delivered_date": CREATED}
    update(status="550", modified_date="2026-04-02T00:00:00Z", extra_field=given)
    assert order.items.get(pk=21).delivered_at == datetime.fromisoformat(CREATED)


def test_discounts_are_matched_and_what_was_taken_back_of_them_stays(order: Order) -> None:
    update(discountitem_set=[{"pk": 31, "name": "a", "amount": "10"}, {"pk": 32, "name": "b", "amount": "5"}])
    DiscountItem.objects.filter(pk=31).update(cancel_amount=4)
    update(
        discountitem_set=[{"name": "a", "amount": "12"}, {"pk": 33, "amount": "1"}],
        modified_date="2026-04-01T00:00:00Z",
    )
    assert list(order.discounts.values_list("pk", "amount", "cancel_amount")) == [
        (31, Decimal(12), Decimal(4)),
        (33, Decimal(1), Decimal(0)),
    ]


def test_updates_and_new_orders_share_a_batch(order: Order) -> None:
    result, bad = run_import(
        make_document("new-1"),
        make_document(id=11, modified_date=LATER, status="450"),
        make_document("new-2"),
    )
    assert (result, bad) == (ImportResult(created=2, updated=1), [])
    order.refresh_from_db()
    assert order.status == "450"
