"""What a run of bench/cancellations.py has measured: as text, and as a section of docs/benchmarks.md."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.machine import describe_machine, write_section

MOST_CALLS: Final = 3
MOST_ROUND_TRIPS: Final = 3.5
#: By the number of items.
MOST_STATEMENTS: Final = {1: 20, 5: 25}
TRANSACTIONS: Final = 3
RATE: Final = 100
MOST_GROWTH: Final = 2.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Many cancellations: seconds until all were answered and all jobs done; milliseconds each of them took."""

    count: int
    direct: int
    answered: float
    done: float
    waits: Sequence[float]
    cpu: Mapping[str, float]

    @property
    def rate(self) -> float:
        """How many a second the whole machine does, the worker's part included."""
        return self.count / self.done


@dataclass(frozen=True, slots=True)
class Room:
    """Many customers at once: what they were answered, and readers' p99 alone and beside them, in milliseconds."""

    customers: int
    statuses: Sequence[int]
    waits: Sequence[float]
    distance: float
    alone: float
    beside: float

    @property
    def direct(self) -> int:
        """How many went the direct way."""
        return sum(status == 204 for status in self.statuses)

    @property
    def growth(self) -> float:
        """How many times the readers' p99 is what it was without them."""
        return self.beside / self.alone


@dataclass(frozen=True, slots=True)
class Report:
    """All of a run. `wait` and `distance` (of a call, and of a connection) in milliseconds."""

    calls: Sequence[str]
    connections: int
    wait: float
    distance: float
    statements: Mapping[int, Sequence[int]]
    cost: Cost
    room: Room

    @property
    def round_trips(self) -> float:
        """How many round trips a customer waits."""
        return self.wait / self.distance

    def list_missed(self, slack: float = 1) -> list[str]:
        """List the targets of which not even this part was reached."""
        found = [
            ("calls", len(self.calls), MOST_CALLS),
            ("round trips", self.round_trips, MOST_ROUND_TRIPS),
            *(
                (f"statements for {count} items", sum(self.statements[count]), most)
                for count, most in MOST_STATEMENTS.items()
            ),
            *(
                (f"transactions for {count} items", len(self.statements[count]), TRANSACTIONS)
                for count in MOST_STATEMENTS
            ),
            ("readers' p99, compared", self.room.growth, MOST_GROWTH),
        ]
        missed = [
            f"{name}: {value:.1f}, wanted at most {most}"
            for name, value, most in found
            if value * slack > most
        ]
        if self.cost.rate < RATE * slack:
            missed.append(f"rate: {self.cost.rate:.0f} a second, wanted {RATE}")
        if self.room.direct < len(self.room.statuses):
            missed.append(
                f"{len(self.room.statuses) - self.room.direct} fell back with {self.room.customers} at once"
            )
        return missed

    def describe(self) -> str:
        """Write it as the section of a document."""
        cost, room = self.cost, self.room
        statements = "; ".join(
            f"{count} item{'s' * (count > 1)}: {sum(each)} ({' + '.join(map(str, each))})"
            for count, each in self.statements.items()
        )
        rows = [
            ("calls of one direct cancellation", f"{len(self.calls)}: {', '.join(self.calls)}"),
            ("connections that it opens", str(self.connections)),
            (
                f"a customer's wait, Omnitron {self.distance:.0f} ms away",
                f"{self.wait:.0f} ms = {self.round_trips:.1f} round trips",
            ),
            ("statements in the transactions", statements),
            (
                f"cancellations a second, {cost.count} by 8 clients, jobs included",
                f"{cost.rate:.1f} (answered: {cost.count / cost.answered:.1f})",
            ),
            ("their wait", _describe_waits(cost.waits)),
            (
                "processor's time of one, by process",
                ", ".join(f"{name} {value:.1f} ms" for name, value in cost.cpu.items()),
            ),
            (
                f"{room.customers} customers at once, Omnitron {room.distance:.0f} ms a call",
                f"{room.direct} of {len(room.statuses)} the direct way; {_describe_waits(room.waits)}",
            ),
            (
                "readers' p99 beside them",
                f"{room.beside:.1f} ms, {room.growth:.1f} times that alone ({room.alone:.1f} ms)",
            ),
        ]
        missed = self.list_missed()
        verdict = "\n".join(f"- {line}" for line in missed)
        return "\n".join([
            "| what | measured |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows),
            "", f"Missed:\n\n{verdict}" if missed else "Every target was met.", "", describe_machine(),
        ])  # fmt: skip


def _describe_waits(waits: Sequence[float]) -> str:
    cuts = statistics.quantiles(waits, n=100)
    return f"p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms"


def write_report(report: Report) -> None:
    """Write the section of docs/benchmarks.md between its marks."""
    write_section("cancellations", report.describe())
