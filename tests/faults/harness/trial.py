"""One trial from start to end: set up, let customers and chaos loose, wait, check the books."""

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import django

from tests.faults.harness.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.harness.books import Books, Violation
    from tests.faults.harness.chaos import Chaos
    from tests.faults.harness.quiesce import Rest
    from tests.faults.harness.report import Report

#: Beyond the time that was asked for: until enough has happened, however busy the machine is.
_LONGEST_MORE = 900.0
#: What a trial lasts at least for, besides its time: writes, kills and submissions, of which a busy machine lets fewer
#: through; for a mutation, writes and faults.
_FEWEST_WRITES, _FEWEST_KILLS, FEWEST_SUBMISSIONS = 250, 8, 100
_WRITES_OF_A_MUTATION, _FAULTS_OF_A_MUTATION = 800, 120
#: What a customer gets through: whoever has been through all has only what is under way, and is refused.
_ORDERS_A_MINUTE, _MINUTES_MORE = 25, 2.5


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for on the command line."""

    seed: int
    minutes: float
    customers: int
    mutation: str
    rest_minutes: float
    hurries: bool


def run_trial(plan: Plan, folder: Path, ports: tuple[int, ...]) -> "Report":
    """Run a trial in a folder. The calling thread holds the processes: they die with it."""
    cluster = Cluster(folder, ports, plan.mutation)
    try:
        cluster.start_database()
        os.environ.update(cluster.make_environment("harness"))
        django.setup()
        return _run(plan, cluster)
    finally:
        cluster.stop()


def _run(plan: Plan, cluster: Cluster) -> "Report":
    from tests.faults.harness.books import read_books
    from tests.faults.harness.chaos import CLUSTER_POINTS, RARE_POINTS, Chaos
    from tests.faults.harness.customers import Crowd, Journal, make_draw
    from tests.faults.harness.quiesce import Rest, count_submissions, count_waiting_jobs, quiesce
    from tests.faults.harness.sandbox_client import SandboxClient
    from tests.faults.harness.staff import Desks
    from tests.faults.harness.stock import make_stock
    from tests.faults.harness.watch import Watch

    began = time.monotonic()
    _drop_index(plan)
    cluster.start_sandbox()
    cluster.start_wires()
    sandbox, journal = SandboxClient(cluster.sandbox_port), Journal()
    longest = plan.minutes * 60 + _LONGEST_MORE
    orders = round((plan.minutes + _MINUTES_MORE) * _ORDERS_A_MINUTE)
    stock = make_stock(make_draw(plan.seed, 1), sandbox, customers=plan.customers, orders=orders)
    cluster.start_aftercart()
    desks = Desks(sandbox, stock.staff, make_draw(plan.seed, 2))
    chaos = Chaos(cluster, sandbox, desks, make_draw(plan.seed, 3))
    crowd = Crowd(stock, journal, cluster.web_ports, plan.seed)

    watch = Watch(journal, sandbox)

    def has_seen_enough() -> bool:
        """Return whether enough was asked for, and went wrong, to show what there is to be shown."""
        writes = len(journal.asked_for)
        if chaos.is_aimed:
            return watch.look() or writes >= _FEWEST_WRITES
        if plan.mutation:
            faults = chaos.faults.total()
            return watch.look() or (writes >= _WRITES_OF_A_MUTATION and faults >= _FAULTS_OF_A_MUTATION)
        is_much = writes >= _FEWEST_WRITES and cluster.kills.total() >= _FEWEST_KILLS
        return is_much and count_submissions() >= FEWEST_SUBMISSIONS

    crowd.start()
    chaos.run(
        0 if plan.mutation else plan.minutes * 60,
        longest,
        wanted=frozenset() if plan.mutation else CLUSTER_POINTS - RARE_POINTS,
        is_enough=has_seen_enough,
        each_second=lambda: crowd.pace(count_waiting_jobs()),
    )
    crowd.stop()
    chaos.end()
    rest = Rest(0, {})
    if not watch.look():  # nothing makes good again what it finds: then there is nothing to wait for
        rest = quiesce(cluster, desks, longest=plan.rest_minutes * 60, hurries=plan.hurries)
    books = read_books(journal, sandbox)
    violations = watch.found or list(_check(books, cluster))
    return _make_report(plan, cluster, chaos, books, rest, violations, time.monotonic() - began)


def _drop_index(plan: Plan) -> None:
    from django.db import connection

    from tests.faults.harness.mutations import DROP_INDEX

    if plan.mutation == "drop-index":
        with connection.cursor() as cursor:
            cursor.execute(DROP_INDEX)


def _make_report(
    plan: Plan,
    cluster: Cluster,
    chaos: "Chaos",
    books: "Books",
    rest: "Rest",
    violations: "list[Violation]",
    seconds: float,
) -> "Report":
    from tests.faults.harness.report import Report, count_sorted

    journal = books.journal
    waits = sorted(
        (submission.settled_at - submission.created_at).total_seconds()
        for submission in books.submissions
        if submission.settled_at is not None
    )
    return Report(
        seed=plan.seed,
        seconds=seconds,
        submissions=len(books.submissions),
        writes=len(journal.asked_for),
        attempts=sum(len(asked.attempts) for asked in journal.asked_for),
        reads=len(journal.reads),
        answers=count_sorted(Counter(f"{asked.kind}: {asked.outcome}" for asked in journal.asked_for)),
        outcomes=count_sorted(Counter(f"{s.state} {s.cause}".strip() for s in books.submissions)),
        faults=count_sorted(chaos.faults),
        kills=count_sorted(cluster.kills),
        failpoints=dict(sorted(chaos.fired.items())),
        settle_worst=waits[-1] if waits else 0.0,
        settle_p95=waits[int(len(waits) * 0.95)] if waits else 0.0,
        rest_seconds=rest.seconds,
        left=rest.left,
        violations=violations,
    )


def _check(books: "Books", cluster: Cluster) -> "Iterator[Violation]":
    from tests.faults.harness import agreement, guarantees, money
    from tests.faults.harness.logs import check_logs

    for check in (*guarantees.CHECKS, *agreement.CHECKS, *money.CHECKS):
        yield from check(books)
    yield from check_logs(cluster.folder / "logs", books.journal, cluster.outages, cluster.deaths)
