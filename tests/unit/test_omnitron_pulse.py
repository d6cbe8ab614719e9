"""When Omnitron counts as recovered."""

import pytest

from aftercart.outbound.pulse import Pulse


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pulse(clock: Clock) -> Pulse:
    return Pulse(clock=clock)


def test_a_success_after_a_failure_is_a_recovery_reported_once(pulse: Pulse) -> None:
    pulse.record_success(is_read=True)
    assert not pulse.take_recovery()

    pulse.record_failure(is_read=True)
    assert not pulse.take_recovery()
    pulse.record_success(is_read=True)

    assert [pulse.take_recovery(), pulse.take_recovery()] == [True, False]


def test_a_read_that_succeeds_says_nothing_of_writes(pulse: Pulse) -> None:
    pulse.record_failure(is_read=False)
    pulse.record_success(is_read=True)
    assert not pulse.take_recovery()

    pulse.record_success(is_read=False)
    assert pulse.take_recovery()


def test_recoveries_are_reported_seconds_apart_and_none_is_lost(pulse: Pulse, clock: Clock) -> None:
    reported = []
    for _ in range(12):
        pulse.record_failure(is_read=True)
        pulse.record_success(is_read=True)
        reported.append(pulse.take_recovery())
        clock.now += 1

    assert reported == [True, False, False, False, False] * 2 + [True, False]
    clock.now += 10
    assert pulse.take_recovery()
