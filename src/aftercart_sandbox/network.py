"""How far away the sandbox seems: what each call and each new connection takes, in seconds."""

import asyncio
import time
from typing import Any

from aftercart_sandbox.errors import invalid

_LONGEST = 60
#: A connection that has brought no call for so many seconds is forgotten.
_IDLE_SECONDS = 60.0


class Network:
    """Distances and a count of connections; kept in memory, as wires are no books.

    A connection is made while its client does something else, so its delay counts from when it was opened: what is
    left of it is waited for by its first call.
    """

    def __init__(self) -> None:
        self.call_seconds = self.connection_seconds = 0.0
        self.connections = 0
        self._opened: dict[Any, float] = {}

    def open(self, connection: Any) -> None:
        """Note a connection that has just been opened."""
        self.connections += 1
        now = time.monotonic()
        self._opened = {one: at for one, at in self._opened.items() if now - at < _IDLE_SECONDS}
        self._opened[connection] = now

    async def cross(self, connection: Any) -> None:
        """Wait for as long as a call over this connection is on its way."""
        opened_at = self._opened.pop(connection, None)
        seconds = self.call_seconds
        if opened_at is not None:
            seconds += max(0.0, opened_at + self.connection_seconds - time.monotonic())
        if seconds:
            await asyncio.sleep(seconds)

    def set_distance(self, body: Any) -> None:
        """Set both delays from a control's body; what it leaves out is none. Raise a 400 for what is no delay."""
        given = body if isinstance(body, dict) else {}
        found = {}
        for name in ("call_seconds", "connection_seconds"):
            seconds = given.get(name, 0)
            if (
                isinstance(seconds, bool)
                or not isinstance(seconds, int | float)
                or not 0 <= seconds <= _LONGEST
            ):
                raise invalid(name, f"A number of seconds from 0 to {_LONGEST}.")
            found[name] = float(seconds)
        self.call_seconds, self.connection_seconds = found["call_seconds"], found["connection_seconds"]

    def to_document(self) -> dict[str, Any]:
        """Return the delays, and how many connections have been opened so far."""
        return {
            "call_seconds": self.call_seconds,
            "connection_seconds": self.connection_seconds,
            "connections": self.connections,
        }
