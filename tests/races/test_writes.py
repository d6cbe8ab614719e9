"""One key, one write: the unique index decides where the locks on the orders do not meet."""

from dataclasses import replace

import pytest

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.commands import Caller
from aftercart.cancellations.models import Submission
from aftercart.orders.guests import Guest
from aftercart.orders.models import IdempotencyRecord
from tests.races.together import attempt, interrupted, race, without_lock, without_unique
from tests.shop import Line, Shop, ask, make_command

pytestmark = pytest.mark.django_db(transaction=True)

REUSED = "idempotency_key_reused"


def make_two_shops() -> list[Shop]:
    """Make two orders of one customer."""
    shops = [Shop(), Shop()]
    shops[1].order.user = shops[0].user
    shops[1].order.save(update_fields=["user"])
    return shops


def submit(shop: Shop, *, position: int = 0, fingerprint: str = "") -> int:
    command = make_command(
        shop.order,
        ask(shop.items[position], shop.cancel_reason),
        key="one key",
        fingerprint=fingerprint or shop.order.number,
    )
    return cancel_items(command, shop.fake).status


def test_one_key_for_two_orders_at_once_is_one_write() -> None:
    shops = make_two_shops()

    outcomes = race(2, lambda n: submit(shops[n]))

    assert sorted(map(str, outcomes)) == ["204", REUSED]
    assert sum(shop.count_posts() for shop in shops) == 1


def test_the_key_of_a_write_that_came_in_between_is_not_used_again() -> None:
    first, second = make_two_shops()

    with interrupted("cancel_items.failpoint", lambda: submit(second)) as other:
        assert attempt(lambda: submit(first)) == REUSED

    assert (other.had_to_wait, other.outcome) == (False, 204)
    assert [first.count_posts(), second.count_posts()] == [0, 1]
    assert IdempotencyRecord.objects.count() == Submission.objects.count() == 1


def test_without_the_index_one_key_makes_two_writes() -> None:
    first, second = make_two_shops()

    with (
        without_unique("one_write_a_key"),
        interrupted("cancel_items.failpoint", lambda: submit(second)) as other,
    ):
        assert submit(first) == 204
        assert other.outcome == 204
        assert [first.count_posts(), second.count_posts()] == [1, 1]
        assert IdempotencyRecord.objects.filter(key="one key").count() == 2


def test_without_the_lock_the_index_still_knows_the_key_within_one_order() -> None:
    """Two items, so that nothing else keeps the two writes apart."""
    shop = Shop([Line(), Line()])

    with (
        without_lock("read_case.lock_named"),
        interrupted("cancel_items.failpoint", lambda: submit(shop, position=1)) as other,
    ):
        assert attempt(lambda: submit(shop, fingerprint="another body")) == REUSED

    assert (other.had_to_wait, other.outcome) == (False, 204)
    assert shop.count_posts() == 1


def test_without_lock_and_index_one_key_makes_two_writes_to_one_order() -> None:
    shop = Shop([Line(), Line()])

    with (
        without_unique("one_write_a_key"),
        without_lock("read_case.lock_named"),
        interrupted("cancel_items.failpoint", lambda: submit(shop, position=1)) as other,
    ):
        assert submit(shop, fingerprint="another body") == 204
        assert other.outcome == 204
        assert shop.count_posts() == 2


# --- a guest, whose key is the order's ----------------------------------------------------------------------


def submit_as_guest(shop: Shop, *, position: int, fingerprint: str) -> int:
    item = ask(shop.items[position], shop.cancel_reason)
    command = make_command(shop.order, item, user=shop.user)
    caller = Caller(None, fingerprint, "one key", Guest(shop.order.pk, shop.order.link_version))
    return cancel_items(replace(command, caller=caller), shop.fake).status


def make_guests_shop() -> Shop:
    shop = Shop([Line(), Line()])
    shop.order.user = None
    shop.order.save(update_fields=["user"])
    return shop


def test_a_guest_who_uses_a_key_a_second_time_at_once_waits_and_is_refused() -> None:
    shop = make_guests_shop()

    with interrupted(
        "cancel_items.failpoint", lambda: submit_as_guest(shop, position=1, fingerprint="other")
    ) as other:
        assert submit_as_guest(shop, position=0, fingerprint="one") == 204

    assert (other.had_to_wait, other.outcome) == (True, REUSED)
    assert shop.count_posts() == 1


def test_without_the_lock_the_index_still_knows_a_guests_key() -> None:
    shop = make_guests_shop()

    with (
        without_lock("read_case.lock_named"),
        interrupted(
            "cancel_items.failpoint", lambda: submit_as_guest(shop, position=1, fingerprint="other")
        ) as other,
    ):
        assert attempt(lambda: submit_as_guest(shop, position=0, fingerprint="one")) == REUSED

    assert (other.had_to_wait, other.outcome) == (False, 204)
    assert shop.count_posts() == 1


def test_without_lock_and_index_a_guests_key_makes_two_writes() -> None:
    shop = make_guests_shop()

    with (
        without_unique("one_write_a_key_of_a_guest"),
        without_lock("read_case.lock_named"),
        interrupted(
            "cancel_items.failpoint", lambda: submit_as_guest(shop, position=1, fingerprint="other")
        ) as other,
    ):
        assert submit_as_guest(shop, position=0, fingerprint="one") == 204
        assert other.outcome == 204
        assert shop.count_posts() == 2
