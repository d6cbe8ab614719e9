"""Two address changes of one order at once: the last one wins, and only one is on its way."""

from unittest import mock

import pytest
from django.db import OperationalError, transaction
from psycopg.errors import DeadlockDetected

from aftercart.actions.address.change_address import change_address
from aftercart.actions.policy.keep_policy import keep_policy
from aftercart.cancellations.models import AddressChange
from aftercart.cancellations.policy.selectors import get_default_book
from aftercart.oms.errors import NotSent
from aftercart.orders.errors import BeingChecked
from tests.races.together import interrupted, race, without_lock, without_unique
from tests.shop import Shop, make_address, make_address_command

pytestmark = pytest.mark.django_db(transaction=True)

#: Between the end of the older change and the record of the new one.
STEP = "change_address.create_idempotency_record"


def make_silent_shop() -> Shop:
    """Make a shop whose Omnitron cannot be reached, so that changes stay pending."""
    shop = Shop()
    shop.fake.fail("change_address", NotSent, times=100)
    with transaction.atomic():
        keep_policy(
            get_default_book()
        )  # the first who keeps it lets the others wait, and that is not asked here
    return shop


def change(shop: Shop) -> int:
    return change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake).status


def list_states() -> list[str]:
    return list(AddressChange.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize("count", [4, 40])
def test_of_many_changes_the_last_one_stays(count: int) -> None:
    shop = make_silent_shop()
    addresses = [make_address(shop.user) for _ in range(count)]
    before = shop.order.version

    outcomes = race(
        count, lambda n: change_address(make_address_command(shop.order, addresses[n]), shop.fake).status
    )

    assert outcomes == [202] * count
    assert list_states() == ["superseded"] * (count - 1) + ["pending"]
    shop.order.refresh_from_db()
    assert shop.order.version == before + count


def test_a_second_change_waits_for_the_first_and_takes_its_place() -> None:
    shop = make_silent_shop()

    with interrupted(STEP, lambda: change(shop)) as other:
        assert change(shop) == 202

    assert (other.had_to_wait, other.outcome) == (True, 202)
    assert list_states() == ["superseded", "pending"]


def test_without_the_lock_the_index_still_lets_only_one_be_pending() -> None:
    shop = make_silent_shop()

    with without_lock("change_address._prepare"), interrupted(STEP, lambda: change(shop)) as other:
        assert change(shop) == 202

    assert (other.had_to_wait, other.outcome) == (False, 202)
    assert list_states() == ["superseded", "pending"]


def test_without_lock_and_index_two_changes_are_on_their_way() -> None:
    """Then nobody can tell which of them Omnitron hears last."""
    shop = make_silent_shop()

    with (
        without_unique("one_pending_change_an_order"),
        without_lock("change_address._prepare"),
        interrupted(STEP, lambda: change(shop)) as other,
    ):
        assert change(shop) == 202
        assert other.outcome == 202
        assert list_states() == ["pending", "pending"]


# --- a change that Omnitron did not answer, and a newer one --------------------------------------------------


def test_a_newer_change_waits_while_an_unanswered_one_is_left_for_the_worker() -> None:
    shop = make_silent_shop()

    with interrupted("jobs.enqueue_again", lambda: change(shop)) as other:
        assert change(shop) == 202

    assert (other.had_to_wait, other.outcome) == (True, 202)
    assert list_states() == ["superseded", "pending"]


def test_without_the_lock_the_two_stand_in_each_others_way_for_good() -> None:
    """Each has written the row that the other is about to write: a deadlock, which ends one of them."""
    shop = make_silent_shop()
    outcomes = []

    def change_or_fail() -> object:
        try:
            return change(shop)
        except OperationalError as error:
            return type(error.__cause__)
        except BeingChecked as error:
            return type(getattr(error.__cause__, "__cause__", None))

    with (
        mock.patch(
            "aftercart.actions.address.change_address.despite_outages", lambda act: act()
        ),  # no second try
        without_lock("change_address.postpone_change"),
        interrupted("change_address.record_answer", change_or_fail) as other,
    ):
        outcomes.append(change_or_fail())

    outcomes.append(other.outcome)
    assert sorted(map(str, outcomes)) == sorted(["202", str(DeadlockDetected)])
