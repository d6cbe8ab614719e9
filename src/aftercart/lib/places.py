"""Places to work in: so many threads of a process work at once, and who waits for another machine lends its place.

A thread that waits for the network costs some kilobytes, one that works costs everybody else time. So only those that
work are counted: a thread that waits for the order-management system has neither a place nor a database connection.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connections

#: Threads that work at once while all get on. Python lets one of them compute at a time: more would take turns more
#: often, and have more of PostgreSQL's processes stand before whoever only reads.
_AT_ONCE: Final = 2
#: Seconds after which a thread that holds a place waits for something (a lock, a long search) rather than computes.
_LONG: Final = 0.25

_this_thread = threading.local()


class Places:
    """A bounded number of places, handed from one thread to the next. Who comes back goes before who is new.

    While all get on, two work at once. Each that has been at it for long makes room for one more, up to the number.
    """

    def __init__(
        self, count: int, *, long: float = _LONG, on_lend: Callable[[], None] = lambda: None
    ) -> None:
        """`long` is in seconds; `on_lend` is called by a thread that has just lent its place."""
        self._count, self._long = count, long
        self._on_lend = on_lend
        #: How many places are lent.
        self.lent = 0
        self._lock = threading.Lock()
        #: Since when each turn that holds a place has held it; and the turns that wait for one.
        self._held: dict[threading.Lock, float] = {}
        self._returning: deque[threading.Lock] = deque()
        self._new: deque[threading.Lock] = deque()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold a place, waiting for one; within, `lending_place()` lends it."""
        _this_thread.turn = self._take(self._new)
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

    def come_back(self) -> None:
        """Take a place again, before all who are new."""
        _this_thread.turn = self._take(self._returning)
        with self._lock:
            self.lent -= 1

    def _leave(self, *, lent: int = 0) -> None:
        with self._lock:
            self.lent += lent
            del self._held[_this_thread.turn]
            self._hand_out()

    def _take(self, waiting: deque[threading.Lock]) -> threading.Lock:
        turn = threading.Lock()
        turn.acquire()
        with self._lock:
            waiting.append(turn)
            self._hand_out()
        while not turn.acquire(timeout=self._long):
            with self._lock:
                self._hand_out()  # who holds a place may have held it for long by now
        return turn

    def _hand_out(self) -> None:
        now = time.monotonic()
        while (waiting := self._returning or self._new) and self._has_room(now):
            turn = waiting.popleft()
            self._held[turn] = now
            turn.release()

    def _has_room(self, now: float) -> bool:
        computing = sum(now - since < self._long for since in self._held.values())
        return len(self._held) < self._count and computing < _AT_ONCE


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
