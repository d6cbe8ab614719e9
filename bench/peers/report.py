"""What was measured of other shops: as text, as a section of docs/benchmarks.md."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.load import Measured
from bench.machine import describe_machine
from bench.report import NAMES, describe_spread

#: Letters of a reason that stand in the document; the run tells all.
_REASON: Final = 200


@dataclass(slots=True)
class Result:
    """Rounds of a peer, and of ourselves between them; bytes of both answers. Or why there are none."""

    title: str
    what: str
    ours: str
    theirs_measured: list[Measured] = field(default_factory=list)
    ours_measured: list[Measured] = field(default_factory=list)
    sizes: tuple[int, int] = (0, 0)
    memory: float = 0
    reason: str = ""

    def ratios(self) -> list[float]:
        """Return how many times their answers ours are, of each round, in order of size."""
        pairs = zip(self.ours_measured, self.theirs_measured, strict=True)
        return sorted(ours.per_second / theirs.per_second for ours, theirs in pairs)


def describe(results: Sequence[Result], runtime: str) -> str:
    """Write it as the section of a document; `runtime` names what the others run on."""
    rows = [
        "| what | answers a second | p50 | p99 | processors' time of one | answer | ours, times theirs |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        if result.reason:
            continue
        rows += [
            _describe_row(f"{result.title}: {result.what}", result.theirs_measured, result.sizes[0], ""),
            _describe_row(
                f"Aftercart, in turns with it: {NAMES[result.ours]}", result.ours_measured, result.sizes[1],
                describe_spread(result.ratios()),
            ),
        ]  # fmt: skip
    failed = [
        f"- {result.title} was not measured: {result.reason.splitlines()[0][:_REASON]}"
        for result in results
        if result.reason
    ]
    memory = "; ".join(f"{result.title} {result.memory:.0f} MB" for result in results if not result.reason)
    parts = [
        rows,
        failed,
        [f"Memory of their processes: {memory}." if memory else ""],
        [describe_machine(runtime)],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part and part != [""])


def _describe_row(name: str, found: Sequence[Measured], size: int, ratio: str) -> str:
    speed, p50, p99, cost = (
        statistics.median(getattr(each, field) for each in found)
        for field in ("per_second", "p50", "p99", "cost")
    )
    numbers = f"{speed:,.0f} | {p50:.1f} ms | {p99:.1f} ms | {cost:.2f} ms | {size / 1000:.1f} kB"
    return f"| {name} | {numbers} | {ratio} |"
