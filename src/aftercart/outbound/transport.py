"""One request out, one answer in, by the deadline of a dialogue.

The HTTP library's own timeouts are per operation: a server that sends a byte a second never meets them. So
the sockets here belong to a network backend that allows each operation only what the dialogue has left.

Reads share connections that are kept for a moment, one dialogue at a time; one that the other side has given up
meanwhile costs a second try. A write always takes a fresh one, for two reasons: a kept connection may be
stale, which makes an unknown answer of what would have been a certain "not sent", and it may hold the tail of
an earlier answer, which would be taken for the write's own. It may be opened ahead, while something is read; it has
carried nothing then.

The library's client is left out on purpose: cookies (a session cookie would make the OMS ask for a CSRF
token), redirects, proxies from the environment and an INFO line with the whole URL are what it would add.
"""

import ssl
import weakref
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpcore2
import httpx2

from aftercart.oms.errors import Code
from aftercart.outbound.deadline import Deadline
from aftercart.outbound.wire import DeadlineBackend, Guard, Withdrawn

#: A connection that has been idle for longer is not used again, in seconds: less than what servers keep one for.
KEEP_ALIVE_SECONDS = 4.0

#: So many connections a process keeps for reads.
MOST_KEPT = 32

#: A larger answer is not read to its end, in bytes (8 MiB), after decompression.
MAX_BODY_BYTES = 8 * 1024 * 1024

#: The methods of reads; every other may apply something.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class NoAnswer(Exception):
    """No whole answer came. `has_left`: whether any byte of the request may have reached the OMS."""

    def __init__(self, code: str, *, has_left: bool, status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.has_left = has_left
        self.status = status


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A whole answer. Header names are in any case, as in HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Line:
    """One connection at the most, and the deadline that it obeys; opened when it is first wanted."""

    def __init__(
        self, deadline: Deadline, connect_seconds: float, ssl_context: ssl.SSLContext | None, *, kept: int
    ) -> None:
        self.backend = DeadlineBackend(deadline, connect_seconds)
        #: Whether its connection is from an earlier dialogue, so that the other side may have given it up.
        self.is_old = False
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=1,
            max_keepalive_connections=kept,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            # What was sent once may have been applied: neither the library nor we send it again.
            retries=0,
            network_backend=self.backend,
        )

    @property
    def is_idle(self) -> bool:
        """Whether it holds a connection that could be used again now."""
        return any(connection.is_idle() for connection in self._pool.connections)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request; the answer's body is still to be read. Raises the exceptions of `httpcore2`."""
        response = self._pool.handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.content,
            )
        )
        return httpx2.Response(
            status_code=response.status, headers=response.headers, stream=_Body(response.stream)
        )

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()
        self.backend.close()


class KeptLines:
    """The connections that reads of many dialogues share, one dialogue at a time. Thread-safe."""

    def __init__(self) -> None:
        self._idle: deque[Line] = deque(maxlen=MOST_KEPT)
        weakref.finalize(self, _close_all, self._idle)

    def take(self, deadline: Deadline) -> Line | None:
        """Take the one that was used last, for a dialogue with this end; None if there is none."""
        try:
            line = self._idle.pop()
        except IndexError:
            return None
        line.backend.deadline, line.is_old = deadline, True
        return line

    def give_back(self, line: Line) -> None:
        """Keep it for others, unless its connection is none that could be used again."""
        if line.is_idle and len(self._idle) < MOST_KEPT:
            self._idle.append(line)
        else:
            line.close()


def _close_all(lines: deque[Line]) -> None:
    while lines:
        lines.pop().close()


class DeadlineTransport:
    """The HTTP of one dialogue: HTTP/1.1, everything over by the deadline. For one thread.

    Nothing is sent twice, but for a read over a connection that the other side had given up.
    """

    def __init__(
        self,
        deadline: Deadline,
        *,
        connect_seconds: float,
        ssl_context: ssl.SSLContext | None,
        kept: KeptLines | None = None,
    ) -> None:
        self._deadline = deadline
        self._kept = kept
        self._make_line = partial(Line, deadline, connect_seconds, ssl_context)
        self._writing = self._make_line(kept=0)
        self._reading: Line | None = None

    def open_ahead(self, url: str) -> None:
        """Begin to open the connection of the first write."""
        parsed = httpx2.URL(url)
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
        self._writing.backend.open_ahead(parsed.host, port)

    def close(self) -> None:
        """Close the connections; what reads may use again, they do."""
        self._writing.close()
        if self._reading is not None:
            if self._kept is not None:
                self._kept.give_back(self._reading)
            else:
                self._reading.close()
            self._reading = None

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int],
        headers: Mapping[str, str],
        content: bytes | None,
        guard: Guard | None = None,
    ) -> RawAnswer:
        """Send once and read the whole answer, or raise `NoAnswer`."""
        request = httpx2.Request(method, url, params=params or None, headers=headers, content=content)
        if method not in SAFE_METHODS:
            self._writing.backend.begin(is_write=True, guard=guard)
            return self._exchange(self._writing, request)
        if self._reading is None:
            kept = None if self._kept is None else self._kept.take(self._deadline)
            self._reading = kept or self._make_line(kept=1)
        line = self._reading
        line.backend.begin(is_write=False, guard=guard)
        try:
            answer = self._exchange(line, request)
        except NoAnswer as silence:
            if not line.is_old or silence.code != Code.CONNECTION_LOST or silence.status is not None:
                raise
        else:
            line.is_old = False
            return answer
        line.close()
        self._reading = self._make_line(kept=1)
        self._reading.backend.begin(is_write=False, guard=guard)
        return self._exchange(self._reading, request)

    def _exchange(self, line: Line, request: httpx2.Request) -> RawAnswer:
        status = None

        def fail(code: str) -> NoAnswer:
            has_left = line.backend.has_left
            if code == Code.TIMEOUT and not has_left:
                code = Code.DEADLINE_OVER
            return NoAnswer(code, has_left=has_left, status=status)

        try:
            response = line.handle(request)
            status = response.status_code
            line.backend.spare_from_reset()  # the library closes it with the last byte of the answer
            try:
                body = _read(response)
                if body is None:
                    raise fail(Code.TOO_LARGE)
                return RawAnswer(status, response.headers, body)
            finally:
                response.close()
        except Withdrawn as error:
            raise fail(Code.CLAIM_LOST) from error
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            raise fail(Code.UNREACHABLE) from error
        except httpcore2.TimeoutException as error:
            raise fail(Code.TIMEOUT) from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise fail(Code.CONNECTION_LOST) from error
        except httpx2.DecodingError as error:
            raise fail(Code.NOT_JSON) from error


def _read(response: httpx2.Response) -> bytes | None:
    """Read a whole body; None if it is larger than is read."""
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes():
        size += len(part)
        if size > MAX_BODY_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


class _Body(httpx2.SyncByteStream):
    """An answer's body as it comes in, in the form that `httpx2.Response` takes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()
