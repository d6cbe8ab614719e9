"""Requests as they come over the wire, and what Django sees of them."""

import json
import re
from pathlib import Path

import httpx2
import pytest
from axes.models import AccessAttempt

from aftercart import pages
from tests.front.connections import exchange, write_request

pytestmark = pytest.mark.django_db(transaction=True)

CLOSE = "Connection: close"
JSON = "Content-Type: application/json"


def log_in(base_url: str, body: bytes, *headers: str) -> tuple[bytes, bytes]:
    """Send a log-in; the head and the body of the answer."""
    head, _, answer = exchange(
        base_url, write_request("POST /users/login/", CLOSE, *headers, body=body)
    ).partition(b"\r\n\r\n")
    return head, answer


def test_a_chunked_body_is_read(base_url: str) -> None:
    body = json.dumps({"email": "nobody@example.com", "password": "unknown"}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"

    head, answer = log_in(base_url, chunks, JSON, "Transfer-Encoding: chunked")

    assert head.startswith(b"HTTP/1.1 400 ")
    assert "non_field_errors" in json.loads(answer)  # and not: these fields are required


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_that_is_too_large_gets_413_after_it_was_sent(base_url: str, *, is_chunked: bool) -> None:
    body = b"x" * (3 * 1024 * 1024)
    answer = httpx2.post(
        f"{base_url}/users/login/",
        content=iter([body]) if is_chunked else body,
        headers={"Content-Type": "application/json"},
        timeout=20,
    )

    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert answer.json() == {
        "detail": "A request's body has at most 1048576 bytes.",
        "code": "request_too_large",
    }


def test_photos_may_be_larger_and_nothing_else_may(base_url: str) -> None:
    upload = f"{base_url}/orders/ORD-1/cancel/photos/"
    photo = b"x" * (3 * 1024 * 1024)
    sent = [
        httpx2.request(method, url, content=content, headers={"Accept": "application/json"}, timeout=20)
        for method, url, content in (
            ("POST", upload, photo),
            ("POST", upload, iter([photo])),
            ("PUT", upload, photo),
            ("POST", f"{upload}x/", photo),
            ("POST", upload, b"x" * (32 * 1024 * 1024 + 1)),
        )
    ]

    assert [answer.status_code for answer in sent] == [401, 401, 413, 413, 413]
    assert sent[4].json()["detail"] == "A request's body has at most 33554432 bytes."


def test_who_waits_for_a_word_before_a_large_body_gets_413_at_once(base_url: str) -> None:
    head, answer = log_in(base_url, b"", "Expect: 100-continue", "Content-Length: 5000000")

    assert head.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer)["code"] == "request_too_large"


def test_methods_that_nobody_serves_are_refused_at_the_door(base_url: str) -> None:
    for method in ("TRACE", "CONNECT", "PROPFIND"):
        answer = exchange(base_url, write_request(f"{method} /", "Cookie: sessionid=secret"))

        assert answer.startswith(b"HTTP/1.1 405 ")
        assert b"\r\nallow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" in answer
        assert b"secret" not in answer


def test_headers_have_a_size_and_a_number(base_url: str) -> None:
    large = exchange(base_url, write_request("GET /", CLOSE, f"X-Large: {'x' * 40_000}"))
    many = exchange(base_url, write_request("GET /", CLOSE, *(f"X-{number}: 1" for number in range(120))))

    assert large.startswith(b"HTTP/1.1 431 ")
    assert many.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("line", "headers", "status", "code"),
    [
        ("GET /orders/%00/", [], b"404", "not_found"),
        ("GET /users/login/?a=%00", [], b"404", "not_found"),
        ("GET /", ["Host: localhost"], b"400", "bad_request"),
    ],
)
def test_an_address_with_a_nul_is_none_and_two_hosts_are_refused(
    base_url: str, line: str, headers: list[str], status: bytes, code: str
) -> None:
    answer = exchange(base_url, write_request(line, CLOSE, *headers))

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == code


def test_headers_with_an_underscore_are_dropped(base_url: str) -> None:
    body = b'{"email": "nobody@example.com", "password": "unknown"}'
    headers = [
        "X_Forwarded_For: 203.0.113.66",
        "X-Forwarded-For: 192.0.2.7:99",
        f"Content-Length: {len(body)}",
    ]
    for order in (headers, headers[::-1]):
        AccessAttempt.objects.all().delete()

        log_in(base_url, body, JSON, *order)

        assert AccessAttempt.objects.get().ip_address == "192.0.2.7"


def test_static_files_come_whole_and_head_has_only_their_length(base_url: str) -> None:
    style = (Path(pages.__file__).parent / "static/pages/aftercart.css").read_bytes()
    got = httpx2.get(f"{base_url}/static/pages/aftercart.css")
    head = httpx2.head(f"{base_url}/static/pages/aftercart.css", headers={"Accept-Encoding": "identity"})

    assert got.content == style
    assert head.content == b""
    assert head.headers["content-length"] == str(len(style))


def test_several_requests_of_one_connection_are_answered_in_their_order(base_url: str) -> None:
    sent = (
        write_request("GET /healthz") + write_request("GET /nowhere/") + write_request("GET /healthz", CLOSE)
    )

    assert re.findall(rb"HTTP/1.1 (\d+) ", exchange(base_url, sent)) == [b"200", b"404", b"200"]
