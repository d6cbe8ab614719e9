"""The refunds in an order's stored document: whatever writes what they show is in the next read."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.reject_request import reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep.forget import forget_accounts
from aftercart.api.stored import _build_json, read_json
from aftercart.cancellations.models import RefundQuote, SubmissionLine
from aftercart.cancellations.quoted import find_overdue
from aftercart.lib.times import format_time
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.models import Order
from aftercart.orders.policy.clauses import Clause
from aftercart.orders.policy.topics import Topic
from aftercart.orders.quotes import ShippingRefund
from tests.db.test_booked_refunds import report
from tests.db.test_policy_versions import make_staff, publish
from tests.shop import Line, Shop, get_request

pytestmark = pytest.mark.django_db

IBAN = "TR330006100519786457841326"
TRANSFER = {"payment_type": "funds_transfer", "name": "Bank transfer"}


def read(order: Order) -> Any:
    return json.loads(read_json([order.pk])[0].body)


def list_statuses(order: Order) -> list[str]:
    """List how its refunds stand, in the order of their quotes."""
    by_submission = {row["submission"]: row["status"]["value"] for row in read(order)["refund_set"]}
    quotes = RefundQuote.objects.order_by("pk").select_related("submission")
    return [by_submission[str(quote.submission.uuid)] for quote in quotes]


def read_anew(order: Order) -> Any:
    """Build the document without looking at what is stored."""
    return json.loads(_build_json([Order.objects.get(pk=order.pk)])[0].body)


@pytest.fixture
def shop() -> Shop:
    """A shop whose customer has had two items cancelled, to an account, of which one had been paid with points."""
    shop = Shop(
        [Line(price="60.00"), Line(price="40.00"), Line(price="7.00")],
        order_fields={"payment_option": TRANSFER, "shipping_amount": Decimal("29.90")},
    )
    LoyaltyEntry.objects.create(
        user=shop.user, order=shop.order, kind="spent", amount=-45, currency="TRY", reference="import:1"
    )
    Order.objects.update(amount=Decimal("136.90"))
    command = shop.command(0, 1)
    asks = tuple(replace(ask, iban=IBAN, holder_name="Ayşe Yılmaz") for ask in command.items)
    cancel_items(replace(command, items=asks), shop.fake)
    return shop


def settle(shop: Shop, *amounts: str | None) -> None:
    """Have Omnitron decide, reporting these refunds."""
    pks = shop.fake.posts[-1].body["cancel_items"]
    for pk, amount in zip(pks, amounts, strict=True):
        record = shop.fake.backoffice.items[pk]
        if record.remote.status == "50":
            shop.fake.decide_items("approve", pk)
        record.remote = replace(record.remote, refund_amount=None if amount is None else Decimal(amount))
        shop.fake.backoffice.refresh(record.remote.order_pk)
    sync_order(shop.order.pk, shop.fake)


def test_a_refund_says_how_much_goes_where_how_it_stands_and_until_when(shop: Shop) -> None:
    [refund] = read(shop.order)["refund_set"]
    assert refund == {
        "submission": str(SubmissionLine.objects.all()[0].submission.uuid),
        "status": {"value": "expected", "label": "Your refund"},
        "amount": "100.00",
        "split": {"payment_method": "0.00", "iban": "55.00", "loyalty": "45.00"},
        "destination": {"value": "iban", "label": "Account ending in 1326", "account_end": "1326"},
        "refund_due_at": None,
        "goods_amount": "100.00",
        "adjustments": [],
        "lines": [
            {"order_item": shop.items[0].pk, "quantity": 1, "amount": "60.00", "exchange_preference": ""},
            {"order_item": shop.items[1].pk, "quantity": 1, "amount": "40.00", "exchange_preference": ""},
        ],
    }

    settle(shop, None, None)
    [refund] = read(shop.order)["refund_set"]
    due = SubmissionLine.objects.all()[0].closed_at
    assert due is not None
    assert refund["status"] == {"value": "under_way", "label": "Refund on its way"}
    assert refund["refund_due_at"] == format_time(due + timedelta(days=14))

    settle(shop, "60.00", "35.00")
    [refund] = read(shop.order)["refund_set"]
    assert refund["status"] == {"value": "refunded", "label": "Refunded"}
    assert (refund["amount"], refund["refund_due_at"]) == ("95.00", None)
    assert refund["split"] == {"payment_method": "0.00", "iban": "50.00", "loyalty": "45.00"}
    assert refund["adjustments"] == [{"code": "other", "label": "Other adjustments", "amount": "-5.00"}]


def test_what_was_declined_brings_nothing() -> None:
    shop = Shop([Line(invoice_number="I-1")])
    cancel_items(shop.command(), shop.fake)
    document = read(shop.order)
    [refund] = document["refund_set"]
    assert refund["status"]["value"] == "requested"

    reject_request(get_request().pk, make_staff(), "No.")

    document = read(shop.order)
    assert document["refund_set"] == []


def _write_sql(sql: str) -> Callable[[Shop], None]:
    def write(_shop: Shop) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)

    return write


def _forget(_shop: Shop) -> None:
    SubmissionLine.objects.update(
        is_open=False, outcome="completed", closed_at=timezone.now() - timedelta(days=99)
    )
    forget_accounts()


def _change_account(_shop: Shop) -> None:
    SubmissionLine.objects.update(iban="TR330006100519786457840000")


WRITERS: dict[str, Callable[[Shop], object]] = {
    "a decision": lambda shop: settle(shop, None, None),
    "a settlement": lambda shop: settle(shop, "60.00", "40.00"),
    "a settlement of less": lambda shop: settle(shop, "60.00", "35.00"),
    "accounts that are cleared": _forget,
    "another account": _change_account,
    "a cancellation besides": lambda shop: cancel_items(shop.command(2), shop.fake),
    "psql of shipping": _write_sql(
        "UPDATE cancellations_refundquote SET is_rest_for_last = false, shipping_refund_amount = 29.9"
    ),
    "psql of a gift box": _write_sql(
        "UPDATE cancellations_refundquote SET is_rest_for_last = false, gift_box_refund_amount = 5"
    ),
    "psql of a destination": _write_sql(
        "UPDATE cancellations_refundquote SET destination = 'payment_method'"
    ),
    "psql of a price": _write_sql("UPDATE cancellations_refundquoteline SET item_amount = 70"),
    "psql of a discount": _write_sql("UPDATE cancellations_refundquoteline SET discount_share = 1"),
    "psql of interest": _write_sql("UPDATE cancellations_refundquoteline SET interest_share = 1"),
    "psql of a refund": _write_sql("UPDATE cancellations_refundquoteline SET refund_amount = 1"),
    "psql of a fee": _write_sql("UPDATE cancellations_refundquoteline SET fee_amount = 1"),
    "psql of points": _write_sql("UPDATE cancellations_refundquoteline SET points_returned = 1"),
    "psql of units": _write_sql("UPDATE cancellations_submissionline SET quantity = 2"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_of_a_refund_is_in_the_next_read(shop: Shop, name: str) -> None:
    before = read(shop.order)

    WRITERS[name](shop)

    after = read(shop.order)
    assert after["refund_set"] != before["refund_set"]
    assert after == read_anew(shop.order)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE cancellations_refundquoteline SET reported_amount = NULL",
        "UPDATE cancellations_refundquoteline SET booked_amount = 1",
        "UPDATE cancellations_refundquote SET rest_booked_amount = 3",
        "UPDATE cancellations_refundquote SET rest_booked_at = NULL, rest_booked_amount = NULL",
        "UPDATE cancellations_submissionline SET outcome = 'rejected'",
        "UPDATE cancellations_submissionline SET completed_quantity = 0",
    ],
)
def test_what_is_written_of_a_refund_that_is_done_is_in_the_next_read(sql: str) -> None:
    shop = Shop([Line(price="60.00")], order_fields={"shipping_amount": Decimal(10)})
    Order.objects.update(amount=70)
    cancel_items(shop.command(), shop.fake)
    settle(shop, "59.00")
    before = read(shop.order)

    _write_sql(sql)(shop)

    after = read(shop.order)
    assert after["refund_set"] != before["refund_set"]
    assert after == read_anew(shop.order)


def test_until_when_it_has_to_be_there_follows_what_closed_it_and_the_setting(
    shop: Shop, settings: Settings
) -> None:
    settle(shop, None, None)
    closed_at = timezone.now() - timedelta(days=3)
    SubmissionLine.objects.update(closed_at=closed_at)
    assert read(shop.order)["refund_set"][0]["refund_due_at"] == format_time(closed_at + timedelta(days=14))

    settings.REFUND_LIFE = timedelta(days=10)

    assert read(shop.order)["refund_set"][0]["refund_due_at"] == format_time(closed_at + timedelta(days=10))


def test_a_request_that_staff_approves_is_no_longer_asked_but_expected() -> None:
    shop = Shop([Line(invoice_number="I-1")])
    cancel_items(shop.command(), shop.fake)
    assert read(shop.order)["refund_set"][0]["status"]["value"] == "requested"

    approve_request(get_request().pk, make_staff())
    execute_approval(get_request().pk, shop.fake)

    after = read(shop.order)
    assert after["refund_set"][0]["status"]["value"] == "expected"
    assert after == read_anew(shop.order)


@pytest.mark.parametrize(("reported", "is_overdue"), [(None, True), ("9.90", False)])
def test_shipping_that_was_paid_in_money_is_overdue_though_its_items_were_points_alone(
    reported: str | None, *, is_overdue: bool
) -> None:
    shop = Shop([Line(price="60.00")], order_fields={"shipping_amount": Decimal("9.90")})
    LoyaltyEntry.objects.create(
        user=shop.user, order=shop.order, kind="spent", amount=-60, currency="TRY", reference="import:1"
    )
    Order.objects.update(amount=Decimal("69.90"))
    cancel_items(shop.command(), shop.fake)
    settle(shop, reported)
    now = timezone.now()
    assert find_overdue(now) is None

    closed_at = now - timedelta(days=15)
    SubmissionLine.objects.update(closed_at=closed_at)

    assert find_overdue(now) == (closed_at + timedelta(days=14) if is_overdue else None)
    [refund] = read(shop.order)["refund_set"]
    assert (refund["status"]["value"] == "under_way") == is_overdue


@pytest.mark.parametrize("price", ["0.00", "60.00"])
def test_shipping_that_is_reported_beside_items_without_money_is_refunded(price: str) -> None:
    shop = Shop([Line(price=price)], order_fields={"shipping_amount": Decimal("9.90")})
    if points := Decimal(price):
        LoyaltyEntry.objects.create(
            user=shop.user,
            order=shop.order,
            kind="spent",
            amount=-points,
            currency="TRY",
            reference="import:1",
        )
    Order.objects.update(amount=points + Decimal("9.90"))
    cancel_items(shop.command(), shop.fake)
    settle(shop, "0.00")
    [refund] = read(shop.order)["refund_set"]
    assert refund["status"]["value"] == "under_way"

    report(shop, refund_amount="9.90", shipping_refund_amount="9.90")
    sync_order(shop.order.pk, shop.fake)

    [refund] = read(shop.order)["refund_set"]
    assert (refund["status"]["value"], refund["refund_due_at"]) == ("refunded", None)
    SubmissionLine.objects.update(closed_at=timezone.now() - timedelta(days=15))
    assert find_overdue(timezone.now()) is None


def test_what_is_reported_besides_items_is_the_refund_of_whoever_was_booked_first() -> None:
    publish(
        Clause(
            number=900,
            topic=Topic.SHIPPING_REFUND,
            cancellation_type="cancel",
            shipping_refund=ShippingRefund.ALWAYS,
        )
    )
    shop = Shop(
        [Line(price="0.00"), Line(price="0.00")],
        order_fields={
            "shipping_amount": Decimal("9.90"),
            "details": {"extra_field": {"gift_box_amount": "5.00"}},
        },
    )
    Order.objects.update(amount=Decimal("14.90"))
    for position in (0, 1):
        cancel_items(shop.command(position), shop.fake)
        settle(shop, "0.00")
    by_quote = RefundQuote.objects.order_by("pk")
    assert [quote.rest_booked_amount for quote in by_quote] == [Decimal("9.90"), Decimal("5.00")]

    report(shop, refund_amount="9.90", shipping_refund_amount="9.90")
    sync_order(shop.order.pk, shop.fake)
    assert list_statuses(shop.order) == ["refunded", "under_way"]

    report(shop, refund_amount="14.90", shipping_refund_amount="9.90")
    sync_order(shop.order.pk, shop.fake)
    assert list_statuses(shop.order) == ["refunded", "refunded"]
