"""The token that Omnitron gave us, shared by all dialogues of a process."""

import threading
from collections.abc import Callable

from aftercart.oms.errors import Code, NotSent
from aftercart.outbound.deadline import Deadline


class TokenKeeper:
    """Keeps one token and lets one thread at a time ask for another. Thread-safe."""

    def __init__(self, ready: str = "") -> None:
        self._token = ready
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "TokenKeeper()"

    def get(self, log_in: Callable[[], str], deadline: Deadline, *, stale: str = "") -> str:
        """Give a token that is not the stale one, by logging in only if nobody else has done so meanwhile.

        Waits for another thread's log-in at most until the deadline, then raises `NotSent`.
        """
        token = self._token
        if token and token != stale:
            return token
        if not self._lock.acquire(timeout=deadline.remaining()):
            raise NotSent("The time for the dialogue with Omnitron is over.", code=Code.DEADLINE_OVER)
        try:
            if not self._token or self._token == stale:
                self._token = log_in()
            return self._token
        finally:
            self._lock.release()
