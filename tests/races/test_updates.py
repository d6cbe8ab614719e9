"""Two workers at one list of updates, or at one reconciliation."""

import pytest

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.sync.poll_updates import poll_updates
from aftercart.actions.sync.reconcile_orders import reconcile_orders
from aftercart.cancellations.models import Difference, Setback, SyncCursor
from tests.races.together import attempt, interrupted, race, without_lock, without_unique
from tests.shop import Line, Shop

pytestmark = pytest.mark.django_db(transaction=True)

SAVING_THE_CURSOR = "aftercart.cancellations.models.SyncCursor.save_base"
SAVING_A_DIFFERENCE = "aftercart.cancellations.models.Difference.save_base"


def poll(shop: Shop) -> int:
    return poll_updates(1, "orders", shop.fake)


# --- one cursor a stream -------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [4, 40])
def test_many_first_looks_at_a_list_make_one_cursor(count: int) -> None:
    shop = Shop()
    cancel_items(shop.command(), shop.fake)

    outcomes = race(count, lambda _n: poll(shop))

    assert set(outcomes) <= {0, 1}
    assert 1 in outcomes
    assert SyncCursor.objects.count() == 1


def test_a_cursor_made_in_between_is_taken() -> None:
    shop = Shop()

    with interrupted(SAVING_THE_CURSOR, lambda: poll(shop)) as other:
        assert poll(shop) == 0

    assert (other.had_to_wait, other.outcome) == (False, 0)
    assert SyncCursor.objects.count() == 1


def test_without_the_constraint_a_stream_has_two_cursors_and_is_read_no_more() -> None:
    shop = Shop()

    with without_unique("one_cursor_a_stream"):
        with interrupted(SAVING_THE_CURSOR, lambda: poll(shop)):
            poll(shop)
        assert SyncCursor.objects.count() == 2
        with pytest.raises(SyncCursor.MultipleObjectsReturned):
            poll(shop)


# --- the cursor goes forward ---------------------------------------------------------------------------------


def make_polled() -> Shop:
    shop = Shop([Line(), Line()])
    poll(shop)
    cancel_items(shop.command(0), shop.fake)
    return shop


def poll_what_is_newer(shop: Shop) -> int:
    cancel_items(shop.command(1), shop.fake)
    return poll(shop)


def find_last_change(shop: Shop) -> object:
    (record,) = shop.fake.backoffice.orders.values()
    return record.remote.modified_date


def test_a_slow_poller_does_not_put_the_cursor_back() -> None:
    shop = make_polled()

    with interrupted(SAVING_THE_CURSOR, lambda: poll_what_is_newer(shop)) as other:
        assert poll(shop) == 1

    assert (other.had_to_wait, other.outcome) == (True, 1)
    assert SyncCursor.objects.get().position == find_last_change(shop)


def test_without_the_row_lock_the_cursor_goes_back() -> None:
    shop = make_polled()

    with (
        without_lock("poll_updates._advance"),
        interrupted(SAVING_THE_CURSOR, lambda: poll_what_is_newer(shop)) as other,
    ):
        assert poll(shop) == 1

    assert (other.had_to_wait, other.outcome) == (False, 1)
    position = SyncCursor.objects.get().position
    assert position is not None
    assert position != find_last_change(shop)


# --- one open difference of a kind ---------------------------------------------------------------------------


def forget(shop: Shop) -> None:
    """Have Omnitron not know the order: a difference of the whole, without an item."""
    shop.fake.backoffice.orders.clear()


def reconcile(shop: Shop) -> int:
    return reconcile_orders(shop.fake)["different"]


@pytest.mark.parametrize("count", [4, 40])
def test_many_reconciliations_at_once_report_a_difference_once(count: int) -> None:
    shop = Shop()
    forget(shop)

    assert race(count, lambda _n: reconcile(shop)) == [1] * count

    assert Difference.objects.count() == 1


def test_a_second_reconciliation_waits_and_finds_the_difference_reported() -> None:
    shop = Shop()
    forget(shop)

    with interrupted(SAVING_A_DIFFERENCE, lambda: reconcile(shop)) as other:
        assert reconcile(shop) == 1

    assert (other.had_to_wait, other.outcome) == (True, 1)
    assert Difference.objects.count() == 1


def test_without_the_lock_the_index_refuses_to_report_it_twice() -> None:
    shop = Shop()
    forget(shop)

    with (
        without_lock("reconcile_orders._report"),
        interrupted(SAVING_A_DIFFERENCE, lambda: reconcile(shop)) as other,
    ):
        reconcile(shop)  # one order's failure is that order's setback

    assert (other.had_to_wait, other.outcome) == (False, 1)
    assert Difference.objects.count() == 1
    assert "one_open_difference_of_a_kind" in Setback.objects.get().error


def test_without_lock_and_index_it_is_reported_twice() -> None:
    shop = Shop()
    forget(shop)

    with (
        without_unique("one_open_difference_of_a_kind"),
        without_lock("reconcile_orders._report"),
        interrupted(SAVING_A_DIFFERENCE, lambda: reconcile(shop)),
    ):
        assert attempt(lambda: reconcile(shop)) == 1
        # The second says of the first that it differs no more, although it does.
        assert Difference.objects.count() == 2
        assert Difference.objects.filter(resolved_at=None).count() == 1
