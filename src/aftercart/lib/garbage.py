"""Python's collection of cyclic garbage, for work that makes many objects and leaves hardly a cycle behind."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: So many new objects, and not 700, before the youngest are looked through.
_MANY: Final = 100_000


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Collect rarely within the block, and nothing of what was there before: a fifth of the time of an import.

    For a process that does nothing else meanwhile: it is the same for all threads.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_MANY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
