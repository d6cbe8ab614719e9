"""The threads in which Django answers: a bounded number works at once, each taken only by a complete request."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from aftercart.lib.places import Places

_logger = logging.getLogger(__name__)

Work = Callable[[], None]


class Threads:
    """Threads and the queue before them."""

    def __init__(self, count: int, waiting: int) -> None:
        """So many work at once, and so many more may have lent their places: a thread is started when it is wanted."""
        self._places = Places(count, on_lend=self._start_if_wanted)
        self._count, self._waiting = count, waiting
        self._lock = threading.Lock()
        self._idle = 0
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def begin(self, work: Work) -> None:
        """Have a thread do some work; an exception of it is logged."""
        self._queue.put(work)
        self._start_if_wanted()

    def close(self) -> None:
        """End the threads when they have done what they have."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _start_if_wanted(self) -> None:
        """Start another thread for what waits, unless one has nothing to do or there is no place for it."""
        with self._lock:
            most = self._count + min(self._places.lent, self._waiting)
            if self._idle >= self._queue.qsize() or len(self._threads) >= most:
                return
            name = f"web-{len(self._threads)}"
            self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
            self._threads[-1].start()

    def _get(self) -> Work | None:
        with self._lock:
            self._idle += 1
        work = self._queue.get()
        with self._lock:
            self._idle -= 1
        return work

    def _work(self) -> None:
        while (work := self._get()) is not None:
            try:
                with self._places.working():
                    work()
            except Exception:
                _logger.exception("A request ended without an answer.")
            del work
