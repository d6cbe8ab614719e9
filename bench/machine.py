"""What a benchmark has run on, and where it says what it has measured."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Final

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def describe_machine(*more: str) -> str:
    """Name the versions, with those of more that took part, and the processor."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    packages = ", ".join(
        [
            *(f"{name} {version(name)}" for name in ("django", "djangorestframework", "granian", "psycopg")),
            *more,
        ]
    )
    return f"Python {platform.python_version()}, {packages}; {cpu}."


def write_section(name: str, text: str) -> None:
    """Write a section of docs/benchmarks.md, between the marks that bear its name."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = DOCUMENT.read_text().partition(start)
    _, _, after = rest.partition(end)
    DOCUMENT.write_text(f"{before}{start}\n\n{text}\n\n{end}{after}")
