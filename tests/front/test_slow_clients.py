"""Clients that are slow, or never go on, stop nobody else (two threads, one process)."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx2
import pytest
from axes.models import AccessAttempt

from tests.front.conftest import BODY_SECONDS
from tests.front.connections import (
    HEAD,
    connect,
    exchange,
    held,
    median_seconds,
    read_all,
    write_request,
)
from tests.processes import answers, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 200
PAGES = ("/healthz", "/readyz", "/users/login/")
UNFINISHED_BODY = write_request(
    "POST /users/login/", "Content-Type: application/json", "Content-Length: 50", body=b"{"
)


#: Seconds by page.
Seconds = dict[str, float]


@pytest.fixture
def alone(base_url: str) -> Seconds:
    """How long each page takes before anybody else has come: on a machine that is busy, long."""
    return {page: median_seconds(base_url, page) for page in PAGES}


def list_slow(base_url: str, alone: Seconds) -> list[str]:
    """List the pages that take a second or more, and not because the machine has been busy all along."""
    return [page for page in PAGES if median_seconds(base_url, page) >= max(1.0, 5 * alone[page])]


@contextmanager
def trickling(base_url: str) -> Iterator[None]:
    """Send a byte of each body now and then, until the end of the block."""
    stop = threading.Event()
    head = write_request("POST /users/login/", "Content-Length: 100000")
    with held(base_url, MANY, head) as connections:

        def trickle() -> None:
            while not stop.wait(0.2):
                for connection in connections:
                    with suppress(OSError):  # it was too slow
                        connection.sendall(b"a")

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(UNFINISHED_BODY, id="unfinished bodies"),
        pytest.param(f"POST /users/login/ HTTP/1.1\r\n{HEAD}Content-Le".encode(), id="unfinished headers"),
        pytest.param(
            write_request("POST /users/login/", "Transfer-Encoding: chunked", body=b"5\r\nab"),
            id="half a chunk",
        ),
        pytest.param(write_request("GET /healthz"), id="idle after an answer"),
        pytest.param(b"", id="idle"),
    ],
)
def test_200_connections_of_one_client_leave_pages_under_a_second(
    base_url: str, alone: Seconds, sent: bytes
) -> None:
    with held(base_url, MANY, sent):
        assert list_slow(base_url, alone) == []


def test_200_trickled_bodies_leave_pages_under_a_second(base_url: str, alone: Seconds) -> None:
    with trickling(base_url):
        assert list_slow(base_url, alone) == []


def test_readers_that_never_read_leave_pages_under_a_second(base_url: str, alone: Seconds) -> None:
    with held(base_url, MANY, write_request("GET /static/pages/aftercart.css") * 20):
        assert list_slow(base_url, alone) == []


def test_prior_knowledge_of_http_2_is_not_served(base_url: str, alone: Seconds) -> None:
    assert exchange(base_url, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0") == b""
    assert list_slow(base_url, alone) == []


def test_a_body_that_comes_too_slowly_gets_408_and_the_end(base_url: str) -> None:
    began = time.monotonic()

    answer = exchange(base_url, UNFINISHED_BODY)

    assert time.monotonic() - began >= BODY_SECONDS
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b'{"detail": "The request\'s body came too slowly.", "code": "request_timeout"}')


def test_when_bodies_take_too_much_the_slowest_give_way(base_url: str) -> None:
    large = write_request("POST /users/login/", "Content-Type: application/json", "Content-Length: 1000000")
    with held(base_url, 2, large) as connections:  # of 2 MiB
        wait_until(lambda: answers(f"{base_url}/healthz"))
        began = time.monotonic()
        body = b'{"email": "a@example.com", "password": "' + b"x" * 900_000 + b'"}'

        answer = httpx2.post(
            f"{base_url}/users/login/", content=body, headers={"Content-Type": "application/json"}, timeout=20
        )

        assert answer.status_code == 400
        assert read_all(connections[0]).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < BODY_SECONDS


def test_slow_photos_take_no_room_of_a_log_in(base_url: str) -> None:
    large = write_request("POST /orders/ORD-1/cancel/photos/", "Content-Length: 30000000")
    with held(base_url, 4, large) as connections:  # of 96 MiB
        body = b'{"email": "a@example.com", "password": "' + b"x" * 900_000 + b'"}'

        answer = httpx2.post(
            f"{base_url}/users/login/", content=body, headers={"Content-Type": "application/json"}, timeout=20
        )

        assert answer.status_code == 400
        assert read_all(connections[0]).startswith(b"HTTP/1.1 408 ")  # for the fourth, not for the log-in


def test_a_client_that_leaves_in_the_middle_of_a_body_changes_nothing(base_url: str) -> None:
    body = b'{"email": "gone@example.com", "password": "wrong"}'
    for head, sent in (
        (f"Content-Length: {len(body) + 1}", body),
        ("Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (len(body), body)),
    ):
        connect(
            base_url, write_request("POST /users/login/", "Content-Type: application/json", head, body=sent)
        ).close()
    whole = b'{"email": "here@example.com", "password": "wrong"}'

    answer = httpx2.post(
        f"{base_url}/users/login/", content=whole, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 400
    assert list(AccessAttempt.objects.values_list("username", flat=True)) == ["here@example.com"]
