"""The threads in which Django answers: a bounded number works at once, each taken only by a complete request."""

import asyncio
import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from aftercart.lib.places import Places

_logger = logging.getLogger(__name__)

Work = Callable[[], None]
_Order = tuple[Work, asyncio.AbstractEventLoop, asyncio.Future[Any]]


class Threads:
    """Threads and the queue before them.

    Two hops less for a request than `run_in_executor` with its two futures, which was a quarter of a short answer.
    """

    def __init__(self, count: int, waiting: int) -> None:
        """So many work at once, and so many more may have lent their places: a thread is started when it is wanted."""
        self._places = Places(count, on_lend=self._start_if_wanted)
        self._count, self._waiting = count, waiting
        self._lock = threading.Lock()
        self._idle = 0
        self._queue: SimpleQueue[_Order | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    async def run(self, work: Work) -> None:
        """Have a thread do some work, and wait for its end; an exception of it is logged."""
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._queue.put((work, loop, done))
        self._start_if_wanted()
        await done

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

    def _get(self) -> _Order | None:
        with self._lock:
            self._idle += 1
        order = self._queue.get()
        with self._lock:
            self._idle -= 1
        return order

    def _work(self) -> None:
        while (order := self._get()) is not None:
            work, loop, done = order
            try:
                with self._places.working():
                    work()
            except Exception:
                _logger.exception("A request ended without an answer.")
            finally:
                loop.call_soon_threadsafe(_finish, done)
            del work, order


def _finish(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
