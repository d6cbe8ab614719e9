"""Readers of an order, and cancellers beside them: what bench/hanging_omnitron.py measures. Wants Django set up."""

import argparse
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.conftest import make_scenario
from tests.processes import ShopClient, running_web, wait_until
from tests.remote.sandbox_process import SandboxProcess
from tests.remote.sandbox_process import running as running_sandbox
from tests.shop import Line

ACCEPTED_GROWTH = 1.5
#: Nobody cancels; Omnitron answers those who do; it does not.
STATES = ("alone", "well", "hanging")
#: Seconds between two cancellations of one customer: few enough that they do not fill the machine by themselves.
PAUSE = 2
#: So many items a canceller has; one after the other is cancelled.
ITEMS = 20


def measure(count: int, seconds: float, request: Callable[[int], Any]) -> list[float]:
    """Have so many threads make requests for a while; the durations of all, in milliseconds."""
    end = time.monotonic() + seconds
    durations: list[float] = []

    def run(number: int) -> None:
        while time.monotonic() < end:
            began = time.perf_counter()
            request(number)
            durations.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return durations


def find_p99(durations: list[float]) -> float:
    """Give the p99."""
    return statistics.quantiles(durations, n=100)[98]


def describe(name: str, durations: list[float]) -> str:
    """Write a part of a round's line."""
    p50 = statistics.median(durations)
    return f"{name} {len(durations):5} answers, p50 {p50:6.1f} ms, p99 {find_p99(durations):6.1f} ms"


@contextmanager
def working(count: int, work: Callable[[int, threading.Event], None]) -> Iterator[None]:
    """Have so many threads work until the end of the block."""
    stop = threading.Event()
    threads = [threading.Thread(target=work, args=(number, stop)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@dataclass(slots=True)
class Fixture:
    """The processes, whoever reads and whoever cancels."""

    sandbox: SandboxProcess
    base_url: str
    path: str
    readers: list[ShopClient]
    cancellers: int
    seconds: float

    def read(self, number: int) -> None:
        """Read the order once."""
        answer = self.readers[number].get(self.path)
        assert answer.status_code == 200, answer.status_code

    def measure(self, state: str) -> tuple[list[float], list[float]]:
        """Read, and cancel at the same time unless `alone`; the durations of both."""
        orders = 0 if state == "alone" else self.cancellers
        victims = [
            make_scenario(self.sandbox, self.base_url, *[Line() for _ in range(ITEMS)]) for _ in range(orders)
        ]
        items = [
            [item.pk for item in victim.items] for victim in victims
        ]  # here: threads hold a connection each
        waits: list[float] = []
        if state == "hanging":
            self.sandbox.control("faults", {"call": "*", "kind": "hang", "times": -1})

        def cancel(number: int, stop: threading.Event) -> None:
            victim = victims[number]
            for item in items[number]:
                if stop.wait(PAUSE):
                    return
                began = time.perf_counter()
                answer = victim.shop_client.cancel(victim.order.number, item, victim.reason.pk)
                assert answer.status_code in {200, 204}, answer.text
                waits.append((time.perf_counter() - began) * 1000)

        with working(orders, cancel):
            measure(len(self.readers), 2, self.read)
            reads = measure(len(self.readers), self.seconds, self.read)
        if state == "hanging":
            self.sandbox.client.delete("/sandbox/faults/").raise_for_status()
            wait_until(self.is_well, 60)
        return reads, waits

    def is_well(self) -> bool:
        """Return whether every process has seen that Omnitron is back: its breaker is closed."""
        answers = [make_scenario(self.sandbox, self.base_url).cancel().status_code for _ in range(8)]
        return answers == [204] * len(answers)


def make_fixture(stack: ExitStack, folder: Path, options: argparse.Namespace) -> Fixture:
    """Start everything."""
    sandbox = stack.enter_context(running_sandbox(folder / "omnitron.sqlite3"))
    base_url = stack.enter_context(running_web(sandbox.base_url, **options.settings))
    scenario = make_scenario(sandbox, base_url, *[Line() for _ in range(5)])
    assert scenario.order.user is not None
    readers = [ShopClient(base_url).enter(scenario.order.user) for _ in range(options.readers)]
    path = f"/users/orders/{scenario.order.pk}/"
    return Fixture(sandbox, base_url, path, readers, options.cancellers, options.seconds)


def compare(fixture: Fixture, rounds: int) -> int:
    """Measure in rounds; 1 if the claim does not hold."""
    measure(len(fixture.readers), 2, fixture.read)
    ratios = []
    for number in range(rounds):
        results = {}
        # Every second round the other way round: what comes later finds the machine as the earlier left it.
        for state in STATES if number % 2 == 0 else STATES[::-1]:
            reads, waits = fixture.measure(state)
            results[state] = find_p99(reads)
            print(f"  {state:8} {describe('read', reads)}", describe("cancel", waits) if waits else "")
        ratios.append([results["hanging"] / results[state] for state in STATES[:2]])
        print(f"round {number + 1}: the p99 of readers, hanging: {format_ratio(*ratios[-1])}", flush=True)
    growth = [statistics.median(column) for column in zip(*ratios, strict=True)]
    print(f"median of {len(ratios)} rounds: {format_ratio(*growth)}; accepted: {ACCEPTED_GROWTH}")
    return 0 if growth[1] < ACCEPTED_GROWTH else 1


def format_ratio(alone: float, well: float) -> str:
    """Say how much slower than reading alone, and than reading beside cancellations that are answered."""
    return f"{alone:.2f} times that of reading alone, {well:.2f} times that of a well Omnitron"
