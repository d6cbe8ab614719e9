"""What goes wrong, and when: faults of the sandbox, kills, restarts, broken connections, jumping clocks."""

import heapq
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from typing import Any

import psycopg
from django.db import DatabaseError, close_old_connections
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.upkeep import jobs
from aftercart.lib.failpoints import POINTS, Point
from tests.faults.harness.cluster import Cluster
from tests.faults.harness.program import list_children
from tests.faults.harness.sandbox_client import SandboxClient, SandboxFailed
from tests.faults.harness.staff import Desks

_TICK = 0.2
#: Injected slowness ends within the grace (see cluster.TIMES) less a dialogue: then the truth can be known.
_LONGEST = 2.0
CLUSTER_POINTS: frozenset[Point] = frozenset(
    point
    for point in POINTS
    # Nobody withdraws in a trial, and only a frozen process sends late (tests/faults/test_frozen_at_send.py).
    if not point.startswith("withdraw.") and point != "send.late"
)
#: What it takes two coincidences to come to: armed like the others, but not waited for. Every statement around them is
#: tried in tests/faults/test_every_point.py.
RARE_POINTS: frozenset[Point] = frozenset({"spare.settled", "points.booked"})
#: The longest that a process is frozen: beyond the grace, so that others act in its place meanwhile.
_LONGEST_FREEZE = 20.0
#: What freezing at the very send leaves open is shown apart (tests/faults/test_frozen_at_send.py): nothing can stop
#: a process that has looked for the last time. Here such a one goes on within the grace, as do Omnitron and its wire
#: when anything else stands still, so that what arrives late is what has been sent late.
_AT_THE_SEND: Point = "outbound.sending"
_WITHIN_GRACE = 1.0
_LONGEST_CUT = 12.0
#: Longer than anybody waits for the answer, and shorter than the grace.
_SLOW_CANCELLATION = {"call": "order_cancel", "kind": "latency", "seconds": 5, "times": 1, "skip": 0}
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

    def __init__(self, cluster: Cluster, sandbox: SandboxClient, desks: Desks, draw: random.Random) -> None:
        self._cluster, self._sandbox, self._desks, self._draw = cluster, sandbox, desks, draw
        self.faults: Counter[str] = Counter()
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._points = self._shuffle_points()
        self._next_sweep = 0.0
        self._pauses = False
        self._began_at = 0.0
        self._seen: set[str] = set()
        self._recoveries: list[threading.Timer] = []
        self._events: list[tuple[int, Callable[[], object]]] = [
            (50, self._inject),
            (20, lambda: desks.decide_there(draw.randint(1, 6))),
            (12, lambda: desks.decide_here(draw.randint(1, 2))),
            (3, self._expire_tokens),
            (2, self._jump_clock),
            (2, self._kill_web),
            (2, self._kill_web_child),
            (2, lambda: cluster.kill_program(draw.choice(cluster.of_kind("worker")))),
            (3, lambda: cluster.kill_program(cluster.get("sandbox"))),
            (3, self._break_connections),
            (1, cluster.restart_database),
            (1, self._crash_backend),
            (4, self._freeze_program),
            (2, self._freeze_sandbox),
            (1, self._freeze_database),
            (3, self._cut_omnitron),
            (1, self._cut_database),
        ]
        if cluster.has_small_disk:
            self._events.append((1, self._fill_disk))
        #: What brings a mutation's fault to light, about once a second, instead of trouble at random.
        aims: dict[str, Callable[[], object]] = {
            "skip-last-look": lambda: self._arm_point("send.marked", "freeze"),
            "early-verdict": lambda: sandbox.control("faults", _SLOW_CANCELLATION),
            "endless-lease": self._kill_who_recovers,
        }
        self._aim = aims.get(cluster.mutation)

    @property
    def is_aimed(self) -> bool:
        """Whether all trouble is what brings one mutation to light."""
        return self._aim is not None

    @property
    def fired(self) -> Counter[str]:
        """How often each failpoint has killed or frozen a process."""
        return Counter(path.name.split("-")[0] for path in (self._cluster.failpoints / "fired").iterdir())

    def run(
        self,
        seconds: float,
        longest: float,
        *,
        wanted: AbstractSet[Point],
        is_enough: Callable[[], bool],
        each_second: Callable[[], bool],
    ) -> None:
        """Make trouble for so long, then until the wanted failpoints have fired and it is enough, or too long.

        `each_second` says whether to go on with it: work that only piles up shows nothing new.
        """
        began = time.monotonic()
        weights = [weight for weight, _ in self._events]
        while (passed := time.monotonic() - began) < longest:
            missing = wanted - set(self.fired)
            if passed > seconds and not missing and is_enough():
                break
            if passed > seconds and "recover.enqueuing" in missing:
                self._try(_lose_emails)
            self._arm(missing if passed > seconds else frozenset())
            self._do_what_is_due(each_second)
            if self._aim is None and not self._pauses and self._draw.random() < 0.8 * _TICK / 0.25:
                self._try(self._draw.choices(self._events, weights)[0][1])
            self._cluster.revive()
            time.sleep(_TICK)

    def end(self) -> None:
        """Let nothing go wrong any more."""
        for path in (self._cluster.failpoints / "armed").iterdir():
            path.unlink(missing_ok=True)
        self._thaw_struck()
        for recovery in self._recoveries:
            recovery.join()
        self._cluster.revive()
        self._cluster.wait_for_sandbox()
        self._sweep(everything=True)
        self._sandbox.control("clock", {"offset_seconds": 0})

    def _try(self, event: Callable[[], object]) -> None:
        """Do something that may itself fall victim to the chaos."""
        self._began_at = time.time()  # it works from now on, however long a busy machine takes for it
        close_old_connections()
        try:
            event()
        except (SandboxFailed, DatabaseError, psycopg.Error):
            self.faults["(an event met another)"] += 1
        finally:
            close_old_connections()

    def _do_what_is_due(self, each_second: Callable[[], bool]) -> None:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            self._try(heapq.heappop(self._later)[2])
        if now > self._next_sweep:
            self._try(lambda: self._pause(is_wanted=not each_second()))
            self._try(self._sweep)
            if self._aim is not None and not self._pauses:
                self._try(self._aim)
                self._try(lambda: self._desks.decide_here(1))
            self._next_sweep = now + 1

    def _pause(self, *, is_wanted: bool) -> None:
        self._pauses = is_wanted

    def _do_later(self, seconds: float, action: Callable[[], object]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), action))

    def _recover_after(self, seconds: float, action: Callable[[], object]) -> None:
        """Undo something in time, from a thread of its own: this one may be waiting for what stands still.

        Until then, however late a busy machine comes to it, requests may be answered 503: that is noted as an outage.
        """
        began_at = self._began_at

        def recover() -> None:
            action()
            self._cluster.outages.append((began_at - 1, time.time() + 1))

        recovery = threading.Timer(seconds, recover)
        recovery.start()
        self._recoveries.append(recovery)

    # --- failpoints

    def _shuffle_points(self) -> list[Point]:
        return self._draw.sample(sorted(CLUSTER_POINTS), len(CLUSTER_POINTS))

    def _arm(self, missing: Collection[Point]) -> None:
        """Keep a few points armed; each kills one process, and then comes the next. All that are missing are."""
        armed = self._cluster.failpoints / "armed"
        self._thaw_struck()
        if self._aim is not None:
            return
        if missing:
            for point in missing:
                (armed / point).touch()
            return
        count = sum(1 for _ in armed.iterdir())
        while count < _MOST_ARMED and self._points:
            word = self._draw.choice(("", "", "freeze"))
            (armed / self._points.pop()).write_text(word)
            count += 1
        if not self._points and count == 0:
            self._points = self._shuffle_points()

    def _arm_point(self, point: Point, word: str = "") -> None:
        (self._cluster.failpoints / "armed" / point).write_text(word)

    def _kill_who_recovers(self) -> None:
        """Kill who holds the lease of the recovery, and others, so that there is something to recover."""
        for point in ("recover.settling", self._draw.choice(("prepare.committed", "send.marked"))):
            self._arm_point(point)

    def _thaw_struck(self) -> None:
        """Let go on, later, who has been frozen at a point since the last look."""
        for path in (self._cluster.failpoints / "fired").glob("*"):
            if path.name in self._seen:
                continue
            self._seen.add(path.name)
            if path.read_text() == "freeze":
                point, _, rest = path.name.partition("-")
                self._cluster.kills[f"frozen at {point}"] += 1
                longest = _WITHIN_GRACE if point == _AT_THE_SEND else _LONGEST_FREEZE
                self._freeze([int(rest.partition("-")[0])], longest)

    # --- the sandbox

    def _inject(self) -> None:
        live = self._sandbox.show("faults")["count"]
        if live < _MOST_FAULTS:
            self._sandbox.control("faults", self._choose_fault())

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
        """Count and remove the faults that have struck: the sandbox looks at each of them at every call."""
        for row in self._sandbox.show("faults")["results"]:
            if everything or row["left"] == 0:
                self._sandbox.delete("faults", id=row["id"])
                kind = f"{row['kind']} {row['status']}" if "status" in row["kind"] else row["kind"]
                self.faults[kind] += row["used"]

    def _expire_tokens(self) -> None:
        self._sandbox.control("expire_tokens", {})
        self.faults["tokens expired"] += 1

    def _jump_clock(self) -> None:
        seconds = self._draw.choice((-1, 1)) * self._draw.randint(30, 600)
        self._sandbox.control("clock", {"offset_seconds": seconds})
        self.faults["clock jumps"] += 1
        self._do_later(
            self._draw.uniform(1, 5), lambda: self._sandbox.control("clock", {"offset_seconds": 0})
        )

    # --- processes and connections

    def _kill_web(self) -> None:
        self._cluster.kill_program(self._draw.choice(self._cluster.of_kind("web")))

    def _kill_web_child(self) -> None:
        if self._draw.choice(self._cluster.of_kind("web")).kill_child():
            self._cluster.kills["web: child kill -9"] += 1

    # --- what stands still, and what is cut off

    def _freeze(self, pids: list[int], longest: float) -> None:
        """Freeze processes for a while."""
        seconds = self._draw.uniform(0.5, longest)
        stopped = self._cluster.freeze(pids)
        self._recover_after(seconds, lambda: self._cluster.thaw(stopped))

    def _freeze_program(self) -> None:
        """Freeze a web server or worker: its children, the process that watches them, or both."""
        program = self._draw.choice([*self._cluster.of_kind("web"), *self._cluster.of_kind("worker")])
        family = [program.pid, *list_children(program.pid)]
        self._cluster.kills[f"{program.kind}: frozen"] += 1
        self._freeze(self._draw.choice((family, family[:1], family[1:] or family)), _LONGEST_FREEZE)

    def _freeze_sandbox(self) -> None:
        self._cluster.kills["sandbox: frozen"] += 1
        self._freeze([self._cluster.get("sandbox").pid], _LONGEST)

    def _freeze_database(self) -> None:
        """Freeze PostgreSQL with all of its processes."""
        self._cluster.kills["postgres: frozen"] += 1
        seconds = self._draw.uniform(0.5, _LONGEST_CUT)
        pids = self._cluster.freeze(self._cluster.list_database_pids())
        self._recover_after(seconds, lambda: self._cluster.thaw(pids))

    def _cut_omnitron(self) -> None:
        """Cut the wire to Omnitron; for longer than the grace only where no frozen process holds what it has sent."""
        if "omnitron" in self._cluster.cut:
            return
        longest = _LONGEST_CUT if self._cluster.is_calm else _WITHIN_GRACE
        self._draw.choice((self._cluster.cut_wire, self._cluster.hold_wire))("omnitron")
        self._recover_after(self._draw.uniform(0.5, longest), lambda: self._cluster.heal_wire("omnitron"))

    def _cut_database(self) -> None:
        if "database" in self._cluster.cut:
            return
        seconds = self._draw.uniform(0.5, _LONGEST_CUT)
        self._cluster.cut_wire("database")
        self._recover_after(seconds, lambda: self._cluster.heal_wire("database"))

    def _fill_disk(self) -> None:
        """Fill the database's disk to its last byte, for some seconds."""
        seconds = self._draw.uniform(1, 6)
        self._cluster.fill_disk()
        self._recover_after(seconds, self._cluster.free_disk)

    def _list_backends(self, connection: psycopg.Connection[Any]) -> list[int]:
        query = "SELECT pid FROM pg_stat_activity WHERE application_name ~ '^(web|worker)' ORDER BY pid"
        return [pid for (pid,) in connection.execute(query).fetchall()]

    def _break_connections(self) -> None:
        with psycopg.connect(self._cluster.database_url, autocommit=True) as connection:
            backends = self._list_backends(connection)
            chosen = self._draw.sample(backends, min(len(backends), self._draw.randint(1, 6)))
            for pid in chosen:
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        self._cluster.kills["connections broken"] += len(chosen)
        self._cluster.outages.append((self._began_at - 1, time.time() + 1))

    def _crash_backend(self) -> None:
        with psycopg.connect(self._cluster.database_url, autocommit=True) as connection:
            backends = self._list_backends(connection)
        if backends:
            self._cluster.crash_backend(self._draw.choice(backends))
