"""Run the processes of a local Aftercart together: show their logs, start a dead one again, stop them all."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Self

#: Seconds in which a service has to become ready, and in which it has to stop.
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_LONGEST_PAUSE = 10.0
#: A process that has run so long is healthy: its next death is treated as the first.
_HEALTHY_AFTER = 30.0
_PR_SET_PDEATHSIG = 1
#: Columns of the names before the lines of the log.
_WIDTH = 8

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ServiceFailed(Exception):
    """A service did not become ready; the message says which and how it ended."""


@dataclass(slots=True)
class Service:
    """One process. `is_ready` returns whether it serves; `stop_signal` is what it takes for a polite stop."""

    name: str
    command: Sequence[str]
    is_ready: Callable[[], bool] = lambda: True
    stop_signal: signal.Signals = signal.SIGTERM
    popen_options: Mapping[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0

    def start(self) -> None:
        """Start it, in a session of its own, so that Ctrl-C reaches the supervisor alone."""

        def die_with_parent() -> None:
            if _libc is not None:
                _libc.prctl(_PR_SET_PDEATHSIG, self.stop_signal)

        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            list(self.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - it only calls prctl
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            **self.popen_options,
        )
        self.started_at = time.monotonic()
        threading.Thread(target=self._show, args=(self.process,), daemon=True).start()

    def _show(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        with process.stdout:
            for line in process.stdout:
                text = line.decode(errors="replace").rstrip()
                _print(self.name, text)

    def stop(self) -> None:
        """Ask it to stop, wait, and if need be make it; then whatever it left in its session."""
        process = self.process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(self.stop_signal)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.end_session()

    def end_session(self) -> None:
        """End what a process that is gone left in its session, such as the children of a killed web server."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


def _print(name: str, text: str) -> None:
    print(f"{name:<{_WIDTH}} | {text}", flush=True)  # noqa: T201 - the log is the product


class Supervisor:
    """Starts services in order, keeps them running, and stops them in reverse order."""

    def __init__(self) -> None:
        self._services: list[Service] = []
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._request_stop)
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        for service in reversed(self._services):
            service.stop()

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        if self._stopping.is_set():  # a second Ctrl-C while still starting
            raise KeyboardInterrupt
        self._stopping.set()

    def start(self, service: Service) -> Service:
        """Start a service."""
        self._services.append(service)
        service.start()
        return service

    def wait_for(self, service: Service) -> None:
        """Wait until a started service is ready. Raises `ServiceFailed`."""
        assert service.process is not None  # noqa: S101 - it has been started
        end = time.monotonic() + _START_SECONDS
        while not service.is_ready():
            if self._stopping.is_set():
                raise KeyboardInterrupt
            code = service.process.poll()
            if code is not None:
                raise ServiceFailed(f"{service.name} stopped at once, with {code}.")
            if time.monotonic() > end:
                raise ServiceFailed(f"{service.name} was not ready within {_START_SECONDS:.0f} s.")
            time.sleep(0.05)

    def watch(self) -> None:
        """Start again whatever dies, after a pause that grows while it keeps dying, until told to stop."""
        while not self._stopping.wait(0.2):
            for service in self._services:
                self._revive(service)

    def _revive(self, service: Service) -> None:
        assert service.process is not None  # noqa: S101 - all have been started
        code = service.process.poll()
        if code is None:
            return
        service.end_session()
        lived = time.monotonic() - service.started_at
        service.deaths = 1 if lived > _HEALTHY_AFTER else service.deaths + 1
        pause = min(0.5 * 2 ** (service.deaths - 1), _LONGEST_PAUSE)
        _print("run", f"{service.name} died ({code}); again in {pause:.1f} s")
        if not self._stopping.wait(pause):
            service.start()
