"""What the rules say to a cancellation: refused without a trace, given to review, or an error in its input."""

import pytest
from django.db import connection

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.cancellations.models import CancellationRequest, Submission, SubmissionLine
from aftercart.orders.errors import CancellationRefused, InputInvalid, OrderNotFound
from aftercart.orders.models import IdempotencyRecord, TimelineEntry
from tests.shop import Line, Shop, ask, make_address, make_command, make_company, make_customer, make_reason

pytestmark = pytest.mark.django_db


def assert_nothing_happened(shop: Shop, version: int) -> None:
    shop.order.refresh_from_db()
    assert shop.order.version == version
    assert shop.fake.posts == []
    for model in (Submission, SubmissionLine, CancellationRequest, IdempotencyRecord, TimelineEntry):
        assert model.objects.count() == 0, model.__name__


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (Line(status="100", cancelled_quantity=1), "already_cancelled", "Order already cancelled!"),
        (Line(status="600", cancelled_quantity=1), "already_cancelled", "Order already cancelled!"),
        (Line(status="50"), "cancellation_in_progress", "Order cancellation already in progress."),
        (Line(status="500"), "status_not_allowed", "Order can't be cancelled in this status."),
        (Line(status="550"), "status_not_allowed", "Order can't be cancelled in this status."),
    ],
)
def test_what_the_rules_refuse_leaves_no_trace(line: Line, code: str, message: str) -> None:
    shop = Shop([line])

    with pytest.raises(CancellationRefused) as caught:
        cancel_items(shop.command(), shop.fake)

    assert caught.value.body() == {
        "non_field_errors": [message],
        "code": code,
        "items": [{"order_item": shop.items[0].pk, "code": code, "message": message}],
    }
    assert_nothing_happened(shop, version=1)


def test_one_refused_item_refuses_all_and_each_refusal_is_told() -> None:
    shop = Shop([Line(), Line(status="500"), Line(status="100", cancelled_quantity=1)])

    with pytest.raises(CancellationRefused) as caught:
        cancel_items(shop.command(), shop.fake)

    _fine, shipped, cancelled = shop.items
    assert [(r.order_item, r.code) for r in caught.value.refusals] == [
        (cancelled.pk, "already_cancelled"),
        (shipped.pk, "status_not_allowed"),
    ]
    assert_nothing_happened(shop, version=1)


def test_a_second_cancellation_of_an_item_is_in_progress() -> None:
    shop = Shop()
    cancel_items(shop.command(), shop.fake)

    with pytest.raises(CancellationRefused, match="already in progress"):
        cancel_items(shop.command(), shop.fake)

    assert shop.count_posts() == 1


def test_an_invoiced_item_goes_to_review() -> None:
    shop = Shop([Line(invoice_number="INV-1")])

    answer = cancel_items(shop.command(), shop.fake)

    assert (answer.status, shop.fake.calls) == (200, [])
    assert Submission.objects.get().cause == "has_invoice"


def test_part_of_a_line_goes_to_review_with_its_quantity() -> None:
    shop = Shop([Line(quantity=3)])
    command = make_command(shop.order, ask(shop.items[0], shop.cancel_reason, quantity=2))

    answer = cancel_items(command, shop.fake)

    assert (answer.status, shop.fake.calls) == (200, [])
    assert SubmissionLine.objects.get().quantity == 2


def test_more_than_is_left_is_an_input_error() -> None:
    shop = Shop([Line(quantity=3, cancelled_quantity=2)])
    item = shop.items[0]
    command = make_command(shop.order, ask(item, shop.cancel_reason, quantity=2))

    with pytest.raises(InputInvalid) as caught:
        cancel_items(command, shop.fake)

    assert caught.value.body() == {
        "cancel_order_items": [f"Item {item.pk}, quantity: You can cancel or return at most 1 of this item."],
        "code": "invalid",
    }
    assert_nothing_happened(shop, version=1)


def test_cancel_and_refund_together_go_to_review() -> None:
    shop = Shop([Line(), Line(status="550")])
    address = make_address(shop.user)
    company = make_company()
    first, second = shop.items
    command = make_command(
        shop.order,
        ask(first, shop.cancel_reason),
        ask(second, shop.refund_reason, shipping_company=company.pk),
        pickup_address=address.pk,
    )

    answer = cancel_items(command, shop.fake)

    assert answer.status == 200
    assert len(answer.body) == 2
    assert Submission.objects.get().cause == "mixed_types"
    refund = SubmissionLine.objects.get(order_item=second)
    assert (refund.pickup_address or {})["pk"] == address.pk
    assert refund.shipping_company == company


def test_every_complaint_about_the_input_is_told_at_once() -> None:
    shop = Shop([Line(), Line()])
    stranger = Shop()
    needs_words = make_reason("cancel", extra=True)
    first, _second = shop.items
    foreign = stranger.items[0]
    command = make_command(
        shop.order,
        ask(first, needs_words),
        ask(first, shop.cancel_reason, iban="TR330006100519786457841326"),
        ask(foreign, shop.refund_reason),
        pickup_address=99999,
    )

    with pytest.raises(InputInvalid) as caught:
        cancel_items(command, shop.fake)

    assert caught.value.fields == {
        "pickup_address": ['Invalid pk "99999" - object does not exist.'],
        "cancel_order_items": [
            f"Item {first.pk}, description: This reason needs a description.",
            f"Item {first.pk}, order_item: This item is listed twice.",
            f"Item {first.pk}, holder_name: Please enter both the IBAN and the account holder.",
            f'Item {foreign.pk}, order_item: Invalid pk "{foreign.pk}" - object does not exist.',
        ],
    }
    assert_nothing_happened(shop, version=1)


def test_an_iban_is_taken_only_where_the_payment_cannot_go_back() -> None:
    card = Shop()
    iban = {"iban": "TR330006100519786457841326", "holder_name": "Ayşe Yılmaz"}
    with pytest.raises(InputInvalid, match="refunded to the original payment method"):
        cancel_items(make_command(card.order, ask(card.items[0], card.cancel_reason, **iban)), card.fake)

    transfer = Shop(order_fields={"payment_option": {"payment_type": "funds_transfer"}})
    command = make_command(transfer.order, ask(transfer.items[0], transfer.cancel_reason, **iban))
    assert cancel_items(command, transfer.fake).status == 204

    body = transfer.fake.posts[0].body
    item_pk = str(body["cancel_items"][0])
    assert body["ibans"] == {item_pk: iban["iban"]}
    assert body["holder_names"] == {item_pk: "Ayşe Yılmaz"}
    line = SubmissionLine.objects.get(submission__order=transfer.order)
    assert line.iban == iban["iban"]


def test_an_iban_is_encrypted_in_the_database() -> None:
    shop = Shop(order_fields={"payment_option": {"payment_type": "funds_transfer"}})
    iban = {"iban": "TR330006100519786457841326", "holder_name": "Ayşe Yılmaz"}
    cancel_items(make_command(shop.order, ask(shop.items[0], shop.cancel_reason, **iban)), shop.fake)

    with connection.cursor() as cursor:
        cursor.execute("SELECT iban, holder_name FROM cancellations_submissionline")
        stored = cursor.fetchone()

    assert all(text.startswith("gAAAA") for text in stored)


def test_a_foreign_and_an_unknown_order_are_the_same_404() -> None:
    shop = Shop()
    stranger = make_customer()
    foreign = make_command(shop.order, ask(shop.items[0], shop.cancel_reason), user=stranger)
    unknown = make_command(
        shop.order, ask(shop.items[0], shop.cancel_reason), user=stranger, number="ORD-0000"
    )

    bodies = []
    for command in (foreign, unknown):
        with pytest.raises(OrderNotFound) as caught:
            cancel_items(command, shop.fake)
        bodies.append(caught.value.body())

    assert bodies == [{"detail": "Not found.", "code": "not_found"}] * 2
    assert_nothing_happened(shop, version=1)
