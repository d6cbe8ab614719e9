import threading
from collections.abc import Callable
from functools import partial

import pytest

from aftercart.front.threads import Threads
from aftercart.lib.places import Places, lending_place
from tests.processes import wait_until


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


def run(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_who_waits_elsewhere_lends_the_place(gate: threading.Event) -> None:
    places, done = Places(1), []

    def wait() -> None:
        with places.working(), lending_place():
            gate.wait(10)
        done.append("waited")

    def work() -> None:
        with places.working():
            done.append("worked")

    waiting = run(wait)
    run(work).join(10)
    assert done == ["worked"]
    gate.set()
    waiting.join(10)
    assert done == ["worked", "waited"]


def test_who_comes_back_goes_before_who_is_new(gate: threading.Event) -> None:
    places, order = Places(1), []
    lent, answered = threading.Event(), threading.Event()

    def wait() -> None:
        with places.working():
            with lending_place():
                lent.set()
                answered.wait(10)
            order.append("back")

    def work(name: str) -> None:
        with places.working():
            if name == "first":
                gate.wait(10)
            order.append(name)

    threads = [run(wait)]
    lent.wait(10)
    threads.append(run(lambda: work("first")))
    wait_until(lambda: places._held)
    threads.append(run(lambda: work("second")))
    wait_until(lambda: places._new)
    answered.set()
    wait_until(lambda: places._returning)
    gate.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "back", "second"]


def test_while_all_get_on_two_work_at_once(gate: threading.Event) -> None:
    places, done = Places(8, long=600), []

    def work() -> None:
        with places.working():
            gate.wait(10)
            done.append(len(places._held))

    threads = [run(work) for _ in range(8)]
    wait_until(lambda: len(places._new) == 6)
    assert len(places._held) == 2
    gate.set()
    for thread in threads:
        thread.join(10)
    assert len(done) == 8
    assert max(done) == 2


def test_who_has_worked_for_long_makes_room_for_one_more_up_to_the_number(gate: threading.Event) -> None:
    places, entered = Places(3, long=0.01), threading.Semaphore(0)

    def work() -> None:
        with places.working():
            entered.release()
            gate.wait(10)

    threads = [run(work) for _ in range(4)]
    assert all(entered.acquire(timeout=10) for _ in range(3))
    assert not entered.acquire(timeout=0.1)
    gate.set()
    assert entered.acquire(timeout=10)
    for thread in threads:
        thread.join(10)


def test_a_place_is_given_back_after_a_failure() -> None:
    places = Places(1)
    with pytest.raises(ZeroDivisionError), places.working():
        _ = 1 / 0
    with places.working():
        pass


def test_a_thread_without_a_place_lends_none() -> None:
    with lending_place():
        pass


def _run_all(threads: Threads, works: list[Callable[[], object]]) -> None:
    done = threading.Semaphore(0)

    def run_one(work: Callable[[], object]) -> None:
        work()
        done.release()

    for work in works:
        threads.begin(partial(run_one, work))
    assert all(done.acquire(timeout=30) for _work in works)


def test_more_wait_elsewhere_than_threads_work() -> None:
    everybody = threading.Barrier(9, timeout=30)

    def wait() -> None:
        with lending_place():
            everybody.wait()

    threads = Threads(1, 8)
    try:
        _run_all(threads, [wait] * 9)
    finally:
        threads.close()
    assert len(threads._threads) == 9


def test_no_more_threads_are_started_than_may_work(gate: threading.Event) -> None:
    threads = Threads(2, 64)
    timer = threading.Timer(0.1, gate.set)
    timer.start()
    try:
        _run_all(threads, [lambda: gate.wait(10)] * 9)
        assert len(threads._threads) == 2
    finally:
        threads.close()
        timer.join()
