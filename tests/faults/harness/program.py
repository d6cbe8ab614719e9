"""One process of a trial."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(slots=True)
class Program:
    """One process with its session, its log, and what it takes to stop it politely."""

    name: str
    kind: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    port: int = 0
    stop_signal: signal.Signals = signal.SIGTERM
    options: Mapping[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    #: When it was last seen alive, in seconds since the epoch.
    seen_at: float = 0.0

    def start(self) -> None:
        """Start it; it dies with the thread that started it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - it only calls prctl
                env=dict(self.environment),
                **self.options,
            )

    @property
    def pid(self) -> int:
        """The process that was started."""
        assert self.process is not None
        return self.process.pid

    def has_ended(self) -> bool:
        """Return whether it has."""
        if self.process is None or self.process.poll() is not None:
            return True
        self.seen_at = time.time()
        return False

    def gave_up(self) -> bool:
        """Return whether the web server ended since its child died twice within seconds, as it is meant to."""
        return b"Worker crash loop detected" in self.log.read_bytes()[-400:]

    def kill(self) -> None:
        """Kill it and all of its session with SIGKILL."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        assert self.process is not None
        self.process.wait()

    def kill_child(self) -> bool:
        """Kill a child, which the process itself then replaces; return whether there was one."""
        children = list_children(self.pid)
        for child in children[-1:]:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return bool(children)

    def stop(self) -> None:
        """Stop it as an operator would."""
        if self.process is not None and not self.has_ended():
            self.process.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
        if self.process is not None:
            self.kill()


def list_children(pid: int) -> list[int]:
    """List what serves below a process (not its resource tracker), the hands of a web process last."""
    found = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, check=False)
    lines = found.stdout.decode(errors="replace").splitlines()
    children = [int(line.split()[0]) for line in lines if "aftercart.front" in line]
    return [*children, *(below for child in children for below in list_children(child))]
