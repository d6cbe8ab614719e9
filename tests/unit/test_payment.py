"""Whether anything was paid, as a table over all statuses and ways to pay."""

import pytest

from aftercart.orders.models import Order, OrderItem
from aftercart.orders.paid import is_paid, read_payment
from aftercart.orders.status import Status

AT_ONCE = ("credit_card", "loyalty_money", "credit_payment", "wallet", "gpay", "")
TRANSFER = ("funds_transfer", "bank_transfer", " Funds_Transfer ")
AT_THE_DOOR = ("pay_on_delivery", "cash_on_delivery")

#: Where fulfilment stands: paid at once, by transfer, at the door.
TABLE = {
    Status.WAITING: (True, False, False),
    Status.PAYMENT_WAITING: (False, False, False),
    Status.CONFIRMATION_WAITING: (True, True, False),
    Status.APPROVED: (True, True, False),
    Status.PREPARING: (True, True, False),
    Status.SHIPPED: (True, True, False),
    Status.SHIPPED_AND_INFORMED: (True, True, False),
    Status.READY_FOR_PICKUP: (True, True, False),
    Status.ATTEMPTED_DELIVERY: (True, True, False),
    Status.REVIEW_STARTED: (True, True, False),
    Status.REVIEW_WAITING: (True, True, False),
    Status.WAITING_FOR_PAYMENT: (False, False, False),
    Status.PAID: (True, True, True),
    Status.DELIVERED: (True, True, True),
    "": (True, True, False),
}
CASES = [
    (status, payment_type, answer)
    for status, answers in TABLE.items()
    for payment_types, answer in zip((AT_ONCE, TRANSFER, AT_THE_DOOR), answers, strict=True)
    for payment_type in payment_types
]


def test_the_table_has_every_status_of_fulfilment() -> None:
    cancelling = {Status.CANCELLATION_WAITING, Status.CANCELED, Status.REFUNDED}
    assert set(TABLE) - {""} == set(Status) - cancelling


@pytest.mark.parametrize(("status", "payment_type", "answer"), CASES)
def test_what_was_paid_is_a_fact_of_the_order(status: str, payment_type: str, *, answer: bool) -> None:
    def ask(*, is_payable: bool = False, is_delivered: bool = False) -> bool:
        return is_paid(status, is_payable=is_payable, payment_type=payment_type, is_delivered=is_delivered)

    assert ask() is answer
    assert ask(is_payable=True) is False
    is_waited_for = status in {Status.PAYMENT_WAITING, Status.WAITING_FOR_PAYMENT}
    assert ask(is_delivered=True) is (answer or (payment_type in AT_THE_DOOR and not is_waited_for))


@pytest.mark.parametrize(
    ("order", "item", "answer"),
    [
        # A cancellation hides where fulfilment stood; what was before tells.
        (("50", "300"), ("50", "300"), False),
        (("50", "400"), ("50", "400"), True),
        (("100", "50"), ("100", "300"), False),
        (("100", "50"), ("100", "400"), True),
        (("100", ""), ("100", ""), True),
    ],
)
def test_a_cancelled_transfer_was_paid_if_it_was_before(
    order: tuple[str, str], item: tuple[str, str], *, answer: bool
) -> None:
    row = Order(status=order[0], status_before=order[1], payment_option={"payment_type": "funds_transfer"})
    line = OrderItem(status=item[0], status_before=item[1])

    assert read_payment(row).covers(line) is answer


def test_of_an_order_that_is_paid_at_the_door_what_was_delivered_is_paid() -> None:
    payment = read_payment(Order(status="500", payment_option={"payment_type": "pay_on_delivery"}))

    delivered, returned, on_its_way = ("550", ""), ("600", "550"), ("500", "")
    answers = [
        payment.covers(OrderItem(status=status, status_before=before))
        for status, before in (delivered, returned, on_its_way, ("100", "450"))
    ]

    assert answers == [True, True, False, False]
    assert not payment.has_source
