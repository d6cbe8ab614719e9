"""What bench/growth.py has measured: as text, as a section of docs/benchmarks.md, as a chart."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.machine import DOCUMENT, describe_machine, write_section

_CHART: Final = DOCUMENT.with_name("benchmarks-growth.svg")
_MOST: Final = 1.3


@dataclass(frozen=True, slots=True)
class Report:
    """Milliseconds of each answer, by what was asked, by how many orders there are, by round."""

    sizes: Sequence[int]
    results: Mapping[str, Mapping[int, Sequence[Sequence[float]]]]

    def ratio(self, name: str, size: int) -> float:
        """Return how many times as long as with the fewest orders it takes: the p50, in the median of the rounds."""
        of_name = self.results[name]
        pairs = zip(of_name[size], of_name[self.sizes[0]], strict=True)
        return statistics.median(
            statistics.median(large) / statistics.median(small) for large, small in pairs
        )

    def list_missed(self, slack: float = 1) -> list[str]:
        """List what takes longer than allowed, by more than the slack."""
        return [
            f"{name}, {size:,} orders: {self.ratio(name, size):.2f} times as long, wanted at most {_MOST}"
            for name in self.results
            for size in self.sizes[1:]
            if self.ratio(name, size) > _MOST * slack
        ]

    def describe(self) -> str:
        """Write it as the section of a document."""
        head = "".join(f" {size:,} orders: p50, p99 | times as long |" for size in self.sizes[1:])
        rows = [
            f"| what | {self.sizes[0]:,} orders: p50, p99 |{head}",
            "|---|---|" + "---|---|" * (len(self.sizes) - 1),
            *(self._describe_row(name) for name in self.results),
        ]
        missed = self.list_missed()
        verdict = (
            "Missed:\n\n" + "\n".join(f"- {line}" for line in missed)
            if missed
            else f"Nothing takes more than {_MOST} times as long."
        )
        return "\n".join([*rows, "", verdict, "", describe_machine()])

    def _describe_row(self, name: str) -> str:
        cells = [self._describe_times(name, self.sizes[0])]
        for size in self.sizes[1:]:
            cells += [self._describe_times(name, size), f"{self.ratio(name, size):.2f}"]
        return f"| {name} | {' | '.join(cells)} |"

    def _describe_times(self, name: str, size: int) -> str:
        found = sorted(each for one_round in self.results[name][size] for each in one_round)
        return f"{statistics.median(found):.1f} ms, {found[int(len(found) * 0.99)]:.1f} ms"


def write_report(report: Report) -> None:
    """Write the section of docs/benchmarks.md between its marks, and the chart beside it."""
    write_section("growth", report.describe())
    _CHART.write_text(draw_chart(report))


def draw_chart(report: Report) -> str:
    """Draw how many times as long each takes with the most orders, as bars, with the target as a line."""
    largest = report.sizes[-1]
    scale = 180
    bars = []
    for row, name in enumerate(report.results):
        ratio = report.ratio(name, largest)
        y, width = 40 + row * 26, min(ratio, 2.4) * scale
        colour = "#0d5c4c" if ratio <= _MOST else "#a3361f"
        bars.append(
            f'<text x="240" y="{y + 13}" text-anchor="end">{name}</text>'
            f'<rect x="250" y="{y}" width="{width:.0f}" height="18" rx="3" fill="{colour}"/>'
            f'<text x="{258 + width:.0f}" y="{y + 13}">{ratio:.2f}</text>'
        )
    height, line = 52 + 26 * len(report.results), 250 + _MOST * scale
    title = f"{largest:,} orders: times as long as with {report.sizes[0]:,} (line: {_MOST})"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 {height}" font-family="sans-serif" font-size="13"'
        ' fill="#22262b"><rect width="100%" height="100%" fill="#ffffff"/>'
        f'<text x="16" y="20" font-weight="bold">{title}</text>{"".join(bars)}'
        f'<line x1="{line:.0f}" y1="32" x2="{line:.0f}" y2="{height - 8}" stroke="#8a8f98" stroke-dasharray="4 3"/>'
        "</svg>\n"
    )
