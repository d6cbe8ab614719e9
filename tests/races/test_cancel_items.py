"""Races for one item's units: what the lock and the index each prevent, shown by taking them away."""

import pytest

from aftercart.actions.cancel_items import cancel_items
from aftercart.actions.change_address import change_address
from aftercart.cancellations.models import AddressChange, Submission, SubmissionLine
from tests.races.together import attempt, interrupted, race, without_lock, without_unique
from tests.shop import Line, Shop, ask, get_statuses, make_address, make_address_command, make_command

pytestmark = pytest.mark.django_db(transaction=True)


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

    with interrupted("prepare_submission.failpoint", lambda: cancel(shop)) as second:
        assert cancel(shop) == 204

    assert (second.had_to_wait, second.outcome) == (True, "cancellation_in_progress")
    assert shop.count_posts() == 1


def test_without_the_lock_the_index_still_lets_only_one_through() -> None:
    shop = Shop()

    with (
        without_lock("prepare_submission._lock"),
        interrupted("prepare_submission.failpoint", lambda: cancel(shop)) as second,
    ):
        assert attempt(lambda: cancel(shop)) == "cancellation_in_progress"

    assert (second.had_to_wait, second.outcome) == (False, 204)
    assert shop.count_posts() == 1
    assert Submission.objects.count() == 1


def test_without_the_lock_and_the_index_one_item_is_cancelled_twice() -> None:
    """The race that both are there for: this is what check-then-act does."""
    shop = Shop()

    with (
        without_unique("one_open_line_an_item"),
        without_lock("prepare_submission._lock"),
        interrupted("prepare_submission.failpoint", lambda: cancel(shop)) as second,
    ):
        assert cancel(shop) == 200
        assert second.outcome == 204
        assert Submission.objects.count() == 2
        assert SubmissionLine.objects.filter(is_open=True).count() == 2


def test_a_cancellation_and_an_address_change_at_once_do_not_deadlock_or_lose_a_version() -> None:
    shop = Shop([Line(), Line()])
    address = make_address(shop.user)

    def act(n: int) -> int:
        if n % 2:
            return change_address(make_address_command(shop.order, address), shop.fake).status
        return cancel_items(shop.command(n // 2), shop.fake).status

    outcomes = race(4, act)

    assert [outcomes[0], outcomes[2]] == [204, 204]
    assert {outcomes[1], outcomes[3]} <= {200, "cancellation_in_progress"}
    assert AddressChange.objects.filter(state="pending").count() == 0
    shop.order.refresh_from_db()
    confirmed = AddressChange.objects.filter(state="confirmed").count()
    assert shop.order.version == 1 + 2 * 3 + AddressChange.objects.count() + confirmed
