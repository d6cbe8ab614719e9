"""How threads of one process take turns."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: In seconds; Python's own is fifty times as long.
_SHORT: Final = 0.0001


@contextmanager
def switching_often() -> Iterator[None]:
    """Have whoever waits for the interpreter wait less within the block.

    A thread that asks the database something wants it back after each answer, and would wait five milliseconds for a
    thread that computes: longer than most answers take. For a process that does nothing else: it is the same for all.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SHORT)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
