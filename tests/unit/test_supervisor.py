"""The supervisor, with real processes: whoever dies takes along what it started."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from aftercart.supervisor import Service, Supervisor

#: Starts a child that would live for long, writes its pid down, and waits.
PARENT = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
path = pathlib.Path(sys.argv[1])
path.with_suffix(".new").write_text(str(child.pid))
path.with_suffix(".new").rename(path)
time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return not state.stdout.startswith("Z")


def wait_until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(600):
        if condition():
            return
        pause.wait(0.05)
    pytest.fail("it did not come to pass within 30 s")


def test_a_killed_process_takes_its_children_along_and_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)  # pytest keeps its own
    notes = tmp_path / "child"
    with Supervisor() as supervisor:
        service = Service("parent", [sys.executable, "-c", PARENT, str(notes)])
        supervisor.start(service)
        wait_until(notes.exists)
        assert service.process is not None
        first, child = service.process.pid, int(notes.read_text())
        notes.unlink()
        service.process.kill()
        service.process.wait()

        supervisor._revive(service)

        wait_until(lambda: not is_alive(child))
        wait_until(notes.exists)
        assert service.process.pid != first
        second_child = int(notes.read_text())

    wait_until(lambda: not is_alive(second_child))
