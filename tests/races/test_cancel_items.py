"""Races for one item's units: what the lock and the index each prevent, shown by taking them away."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from aftercart.actions.address.change_address import change_address
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.cancellations.models import AddressChange, RefundQuote, Submission, SubmissionLine
from aftercart.orders.models import Order, OrderItem
from tests.races.together import (
    all_past,
    attempt,
    interrupted,
    race,
    without_check,
    without_lock,
    without_unique,
)
from tests.shop import Line, Shop, ask, get_statuses, make_address, make_address_command, make_command

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def all_judged_unlocked(count: int) -> Iterator[None]:
    """Take the lock away, and hold every thread where it has judged and not yet written."""
    with without_lock("read_case.lock_named"), all_past("cancel_items.enforce", count):
        yield


def get_reserved() -> int:
    """Return how many units the shop's only item has reserved."""
    return OrderItem.objects.get().reserved_quantity


@pytest.mark.parametrize("count", [4, 40])
def test_of_many_cancellations_of_one_item_one_is_sent(count: int) -> None:
    shop = Shop()

    outcomes = race(count, lambda _n: cancel_items(shop.command(), shop.fake).status)

    assert sorted(map(str, outcomes)) == ["204"] + ["cancellation_in_progress"] * (count - 1)
    assert shop.count_posts() == 1
    assert get_statuses(shop.order) == ["50"]


@pytest.mark.parametrize("count", [4, 40])
def test_of_many_requests_for_part_of_a_line_one_is_recorded(count: int) -> None:
    shop = Shop([Line(quantity=3)])
    item = shop.items[0]

    def submit(_n: int) -> int:
        return cancel_items(
            make_command(shop.order, ask(item, shop.cancel_reason, quantity=2)), shop.fake
        ).status

    assert sorted(map(str, race(count, submit))) == ["200"] + ["cancellation_in_progress"] * (count - 1)
    assert SubmissionLine.objects.filter(is_open=True).count() == 1


def cancel(shop: Shop) -> int:
    return cancel_items(shop.command(), shop.fake).status


def test_with_the_lock_a_second_cancellation_waits_and_is_refused() -> None:
    shop = Shop()

    with interrupted("cancel_items.failpoint", lambda: cancel(shop)) as second:
        assert cancel(shop) == 204

    assert (second.had_to_wait, second.outcome) == (True, "cancellation_in_progress")
    assert shop.count_posts() == 1


def test_without_the_lock_the_index_still_lets_only_one_through() -> None:
    shop = Shop()

    with (
        without_lock("read_case.lock_named"),
        interrupted("cancel_items.failpoint", lambda: cancel(shop)) as second,
    ):
        assert attempt(lambda: cancel(shop)) == "cancellation_in_progress"

    assert (second.had_to_wait, second.outcome) == (False, 204)
    assert shop.count_posts() == 1
    assert Submission.objects.count() == 1


def ask_for_two(shop: Shop) -> int:
    """Ask to cancel two units of a shop's only item."""
    command = make_command(shop.order, ask(shop.items[0], shop.cancel_reason, quantity=2))
    return cancel_items(command, shop.fake).status


@pytest.mark.parametrize(("quantity", "reserved"), [(2, 2), (3, 2), (4, 4), (5, 4)])
def test_without_the_lock_and_the_index_no_more_units_are_reserved_than_there_are(
    quantity: int, reserved: int
) -> None:
    shop = Shop([Line(quantity=quantity)])

    with without_unique("one_open_line_an_item"), all_judged_unlocked(3):
        outcomes = race(3, lambda _n: ask_for_two(shop))
        assert outcomes.count("cancellation_in_progress") == 3 - reserved // 2
        assert get_reserved() == reserved
        assert SubmissionLine.objects.filter(is_open=True).count() == reserved // 2


def test_without_the_lock_the_index_and_the_check_units_are_cancelled_twice() -> None:
    """The race that all three are there for: this is what check-then-act does."""
    shop = Shop()

    with (
        without_check("never_more_reserved_than_left"),
        without_unique("one_open_line_an_item"),
        without_lock("read_case.lock_named"),
        interrupted("cancel_items.failpoint", lambda: cancel(shop)) as second,
    ):
        assert cancel(shop) == 200  # Omnitron refuses the second, so that people look at it
        assert second.outcome == 204
        assert Submission.objects.count() == 2
        assert SubmissionLine.objects.filter(is_open=True).count() == 2
        assert get_reserved() == 2


def cancel_each_at_once(shop: Shop) -> list[Decimal]:
    """Cancel both items of a shop's order, each by itself, at the same time; what each was quoted, sorted."""
    Order.objects.update(shipping_amount="29.90", amount="129.90")
    race(2, lambda n: cancel_items(shop.command(n), shop.fake).status)
    return sorted(RefundQuote.objects.values_list("total_amount", flat=True))


def test_of_two_that_leave_nothing_together_one_is_quoted_the_shipping() -> None:
    shop = Shop([Line(price="60.00"), Line(price="40.00")])

    assert sum(cancel_each_at_once(shop)) == Decimal("129.90")


def test_without_the_lock_neither_of_them_is_quoted_the_shipping() -> None:
    shop = Shop([Line(price="60.00"), Line(price="40.00")])

    with all_judged_unlocked(2):
        assert cancel_each_at_once(shop) == [40, 60]


def test_a_cancellation_and_an_address_change_at_once_do_not_deadlock_or_lose_a_version() -> None:
    shop = Shop([Line(), Line()])
    address = make_address(shop.user)

    def act(n: int) -> int:
        if n % 2:
            return change_address(make_address_command(shop.order, address), shop.fake).status
        return cancel_items(shop.command(n // 2), shop.fake).status

    outcomes = race(4, act)

    assert [outcomes[0], outcomes[2]] == [204, 204]
    # 202: superseded by the other address while it was told.
    assert {outcomes[1], outcomes[3]} <= {200, 202, "cancellation_in_progress"}
    assert AddressChange.objects.filter(state="pending").count() == 0
    shop.order.refresh_from_db()
    confirmed = AddressChange.objects.filter(state="confirmed").count()
    assert shop.order.version == 1 + 2 * 3 + AddressChange.objects.count() + confirmed
