"""What a run has measured: as text, as a section of docs/benchmarks.md, as charts."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.load import Measured
from bench.machine import DOCUMENT, describe_machine, write_section

_CHART: Final = DOCUMENT.with_name("benchmarks-reads.svg")

NAMES: Final = {
    "bare": "bare: one statement, bytes out",
    "usual": "Django REST framework, the usual way",
    "detail": "an order as JSON",
    "signed": "a signed order as JSON",
    "unchanged": "an order that has not changed (304)",
    "list": "a list of ten orders as JSON",
    "detail_html": "an order's page",
    "signed_html": "a signed order's page",
    "health": "`/healthz`",
}
#: Which yardstick each is held to, and how many times of it are wanted.
TARGETS: Final = (
    ("detail", "bare", 0.5),
    ("signed", "bare", 0.5),
    ("detail", "usual", 20.0),
    ("signed", "usual", 20.0),
    ("unchanged", "bare", 0.6),
    ("list", "usual", 10.0),
    ("detail_html", "usual", 4.0),
    ("signed_html", "usual", 4.0),
)
_MOST_P99: Final = 5.0
_MOST_MEMORY: Final = 130.0
_TAILS: Final = ("detail", "signed", "unchanged", "list", "detail_html", "signed_html")


@dataclass(frozen=True, slots=True)
class Report:
    """Rounds by what was asked for; bytes of the document; MB of the web process."""

    results: Mapping[str, Sequence[Measured]]
    size: int
    memory: float

    def ratios(self, name: str, yardstick: str, kind: str = "rate") -> list[float]:
        """Return the ratio of each round, in order of size: of answers a second, or of what one costs (`cost`)."""
        pairs = zip(self.results[name], self.results[yardstick], strict=True)
        if kind == "cost":
            return sorted(theirs.cost / ours.cost for ours, theirs in pairs)
        return sorted(ours.per_second / theirs.per_second for ours, theirs in pairs)

    def ratio(self, name: str, yardstick: str, kind: str = "rate") -> float:
        """Return the median of the rounds' ratios."""
        return statistics.median(self.ratios(name, yardstick, kind))

    def tail(self, name: str) -> float:
        """Return how many times the p50 the p99 is, in the median of the rounds."""
        return statistics.median(each.p99 / each.p50 for each in self.results[name])

    def list_missed(self, slack: float = 1) -> list[str]:
        """List the targets that were missed; with a slack below 1, those of which not even this part was reached."""
        missed = [
            f"{NAMES[name]}: {self.ratio(name, yardstick):.2f} times {yardstick}, wanted {wanted}"
            for name, yardstick, wanted in TARGETS
            if self.ratio(name, yardstick) < wanted * slack
        ]
        missed += [
            f"{NAMES[name]}: the p99 is {self.tail(name):.1f} times the p50, wanted at most {_MOST_P99:.0f}"
            for name in _TAILS
            if self.tail(name) * slack > _MOST_P99
        ]
        if self.memory > _MOST_MEMORY:
            missed.append(f"memory: {self.memory:.0f} MB, wanted at most {_MOST_MEMORY:.0f}")
        return missed

    def describe(self) -> str:
        """Write it as the section of a document."""
        rows = [
            "| what | answers a second | p50 | p99 | processors' time of one | times usual | times bare |",
            "|---|---|---|---|---|---|---|",
            *(self._describe_row(name) for name in NAMES),
        ]
        missed = self.list_missed()
        verdict = "\n".join(f"- {line}" for line in missed) if missed else "Every target was met."
        return "\n".join([
            *rows, "", f"Document: {self.size / 1000:.1f} kB. Web process: {self.memory:.0f} MB.",
            "", f"Missed:\n\n{verdict}" if missed else verdict, "", describe_machine(),
        ])  # fmt: skip

    def _describe_row(self, name: str) -> str:
        found = self.results[name]
        speed, p50, p99, cost = (
            statistics.median(getattr(each, field) for each in found)
            for field in ("per_second", "p50", "p99", "cost")
        )
        usual, bare = (describe_spread(self.ratios(name, yardstick)) for yardstick in ("usual", "bare"))
        numbers = f"{speed:,.0f} | {p50:.1f} ms | {p99:.1f} ms | {cost:.2f} ms"
        return f"| {NAMES[name]} | {numbers} | {usual} | {bare} |"


def describe_spread(ratios: Sequence[float]) -> str:
    """Write the median of ratios in order of size, and in brackets the lowest and the highest."""
    middle = statistics.median(ratios)
    digits = 2 if middle < 10 else 0
    return f"{middle:.{digits}f} ({ratios[0]:.{digits}f}-{ratios[-1]:.{digits}f})"


def write_report(report: Report) -> None:
    """Write the section of docs/benchmarks.md between its marks, and the chart beside it."""
    write_section("reads", report.describe())
    _CHART.write_text(draw_chart(report))


def draw_chart(report: Report) -> str:
    """Draw how many times the usual way each is, as bars on a logarithmic scale."""
    import math

    names = [name for name in NAMES if name != "health"]
    values = {name: report.ratio(name, "usual") for name in names}
    top = max(values.values())
    bars = []
    for row, name in enumerate(names):
        width = max(4.0, 380 * math.log10(max(values[name], 1.0)) / math.log10(max(top, 10.0)))
        y, colour = 34 + row * 30, "#8a8f98" if name in {"bare", "usual"} else "#0d5c4c"
        bars.append(
            f'<text x="270" y="{y + 14}" text-anchor="end">{NAMES[name].replace("`", "")}</text>'
            f'<rect x="280" y="{y}" width="{width:.0f}" height="20" rx="3" fill="{colour}"/>'
            f'<text x="{288 + width:.0f}" y="{y + 14}">{values[name]:.1f}</text>'
        )
    height = 44 + 30 * len(names)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 {height}" font-family="sans-serif" font-size="13"'
        ' fill="#22262b"><rect width="100%" height="100%" fill="#ffffff"/>'
        '<text x="16" y="20" font-weight="bold">Answers a second, in times of the usual way (logarithmic)</text>'
        f"{''.join(bars)}</svg>\n"
    )
