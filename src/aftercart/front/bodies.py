"""Reading a request's body to its end, within a size, a time, and what all bodies together may take."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aftercart.front.refusals import Refused, make_busy

#: Seconds for which a body that is too large is read on and dropped, so that its sender gets to read the answer.
_LINGER_SECONDS = 2.0


class ClientGone(Exception):
    """The connection ended before the body did."""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bytes of one body, seconds to send it in, and bytes of all bodies that one process holds."""

    size: int
    seconds: float
    total: int


@dataclass(slots=True)
class _Hold:
    """Bytes that one body takes of what all may take."""

    size: int


class BodyReader:
    """Reads the bodies of one process. For its event loop's thread only."""

    def __init__(self, limits: BodyLimits) -> None:
        self._limits = limits
        self._held = 0
        #: What is being read, the oldest first.
        self._reading: dict[asyncio.Timeout, _Hold] = {}

    @asynccontextmanager
    async def body(self, headers: Any, proto: Any) -> AsyncIterator[bytes]:
        """Give the whole body; it counts as held until the end of the block.

        Raises `Refused` (too large, too slow, no room), and `ClientGone`.
        """
        length = headers.get("content-length")
        is_chunked = "transfer-encoding" in headers
        if not is_chunked and (length is None or int(length) == 0):
            yield b""
            return
        size = self._limits.size if is_chunked else int(length)
        if size > self._limits.size:
            if "expect" not in headers:  # else it waits for our word before it sends
                await _drop_rest(aiter(proto))
            raise self._too_large()
        self._make_room(size)
        self._held += size
        hold = _Hold(size)
        try:
            body = await self._read(proto, hold, is_chunked=is_chunked)
            self._resize(hold, len(body))
            yield body
        finally:
            self._resize(hold, 0)

    def _resize(self, hold: _Hold, size: int) -> None:
        self._held += size - hold.size
        hold.size = size

    async def _read(self, proto: Any, hold: _Hold, *, is_chunked: bool) -> bytes:
        size = hold.size
        try:
            async with asyncio.timeout(self._limits.seconds) as timer:
                self._reading[timer] = hold
                try:
                    body = await (self._collect(proto) if is_chunked else proto())
                finally:
                    self._reading.pop(timer, None)
        except TimeoutError:
            raise Refused(408, "request_timeout", "The request's body came too slowly.") from None
        except RuntimeError as error:  # RSGI's own for a stream that broke
            raise ClientGone from error
        if not is_chunked and len(body) != size:
            raise ClientGone
        return bytes(body)

    async def _collect(self, proto: Any) -> bytes:
        parts: list[bytes] = []
        size = 0
        ends = 0
        async for part in proto:
            # An empty part is the end. A broken connection is an empty part, too, and then the end.
            ends += not part
            size += len(part)
            if size > self._limits.size:
                await _drop_rest(proto)
                raise self._too_large()
            parts.append(part)
        if ends > 1:
            raise ClientGone
        return b"".join(parts)

    def _make_room(self, size: int) -> None:
        """End the reading of the oldest bodies, which are the slowest, until there is room for one more."""
        while self._held + size > self._limits.total and self._reading:
            timer = next(iter(self._reading))
            self._resize(self._reading.pop(timer), 0)
            if not timer.expired():
                timer.reschedule(0)
        if self._held + size > self._limits.total:
            raise make_busy()

    def _too_large(self) -> Refused:
        detail = f"A request's body has at most {self._limits.size} bytes."
        return Refused(413, "request_too_large", detail)


async def _drop_rest(stream: Any) -> None:
    # Not `async for`: a stream that has been begun cannot be begun again.
    with suppress(TimeoutError, StopAsyncIteration):
        async with asyncio.timeout(_LINGER_SECONDS):
            while True:
                await stream.__anext__()
