"""Web servers for a benchmark: one process each, kept to one core. Wants Django set up."""

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from bench.load import Measured, measure
from tests.processes import ROOT, answers_at_all, find_free_port, running, wait_until

_START_SECONDS = 60


@contextmanager
def serving(command: list[str], core: int, **environment: str) -> Iterator[tuple[int, int]]:
    """Run a server on a free port and one core; give the port and the process's id."""
    port = find_free_port()
    values = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "PORT": str(port),
        **environment,
    }
    pinned = ["taskset", "--cpu-list", str(core), *command]
    with running([part.replace("{port}", str(port)) for part in pinned], values) as process:
        wait_until(lambda: answers_at_all(port), _START_SECONDS)
        yield port, process.pid


def granian(application: str, threads: int) -> list[str]:
    """Return the command that serves a WSGI application as Granian does by itself."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", application, "--host", "127.0.0.1", "--port",
        "{port}", "--workers", "1", "--blocking-threads", str(threads), "--no-ws", "--log-level", "error",
    ]  # fmt: skip


def measure_memory(pid: int) -> float:
    """Return how many MB the largest process below this one has in memory, shared pages counted by their share."""
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    below = [int(word) for word in found.stdout.split()]
    return max([_read_share(pid), *(measure_memory(child) for child in below)])


def measure_with_cost(port: int, pid: int, request: bytes, status: int, seconds: float) -> Measured:
    """Measure a server, and the milliseconds that an answer takes of processors, there and in PostgreSQL."""
    postmaster = Path(os.environ["AFTERCART_VAR"]) / "postgres" / "postmaster.pid"
    pids = (pid, int(postmaster.read_text().split()[0]))
    before = measure_processor(*pids)
    found = measure(port, request, status=status, seconds=seconds)
    return replace(found, cost=(measure_processor(*pids) - before) * 1000 / found.answers)


def measure_processor(*pids: int) -> float:
    """Return the seconds that these processes, and all below them, have had of the processors until now."""
    spent, below = {}, defaultdict(list)
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            fields = file.read_text().rpartition(")")[2].split()
            # Of its own and of its children that have ended; where they are in the file: man proc.
            spent[int(file.parent.name)] = sum(int(value) for value in fields[11:15])
            below[int(fields[1])].append(int(file.parent.name))
    found, left = 0, list(pids)
    while left:
        pid = left.pop()
        found += spent.get(pid, 0)
        left += below[pid]
    return found / os.sysconf("SC_CLK_TCK")


def _read_share(pid: int) -> float:
    with open(f"/proc/{pid}/smaps_rollup") as file:  # noqa: PTH123 - a file of the kernel
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024
