"""The ratios that `--write` has recorded, and whether those of a new run have fallen by a third below them.

Each thing has four: to both yardsticks, of answers a second and of what one answer costs the processors. Other work on
the machine moves them apart, since what is quick waits for clients and PostgreSQL, and finds its caches cold: beside
the usual way it then seems slower than it is, beside the bare one quicker. What has become slower itself falls in all.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.report import Report

_FILE: Final = Path(__file__).with_name("recorded.json")
WATCHED: Final = ("detail", "signed", "unchanged", "list", "detail_html", "signed_html")
_YARDSTICKS: Final = ("usual", "bare")
_KINDS: Final = ("rate", "cost")
#: More than this part must be left.
_PART: Final = 2 / 3

Ratios = Mapping[str, Mapping[str, float]]


def read_recorded() -> Ratios:
    """Return the recorded ratios: by what they are of, by yardstick and kind (`usual rate`, `bare cost`)."""
    found: Ratios = json.loads(_FILE.read_text())
    return found


def record(report: Report) -> None:
    """Write the ratios of a run."""
    _FILE.write_text(json.dumps(collect(report), indent=2) + "\n")


def collect(report: Report) -> Ratios:
    """Return the ratios of a run, in the median of its rounds."""
    return {
        name: {
            f"{yardstick} {kind}": round(report.ratio(name, yardstick, kind), 3)
            for yardstick in _YARDSTICKS
            for kind in _KINDS
        }
        for name in WATCHED
    }


def list_fallen(measured: Ratios, recorded: Ratios) -> list[str]:
    """List what has fallen by a third, by all of its ratios."""
    return [
        f"{name}: {', '.join(f'{ratio} {measured[name][ratio]:.2f}, was {was[ratio]:.2f}' for ratio in was)}"
        for name, was in recorded.items()
        if all(measured[name][ratio] < was[ratio] * _PART for ratio in was)
    ]
