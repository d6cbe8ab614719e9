"""A complete RSGI request as a WSGI call (PEP 3333), in one thread from its first line to `close()`."""

import sys
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any

from aftercart.front.kept import keep_answers
from aftercart.lib.waiting import MAY_WAIT, RUNNING_HEADER

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]

#: A body whose length is known is sent as one piece up to so many bytes.
_ONE_PIECE = 1024 * 1024

_CONSTANT: Environ = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "Granian",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    # The input ends where the body does, and CONTENT_LENGTH tells its length, however it was sent.
    "wsgi.input_terminated": True,
}
_PROTOCOLS = {"1": "HTTP/1.0", "1.1": "HTTP/1.1", "2": "HTTP/2.0"}


def describe_request(scope: Any, body: bytes) -> dict[str, str]:
    """Give what is text of a request's environ. No headers with an underscore: they would overwrite others."""
    headers = scope.headers
    server_name, server_port = _split(scope.server)
    environ = {
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": _as_latin(scope.path),
        "QUERY_STRING": _as_latin(scope.query_string),
        "SERVER_NAME": server_name,
        "SERVER_PORT": server_port,
        "SERVER_PROTOCOL": _PROTOCOLS.get(scope.http_version, "HTTP/1.1"),
        "REMOTE_ADDR": _split(scope.client)[0],
        "wsgi.url_scheme": scope.scheme,
        "CONTENT_LENGTH": str(len(body)) if body or "content-length" in headers else "",
    }
    for name, value in headers.items():
        key = _name_variable(name)
        if not key:
            continue
        if key in environ:
            environ[key] += f"{'; ' if name == 'cookie' else ','}{value}"
        else:
            environ[key] = value
    authority = None if "HTTP_HOST" in environ else scope.authority
    if authority:
        environ["HTTP_HOST"] = authority
    return environ


def build_environ(plain: Mapping[str, str], body: bytes) -> Environ:
    """Build the environ of a request that has been described."""
    return {**_CONSTANT, **plain, "wsgi.input": BytesIO(body)}


@keep_answers(512)
def _name_variable(header: str) -> str:
    """Name a header's variable; empty for those that have none."""
    if "_" in header or header in {"content-length", "transfer-encoding"}:
        return ""
    name = header.upper().replace("-", "_")
    return name if name == "CONTENT_TYPE" else f"HTTP_{name}"


def _as_latin(text: str) -> str:
    """Write bytes as WSGI wants them: a character for each."""
    return text if text.isascii() else text.encode().decode("latin-1")


def _split(address: str) -> tuple[str, str]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), port


def serve(
    application: Application, environ: Environ, proto: Any, wait_for: Callable[[int], None] | None = None
) -> None:
    """Call the application and send what it answers. Blocks; any thread may do it.

    With `wait_for`, an answer that is to be waited for is not sent: `wait_for` gets the id of its record instead.
    """
    status = 500
    headers: list[tuple[str, str]] = []

    def start_response(line: str, fields: list[tuple[str, str]], _error: Any = None) -> None:
        nonlocal status, headers
        status, headers = int(line.split(" ", 1)[0]), fields

    environ[MAY_WAIT] = wait_for is not None
    chunks = application(environ, start_response)
    try:
        running = next((value for name, value in headers if name == RUNNING_HEADER), "")
        if running and wait_for is not None:
            wait_for(int(running))
        elif getattr(chunks, "streaming", False) and not _is_short(headers):
            transport = proto.response_stream(status, headers)
            for chunk in chunks:
                transport.send_bytes(chunk)
        else:
            proto.response_bytes(status, headers, b"".join(chunks))
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


def _is_short(headers: list[tuple[str, str]]) -> bool:
    return any(name.lower() == "content-length" and int(value) <= _ONE_PIECE for name, value in headers)
