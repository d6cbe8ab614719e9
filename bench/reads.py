"""Reading orders, beside two yardsticks: ratios of one run, in turns. `make bench` runs it.

    python -m bench.reads [--rounds 5] [--seconds 2] [--write] [--slack 1] [--compare]

An embedded PostgreSQL in a temporary folder; three web servers of one process each on the first core, PostgreSQL and
the clients on the others; 16 connections. `bare` is the least that can be done (bench/yardsticks/bare.py), `usual` is
Django REST framework as it is usually used (bench/yardsticks/usual.py), the rest is Aftercart. `--write` writes
docs/benchmarks.md, its chart and bench/recorded.json. The exit code is 1 if a target is missed; with `--compare` only
if a ratio has fallen by a third below what is recorded. Then rounds go on, to four times as many, until none has.
"""

import argparse
import os
import sys
from contextlib import ExitStack

from bench.database import own_database
from bench.load import Measured, write_request
from bench.recorded import collect, list_fallen, read_recorded, record
from bench.report import Report, write_report

#: The bare yardstick is the faster one of these numbers of threads: with more they only wait for each other.
_BARE_THREADS = 1
_ORDERS = 40
#: So many times the rounds are made at the most before a ratio counts as fallen.
_MOST_TIMES = 4


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--slack", type=float, default=1, help="the part of each target that is enough")
    parser.add_argument(
        "--compare", action="store_true", help="with the recorded ratios; targets don't count"
    )
    options = parser.parse_args()
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, os.sched_getaffinity(0) - {core} or {core})
    with ExitStack() as stack:
        stack.enter_context(own_database())
        report = _run(stack, core, options)
    print(report.describe())
    if options.write:
        write_report(report)
        record(report)
    if options.compare:
        fallen = list_fallen(collect(report), read_recorded())
        print("\n".join(["Fallen by a third:", *fallen]) if fallen else "No ratio has fallen by a third.")
        return 1 if fallen else 0
    return 0 if not report.list_missed(options.slack) else 1


def _run(stack: ExitStack, core: int, options: argparse.Namespace) -> Report:
    from bench.servers import granian, measure_memory, measure_with_cost, serving
    from bench.shop_data import make_data

    data = make_data(_ORDERS)
    database = _name_database()
    aftercart = [sys.executable, "-m", "aftercart", "web"]
    bare = stack.enter_context(
        serving(granian("bench.yardsticks.bare:application", _BARE_THREADS), core, BENCH_DATABASE=database)
    )
    usual = stack.enter_context(
        serving(
            granian("aftercart.wsgi:application", 1),
            core,
            DJANGO_SETTINGS_MODULE="bench.yardsticks.usual_settings",
        )
    )
    ours = stack.enter_context(serving(aftercart, core, WEB_PROCESSES="1"))
    detail, listed = f"/users/orders/{data.order}/", "/users/orders/?limit=10"
    json, html = {"Accept": "application/json"}, {"Accept": "text/html,*/*;q=0.8"}
    cookies = f"sessionid={data.session}; osessionid={data.session}"

    def ask(path: str, headers: dict[str, str]) -> bytes:
        return write_request(path, {"Cookie": cookies, "Accept-Language": "en", **headers})

    known = {**json, "If-None-Match": _read_etag(ours[0], ask(detail, json))}
    cases = {
        "bare": (bare, ask(detail, json), 200),
        "usual": (usual, ask(detail, json), 200),
        "detail": (ours, ask(detail, json), 200),
        "signed": (ours, ask(data.signed_path, json), 200),
        "unchanged": (ours, ask(detail, known), 304),
        "list": (ours, ask(listed, json), 200),
        "detail_html": (ours, ask(detail, html), 200),
        "signed_html": (ours, ask(data.signed_path, html), 200),
        "health": (ours, ask("/healthz", json), 200),
    }
    results: dict[str, list[Measured]] = {name: [] for name in cases}
    most = options.rounds * (_MOST_TIMES if options.compare else 1)
    for number in range(most + 1):
        for name, ((port, pid), request, status) in cases.items():
            found = measure_with_cost(port, pid, request, status, options.seconds if number else 2)
            if number:  # the first one warms everything up
                results[name].append(found)
            print(f"round {number} of {most}: {name}: {found.per_second:.0f} a second", file=sys.stderr)
        report = Report(results, data.size, measure_memory(ours[1]))
        is_enough = options.compare and number >= options.rounds
        if is_enough and not list_fallen(collect(report), read_recorded()):
            break
    return report


def _read_etag(port: int, request: bytes) -> str:
    import socket

    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(request)
        head = client.recv(65536).partition(b"\r\n\r\n")[0].decode("latin-1")
    fields = dict(line.partition(": ")[::2] for line in head.split("\r\n")[1:])
    return next((value for name, value in fields.items() if name.lower() == "etag"), '"none"')


def _name_database() -> str:
    from django.conf import settings

    database = settings.DATABASES["default"]
    return f"host={database['HOST']} dbname={database['NAME']} user={database['USER']}"


if __name__ == "__main__":
    sys.exit(main())
