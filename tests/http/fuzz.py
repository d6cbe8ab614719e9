"""Requests that nobody would send, through the front's own code into Django, without a socket."""

from dataclasses import dataclass, field
from typing import Any

from aftercart.front.door import check_request_head
from aftercart.front.gateway import build_environ, describe_request, serve
from aftercart.front.refusals import Refused, answer_refusal
from aftercart.wsgi import application


class Headers:
    """Headers as RSGI gives them: names in lower case, values of visible ASCII, several of one name."""

    def __init__(self, rows: list[tuple[str, str]]) -> None:
        self._rows = [
            (name.lower(), value) for name, value in rows if value.isascii() and value.isprintable()
        ]

    def items(self) -> list[tuple[str, str]]:
        return self._rows

    def get(self, name: str, default: Any = None) -> Any:
        return next(iter(self.get_all(name)), default)

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self._rows if key == name]

    def __contains__(self, name: str) -> bool:
        return bool(self.get_all(name))


@dataclass
class Scope:
    method: str
    path: str
    query_string: str
    headers: Headers
    http_version: str = "1.1"
    scheme: str = "http"
    server: str = "127.0.0.1:8000"
    client: str = "127.0.0.1:4711"
    authority: str | None = None


@dataclass
class Proto:
    """Keeps the answer."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def response_str(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        self.response_bytes(status, headers, body.encode())

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.response_bytes(status, headers, b"")

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> "Proto":
        self.status, self.headers = status, headers
        return self

    def send_bytes(self, data: bytes) -> None:
        self.body += data


def send(scope: Scope, body: bytes) -> Proto:
    """Have a request answered as the server would."""
    proto = Proto()
    try:
        check_request_head(scope)
    except Refused as refusal:
        answer_refusal(scope.headers, proto, refusal)
    else:
        serve(application, build_environ(describe_request(scope, body), body), proto)
    return proto
