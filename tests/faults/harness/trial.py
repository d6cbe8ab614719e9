"""One trial from start to end: set up, let customers and chaos loose, wait, check the books."""

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.harness.town import Town

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.harness.books import Books, Violation
    from tests.faults.harness.chaos import Chaos
    from tests.faults.harness.quiesce import Rest
    from tests.faults.harness.report import Report

#: Beyond the time that was asked for: until enough has happened, however busy the machine is.
_LONGEST_MORE = 900.0
#: What a trial lasts at least for, besides its time: writes and kills; for a mutation, writes and faults.
_FEWEST_WRITES, _FEWEST_KILLS = 250, 8
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
    town = Town(folder, ports, plan.mutation)
    try:
        town.start_database()
        os.environ.update(town.make_environment("harness"))
        _set_up_django()
        return _run(plan, town)
    finally:
        town.stop()


def _set_up_django() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


def _run(plan: Plan, town: Town) -> "Report":
    from tests.faults.harness.books import read_books
    from tests.faults.harness.chaos import RARE_POINTS, TOWN_POINTS, Chaos
    from tests.faults.harness.customers import Crowd, Journal, make_draw
    from tests.faults.harness.quiesce import Rest, count_waiting_jobs, quiesce
    from tests.faults.harness.staff import Desks
    from tests.faults.harness.standin import StandIn
    from tests.faults.harness.stock import make_stock
    from tests.faults.harness.watch import Watch

    began = time.monotonic()
    _drop_index(plan)
    town.start_sandbox()
    town.start_wires()
    standin, journal = StandIn(town.sandbox_port), Journal()
    longest = plan.minutes * 60 + _LONGEST_MORE
    orders = round((plan.minutes + _MINUTES_MORE) * _ORDERS_A_MINUTE)
    stock = make_stock(make_draw(plan.seed, 1), standin, customers=plan.customers, orders=orders)
    town.start_aftercart()
    desks = Desks(standin, stock.staff, make_draw(plan.seed, 2))
    chaos = Chaos(town, standin, desks, make_draw(plan.seed, 3))
    crowd = Crowd(stock, journal, town.web_ports, plan.seed)

    watch = Watch(journal, standin)

    def has_seen_enough() -> bool:
        """Return whether enough was asked for, and went wrong, to show what there is to be shown."""
        writes = len(journal.wishes)
        if chaos.is_aimed:
            return watch.look() or writes >= _FEWEST_WRITES
        if plan.mutation:
            faults = chaos.faults.total()
            return watch.look() or (writes >= _WRITES_OF_A_MUTATION and faults >= _FAULTS_OF_A_MUTATION)
        return writes >= _FEWEST_WRITES and town.kills.total() >= _FEWEST_KILLS

    crowd.start()
    chaos.run(
        0 if plan.mutation else plan.minutes * 60,
        longest,
        wanted=frozenset() if plan.mutation else TOWN_POINTS - RARE_POINTS,
        is_enough=has_seen_enough,
        each_second=lambda: crowd.pace(count_waiting_jobs()),
    )
    crowd.stop()
    chaos.end()
    rest = Rest(0, {})
    if not watch.look():  # nothing makes good again what it finds: then there is nothing to wait for
        rest = quiesce(town, desks, longest=plan.rest_minutes * 60, hurries=plan.hurries)
    books = read_books(journal, standin)
    violations = watch.found or list(_check(books, town))
    return _make_report(plan, town, chaos, books, rest, violations, time.monotonic() - began)


def _drop_index(plan: Plan) -> None:
    from django.db import connection

    from tests.faults.harness.mutations import DROP_INDEX

    if plan.mutation == "drop-index":
        with connection.cursor() as cursor:
            cursor.execute(DROP_INDEX)


def _make_report(
    plan: Plan,
    town: Town,
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
        writes=len(journal.wishes),
        attempts=sum(len(wish.attempts) for wish in journal.wishes),
        reads=len(journal.reads),
        answers=count_sorted(Counter(f"{wish.kind}: {wish.outcome}" for wish in journal.wishes)),
        outcomes=count_sorted(Counter(f"{s.state} {s.cause}".strip() for s in books.submissions)),
        faults=count_sorted(chaos.faults),
        kills=count_sorted(town.kills),
        failpoints=dict(sorted(chaos.fired.items())),
        settle_worst=waits[-1] if waits else 0.0,
        settle_p95=waits[int(len(waits) * 0.95)] if waits else 0.0,
        rest_seconds=rest.seconds,
        left=rest.left,
        violations=violations,
    )


def _check(books: "Books", town: Town) -> "Iterator[Violation]":
    from tests.faults.harness import agreement, money, promises
    from tests.faults.harness.logs import check_logs

    for check in (*promises.CHECKS, *agreement.CHECKS, *money.CHECKS):
        yield from check(books)
    yield from check_logs(town.folder / "logs", books.journal, town.outages, town.deaths)
