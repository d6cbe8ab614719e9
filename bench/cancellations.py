"""Direct cancellations: calls, round trips, statements, room and rate. `make bench` runs it.

    python -m bench.cancellations [--customers 8] [--orders 30] [--write] [--slack 1]

An embedded PostgreSQL, the sandbox, the web server and a worker with default settings, in a temporary folder, on the
whole machine. `--write` writes its section of docs/benchmarks.md. The exit code is 1 if a target is missed.
"""

import argparse
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cancellation_report import Cost, Report, Room, write_report
from bench.database import own_database

if TYPE_CHECKING:
    from bench.cancellation_shop import Shop

#: How far away Omnitron is where a customer's wait is measured, and where there must be room, in seconds.
_FAR, _SLOW = 0.05, 0.3
_AT_ONCE = 64


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=8)
    parser.add_argument("--orders", type=int, default=30, help="of each customer, with four items each")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--slack", type=float, default=1, help="the part of each target that is enough")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(own_database())
        report = _run(stack, folder, options)
    print(report.describe())
    if options.write:
        write_report(report)
    return 0 if not report.list_missed(options.slack) else 1


def _run(stack: ExitStack, folder: Path, options: argparse.Namespace) -> Report:
    from bench.cancellation_shop import running_shop

    shop = stack.enter_context(running_shop(folder))
    _say("warming up")
    _warm_up(shop)
    _say("calls and statements")
    calls, connections = _count_calls(shop)
    statements = {count: _count_statements(shop, count) for count in (1, 5)}
    return Report(
        calls=calls,
        connections=connections,
        wait=_measure_wait(shop),
        distance=_FAR * 1000,
        statements=statements,
        cost=_measure_rate(shop, options.customers, options.orders),
        room=_measure_room(shop),
    )


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _warm_up(shop: "Shop") -> None:
    from bench.cancellation_shop import together

    together(shop.make_customers(8, 2))
    shop.wait_for_jobs()


def _count_calls(shop: "Shop") -> tuple[list[str], int]:
    """Cancel one item; the calls that Omnitron got before the answer, and the connections that were opened."""
    customer = shop.make_customers(1, 1)[0]
    customer.cancel_all(2)  # whatever process has them, connections that are kept are there now
    shop.wait_for_jobs()
    last, opened = shop.count_calls(), shop.count_connections()
    customer.cancel_all(1)
    opened = shop.count_connections() - opened
    calls = [row["call"] for row in shop.sandbox.calls(after=last)]
    return calls[: calls.index("order_cancel") + 1], opened  # what follows is the worker's


def _count_statements(shop: "Shop", items: int) -> list[int]:
    """Cancel so many items of one order in this process; how many statements each transaction had."""
    from bench.cancellation_shop import count_statements

    return count_statements(shop, items)


def _measure_wait(shop: "Shop", count: int = 20) -> float:
    """Have one customer cancel items with Omnitron far away; the median wait in milliseconds."""
    _say("a customer's wait")
    customer = shop.make_customers(1, count // 4 + 1)[0]
    shop.sandbox.control("network", {"call_seconds": _FAR, "connection_seconds": _FAR})
    try:
        found = customer.cancel_all(count)
    finally:
        shop.sandbox.control("network", {})
    shop.wait_for_jobs()
    return statistics.median(milliseconds for _status, milliseconds in found)


def _measure_rate(shop: "Shop", customers: int, orders: int) -> Cost:
    """Have customers cancel one item after the other; until the worker has done its part, too."""
    from bench.cancellation_shop import together

    _say("rate")
    cancellers = shop.make_customers(customers, orders)
    before, began = shop.read_cpu(), time.perf_counter()
    found = together(cancellers)
    answered = time.perf_counter() - began
    shop.wait_for_jobs()
    done = time.perf_counter() - began
    after = shop.read_cpu()
    return Cost(
        count=len(found),
        direct=sum(status == 204 for status, _wait in found),
        answered=answered,
        done=done,
        waits=[wait for _status, wait in found],
        cpu={name: (after[name] - before[name]) * 1000 / len(found) for name in after},
    )


def _measure_room(shop: "Shop") -> Room:
    """Have many customers cancel at once with a slow Omnitron, beside readers."""
    from bench.cancellation_shop import Reading, together

    _say("room")
    customers = shop.make_customers(_AT_ONCE, 1)
    reader = shop.make_customers(1, 1)[0]
    with Reading(shop.port, reader) as alone:
        time.sleep(3)
    shop.sandbox.control("network", {"call_seconds": _SLOW, "connection_seconds": 0})
    try:
        with Reading(shop.port, reader) as beside:
            found = together(customers)
    finally:
        shop.sandbox.control("network", {})
    shop.wait_for_jobs()
    return Room(
        customers=_AT_ONCE,
        statuses=[status for status, _wait in found],
        waits=[wait for _status, wait in found],
        distance=_SLOW * 1000,
        alone=alone.p99,
        beside=beside.p99,
    )


if __name__ == "__main__":
    sys.exit(main())
