"""Leases: one worker at a time does a round; one that was frozen loses it, and what it then writes is nothing."""

import pytest
from django.db import connection, transaction

from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.do_apart import LeaseLost, stand_alone
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.worker.leases import HeldLease, take_lease, try_lease
from tests.races.together import interrupted, race
from tests.shop import Shop, count_jobs, request_units
from tests.tables import empty_queue

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "aftercart.recover"


def take() -> HeldLease:
    lease = try_lease(NAME)
    assert lease is not None
    return lease


def expire() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE worker_lease SET expires_at = now() - interval '1 second'")


@pytest.mark.parametrize("count", [4, 16])
def test_of_many_who_want_a_lease_one_gets_it(count: int) -> None:
    leases = race(count, lambda _n: try_lease(NAME))

    assert [lease.token for lease in leases if lease is not None] == [1]


def test_a_lease_that_has_ended_goes_to_one_of_many_with_the_next_number() -> None:
    take()
    expire()

    leases = race(16, lambda _n: try_lease(NAME))

    assert [lease.token for lease in leases if lease is not None] == [2]


def test_a_round_gives_its_lease_back() -> None:
    with take_lease(NAME) as first:
        assert first is not None
        with take_lease(NAME) as second:
            assert second is None
    with take_lease(NAME) as third:
        assert third is not None


def test_who_was_frozen_finds_out_that_another_has_the_lease_and_its_round_ends() -> None:
    done = []
    with take_lease(NAME) as frozen:
        assert frozen is not None
        expire()
        other = take()
        frozen.renew()
        done.append("more")

    assert done == []
    other.renew()  # nor was it given back in the other's place
    assert try_lease(NAME) is None


def test_a_lease_that_ran_out_and_that_nobody_took_is_still_held() -> None:
    lease = take()
    expire()

    lease.renew()

    assert try_lease(NAME) is None


def test_nobody_takes_a_lease_while_its_holder_writes_under_it() -> None:
    lease = take()

    with (
        interrupted("aftercart.worker.leases.HeldLease.release", lambda: try_lease(NAME)) as other,
        transaction.atomic(),
    ):
        lease.renew()
        expire()
        lease.release()

    assert other.had_to_wait
    assert isinstance(other.outcome, HeldLease)


# --- a recoverer that is frozen right before it enqueues --------------------------------------------------------


def make_work() -> Shop:
    shop = Shop()
    request_units(shop, delivered=False)
    empty_queue()
    return shop


def take_over_and_recover() -> int:
    expire()
    lease = take()
    count = recover_jobs(lease.renew)
    lease.release()
    return count


def test_what_a_recoverer_writes_after_another_has_taken_over_is_nothing() -> None:
    make_work()
    lease = take()

    with interrupted("recover.failpoint", take_over_and_recover) as other, pytest.raises(LeaseLost):
        recover_jobs(lease.renew)

    assert (other.had_to_wait, other.outcome) == (False, 2)
    assert count_jobs(jobs.DELIVER_REQUEST) == 1


def test_without_the_fence_both_make_the_job() -> None:
    make_work()
    take()

    with interrupted("recover.failpoint", take_over_and_recover) as other:
        recover_jobs(stand_alone)

    assert (other.had_to_wait, other.outcome) == (False, 2)
    assert count_jobs(jobs.DELIVER_REQUEST) == 2
