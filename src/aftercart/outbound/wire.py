"""A connection of which every operation ends by the deadline, and a write that can be taken back.

A write leaves in one piece, and is asked about once more (its `guard`) right before the system call that sends it.
When it is given up, or its process dies, its connection is reset: what the kernel has not sent yet is dropped
(`SO_LINGER` with no time), and what nobody acknowledges is not sent for longer than the deadline
(`TCP_USER_TIMEOUT`). Else the kernel would go on delivering it for minutes.
"""

import socket
import ssl
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import httpcore2

from aftercart.lib.failpoints import failpoint
from aftercart.lib.places import lending_place
from aftercart.outbound.deadline import Deadline
from aftercart.outbound.sockets import OpeningSocket, is_readable, open_socket

#: Whether a write may still be sent. It is asked at the last moment, outside of any transaction.
Guard = Callable[[], bool]

#: What `close()` does to bytes that the kernel has not sent: drops them and resets the connection, or goes on.
_RESET, _GO_ON = struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)

#: Only Linux has it.
_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)


class Withdrawn(Exception):
    """The guard of a write said no: nothing of it was sent."""


class DeadlineBackend(httpcore2.NetworkBackend):
    """Opens sockets that obey the deadline. `has_left` is set just before a request's first byte is sent."""

    def __init__(self, deadline: Deadline, connect_seconds: float) -> None:
        self.deadline = deadline
        self.connect_seconds = connect_seconds
        self.has_left = False
        self.is_write = False
        self._guard: Guard | None = None
        self._stream: DeadlineStream | None = None
        self._ahead: OpeningSocket | None = None

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
        """Let a write's connection end in the usual way: the OMS has begun to answer."""
        if self.is_write and self._stream is not None:
            self._stream.set_linger(_GO_ON)

    def prepare(self, sock: socket.socket) -> None:
        """Set what a connection needs."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A kept connection that leads nowhere any more is found out in the time that another one takes.
        seconds = self.deadline.remaining() if self.is_write else self.connect_seconds
        if self.is_write:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        if _USER_TIMEOUT is not None:
            sock.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, max(1, int(seconds * 1000)))

    def open_ahead(self, host: str, port: int) -> None:
        """Begin to open a connection, without waiting for it: the next one that is wanted is this one."""
        with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):  # who wants one is told
            self._ahead = OpeningSocket(host, port, self.deadline.capped(self.connect_seconds))

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline rules
        local_address: str | None = None,  # noqa: ARG002 - never set
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - never set
    ) -> httpcore2.NetworkStream:
        """Take the connection that was opened ahead, or open one, within the time to connect."""
        limit = self.deadline.capped(self.connect_seconds)
        ahead, self._ahead = self._ahead, None
        sock = ahead.take(limit) if ahead is not None else None
        if sock is None:
            with lending_place():
                sock = open_socket(host, port, limit)
        try:
            self.prepare(sock)
        except OSError as error:
            sock.close()
            raise httpcore2.ConnectError(str(error)) from error
        return DeadlineStream(sock, self)

    def close(self) -> None:
        """Close what was opened ahead and not wanted."""
        if self._ahead is not None:
            self._ahead.close()
            self._ahead = None


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
            if is_readable(self._socket):
                return self._socket.recv(max_bytes)
            with lending_place():
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
            failpoint("outbound.sending")
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
            with lending_place():
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
            return is_readable(self._socket)
        return None

    def _left(self) -> float:
        left = self._backend.deadline.remaining()
        if left <= 0:
            # A timeout of 0 would mean "do not block" to a socket.
            raise TimeoutError("the dialogue's time is over")
        return left
