"""What a benchmark has run on."""

import platform
from importlib.metadata import version
from pathlib import Path


def describe_machine() -> str:
    """Name the versions and the processor."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("django", "djangorestframework", "granian", "psycopg")
    )
    return f"Python {platform.python_version()}, {packages}; {cpu}."
