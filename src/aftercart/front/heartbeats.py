"""Web processes show their parent that they are alive; one that falls silent is killed, one without parent ends itself.

All of them accept from one socket, so one that is frozen, or whose event loop hangs, would be handed connections that
nobody answers. And a parent that is killed cannot stop its children, which would go on listening.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

#: Names the folder of the heartbeats; the parent sets it, children inherit it.
VARIABLE: Final = "AFTERCART_HEARTBEATS"
#: And the parent's id: a child that has lost it before it began would not notice.
PARENT: Final = "AFTERCART_WEB_PARENT"
EVERY_SECONDS: Final = 1.0
#: After so many seconds of silence a process counts as frozen. A machine that is merely busy is silent for a few.
_SILENCE_SECONDS = 15.0
_PR_SET_PDEATHSIG = 1


def join_parent() -> Callable[[], None]:
    """Have this web process end with its parent; return what beats once. Without a parent of ours that does nothing.

    It is called when the process's hands have given a sign, so that one of the two that is frozen silences both.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        return lambda: None
    end_with(int(os.environ[PARENT]))
    return partial(_beat, Path(folder) / str(os.getpid()))


def _beat(file: Path) -> None:
    with suppress(OSError):  # the parent has gone, or the disk is full: then it is the silence that speaks
        file.write_text(str(time.monotonic()))


def end_with(parent: int) -> None:
    """End this process, without ceremony, when its parent has gone; what it was at is found by a worker."""
    if sys.platform == "linux":
        # Of a process that is stopped as well. The signal comes when the parent's thread that forked us ends.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch_parent, args=(parent,), name="parent", daemon=True).start()


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(EVERY_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


class Watch:
    """The parent's view: which of its children beat."""

    def __init__(self, folder: Path, silence: float = _SILENCE_SECONDS) -> None:
        self._folder, self._silence = folder, silence

    def run(self) -> None:
        """Watch for as long as this process lives."""
        looked = time.monotonic()
        while True:
            time.sleep(EVERY_SECONDS)
            now = time.monotonic()
            if now - looked < self._silence / 2:
                self.kill_silent(now)
            else:  # it was this process that was frozen, perhaps with all of them: let them beat first
                time.sleep(self._silence / 2)
                now = time.monotonic()
            looked = now

    def kill_silent(self, now: float) -> list[int]:
        """Kill the children that have been silent for too long, and return them; Granian starts others."""
        killed = []
        for pid, beat in self._list_beats():
            if not _is_child(pid):
                (self._folder / str(pid)).unlink(missing_ok=True)
            elif now - beat > self._silence:
                print(f"Web process {pid} has been silent for {now - beat:.0f} s: killed.", file=sys.stderr)  # noqa: T201 - Granian has set up no logging here
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)  # which a stopped process cannot put off
                killed.append(pid)
        return killed

    def _list_beats(self) -> Iterator[tuple[int, float]]:
        for file in self._folder.iterdir():
            with suppress(OSError, ValueError):  # half written
                yield int(file.name), float(file.read_text())


def _is_child(pid: int) -> bool:
    """Return whether a process is this one's child, and not another's that got its number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
        with suppress(OSError):  # without /proc: it is there
            os.kill(pid, 0)
            return True
        return False
    return int(stat.rpartition(")")[2].split()[1]) == os.getpid()
