"""Does a hanging Omnitron slow down those who only read? Ratios of one run, before and while it hangs.

    python -m bench.hanging_omnitron [--seconds 10] [--readers 8] [--cancellers 16]

Starts an embedded PostgreSQL, the stand-in and the web server with its default settings, in a temporary
folder. Readers ask for `GET /users/orders/{id}/` as fast as they are answered; cancellers submit
cancellations to an Omnitron that answers nobody. The claim that it checks: the p99 of the readers grows by
less than half (the bulkhead holds at most half of a process's threads).
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ACCEPTED_GROWTH = 1.5


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


def describe(name: str, durations: list[float], seconds: float) -> float:
    """Print a line of the table; give the p99."""
    p50, p99 = statistics.median(durations), statistics.quantiles(durations, n=100)[98]
    print(f"{name:<34} {len(durations) / seconds:8.0f} req/s   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms")
    return p99


def main() -> int:
    """Run the benchmark; 1 if the claim does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--cancellers", type=int, default=16)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aftercart-bench-")))
        os.environ["AFTERCART_VAR"] = str(folder)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftercart.settings")
        from aftercart.lib import postgres

        stack.enter_context(postgres.running(folder / "postgres"))
        import django

        django.setup()
        return run(stack, folder, options)


def run(stack: ExitStack, folder: Path, options: argparse.Namespace) -> int:
    """Measure before and while Omnitron hangs."""
    from django.core.management import call_command

    from tests.faults.conftest import make_street
    from tests.processes import Storefront, running_web
    from tests.remote.sandbox_process import running as running_sandbox
    from tests.shop import Line

    call_command("migrate", verbosity=0)
    sandbox = stack.enter_context(running_sandbox(folder / "omnitron.sqlite3"))
    base_url = stack.enter_context(running_web(sandbox.base_url))
    street = make_street(sandbox, base_url, *[Line() for _ in range(5)])
    assert street.order.user is not None
    cookies = street.storefront.client.cookies
    readers = [Storefront(base_url) for _ in range(options.readers)]
    for reader in readers:
        reader.client.cookies.update(cookies)
    path = f"/users/orders/{street.order.pk}/"

    def read(number: int) -> None:
        answer = readers[number].get(path)
        assert answer.status_code == 200, answer.status_code

    measure(options.readers, 2, read)
    before = describe("reading", measure(options.readers, options.seconds, read), options.seconds)
    victims = [
        make_street(sandbox, base_url, *[Line() for _ in range(20)]) for _ in range(options.cancellers)
    ]
    sandbox.control("faults", {"call": "*", "kind": "hang", "times": -1})
    stop = threading.Event()
    waits: list[float] = []

    def cancel(number: int) -> None:
        for position in range(20):
            if stop.is_set():
                return
            began = time.perf_counter()
            answer = victims[number].cancel(position)
            assert answer.status_code == 200, answer.text
            waits.append((time.perf_counter() - began) * 1000)
            stop.wait(0.5)

    threads = [threading.Thread(target=cancel, args=(number,)) for number in range(options.cancellers)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    while_hanging = describe(
        "reading while Omnitron hangs", measure(options.readers, options.seconds, read), options.seconds
    )
    stop.set()
    for thread in threads:
        thread.join()
    describe("cancelling while it hangs", waits, options.seconds)
    growth = while_hanging / before
    print(f"p99 of readers grew by a factor of {growth:.2f}; accepted: {ACCEPTED_GROWTH}")
    return 0 if growth < ACCEPTED_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
