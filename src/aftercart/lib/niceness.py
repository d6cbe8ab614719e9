"""How much of a claim to a processor a process has, compared with others on the same machine."""

import os
from contextlib import suppress
from pathlib import Path


def stand_back(steps: int) -> None:
    """Give up so many steps (of 19) of this process's claim, and of what it starts. Everybody may.

    While processors are free, this costs nothing. A Linux that schedules by sessions (autogroup) compares processes
    only within one, so that a session of its own stands back as a whole.
    """
    if not steps:
        return
    niceness = os.nice(steps)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # there is no such file, or it was written a moment ago
            Path("/proc/self/autogroup").write_text(str(niceness))
