"""One request out, one answer in, over connections that end with their dialogue.

The HTTP library's own timeouts are per operation: a server that sends a byte a second never meets them. So
the sockets here belong to a network backend that allows each operation only what the dialogue has left.

Each dialogue has its own connections, which binds them to its deadline and shares nothing between threads.
Its reads keep one for a moment. A write always opens a fresh one, for two reasons: a kept connection may be
stale, which makes an unknown answer of what would have been a certain "not sent", and it may hold the tail of
an earlier answer, which would be taken for the write's own.

A write leaves in one piece, and is asked about once more (its `guard`) right before the system call that sends it.
When it is given up, or its process dies, its connection is reset: what the kernel has not sent yet is dropped
(`SO_LINGER` with no time), and what nobody acknowledges is not sent for longer than the deadline
(`TCP_USER_TIMEOUT`). Else the kernel would go on delivering it for minutes.

The library's client is left out on purpose: cookies (a session cookie would make Omnitron ask for a CSRF
token), redirects, proxies from the environment and an INFO line with the whole URL are what it would add.
"""

import queue
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from aftercart.lib.failpoints import failpoint
from aftercart.omnitron.deadline import Deadline
from aftercart.omnitron.errors import Code

#: A connection that has been idle for longer is not used again, in seconds.
KEEP_ALIVE_SECONDS = 1.0

#: A larger answer is not read to its end, in bytes (8 MiB), after decompression.
MAX_BODY_BYTES = 8 * 1024 * 1024

#: The methods of reads; every other may apply something.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

#: Whether a write may still be sent. It is asked at the last moment, outside of any transaction.
Guard = Callable[[], bool]

#: What `close()` does to bytes that the kernel has not sent: drops them and resets the connection, or goes on.
_RESET, _GO_ON = struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)

#: Only Linux has it.
_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)

#: One answer of `getaddrinfo`.
AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


class NoAnswer(Exception):
    """No whole answer came. `has_left`: whether any byte of the request may have reached Omnitron."""

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


class Withdrawn(Exception):
    """The guard of a write said no: nothing of it was sent."""


class DeadlineTransport(httpx2.BaseTransport):
    """The HTTP of one dialogue: HTTP/1.1, no retries, everything over by the deadline."""

    def __init__(
        self, deadline: Deadline, *, connect_seconds: float, ssl_context: ssl.SSLContext | None
    ) -> None:
        self._backend = DeadlineBackend(deadline, connect_seconds)
        self._kept, self._fresh = (
            httpcore2.ConnectionPool(
                ssl_context=ssl_context,
                max_connections=1,
                max_keepalive_connections=kept,
                keepalive_expiry=KEEP_ALIVE_SECONDS,
                # What was sent once may have been applied: neither the library nor we send it again.
                retries=0,
                network_backend=self._backend,
            )
            for kept in (1, 0)
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request; the answer's body is still to be read. Raises the exceptions of `httpcore2`."""
        pool = self._kept if request.method in SAFE_METHODS else self._fresh
        response = pool.handle_request(
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
        """Close the connections."""
        self._kept.close()
        self._fresh.close()

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
        self._backend.begin(is_write=method not in SAFE_METHODS, guard=guard)
        request = httpx2.Request(method, url, params=params or None, headers=headers, content=content)
        status = None
        try:
            response = self.handle_request(request)
            status = response.status_code
            self._backend.spare_from_reset()  # the library closes it with the last byte of the answer
            try:
                return RawAnswer(status, response.headers, self._read(response))
            finally:
                response.close()
        except Withdrawn as error:
            raise self._no_answer(Code.CLAIM_LOST, status) from error
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            raise self._no_answer(Code.UNREACHABLE, status) from error
        except httpcore2.TimeoutException as error:
            raise self._no_answer(Code.TIMEOUT, status) from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise self._no_answer(Code.CONNECTION_LOST, status) from error
        except httpx2.DecodingError as error:
            raise self._no_answer(Code.NOT_JSON, status) from error

    def _read(self, response: httpx2.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            size += len(part)
            if size > MAX_BODY_BYTES:
                raise self._no_answer(Code.TOO_LARGE, response.status_code)
            parts.append(part)
        return b"".join(parts)

    def _no_answer(self, code: str, status: int | None) -> NoAnswer:
        has_left = self._backend.has_left
        if code == Code.TIMEOUT and not has_left:
            code = Code.DEADLINE_OVER
        return NoAnswer(code, has_left=has_left, status=status)


class _Body(httpx2.SyncByteStream):
    """An answer's body as it comes in, in the form that `httpx2.Response` takes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


class DeadlineBackend(httpcore2.NetworkBackend):
    """Opens sockets that obey the deadline. `has_left` is set just before a request's first byte is sent."""

    def __init__(self, deadline: Deadline, connect_seconds: float) -> None:
        self.deadline = deadline
        self.connect_seconds = connect_seconds
        self.has_left = False
        self.is_write = False
        self._guard: Guard | None = None
        self._stream: DeadlineStream | None = None

    def begin(self, *, is_write: bool, guard: Guard | None) -> None:
        """Begin a request."""
        self.has_left, self.is_write, self._guard, self._stream = False, is_write, guard, None

    @property
    def is_guarded(self) -> bool:
        """Whether it is one of our writes: a log-in rests on no claim."""
        return self._guard is not None

    def admit(self, stream: "DeadlineStream") -> None:
        """Ask once more whether a request may leave. Raises `Withdrawn`."""
        self._stream = stream
        if self._guard is not None and not self._guard():
            raise Withdrawn

    def spare_from_reset(self) -> None:
        """Let a write's connection end in the usual way: Omnitron has begun to answer."""
        if self.is_write and self._stream is not None:
            self._stream.set_linger(_GO_ON)

    def prepare(self, sock: socket.socket) -> None:
        """Set what a connection needs."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.is_write:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            if _USER_TIMEOUT is not None:
                left = max(1, int(self.deadline.remaining() * 1000))
                sock.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline rules
        local_address: str | None = None,  # noqa: ARG002 - never set
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - never set
    ) -> httpcore2.NetworkStream:
        """Connect to the first address that answers: name look-up and all attempts within one limit."""
        limit = self.deadline.capped(self.connect_seconds)
        addresses = _look_up(host, port, limit)
        failure: OSError = OSError(f"no address for {host}")
        for index, (family, kind, protocol, _, address) in enumerate(addresses):
            if limit.expired:
                raise httpcore2.ConnectTimeout("the time to connect is over")
            sock = socket.socket(family, kind, protocol)
            try:
                # An address that swallows packets must leave time for the next one.
                sock.settimeout(limit.remaining() / (len(addresses) - index))
                sock.connect(address)
                self.prepare(sock)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return DeadlineStream(sock, self)
        kind_of_failure = (
            httpcore2.ConnectTimeout if isinstance(failure, TimeoutError) else httpcore2.ConnectError
        )
        raise kind_of_failure(str(failure)) from failure


class DeadlineStream(httpcore2.NetworkStream):
    """A socket of which every operation ends by the deadline, however slowly the other side goes on."""

    def __init__(self, sock: socket.socket, backend: DeadlineBackend) -> None:
        self._socket = sock
        self._backend = backend
        self._held = bytearray()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline rules
        """Send what is held; read what has come, at most `max_bytes`; empty at the end."""
        try:
            if self._held:
                self._send_held()
            self._socket.settimeout(self._left())
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore2.ReadTimeout("the dialogue's time is over") from error
        except OSError as error:
            raise httpcore2.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the deadline rules
        """Hold it until the answer is to be read, so that the whole request leaves in one piece."""
        self._held += buffer

    def _send_held(self) -> None:
        """Send a whole request, if it may still be sent. A process can be stopped for as long as it takes anywhere."""
        view, self._held = memoryview(self._held), bytearray()
        self._backend.admit(self)
        self._socket.settimeout(self._left())  # which looks at the monotonic clock after the guard
        if self._backend.is_guarded:
            failpoint("omnitron.sending")
        self._backend.has_left = True
        with suppress(
            BrokenPipeError, ConnectionResetError
        ):  # it may have answered before it had read it all
            while view:
                view = view[self._socket.send(view) :]
                if view:
                    self._socket.settimeout(self._left())

    def set_linger(self, value: bytes) -> None:
        """Say what closing does to bytes that have not been sent."""
        with suppress(OSError):  # closed already
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, value)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the deadline rules
    ) -> httpcore2.NetworkStream:
        """Shake hands; a socket's timeout holds for the whole handshake."""
        try:
            self._socket.settimeout(min(self._left(), self._backend.connect_seconds))
            wrapped = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except OSError as error:
            self._socket.close()
            if isinstance(error, TimeoutError):
                raise httpcore2.ConnectTimeout("the time for the handshake is over") from error
            raise httpcore2.ConnectError(str(error)) from error
        return DeadlineStream(wrapped, self._backend)

    def get_extra_info(self, info: str) -> Any:
        """Return what the library asks for: the TLS object, and whether the idle socket has been closed."""
        if info == "ssl_object":
            return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
        if info == "is_readable":
            return _is_readable(self._socket)
        return None

    def _left(self) -> float:
        left = self._backend.deadline.remaining()
        if left <= 0:
            # A timeout of 0 would mean "do not block" to a socket.
            raise TimeoutError("the dialogue's time is over")
        return left


def _is_readable(sock: socket.socket) -> bool:
    """Whether an idle socket has something to read, which can only be its end. A closed one counts too."""
    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _look_up(host: str, port: int, limit: Deadline) -> Sequence[AddressInfo]:
    """Resolve a name within the limit.

    `getaddrinfo` knows no timeout and may take the resolver's 30 seconds, so it runs in a thread that is left
    behind when the time is over. An address needs no thread.
    """
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        pass
    answers: queue.SimpleQueue[Sequence[AddressInfo] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look_up, name="omnitron-look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=limit.remaining())
    except queue.Empty:
        raise httpcore2.ConnectTimeout(f"no address for {host} in time") from None
    if isinstance(answer, Exception):
        raise httpcore2.ConnectError(str(answer)) from answer
    return answer
