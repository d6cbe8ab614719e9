"""Sockets that are opened within a time: all addresses of a name, or one of them ahead of being wanted."""

import errno
import queue
import select
import socket
import threading
from collections.abc import Sequence
from typing import Any, Final

import httpcore2

from aftercart.lib.places import lending_place
from aftercart.outbound.deadline import Deadline

#: One answer of `getaddrinfo`.
AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
#: A connection that was opened ahead is not used when it has waited for longer, in seconds: servers give up such ones.
_MOST_AHEAD: Final = 4.0


def open_socket(host: str, port: int, limit: Deadline) -> socket.socket:
    """Connect to the first address that answers: name look-up and all attempts within one limit."""
    addresses = look_up(host, port, limit)
    failure: OSError = OSError(f"no address for {host}")
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        if limit.expired:
            raise httpcore2.ConnectTimeout("the time to connect is over")
        sock = socket.socket(family, kind, protocol)
        try:
            # An address that swallows packets must leave time for the next one.
            sock.settimeout(limit.remaining() / (len(addresses) - index))
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    kind_of_failure = (
        httpcore2.ConnectTimeout if isinstance(failure, TimeoutError) else httpcore2.ConnectError
    )
    raise kind_of_failure(str(failure)) from failure


class OpeningSocket:
    """A connection to a name's first address that the kernel opens while we do something else."""

    def __init__(self, host: str, port: int, limit: Deadline) -> None:
        family, kind, protocol, _, address = look_up(host, port, limit)[0]
        self._usable_until = Deadline.after(_MOST_AHEAD)
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)
        self._failure = self._socket.connect_ex(address)

    def take(self, limit: Deadline) -> socket.socket | None:
        """Wait for it within a limit; None if it came to nothing, or was given up by the other side."""
        if self._failure in {0, errno.EINPROGRESS} and not self._usable_until.expired:
            poll = select.poll()
            poll.register(self._socket, select.POLLOUT)
            is_open = poll.poll(0)
            if not is_open:
                with lending_place():
                    is_open = poll.poll(limit.remaining() * 1000)
            failure = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if is_open and not failure and not is_readable(self._socket):
                return self._socket
        self.close()
        return None

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def is_readable(sock: socket.socket) -> bool:
    """Whether an idle socket has something to read, which can only be its end. A closed one counts too."""
    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def look_up(host: str, port: int, limit: Deadline) -> Sequence[AddressInfo]:
    """Resolve a name within the limit.

    `getaddrinfo` knows no timeout and may take the resolver's 30 seconds, so it runs in a thread that is left
    behind when the time is over. An address needs no thread.
    """
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        pass
    answers: queue.SimpleQueue[Sequence[AddressInfo] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=limit.remaining())
    except queue.Empty:
        raise httpcore2.ConnectTimeout(f"no address for {host} in time") from None
    if isinstance(answer, Exception):
        raise httpcore2.ConnectError(str(answer)) from answer
    return answer
