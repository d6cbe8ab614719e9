"""Requests that wait for the answer of an earlier one: without a thread each, by one look for all of them."""

import asyncio
from collections import Counter
from collections.abc import Callable

#: Seconds between two looks.
_EVERY = 0.1
#: Requests that wait in one process at most, each with its body; whatever comes then is answered at once.
_MOST = 1000

#: Tells of records which have their answer now. It blocks, and raises nothing.
Look = Callable[[frozenset[int]], set[int]]


class Waiting:
    """Those who wait in one process. For its event loop's thread only."""

    def __init__(self, look: Look, *, seconds: float) -> None:
        self.seconds = seconds
        self._look = look
        self._counts: Counter[int] = Counter()
        self._answered: dict[int, asyncio.Event] = {}
        self._poll: asyncio.Task[None] | None = None

    @property
    def has_room(self) -> bool:
        """Whether one more may wait."""
        return self._counts.total() < _MOST

    async def wait(self, record: int, end: float) -> None:
        """Wait until a record has its answer, or until a time of the loop."""
        answered = self._answered.setdefault(record, asyncio.Event())
        self._counts[record] += 1
        if self._poll is None:
            self._poll = asyncio.create_task(self._look_again())
        try:
            async with asyncio.timeout_at(end):
                await answered.wait()
        except TimeoutError:
            pass
        finally:
            self._counts[record] -= 1
            if not self._counts[record]:
                del self._counts[record], self._answered[record]

    async def _look_again(self) -> None:
        while self._counts:
            await asyncio.sleep(_EVERY)
            for record in await asyncio.to_thread(self._look, frozenset(self._counts)):
                if record in self._answered:
                    self._answered[record].set()
        self._poll = None
