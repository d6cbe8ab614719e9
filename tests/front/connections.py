"""Clients below HTTP libraries: raw sockets that send what they like, as slowly as they like."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx2

HEAD = "Host: localhost\r\nAccept: application/json\r\n"


def connect(base_url: str, sent: bytes = b"") -> socket.socket:
    address = urlsplit(base_url)
    assert address.hostname
    assert address.port
    connection = socket.create_connection((address.hostname, address.port), timeout=20)
    connection.sendall(sent)
    return connection


def write_request(line: str, *headers: str, body: bytes = b"") -> bytes:
    """Write a request, its body as it is."""
    return "\r\n".join([f"{line} HTTP/1.1", *HEAD.split("\r\n")[:-1], *headers, "", ""]).encode() + body


def exchange(base_url: str, sent: bytes) -> bytes:
    """Send bytes on a connection of their own, and read until its end."""
    with connect(base_url, sent) as connection:
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    received = bytearray()
    while part := connection.recv(65536):
        received += part
    return bytes(received)


@contextmanager
def held(base_url: str, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """Hold so many connections, on each of which the same was sent."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(base_url, sent)) for _ in range(count)]


def median_seconds(base_url: str, path: str, count: int = 9) -> float:
    """Measure how long a page takes, each time on a new connection."""
    durations = []
    for _ in range(count):
        began = time.monotonic()
        answer = httpx2.get(base_url + path, timeout=20, trust_env=False, verify=False)
        durations.append(time.monotonic() - began)
        assert answer.status_code == 200, answer.text
    return sorted(durations)[count // 2]
