"""A client of another system that a process keeps, for its connections, breaker and bulkhead belong to the process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

_Client = TypeVar("_Client")
_Configuration = TypeVar("_Configuration")


class KeptClient(Generic[_Client, _Configuration]):
    """One client for all threads, made anew when its configuration says something else (as tests make it do)."""

    def __init__(
        self, configure: Callable[[], _Configuration], make: Callable[[_Configuration], _Client]
    ) -> None:
        self._configure = configure
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[_Configuration, _Client] | None = None
        self._replacement: _Client | None = None

    def get(self) -> _Client:
        """Give this process's client."""
        configuration = self._configure()
        with self._lock:
            if self._replacement is not None:
                return self._replacement
            if self._made is None or self._made[0] != configuration:
                self._made = configuration, self._make(configuration)
            return self._made[1]

    def forget(self) -> None:
        """Have the next one made anew."""
        with self._lock:
            self._made = None

    @contextmanager
    def replace(self, client: _Client) -> Iterator[_Client]:
        """Let every thread of this process get `client`, for tests; nests."""
        with self._lock:
            before, self._replacement = self._replacement, client
        try:
            yield client
        finally:
            with self._lock:
                self._replacement = before
