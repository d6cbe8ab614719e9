"""What goes wrong, and when: faults of the stand-in, kills, restarts, broken connections, jumping clocks."""

import heapq
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from typing import Any

import psycopg
from django.db import DatabaseError, close_old_connections
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions import jobs
from aftercart.lib.failpoints import POINTS, Point
from tests.faults.harness.staff import Desks
from tests.faults.harness.standin import StandIn, StandInFailed
from tests.faults.harness.town import Town

_TICK = 0.2
#: Injected slowness ends within the grace (see town.TIMES) less a dialogue: then the truth can be known.
_LONGEST = 2.9
TOWN_POINTS: frozenset[Point] = frozenset(
    point
    for point in POINTS
    # Nobody withdraws in a trial, and only a frozen process sends late (tests/faults/test_frozen_at_send.py).
    if not point.startswith("withdraw.") and point != "send.late"
)
_MOST_FAULTS = 10
_MOST_ARMED = 6
_CALLS = (
    "order_cancel order_cancel order_cancel order_cancel order_cancel order_cancel order_cancel "
    "request_create request_create request_create address_change address_change address_change "
    "orders_list order_items integration_actions login request_reject requests_list request_read "
    "orders_updates requests_updates * * * *"
).split()
#: The calls that business rules can refuse.
_REFUSABLE = ("order_cancel", "request_create", "address_change")
_HTML = {"content_type": "text/html", "body": "<html><body><h1>Bad Gateway</h1></body></html>"}


def _lose_emails() -> None:
    """Lose the jobs of e-mails that wait: their rows are there, and get new ones."""
    ProcrastinateJob.objects.filter(task_name=jobs.SEND_EMAIL, status="todo")._raw_delete("default")


class Chaos:
    """Makes things go wrong, from a seed."""

    def __init__(self, town: Town, standin: StandIn, desks: Desks, draw: random.Random) -> None:
        self._town, self._standin, self._desks, self._draw = town, standin, desks, draw
        self.faults: Counter[str] = Counter()
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._points = self._shuffle_points()
        self._next_sweep = 0.0
        self._events: list[tuple[int, Callable[[], object]]] = [
            (50, self._inject),
            (20, lambda: desks.decide_there(draw.randint(1, 6))),
            (12, lambda: desks.decide_here(draw.randint(1, 2))),
            (3, self._expire_tokens),
            (2, self._jump_clock),
            (2, self._kill_web),
            (2, self._kill_web_child),
            (2, lambda: town.kill_program(draw.choice(town.of_kind("worker")))),
            (3, lambda: town.kill_program(town.get("sandbox"))),
            (3, self._break_connections),
            (1, town.restart_database),
            (1, self._crash_backend),
        ]

    @property
    def fired(self) -> Counter[str]:
        """How often each failpoint has killed a process."""
        return Counter(path.name.split("-")[0] for path in (self._town.failpoints / "fired").iterdir())

    def run(
        self, seconds: float, longest: float, *, wanted: AbstractSet[Point], is_enough: Callable[[], bool]
    ) -> None:
        """Make trouble for so long, then until the wanted failpoints have fired and it is enough, or too long."""
        began = time.monotonic()
        weights = [weight for weight, _ in self._events]
        while (passed := time.monotonic() - began) < longest:
            missing = wanted - set(self.fired)
            if passed > seconds and not missing and is_enough():
                break
            if passed > seconds and "recover.enqueuing" in missing:
                self._try(_lose_emails)
            self._arm(missing if passed > seconds else frozenset())
            self._do_what_is_due()
            if self._draw.random() < 0.8 * _TICK / 0.25:
                self._try(self._draw.choices(self._events, weights)[0][1])
            self._town.revive()
            time.sleep(_TICK)

    def end(self) -> None:
        """Let nothing go wrong any more."""
        for path in (self._town.failpoints / "armed").iterdir():
            path.unlink(missing_ok=True)
        self._town.revive()
        self._town.wait_for_sandbox()
        self._sweep(everything=True)
        self._standin.control("clock", {"offset_seconds": 0})

    def _try(self, event: Callable[[], object]) -> None:
        """Do something that may itself fall victim to the chaos."""
        close_old_connections()
        try:
            event()
        except (StandInFailed, DatabaseError, psycopg.Error):
            self.faults["(an event met another)"] += 1
        finally:
            close_old_connections()

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            self._try(heapq.heappop(self._later)[2])
        if now > self._next_sweep:
            self._try(self._sweep)
            self._next_sweep = now + 1

    def _do_later(self, seconds: float, action: Callable[[], object]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), action))

    # --- failpoints

    def _shuffle_points(self) -> list[Point]:
        return self._draw.sample(sorted(TOWN_POINTS), len(TOWN_POINTS))

    def _arm(self, missing: Collection[Point]) -> None:
        """Keep a few points armed; each kills one process, and then comes the next. All that are missing are."""
        armed = self._town.failpoints / "armed"
        if missing:
            for point in missing:
                (armed / point).touch()
            return
        count = sum(1 for _ in armed.iterdir())
        while count < _MOST_ARMED and self._points:
            (armed / self._points.pop()).touch()
            count += 1
        if not self._points and count == 0:
            self._points = self._shuffle_points()

    # --- the stand-in

    def _inject(self) -> None:
        live = self._standin.show("faults")["count"]
        if live < _MOST_FAULTS:
            self._standin.control("faults", self._choose_fault())

    def _choose_fault(self) -> dict[str, Any]:
        draw = self._draw
        call, seconds = draw.choice(_CALLS), round(draw.uniform(0.2, _LONGEST), 2)
        fault: dict[str, Any] = draw.choice(
            (
                {"kind": "drop_before"},
                {"kind": "drop_after"},
                {"kind": "latency", "seconds": seconds},
                {"kind": "latency", "seconds": seconds, "after": True},
                {"kind": "hang"},
                {"kind": "status", "status": draw.choice((500, 502, 503)), **_HTML},
                {"kind": "status_after", "status": draw.choice((500, 502, 504)), **_HTML},
                {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
                {"kind": "status", "status": 406, "body": {"non_field_errors": ["No."], "code": "no"}},
                {"kind": "malformed"},
                {"kind": "trickle", "seconds": seconds},
            )
        )
        if fault.get("status") == 406:
            call = draw.choice(_REFUSABLE)
        times = draw.choice((1, 1, 2, 3, 8))
        return {"call": call, "times": times, "skip": draw.choice((0, 0, 1, 3)), **fault}

    def _sweep(self, *, everything: bool = False) -> None:
        """Count and remove the faults that have struck: the stand-in looks at each of them at every call."""
        for row in self._standin.show("faults")["results"]:
            if everything or row["left"] == 0:
                self._standin.delete("faults", id=row["id"])
                kind = f"{row['kind']} {row['status']}" if "status" in row["kind"] else row["kind"]
                self.faults[kind] += row["used"]

    def _expire_tokens(self) -> None:
        self._standin.control("expire_tokens", {})
        self.faults["tokens expired"] += 1

    def _jump_clock(self) -> None:
        seconds = self._draw.choice((-1, 1)) * self._draw.randint(30, 600)
        self._standin.control("clock", {"offset_seconds": seconds})
        self.faults["clock jumps"] += 1
        self._do_later(
            self._draw.uniform(1, 5), lambda: self._standin.control("clock", {"offset_seconds": 0})
        )

    # --- processes and connections

    def _kill_web(self) -> None:
        self._town.kill_program(self._draw.choice(self._town.of_kind("web")))

    def _kill_web_child(self) -> None:
        if self._draw.choice(self._town.of_kind("web")).kill_child():
            self._town.kills["web: child kill -9"] += 1

    def _list_backends(self, connection: psycopg.Connection[Any]) -> list[int]:
        query = "SELECT pid FROM pg_stat_activity WHERE application_name ~ '^(web|worker)' ORDER BY pid"
        return [pid for (pid,) in connection.execute(query).fetchall()]

    def _break_connections(self) -> None:
        with psycopg.connect(self._town.database_url, autocommit=True) as connection:
            backends = self._list_backends(connection)
            chosen = self._draw.sample(backends, min(len(backends), self._draw.randint(1, 6)))
            for pid in chosen:
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        self._town.kills["connections broken"] += len(chosen)
        self._town.outages.append((time.time() - 1, time.time() + 1))

    def _crash_backend(self) -> None:
        with psycopg.connect(self._town.database_url, autocommit=True) as connection:
            backends = self._list_backends(connection)
        if backends:
            self._town.crash_backend(self._draw.choice(backends))
