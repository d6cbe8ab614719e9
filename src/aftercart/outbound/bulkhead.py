"""At most so many dialogues at once in this process; the next one falls back at once.

Measured while choosing (design section 1): eight customers waiting on an OMS of one second took reads
from 1,500/s to 3/s with two threads. A queue here would only hide that, so nobody waits.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aftercart.oms.errors import Code, NotSent


class Bulkhead:
    """A bounded number of places, never waited for. Thread-safe."""

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one place; raise `NotSent` (`bulkhead_full`) at once if there is none."""
        if not self._places.acquire(blocking=False):
            raise NotSent("Too many dialogues with Omnitron are open already.", code=Code.BULKHEAD_FULL)
        try:
            yield
        finally:
            self._places.release()
