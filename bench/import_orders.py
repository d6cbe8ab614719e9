"""Measure how many orders a second go into PostgreSQL: three items, two addresses, one discount each.

    python -m bench.import_orders [ORDERS] [ROUNDS]

Starts an embedded PostgreSQL in a temporary folder. Every round imports a file of new orders, of new and known
customers, then the same file again, then a newer one; what it made is deleted. On a busy machine the processor time
counts.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bench.database import own_database


def make_lines(count: int, mark: str) -> Iterator[bytes]:
    """Make orders: half of new customers, half of a thousand known ones; places from a few hundred."""
    for n in range(count):
        email = f"{mark}-{n if n % 2 else n % 1000}@bench.example.com"
        address = {
            "title": "Ev", "first_name": "Ayşe", "last_name": "Yılmaz", "email": email,
            "phone_number": f"+90532{1000000 + n % 7919:07}", "line": f"Bağdat Caddesi {n % 7}", "postcode": "34000",
            "country": {"pk": 1, "name": "Türkiye", "code": "tr"},
            "city": {"pk": n % 81, "name": f"Bench {n % 81}"},
            "township": {"pk": n % 324, "name": f"İlçe {n % 324}"}, "district": {"pk": 1, "name": "Merkez"},
        }  # fmt: skip
        items = [
            {
                "status": {"value": "400", "label": "Onaylandı"},
                "price_currency": {"value": "try", "label": "TL"},
                "product": {
                    "pk": n * 3 + i, "sku": f"SKU-{n}-{i}", "base_code": f"SKU-{n}", "name": "Keten gömlek",
                    "image": "/static/pages/products/shirt.svg", "absolute_url": "/keten-gomlek/",
                    "attributes": {"renk": "Lacivert", "beden": "M"},
                    "attributes_kwargs": {"renk": {"value": "navy", "label": "Lacivert"}},
                },
                "quantity": 1, "price": "299.90", "retail_price": "349.90", "unit_price": "299.90",
                "total_amount": "299.90", "tax_rate": "20.00", "tracking_number": None, "extra_field": {},
                "attributes": {"renk": "Lacivert"}, "image": "/static/pages/products/shirt.svg",
                "created_date": "2026-01-01T10:00:00.000000Z", "modified_date": "2026-01-01T10:00:00.000000Z",
            }
            for i in range(3)
        ]  # fmt: skip
        document = {
            "number": f"{mark}-{n}", "status": {"value": "400", "label": "Onaylandı"}, "user_email": email,
            "currency": {"value": "try", "label": "TL"}, "orderitem_set": items, "user": n,
            "discountitem_set": [{"name": "Yaz indirimi", "amount": "50.00", "code": "YAZ"}],
            "shipping_address": address, "billing_address": address,
            "amount": "849.70", "shipping_amount": "0.00",
            "payment_option": {"pk": 1, "name": "Kredi kartı", "payment_type": "credit_card", "slug": "kart"},
            "created_date": "2026-01-01T10:00:00.000000Z", "modified_date": "2026-01-01T10:00:00.000000Z",
            "remote_addr": "192.0.2.1", "language_code": "tr-tr", "client_type": "default", "erp_code": "X",
        }  # fmt: skip
        yield json.dumps(document, ensure_ascii=False).encode()


def measure(count: int, mark: str, folder: Path) -> None:
    from aftercart.accounts.models import City, User
    from aftercart.orders.models import Order

    path = folder / "orders.jsonl"
    for what in ("new", "again", "newer"):
        if what != "again":
            with path.open("wb") as file:
                for line in make_lines(count, mark):
                    newer = line.replace(b'"modified_date": "2026-01-01', b'"modified_date": "2026-01-02')
                    file.write((newer if what == "newer" else line) + b"\n")
        _measure(what, path, count)
    orders = Order.objects.filter(number__startswith=f"{mark}-")
    orders.delete()
    User.objects.filter(email__startswith=f"{mark}-").delete()
    City.objects.filter(name__startswith="Bench ").delete()


def _measure(what: str, path: Path, count: int) -> None:
    """Import once; print orders a second, and an order's processor time, which other work disturbs less."""
    from aftercart.actions.intake.import_orders import import_orders, open_lines
    from aftercart.lib.garbage import collecting_rarely
    from aftercart.lib.threads import switching_often

    wall, ours, theirs = time.perf_counter(), time.process_time(), _read_postgres_time()
    with collecting_rarely(), switching_often():
        result = import_orders(open_lines(path), report_bad=print)
    wall, ours = time.perf_counter() - wall, time.process_time() - ours
    theirs = _read_postgres_time() - theirs
    parts = {"Python": ours, "PostgreSQL": theirs, "both": ours + theirs}
    each = ", ".join(f"{name} {seconds / count * 1e6:.0f} us" for name, seconds in parts.items())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what:6} {count / wall:8.0f} orders/s; processor time of an order: {each}; peak {memory:.0f} MB  {result}"
    )


def _read_postgres_time() -> float:
    """Read how many seconds of a processor the processes of our PostgreSQL have had (Linux alone tells)."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('data_directory')")
        postmaster = Path(cursor.fetchone()[0], "postmaster.pid").read_text().split()[0]
    seconds = 0.0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            if process.joinpath("stat").read_text().rpartition(")")[2].split()[1] == postmaster:
                seconds += int(process.joinpath("schedstat").read_text().split()[0]) / 1e9
    return seconds


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with own_database() as folder:
        for n in range(rounds):
            measure(count, f"bench{os.getpid()}x{n}", folder)


if __name__ == "__main__":
    main()
