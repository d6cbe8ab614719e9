"""Two tabs withdraw at once: one statement, one receipt; what lock and index each prevent."""

from contextlib import ExitStack
from threading import Barrier
from typing import Any
from unittest import mock

import pytest

from aftercart.actions import withdraw_order as withdrawing
from aftercart.actions.cancel_items import cancel_items
from aftercart.actions.withdraw_order import WithdrawalCommand, withdraw_order
from aftercart.cancellations import withdrawal_terms
from aftercart.cancellations.models import Submission
from aftercart.cancellations.withdrawals import Withdrawal, WithdrawalLine
from aftercart.mail.models import Letter
from aftercart.orders.models import Order
from tests.races.test_cancel_items import without_index
from tests.races.together import race
from tests.shop import Line, Shop, get_statuses

pytestmark = pytest.mark.django_db(transaction=True)


def withdraw(shop: Shop) -> tuple[str, bool]:
    command = WithdrawalCommand(shop.order.number, shop.user, "Ayşe", shop.user.email)
    done = withdraw_order(command, shop.fake)
    return str(done.withdrawal.uuid), done.is_replay


@pytest.mark.parametrize("count", [2, 20])
def test_of_many_statements_at_once_one_is_recorded_and_all_get_its_receipt(count: int) -> None:
    shop = Shop([Line(), Line()])

    outcomes = race(count, lambda _n: withdraw(shop))

    assert len({receipt for receipt, _is_replay in outcomes}) == 1
    assert sorted(is_replay for _receipt, is_replay in outcomes) == [False] + [True] * (count - 1)
    assert Withdrawal.objects.count() == 1
    assert Letter.objects.filter(kind="withdrawal_receipt").count() == 1
    assert Submission.objects.count() <= 1


def all_at_the_same_step(count: int) -> ExitStack:
    """Take the lock away, and hold each thread where it has looked and not yet written."""
    barrier = Barrier(count)
    find_offer = withdrawal_terms.find_offer
    passed: list[int] = []

    def look_and_wait(*args: Any) -> Any:
        offer = find_offer(*args)
        passed.append(1)
        if len(passed) <= count:
            barrier.wait(10)
        return offer

    stack = ExitStack()
    stack.enter_context(mock.patch.object(withdrawing, "find_offer", look_and_wait))
    stack.enter_context(mock.patch.object(withdrawing, "lock_order", Order.objects.get))
    return stack


def test_without_the_lock_the_index_still_lets_only_one_through() -> None:
    shop = Shop([Line("550", is_final_sale=True)])  # no submission, whose own index would help

    with all_at_the_same_step(2):
        outcomes = race(2, lambda _n: withdraw(shop))

    assert sorted(is_replay for _receipt, is_replay in outcomes) == [False, True]
    assert Withdrawal.objects.count() == 1


def test_without_the_lock_and_the_index_there_are_two_statements() -> None:
    """The race that both are there for."""
    shop = Shop([Line("550", is_final_sale=True)])

    with (
        without_index("one_standing_withdrawal_an_item", "cancellations_withdrawalline"),
        all_at_the_same_step(2),
    ):
        race(2, lambda _n: withdraw(shop))
        assert WithdrawalLine.objects.filter(is_standing=True).count() == 2


def test_a_cancellation_and_a_withdrawal_at_once_cancel_once() -> None:
    shop = Shop()

    outcomes = race(2, lambda n: cancel_items(shop.command(), shop.fake).status if n else withdraw(shop)[1])

    assert outcomes[0] is False
    assert outcomes[1] in {204, "cancellation_in_progress"}
    assert Withdrawal.objects.count() == 1
    assert Submission.objects.count() == 1
    assert shop.count_posts() <= 1
    assert get_statuses(shop.order) in (["50"], ["400"])
