"""Nothing paid, nothing returned: no money, no points, whatever way an order is cancelled."""

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.quote_cancellation import quote_cancellation
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.withdraw.withdraw_order import WithdrawalCommand, map_withdrawal_reason, withdraw_order
from aftercart.cancellations.models import CancellationRequest, Difference, RefundQuote, Submission
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.loyalty.selectors import get_balance
from aftercart.orders.errors import CancellationRefused
from aftercart.orders.facts import RequestedUnits
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.paid import gather_paid, is_paid
from aftercart.orders.quotes import compute_quote
from tests.shop import Line, Shop, ask, get_request, make_caller, make_command, make_customer

pytestmark = pytest.mark.django_db

TRANSFER = {"payment_type": "funds_transfer", "name": "Bank transfer"}
AT_THE_DOOR = {"payment_type": "pay_on_delivery", "name": "Cash"}


def make_unpaid(payment: dict[str, str] = TRANSFER, status: str = "300", **fields: Any) -> Shop:
    return Shop(
        [Line(status=status, price="1249.90")],
        order_fields={"status": status, "payment_option": payment, **fields},
    )


def complete(shop: Shop, amount: str | None = "0") -> None:
    """Have Omnitron approve what it was sent, and report this refund."""
    [record] = shop.fake.backoffice.items.values()
    if record.remote.status == "50":
        shop.fake.decide_items("approve", record.remote.pk)
    else:
        shop.fake.decide_request("approve", CancellationRequest.objects.get().remote_pks[0], "")
    record.remote = replace(record.remote, refund_amount=None if amount is None else Decimal(amount))
    shop.fake.backoffice.refresh(record.remote.order_pk)
    sync_order(shop.order.pk, shop.fake)
    shop.order.refresh_from_db()


def assert_nothing_came_back(shop: Shop) -> None:
    assert (shop.items[0].status, shop.items[0].cancelled_quantity) == ("100", 1)
    assert (shop.items[0].refund_amount, shop.order.refund_amount) == (0, 0)
    assert get_balance(shop.user, "TRY") == 0
    assert LoyaltyEntry.objects.count() == 0
    assert Difference.objects.count() == 0


@pytest.mark.parametrize(
    "shop_fields",
    [
        {},
        {"payment": AT_THE_DOOR, "status": "400"},
        {"payment": {"payment_type": "credit_card"}, "status": "400", "details": {"is_payable": True}},
    ],
    ids=["transfer", "at the door", "payable"],
)
@pytest.mark.parametrize("reported", ["0", None])
def test_a_quote_says_that_nothing_was_paid_and_nothing_is_booked(
    shop_fields: dict[str, Any], reported: str | None
) -> None:
    shop = make_unpaid(**shop_fields)

    document = quote_cancellation(shop.command()).write_document()
    assert document["message"] == "Nothing was paid, so nothing is returned."
    assert (document["total"], document["destination"]) == ("0.00", "none")
    assert [(line["eligible"], line["codes"], line["refund_amount"]) for line in document["lines"]] == [
        (True, ["nothing_paid"], "0.00")
    ]
    answer = cancel_items(shop.command(quote=document["quote"]), shop.fake)

    assert answer.status == 204
    assert shop.fake.posts[0].body["is_cargo_refund"] is False
    complete(shop, reported)
    assert_nothing_came_back(shop)


@pytest.mark.parametrize("act", [cancel_items, lambda command, _client: request_cancellation(command)])
def test_points_need_a_payment(act: Any) -> None:
    shop = make_unpaid()
    command = replace(shop.command(), fully_refund_as_loyalty_money=True)

    assert [line.codes for line in quote_cancellation(command).lines] == [("points_need_payment",)]
    with pytest.raises(CancellationRefused) as refused:
        act(command, shop.fake)

    assert refused.value.body()["code"] == "points_need_payment"
    assert refused.value.body()["non_field_errors"] == [
        "Nothing was paid, so it can't be refunded as points."
    ]
    assert (shop.fake.posts, Submission.objects.count(), RefundQuote.objects.count()) == ([], 0, 0)
    assert set(OrderItem.objects.values_list("status", "reserved_quantity")) == {("300", 0)}


def test_points_that_were_spent_on_it_come_back() -> None:
    shop = make_unpaid()
    LoyaltyEntry.objects.create(
        user=shop.user, currency="TRY", kind="spent", amount=-70, order=shop.order, reference="import:1"
    )

    document = quote_cancellation(shop.command()).write_document()
    assert document["message"] == "No money was paid, so only the points that you spent are returned."
    assert (document["total"], document["loyalty"]["returned"]) == ("70.00", "70.00")
    cancel_items(shop.command(), shop.fake)
    complete(shop)

    assert get_balance(shop.user, "TRY") == 0  # 70 spent, 70 back
    assert LoyaltyEntry.objects.get(kind="returned").amount == 70
    assert Difference.objects.count() == 0


def test_a_request_that_staff_approve_gives_nothing_back_either() -> None:
    shop = make_unpaid()
    request_cancellation(shop.command())
    approve_request(get_request().pk, make_customer())
    execute_approval(get_request().pk, shop.fake)

    complete(shop)

    assert_nothing_came_back(shop)


def test_a_request_that_omnitron_decides_gives_nothing_back_either() -> None:
    shop = make_unpaid()
    request_cancellation(shop.command())
    deliver_request(get_request().pk, shop.fake)

    complete(shop)

    assert_nothing_came_back(shop)


def test_a_withdrawal_gives_nothing_back_either() -> None:
    shop = make_unpaid()
    map_withdrawal_reason("cancel", 1)
    withdraw_order(
        WithdrawalCommand(make_caller(shop.user), shop.order.number, "Ayşe", shop.user.email), shop.fake
    )
    assert RefundQuote.objects.get().total_amount == 0

    complete(shop)

    assert_nothing_came_back(shop)


def test_what_omnitron_cancels_by_itself_gives_nothing_back_either() -> None:
    shop = make_unpaid()
    [record] = shop.fake.backoffice.items.values()
    record.remote = replace(record.remote, status="100", cancel_status="approved", refund_amount=Decimal(0))
    shop.fake.backoffice.refresh(record.remote.order_pk)

    sync_order(shop.order.pk, shop.fake)

    shop.order.refresh_from_db()
    assert_nothing_came_back(shop)


def list_differences() -> set[tuple[str, str, str]]:
    return set(Difference.objects.filter(resolved_at=None).values_list("what", "ours", "theirs"))


def test_what_is_paid_meanwhile_counts_as_omnitron_reports_it() -> None:
    shop = make_unpaid()
    request_cancellation(shop.command())
    deliver_request(get_request().pk, shop.fake)
    Order.objects.update(status="400")
    OrderItem.objects.update(status="400")

    complete(shop, "1249.90")

    assert shop.order.refund_amount == Decimal("1249.90")
    assert list_differences() == {("refund_amount", "0.00", "1249.90")}


@pytest.mark.parametrize("reported", ["0", None])
def test_what_is_paid_meanwhile_and_not_given_back_is_told_to_staff(reported: str | None) -> None:
    shop = make_unpaid()
    request_cancellation(shop.command())
    deliver_request(get_request().pk, shop.fake)
    Order.objects.update(status="400")
    OrderItem.objects.update(status="400")

    complete(shop, reported)

    assert shop.order.refund_amount == 0
    assert list_differences() == {("paid_meanwhile", "0.00", "0.00")}


def test_a_payment_that_turns_out_to_be_missing_gives_nothing_and_is_told_to_staff() -> None:
    shop = Shop([Line(price="1249.90")], order_fields={"payment_option": TRANSFER})
    command = replace(shop.command(), fully_refund_as_loyalty_money=True)
    cancel_items(command, shop.fake)
    Order.objects.update(details={"is_payable": True})

    complete(shop)

    assert (shop.order.refund_amount, get_balance(shop.user, "TRY")) == (Decimal(0), Decimal(0))
    assert list_differences() == {
        ("refund_amount", "1249.90", "0.00"),
        ("quoted_without_payment", "1249.90", "0.00"),
    }


def test_of_an_order_paid_at_the_door_only_what_was_delivered_comes_back() -> None:
    shop = Shop(
        [Line(status="550", price="60.00"), Line(status="500", price="40.00")],
        order_fields={"payment_option": AT_THE_DOOR, "status": "500"},
    )
    quote = compute_quote(
        gather_paid(Order.objects.get(), shop.items),
        [RequestedUnits(item.pk, "refund") for item in shop.items],
    )

    assert [line.refund_amount for line in quote.lines] == [60, 0]
    assert quote.total == 60


def test_a_status_that_shows_the_payment_ends_what_the_shop_said_of_it() -> None:
    shop = make_unpaid(details={"is_payable": True})
    [record] = shop.fake.backoffice.orders.values()
    record.base_status = "400"
    for item in shop.fake.backoffice.items.values():
        item.remote = replace(item.remote, status="400")
    shop.fake.backoffice.refresh(record.remote.pk)

    sync_order(shop.order.pk, shop.fake)

    shop.order.refresh_from_db()
    assert (shop.order.status, shop.order.details["is_payable"]) == ("400", False)
    assert quote_cancellation(shop.command()).quote.total == Decimal("1249.90")


@pytest.mark.rotating("seed", opposites=True)
@pytest.mark.parametrize("seed", range(16))
def test_never_does_more_come_back_than_was_paid_without_staff_being_told(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - made-up orders
    status = dice.choice(["200", "300", "350", "400", "450"])
    payment = dice.choice([TRANSFER, AT_THE_DOOR, {"payment_type": "credit_card"}])
    lines = [
        Line(status=status, price=f"{dice.randint(1, 9999) / 100:.2f}") for _ in range(dice.randint(1, 4))
    ]
    shop = Shop(lines, order_fields={"status": status, "payment_option": payment})
    is_payable = dice.random() < 0.2
    Order.objects.update(
        details={"is_payable": is_payable},
        shipping_amount=Decimal(10),
        amount=shop.order.amount + 10,
    )
    spent = min(Decimal(dice.choice((0, 0, 5, 60))), shop.order.amount + 10)
    if spent:
        LoyaltyEntry.objects.create(
            user=shop.user,
            currency="TRY",
            kind="spent",
            amount=-spent,
            order=shop.order,
            reference="import:1",
        )
    payment_type = payment["payment_type"]
    is_all_paid = is_paid(status, is_payable=is_payable, payment_type=payment_type, is_delivered=False)
    paid = Order.objects.get().amount if is_all_paid else spent
    while left := [item for item in shop.items if item.status == status]:
        asks = dice.sample(left, dice.randint(1, len(left)))
        command = make_command(shop.order, *(ask(item, shop.cancel_reason) for item in asks))
        command = replace(command, fully_refund_as_loyalty_money=is_all_paid and dice.random() < 0.5)
        assert cancel_items(command, shop.fake).status == 204
        for pk in shop.fake.posts[-1].body["cancel_items"]:
            shop.fake.decide_items("approve", pk)
            record = shop.fake.backoffice.items[pk]
            reported = dice.choice([None, Decimal(0), record.remote.price, Decimal(150)])
            record.remote = replace(record.remote, refund_amount=reported)
            shop.fake.backoffice.refresh(record.remote.order_pk)
        sync_order(shop.order.pk, shop.fake)

        order = Order.objects.get()
        back = LoyaltyEntry.objects.filter(kind__in=["returned", "refund_credit"])
        points = sum((entry.amount for entry in back), Decimal(0))
        assert points <= paid
        shown = {what for what, _ours, _theirs in list_differences()}
        assert order.refund_amount <= paid or shown & {"refund_above_paid"}
        quotes = RefundQuote.objects.all()
        assert sum((quote.total_amount for quote in quotes), Decimal(0)) <= paid
