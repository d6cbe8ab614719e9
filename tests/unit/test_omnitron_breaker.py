"""The breaker, the bulkhead and the deadline, each alone."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercart.oms.errors import NotSent
from aftercart.outbound.breaker import Breaker
from aftercart.outbound.bulkhead import Bulkhead
from aftercart.outbound.deadline import Deadline


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, seconds=10, clock=clock)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.record_failure(breaker.admit())


def is_admitted(breaker: Breaker) -> bool:
    try:
        breaker.record_nothing(breaker.admit())
    except NotSent:
        return False
    return True


def test_it_opens_at_the_last_failure_of_a_row(breaker: Breaker) -> None:
    fail(breaker, 2)
    assert (is_admitted(breaker), breaker.is_open) == (True, False)
    fail(breaker)
    assert breaker.is_open
    with pytest.raises(NotSent) as caught:
        breaker.admit()
    assert caught.value.code == "breaker_open"


def test_a_success_begins_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.record_success(breaker.admit())
    fail(breaker, 2)
    assert not breaker.is_open


def test_a_call_without_an_outcome_leaves_the_count(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.record_nothing(breaker.admit())
    fail(breaker)
    assert breaker.is_open


def test_it_stays_open_for_its_time_to_the_moment(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 9.999
    assert not is_admitted(breaker)
    clock.now = 110.0
    assert is_admitted(breaker)


def test_exactly_one_of_many_threads_is_the_probe(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10
    barrier = threading.Barrier(16)
    permits: list[int] = []

    def work() -> None:
        barrier.wait(5)
        try:
            permits.append(breaker.admit())
        except NotSent:
            return

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(permits) == 1
    assert not is_admitted(breaker)
    breaker.record_success(permits[0])
    assert (is_admitted(breaker), breaker.is_open) == (True, False)


def test_a_probe_that_fails_opens_it_for_its_whole_time_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10
    fail(breaker)
    clock.now += 9.999
    assert not is_admitted(breaker)
    clock.now += 0.001
    assert is_admitted(breaker)


def test_a_probe_without_an_outcome_leaves_its_place_to_the_next(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10
    breaker.record_nothing(breaker.admit())
    assert breaker.is_open
    breaker.record_success(breaker.admit())
    assert not breaker.is_open


def test_after_closing_the_row_begins_anew(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 10
    breaker.record_success(breaker.admit())
    fail(breaker, 2)
    assert not breaker.is_open


def test_a_call_of_before_the_opening_says_nothing_about_now(breaker: Breaker, clock: Clock) -> None:
    early, late = breaker.admit(), breaker.admit()
    fail(breaker, 3)
    breaker.record_success(early)
    assert breaker.is_open
    clock.now += 5
    breaker.record_failure(late)
    clock.now += 5
    assert is_admitted(breaker), "a late failure must not prolong it"


@given(st.lists(st.sampled_from(["success", "failure", "nothing", "wait"]), max_size=60))
def test_it_is_open_exactly_after_enough_failures_in_a_row(events: list[str]) -> None:
    clock = Clock()
    breaker = Breaker(failures=3, seconds=10, clock=clock)
    row, opened_at = 0, -1.0
    for event in events:
        if event == "wait":
            clock.now += 6
            continue
        is_held_back = opened_at >= 0 and clock.now - opened_at < 10
        assert is_admitted(breaker) is not is_held_back
        if is_held_back:
            continue
        getattr(breaker, f"record_{event}")(breaker.admit())
        if event == "success":
            row, opened_at = 0, -1.0
        elif event == "failure":
            row += 1
            if row >= 3:
                opened_at = clock.now
        assert breaker.is_open is (opened_at >= 0)


def test_a_bulkhead_has_so_many_places_and_never_waits() -> None:
    bulkhead = Bulkhead(2)
    with bulkhead.place(), bulkhead.place():
        with pytest.raises(NotSent) as caught, bulkhead.place():
            pass
        assert caught.value.code == "bulkhead_full"
    with bulkhead.place(), bulkhead.place():
        pass


def test_a_bulkheads_place_is_free_again_after_an_error() -> None:
    bulkhead = Bulkhead(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), bulkhead.place():
            raise ZeroDivisionError


def test_a_deadline_counts_down_to_zero_and_no_further(clock: Clock) -> None:
    deadline = Deadline.after(5, clock=clock)
    assert (deadline.remaining(), deadline.expired) == (5.0, False)
    clock.now += 4
    assert (deadline.remaining(), deadline.expired) == (1.0, False)
    clock.now += 1
    assert (deadline.remaining(), deadline.expired) == (0.0, True)
    clock.now += 1
    assert (deadline.remaining(), deadline.expired) == (0.0, True)


def test_a_part_of_a_deadline_ends_no_later_than_the_whole(clock: Clock) -> None:
    deadline = Deadline.after(5, clock=clock)
    assert deadline.capped(2).remaining() == 2
    assert deadline.capped(60).remaining() == 5
