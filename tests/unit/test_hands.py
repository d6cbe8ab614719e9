"""A front's hands, in a thread instead of a process: what goes over comes back, in pieces of any size."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from aftercart.front import hands
from aftercart.front.frames import CHUNK, FrameReader, write_frame
from aftercart.front.handing import Handing
from aftercart.front.hands import END, WHOLE, Hands
from aftercart.front.refusals import Refused
from aftercart.lib.waiting import MAY_WAIT, RUNNING_HEADER
from tests.http.fuzz import Proto

_LARGE = b"x" * 3_000_000
Start = Callable[[str, list[tuple[str, str]]], None]


class Streamed(list[bytes]):
    streaming = True


def application(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    match environ["PATH_INFO"]:
        case "/fails":
            raise ZeroDivisionError
        case "/streamed":
            start_response("200 OK", [("X-Way", "streamed")])
            return Streamed([b"a", b"b", body])
        case "/waits":
            start_response("409 Conflict", [(RUNNING_HEADER, "7")])
            return [b"still running" if not environ[MAY_WAIT] else b""]
    start_response("201 Created", [("X-Method", environ["REQUEST_METHOD"]), ("X-Two", "1"), ("X-Two", "2")])
    return [body]


def ask(path: str, body: bytes = b"", *, may_wait: bool = False) -> tuple[Proto, int | None]:
    """Have hands answer one request, and end them."""

    async def run() -> tuple[Proto, int | None]:
        proto = Proto()
        handing = Handing(asyncio.get_running_loop(), ours, lambda: None)
        plain = {"PATH_INFO": path, "REQUEST_METHOD": "PUT"}
        running = await handing.answer(plain, body, proto, may_wait=may_wait)
        handing.close()
        return proto, running

    ours, theirs = socket.socketpair()
    worker = threading.Thread(target=Hands(application, threads=1, dialogues=1).work, args=(theirs,))
    worker.start()
    try:
        return asyncio.run(run())
    finally:
        worker.join(10)
        theirs.close()


@pytest.mark.parametrize("body", [b"", b"\x00\xff", _LARGE], ids=["empty", "bytes", "large"])
def test_a_request_and_its_answer_come_through_as_they_are(body: bytes) -> None:
    proto, running = ask("/", body)

    assert (proto.status, proto.body, running) == (201, body, None)
    assert proto.headers == [("X-Method", "PUT"), ("X-Two", "1"), ("X-Two", "2")]


def test_a_streamed_answer_comes_in_its_order() -> None:
    proto, _running = ask("/streamed", _LARGE)

    assert (proto.status, proto.headers, proto.body) == (200, [("X-Way", "streamed")], b"ab" + _LARGE)


def test_what_is_to_wait_is_told_and_not_answered() -> None:
    proto, running = ask("/waits", may_wait=True)

    assert (proto.status, running) == (0, 7)


def test_what_may_not_wait_is_answered() -> None:
    proto, running = ask("/waits")

    assert (proto.status, proto.body, running) == (409, b"still running", None)


def test_a_failure_ends_the_request_alone(caplog: pytest.LogCaptureFixture) -> None:
    proto, running = ask("/fails")

    assert (proto.status, running) == (0, None)
    assert "A request ended without an answer." in caplog.text


def test_a_client_that_has_gone_delays_no_other_answer() -> None:
    async def run() -> Proto:
        gone, there = Gone(), Proto()
        handing = Handing(asyncio.get_running_loop(), ours, lambda: None)
        answers = [asyncio.ensure_future(handing.answer({}, b"", to, may_wait=False)) for to in (gone, there)]
        await asyncio.sleep(0)
        frames = [write_frame((number, WHOLE, (200, [])), b"yes") for number in (1, 2)]
        theirs.sendall(b"".join(frames) + b"".join(write_frame((number, END, None)) for number in (1, 2)))
        assert await asyncio.wait_for(asyncio.gather(*answers), 10) == [None, None]
        return there

    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert asyncio.run(run()).body == b"yes"


def test_what_is_not_answered_in_time_is_a_503_and_its_late_answer_disturbs_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run() -> tuple[Refused, Proto]:
        handing, there = Handing(asyncio.get_running_loop(), ours, lambda: None), Proto()
        with monkeypatch.context() as patch:
            patch.setattr(hands, "MOST_SECONDS", 0.0)
            with pytest.raises(Refused) as refused:
                await handing.answer({}, b"", Gone(), may_wait=False)
        answer = asyncio.ensure_future(handing.answer({}, b"", there, may_wait=False))
        frames = [write_frame((number, WHOLE, (200, [])), b"yes") for number in (1, 2)]
        theirs.sendall(b"".join(frames) + b"".join(write_frame((number, END, None)) for number in (1, 2)))
        assert await answer is None
        return refused.value, there

    ours, theirs = socket.socketpair()
    with ours, theirs:
        refused, there = asyncio.run(run())
    assert (refused.status, refused.code, refused.headers) == (503, "unavailable", (("Retry-After", "1"),))
    assert there.body == b"yes"


def test_what_has_waited_for_a_thread_until_nobody_waits_for_it_is_not_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        monkeypatch.setattr(hands, "MOST_SECONDS", 0.0)
        ours.sendall(write_frame((1, False, {"PATH_INFO": "/", "REQUEST_METHOD": "PUT"})))
        ours.shutdown(socket.SHUT_WR)
        Hands(application, threads=1, dialogues=1).work(theirs)

        told = [tuple(frame.head) for frame in FrameReader().feed(ours.recv(CHUNK))]
    assert [head for head in told if head[0]] == [(1, END, None)]


class Gone(Proto):
    def response_bytes(self, *_answer: object) -> None:
        raise ConnectionError


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_frames_are_found_however_they_are_cut(size: int) -> None:
    sent = [([1, "ü", None], b""), ([2, {"a": "b"}], b"\n\x00" * 50), ("", b"z")]
    stream = b"".join(write_frame(head, body) for head, body in sent)
    reader = FrameReader()

    found = [
        tuple(frame)
        for start in range(0, len(stream), size)
        for frame in reader.feed(stream[start : start + size])
    ]

    assert found == sent
