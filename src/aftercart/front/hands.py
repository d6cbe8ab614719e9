"""The hands of a front: the process in which its Django works, so that nobody who only reads waits for it.

In one process they would share Python's lock: what answers the hot reads would wait for each thread that computes, and
for as long as the kernel keeps that one from a processor. The hands stand back behind whoever reads.
"""

import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from aftercart.front.frames import CHUNK, FrameReader, write_frame
from aftercart.front.gateway import Application, build_environ, serve
from aftercart.front.heartbeats import EVERY_SECONDS, end_with
from aftercart.front.threads import Threads
from aftercart.lib.niceness import stand_back

#: What the hands send: they live; an answer as a whole, or its beginning and a part of it; who asked has to wait for a
#: record of that number; that was all.
BEAT: Final = "beat"
WHOLE: Final = "whole"
BEGIN: Final = "begin"
PART: Final = "part"
RUNNING: Final = "running"
END: Final = "end"
#: Seconds after which a request has its answer: 503, if the hands have none yet. A proxy in front waits for a minute.
MOST_SECONDS: Final = 55.0

_Send = Callable[..., None]


@dataclass(frozen=True, slots=True)
class ForkedHands:
    """The process, and the front's end of what they talk over."""

    socket: socket.socket
    pid: int

    def wait(self) -> None:
        """Wait for its end."""
        os.waitpid(self.pid, 0)


def fork_hands(work: Callable[[socket.socket], None], *, steps: int) -> ForkedHands:
    """Fork a process that works for this one, with so many steps less of a claim to a processor.

    It ends when the socket is closed, or with this process. To be called before there is another thread. What has been
    loaded so far is shared by both.
    """
    ours, theirs = socket.socketpair()
    gc.collect()
    gc.freeze()  # or each collection would write to what is shared
    front = os.getpid()
    pid = os.fork()
    if pid:
        theirs.close()
        return ForkedHands(ours, pid)
    ours.close()
    status = 1
    try:
        os.setsid()  # who presses Ctrl-C means the front, which lets these finish
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        end_with(front)
        stand_back(steps)
        work(theirs)
        status = 0
    finally:
        os._exit(status)


class Hands:
    """Runs an application on what a front hands over, in threads."""

    def __init__(self, application: Application, *, threads: int, dialogues: int) -> None:
        self._application = application
        self._make_threads = partial(Threads, threads, dialogues)

    def work(self, front: socket.socket) -> None:
        """Work until the front closes its end; then finish what has been begun."""
        answers = _Answers(front)
        threads = self._make_threads()
        threading.Thread(target=_beat, args=(answers,), name="beat", daemon=True).start()
        reader = FrameReader()
        while piece := front.recv(CHUNK):
            end = time.monotonic() + MOST_SECONDS
            for (number, may_wait, plain), body in reader.feed(piece):
                threads.begin(
                    partial(self._answer, end, partial(answers.send, number), may_wait, plain, body)
                )
        threads.close()

    def _answer(self, end: float, send: _Send, may_wait: bool, plain: dict[str, str], body: bytes) -> None:  # noqa: FBT001 - as it was sent
        """Answer a request, unless it has waited for a thread until nobody waited for it any more."""
        wait_for = (lambda record: send(RUNNING, record)) if may_wait else None
        try:
            if time.monotonic() < end:
                serve(self._application, build_environ(plain, body), _Proto(send), wait_for)
        finally:
            with suppress(BrokenPipeError):  # whoever has an answer may stop the front at once
                send(END)


class _Answers:
    """The way back, for all threads."""

    def __init__(self, front: socket.socket) -> None:
        self._front = front
        self._lock = threading.Lock()

    def send(self, number: int, kind: str, content: object = None, body: bytes = b"") -> None:
        """Send a part of an answer."""
        frame = write_frame((number, kind, content), body)
        with self._lock:
            self._front.sendall(frame)


class _Proto:
    """What of RSGI an answer needs."""

    def __init__(self, send: _Send) -> None:
        self._send = send

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self._send(WHOLE, (status, headers), body)

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> "_Proto":
        self._send(BEGIN, (status, headers))
        return self

    def send_bytes(self, part: bytes) -> None:
        self._send(PART, None, part)


def _beat(answers: _Answers) -> None:
    with suppress(OSError):  # the front has gone, or wants no more
        while True:
            answers.send(0, BEAT)
            time.sleep(EVERY_SECONDS)
