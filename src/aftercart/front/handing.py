"""A front's side of its hands: requests go over, answers come back."""

import asyncio
import itertools
import logging
import os
import signal
import socket
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aftercart.front import hands
from aftercart.front.frames import CHUNK, Frame, FrameReader, write_frame
from aftercart.front.refusals import make_busy

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Asked:
    """A request that is with the hands: who waits for its end, and where its answer goes."""

    end: asyncio.Future[int | None]
    proto: Any
    stream: Any = None
    running: int | None = None


class Handing:
    """For its event loop's thread only. `on_beat` is called about once a second, for as long as the hands live."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, end: socket.socket, on_beat: Callable[[], object]
    ) -> None:
        self._loop, self._socket, self._on_beat = loop, end, on_beat
        end.setblocking(False)
        self._reader = FrameReader()
        self._numbers = itertools.count(1)
        self._asked: dict[int, _Asked] = {}
        self._unsent: deque[memoryview] = deque()
        loop.add_reader(end, self._read)

    async def answer(
        self, plain: Mapping[str, str], body: bytes, proto: Any, *, may_wait: bool
    ) -> int | None:
        """Have a request answered. Where that is to wait for a record that still runs, return its number instead.

        Raises `Refused` when nothing has been answered in time: a database that stands still holds every thread.
        """
        number = next(self._numbers)
        asked = self._asked[number] = _Asked(self._loop.create_future(), proto)
        self._send(write_frame((number, may_wait, plain), body))
        await asyncio.wait([asked.end], timeout=hands.MOST_SECONDS)
        if not asked.end.done() and asked.stream is None:
            raise make_busy()
        return await asked.end

    def close(self) -> None:
        """Have the hands finish what they have, and end."""
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()

    def _send(self, frame: bytes) -> None:
        self._unsent.append(memoryview(frame))
        if len(self._unsent) == 1:
            self._flush()

    def _flush(self) -> None:
        try:
            while self._unsent:
                sent = self._socket.send(self._unsent[0])
                if sent == len(self._unsent[0]):
                    self._unsent.popleft()
                else:
                    self._unsent[0] = self._unsent[0][sent:]
        except BlockingIOError:
            self._loop.add_writer(self._socket, self._flush)
        except OSError:
            _end()
        else:
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            piece = self._socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            _end()
        for frame in self._reader.feed(piece):
            try:
                self._take(frame)
            except Exception as error:  # noqa: BLE001 - whatever becomes of one answer, those after it must not wait
                _logger.info("An answer did not reach its client: %r", error)

    def _take(self, frame: Frame) -> None:
        number, kind, content = frame.head
        if kind == hands.BEAT:
            self._on_beat()
            return
        asked = self._asked[number]
        match kind:
            case hands.WHOLE:
                asked.proto.response_bytes(*_read_start(content), frame.body)
            case hands.BEGIN:
                asked.stream = asked.proto.response_stream(*_read_start(content))
            case hands.PART:
                asked.stream.send_bytes(frame.body)
            case hands.RUNNING:
                asked.running = content
            case _:
                del self._asked[number]
                if not asked.end.done():
                    asked.end.set_result(asked.running)


def _read_start(content: Any) -> tuple[int, list[tuple[str, str]]]:
    status, headers = content
    return status, [(name, value) for name, value in headers]


def _end() -> None:
    """End this process as its hands have ended; whoever started it starts another with hands of its own."""
    os.kill(os.getpid(), signal.SIGKILL)
