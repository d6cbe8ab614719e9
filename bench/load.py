"""A load generator: so many connections, each with one request under way, and what each request took."""

import selectors
import socket
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers a second; milliseconds of half of the requests and of all but a hundredth; what one cost processors."""

    per_second: float
    p50: float
    p99: float
    answers: int = 0
    cost: float = 0.0


def write_request(path: str, headers: Mapping[str, str], *, method: str = "GET", body: bytes = b"") -> bytes:
    """Write a request as it goes through a connection."""
    length = {"Content-Length": str(len(body))} if body else {}
    fields = {"Host": "127.0.0.1", **headers, **length}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self._answer = b""

    def send(self, request: bytes) -> None:
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def receive(self, status: bytes) -> bool:
        """Read on; return whether the answer is whole. Raises `RuntimeError` for another status than this one."""
        part = self.socket.recv(_CHUNK)
        self._answer = self._answer + part if self._answer else part
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not part or (end and head[9:12] != status):
            raise RuntimeError(self._answer[:2000].decode(errors="replace"))
        if not end or len(body) < _read_length(head):
            return False
        self._answer = b""
        return True


def _read_length(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    return 0 if at < 0 else int(head[at + 17 :].split(b"\r\n", 1)[0])


def measure(port: int, request: bytes, *, status: int, seconds: float, connections: int = 16) -> Measured:
    """Ask for one thing over and over, on so many connections. Raises `RuntimeError` for another answer."""
    expected = str(status).encode()
    durations: list[float] = []
    with selectors.DefaultSelector() as selector:
        opened = [_Connection(port) for _number in range(connections)]
        for each in opened:
            selector.register(each.socket, selectors.EVENT_READ, each)
            each.send(request)
        began = time.perf_counter()
        end = began + seconds
        while (now := time.perf_counter()) < end or len(durations) < 2 * connections:
            for key, _events in selector.select(5):
                if key.data.receive(expected):
                    durations.append(time.perf_counter() - key.data.began)
                    key.data.send(request)
        for each in opened:
            each.socket.close()
    cuts = statistics.quantiles(durations, n=100)
    return Measured(len(durations) / (now - began), cuts[49] * 1000, cuts[98] * 1000, len(durations))
