"""A wire between Aftercart and what it talks to, as a process of its own, so that a trial can cut it and heal it.

    python -m tests.faults.harness.wire LISTEN TARGET      each a TCP port on 127.0.0.1, or the path of a socket

SIGUSR1 cuts it, SIGUSR2 heals it. While it is cut nothing passes, as between two parts of a network. What a side
has sent is delivered afterwards, unless that side has reset its connection meanwhile: then, as with a kernel that
has given up sending, it is lost.
"""

import asyncio
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

_CHUNK = 1 << 16
_RESET = struct.pack("ii", 1, 0)


class Wire:
    """Carries bytes from those who connect to a target, and back."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._whole = asyncio.Event()
        self._whole.set()

    async def serve(self, listen: str) -> None:
        """Listen for ever, and obey the signals."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._whole.clear)
        loop.add_signal_handler(signal.SIGUSR2, self._whole.set)
        listener = _listen(listen)
        pairs = set[asyncio.Task[None]]()
        while True:
            near, _ = await loop.sock_accept(listener)
            pair = asyncio.create_task(self._connect(near))
            pairs.add(pair)
            pair.add_done_callback(pairs.discard)

    async def _connect(self, near: socket.socket) -> None:
        far = _make_socket(self._target)
        far.setblocking(False)
        try:
            await self._whole.wait()
            await asyncio.get_running_loop().sock_connect(far, _make_address(self._target))
            async with (
                asyncio.TaskGroup() as pumps
            ):  # which cancels one when the other fails, before both are closed
                pumps.create_task(self._pump(near, far))
                pumps.create_task(self._pump(far, near))
        except (OSError, ExceptionGroup):
            _reset(near)
            _reset(far)
        finally:
            near.close()
            far.close()

    async def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        """Pass on what one side sends, to its end. Raise `OSError` when a side has reset its connection."""
        loop = asyncio.get_running_loop()
        while True:
            data = await loop.sock_recv(source, _CHUNK)
            await self._whole.wait()
            if error := source.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, "reset while the wire was cut")
            if not data:
                break
            await loop.sock_sendall(sink, data)
        with suppress(OSError):  # the other side has gone altogether
            sink.shutdown(socket.SHUT_WR)


def _listen(place: str) -> socket.socket:
    listener = _make_socket(place)
    if not place.isdecimal():
        Path(place).unlink(missing_ok=True)
    listener.bind(_make_address(place))
    listener.listen(256)
    listener.setblocking(False)
    return listener


def _make_socket(place: str) -> socket.socket:
    made = socket.socket(socket.AF_INET if place.isdecimal() else socket.AF_UNIX)
    if place.isdecimal():
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


def _make_address(place: str) -> tuple[str, int] | str:
    return ("127.0.0.1", int(place)) if place.isdecimal() else place


def _reset(side: socket.socket) -> None:
    with suppress(OSError):
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


if __name__ == "__main__":
    listen_at, passes_to = sys.argv[1:]
    asyncio.run(Wire(passes_to).serve(listen_at))
