"""Places to work in: so many threads of a process work at once, and who waits for another machine lends its place.

A thread that waits for the network costs some kilobytes, one that works costs everybody else time. So only those that
work are counted: a thread that waits for the order-management system has neither a place nor a database connection.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connections

_this_thread = threading.local()


class Places:
    """A bounded number of places, handed from one thread to the next. Who comes back goes before who is new."""

    def __init__(self, count: int, *, on_lend: Callable[[], None] = lambda: None) -> None:
        """`on_lend` is called by a thread that has just lent its place."""
        self._free = count
        self._on_lend = on_lend
        #: How many places are lent.
        self.lent = 0
        self._lock = threading.Lock()
        self._returning: deque[threading.Lock] = deque()
        self._new: deque[threading.Lock] = deque()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold a place, waiting for one; within, `lending_place()` lends it."""
        self._take(self._new)
        _this_thread.places = self
        try:
            yield
        finally:
            _this_thread.places = None
            self._leave()

    def lend(self) -> None:
        """Lend this thread's place to the next."""
        self._leave(lent=1)
        self._on_lend()

    def _leave(self, *, lent: int = 0) -> None:
        with self._lock:
            self.lent += lent
            waiting = self._returning or self._new
            if waiting:
                waiting.popleft().release()
            else:
                self._free += 1

    def come_back(self) -> None:
        """Take a place again, before all who are new."""
        self._take(self._returning)
        with self._lock:
            self.lent -= 1

    def _take(self, waiting: deque[threading.Lock]) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            waiting.append(turn)
        turn.acquire()


@contextmanager
def lending_place() -> Iterator[None]:
    """Lend this thread's place, if it has one, and its database connection for as long as the block waits."""
    places: Places | None = getattr(_this_thread, "places", None)
    if places is None:
        yield
        return
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()  # which gives it back to the pool
    places.lend()
    try:
        yield
    finally:
        places.come_back()
