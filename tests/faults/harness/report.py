"""What a trial found, as a table for people and as JSON for the test."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.faults.harness.books import Violation

_MOST_SHOWN = 40


@dataclass(slots=True)
class Report:
    """The result of one trial. Durations are in seconds."""

    seed: int
    seconds: float = 0.0
    submissions: int = 0
    writes: int = 0
    attempts: int = 0
    reads: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=dict)
    failpoints: dict[str, int] = field(default_factory=dict)
    settle_worst: float = 0.0
    settle_p95: float = 0.0
    rest_seconds: float = 0.0
    left: dict[str, int] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Write it for a program."""
        return {**asdict(self), "violations": [str(violation) for violation in self.violations]}

    def show(self, console: Console) -> None:
        """Print the table, and every violation (of many of one kind, the first)."""
        table = Table(title=f"Trial with seed {self.seed}, {self.seconds:.0f} s", show_header=False)
        table.add_column(style="bold")
        table.add_column(justify="right")
        for name, rows in self._list_sections():
            table.add_section()
            table.add_row(name, "")
            for what, count in rows.items():
                table.add_row(f"  {what}", f"{count:,}" if isinstance(count, int) else f"{count:.1f} s")
        console.print(table)
        for violation in self.violations[:_MOST_SHOWN]:
            console.print(
                f"VIOLATION {violation}", style="red", markup=False, highlight=False, soft_wrap=True
            )
        if len(self.violations) > _MOST_SHOWN:
            console.print(f"… and {len(self.violations) - _MOST_SHOWN} more violations", style="red")

    def _list_sections(self) -> list[tuple[str, dict[str, int] | dict[str, float]]]:
        kinds = Counter(violation.check for violation in self.violations)
        work = {"writes": self.writes, "sendings": self.attempts, "reads": self.reads}
        times = {"worst": self.settle_worst, "95 %": self.settle_p95, "rest after": self.rest_seconds}
        return [
            ("customers", work),
            ("their answers", self.answers),
            (f"submissions: {self.submissions:,}", self.outcomes),
            (f"faults: {sum(self.faults.values()):,}", self.faults),
            (f"kills: {sum(self.kills.values()) + sum(self.failpoints.values()):,}", self.kills),
            ("killed at failpoints", self.failpoints),
            ("time to settle", times),
            ("still under way", self.left),
            (f"violations: {len(self.violations):,}", dict(kinds)),
        ]


def count_sorted(counter: Counter[str]) -> dict[str, int]:
    """Give a counter with its largest numbers first."""
    return dict(counter.most_common())
