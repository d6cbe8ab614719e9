"""No tests here: the server of raw bytes that the tests of the HTTP client beside it connect to.

It answers each request with the next of its scripts: bytes to send, or a function that does as it likes with
the connection. Everything it does ends when it is closed, so nothing here waits for a fixed time.
"""

import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

from aftercart.omnitron.http import Configuration, HttpOmnitron


@dataclass(frozen=True)
class Request:
    """A request as it arrived. Header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Peer:
    """The server's end of one connection, as a script gets it."""

    socket: socket.socket
    #: Set when the server closes; waiting on it is how a script hangs or paces itself.
    stop: threading.Event
    is_open: bool = True

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def trickle(self, data: bytes, every: float = 0.02) -> None:
        """Send a byte at a time, until the client leaves or the server closes."""
        with suppress(OSError):
            for byte in data:
                if self.stop.wait(every):
                    return
                self.socket.send(bytes([byte]))

    def hang(self) -> None:
        self.stop.wait()

    def close(self) -> None:
        """End the connection in order (FIN)."""
        self.is_open = False
        self.socket.close()

    def reset(self) -> None:
        """End the connection in disorder (RST)."""
        self.is_open = False
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Script = bytes | Callable[[Peer], None]


def answer(
    status: int, body: object = b"", *, headers: Mapping[str, str] | None = None, content_type: str = ""
) -> bytes:
    """Write a whole HTTP answer; a body other than bytes is sent as JSON."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
        content_type = content_type or "application/json"
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def page(*rows: Any, next_url: str | None = None) -> bytes:
    """Write a page of a list."""
    return answer(200, {"count": len(rows), "next": next_url, "previous": None, "results": list(rows)})


@dataclass
class Server:
    """The server. `requests` are what it got, in order of arrival; `connections` counts those it took."""

    scripts: deque[Script]
    ssl_context: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    #: Set when the server has closed a connection of its own accord.
    has_closed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = int(self._listener.getsockname()[1])
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._peers: list[Peer] = []

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"{'https' if self.ssl_context else 'http'}://127.0.0.1:{self.port}"

    @property
    def calls(self) -> list[str]:
        """What was asked, without queries: "POST /api/v1/auth/login/"."""
        return [f"{request.method} {request.target.partition('?')[0]}" for request in self.requests]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, end every connection and every script."""
        if self._stop.is_set():
            return
        self._stop.set()
        # Wakes the accept, which a close alone does not.
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            pass
        for peer in self._peers:
            if peer.is_open:
                with suppress(OSError):
                    peer.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)
        self._listener.close()

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            connection, _ = self._listener.accept()
            if self._stop.is_set():
                connection.close()
                return
            self.connections += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        if self.ssl_context is not None:
            try:
                connection = self.ssl_context.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
        peer = Peer(connection, self._stop)
        self._peers.append(peer)
        with suppress(OSError):
            while peer.is_open and (request := _read_request(connection)) is not None:
                with self._lock:
                    self.requests.append(request)
                    script = self.scripts.popleft() if self.scripts else answer(599, b"no script left")
                if isinstance(script, bytes):
                    peer.send(script)
                else:
                    script(peer)
        if peer.is_open:
            peer.close()
        self.has_closed.set()


def _read_request(connection: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    method, target, _ = first.split(" ")
    return Request(method, target, headers, body)


@contextmanager
def serve(*scripts: Script, ssl_context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run a server with these scripts, one for each request."""
    with Server(deque(scripts), ssl_context) as server:
        yield server


def connect(server: Server | str, **changes: Any) -> HttpOmnitron:
    """Make a client with a ready token, unless the changes say otherwise."""
    url = server if isinstance(server, str) else server.url
    defaults: dict[str, Any] = {"token": "ready", "breaker_failures": 1000}
    return HttpOmnitron(Configuration(url=url, **defaults | changes))
