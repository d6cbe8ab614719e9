"""The same shop small and large: what takes longer with a hundred times the orders? `make bench` runs it.

    python -m bench.growth [--sizes 10000 1000000] [--rounds 5] [--times 20] [--write] [--slack 1]

An embedded PostgreSQL with a database of each size, in a temporary folder; the sizes are asked in turns, through
Django's own client, in this process. A million orders of three items take some minutes and 8 GB. The exit code is 1 if
something takes longer than the target allows.
"""

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.database import own_database
from bench.growth_report import Report, write_report

#: Orders that are cancelled in one run at the most.
_CANCELLABLE = 2_000


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--times", type=int, default=20, help="that each is asked in a round")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--slack", type=float, default=1, help="how much more than each target is enough")
    options = parser.parse_args()
    os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost,127.0.0.1")
    with own_database(synchronous_commit="off", max_wal_size="8GB", shared_buffers="1GB"):
        report = _run(sorted(options.sizes), options.rounds, options.times)
    print(report.describe())
    if options.write:
        write_report(report)
    return 0 if not report.list_missed(options.slack) else 1


def _run(sizes: list[int], rounds: int, times: int) -> Report:
    for size in sizes:
        _make(size)
    results: dict[str, dict[int, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
    for number in range(rounds + 1):
        for size in sizes if number % 2 else reversed(sizes):
            with _database(size):
                for name, ask in _prepare(size, number).items():
                    found = [_measure(ask) for _ in range(times)]
                    if number:  # the first round only warms up
                        results[name][size].append(found)
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
    return Report(sizes, {name: dict(found) for name, found in results.items()})


def _measure(ask: Callable[[], object]) -> float:
    """Return the milliseconds that it takes, from when it says that it begins."""
    start = time.perf_counter()
    begun = ask()
    return (time.perf_counter() - (begun if isinstance(begun, float) else start)) * 1000


def _name(size: int) -> str:
    return f"grown_{size}"


@contextmanager
def _database(size: int) -> Iterator[None]:
    """Have Django use the database of a size."""
    from django.core.cache import cache
    from django.db import connection

    settings = connection.settings_dict
    before = settings["NAME"]
    for name in (_name(size), before):
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # only PostgreSQL's connection has it
        settings["NAME"] = name
        cache.clear()
        if name != before:
            yield


def _make(size: int) -> None:
    """Make a database of a size: a copy of the migrated one, grown; what can still be cancelled is the newest."""
    from django.db import connection

    from bench.growth_data import grow

    start = time.monotonic()
    template = connection.settings_dict["NAME"]
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # as above
    with connection._nodb_cursor() as cursor:  # noqa: SLF001 - as Django makes its own test databases
        cursor.execute(f'CREATE DATABASE "{_name(size)}" TEMPLATE "{template}"')
    with _database(size):
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
        grow(size)
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            chosen = (
                "SELECT id FROM orders_order WHERE user_id IS NOT NULL AND id %% 5 = 3 ORDER BY id LIMIT %s"
            )
            cursor.execute(f"UPDATE orders_order SET status = '400' WHERE id IN ({chosen})", [_CANCELLABLE])
            cursor.execute(
                "UPDATE orders_orderitem SET status = '400', delivered_at = NULL"
                f" WHERE order_id IN ({chosen})",
                [_CANCELLABLE],
            )
            cursor.execute("SET session_replication_role = origin")
            cursor.execute("VACUUM ANALYZE")
    print(f"made {size:,} orders in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


def _prepare(size: int, number: int) -> dict[str, Callable[[], object]]:
    """Return what is asked of a shop of this size; nothing of the answers is looked at but that they are there."""
    from django.test import Client

    from aftercart.accounts.models import User
    from aftercart.actions.sync.poll_updates import list_streams_due
    from aftercart.actions.upkeep import recover
    from aftercart.cancellations.selectors import list_orders_to_sync
    from aftercart.orders.selectors import find_guest_order
    from aftercart.worker.queue import measure_queue
    from bench.growth_data import ITS_ORDERS, SUBJECT

    backend = "django.contrib.auth.backends.ModelBackend"
    customer, staff = Client(), Client()
    customer.force_login(User.objects.get(pk=SUBJECT), backend=backend)
    email = f"staff{number}@example.com"
    staff.force_login(
        User.objects.filter(email=email).first() or User.objects.create_superuser(email, "bench"),
        backend=backend,
    )

    def read(client: Client, path: str) -> Callable[[], object]:
        def ask() -> None:
            status = client.get(path, headers={"accept": "text/html"}).status_code
            assert status == 200, (path, status)

        return ask

    orders, requests = "/backoffice/orders/order/", "/backoffice/cancellations/cancellationrequest/"
    some = size // 2 // 4 * 4  # a guest's
    cancel = _prepare_cancel()
    return {
        "an order as JSON": read(customer, f"/users/orders/{ITS_ORDERS}/?format=json"),
        "a customer's orders": read(customer, "/users/orders/?format=json&limit=10"),
        "the list of orders, first page": read(staff, orders),
        "the list of orders, last page": read(staff, f"{orders}?p=40"),
        "the list of orders, its oldest": read(staff, f"{orders}?after={size - 100}"),
        "search by number": read(staff, f"{orders}?q=G-{some:08}"),
        "search by e-mail": read(staff, f"{orders}?q=customer{some}@example.com"),
        "a guest's order": lambda: find_guest_order(
            number=f"G-{some:08}", email=f"customer{some}@example.com"
        ),
        "cancelling an item": cancel,
        "the queue of requests": read(staff, requests),
        "the dashboard": read(staff, "/backoffice/"),
        "metrics": read(staff, "/metrics"),
        "recovery": lambda: (recover.recover_submissions(), recover.recover_jobs()),
        "polls": lambda: (list_streams_due(), list_orders_to_sync(200), measure_queue()),
    }


def _prepare_cancel() -> Callable[[], object]:
    """Return the cancelling of one item each time, of an order that has not been asked for yet."""
    from aftercart.accounts.models import User
    from aftercart.actions.cancel.cancel_items import cancel_items
    from aftercart.actions.commands import Caller, CancellationCommand, ItemRequest
    from aftercart.orders.models import Order
    from tests.fake_omnitron import FakeOmnitron

    fresh = Order.objects.filter(status="400", submissions=None).order_by("pk").iterator(chunk_size=100)

    def ask() -> Any:
        order = next(fresh)
        items = list(order.items.order_by("pk"))
        fake = FakeOmnitron()
        fake.load_order(
            channel_id=order.channel_id, shop_order_id=order.pk, number=order.number,
            items=[(item.pk, "400", 1, item.price) for item in items],
        )  # fmt: skip
        caller = Caller(User.objects.get(pk=order.user_id or 0), f"bench-{order.pk}")
        request = ItemRequest(items[0].pk, 1, "cancel")
        start = time.perf_counter()
        answer = cancel_items(CancellationCommand(caller, (request,), order.number), fake)
        assert answer.status in {200, 204}, answer
        return start

    return ask


if __name__ == "__main__":
    sys.exit(main())
