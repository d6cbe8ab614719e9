"""A wire between Aftercart and what it talks to, as a process of its own, so that a trial can cut it and heal it.

    python -m tests.faults.harness.wire LISTEN TARGET      each a TCP port on 127.0.0.1, or the path of a socket

SIGUSR1 cuts it: nothing passes, as between two parts of a network. SIGHUP holds the connections that there are, and
lets new ones pass. SIGUSR2 heals it. What a side has sent is delivered afterwards, unless that side has reset its
connection meanwhile: then, as with a kernel that has given up sending, it is lost.
"""

import asyncio
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

_CHUNK = 1 << 16
#: An end is passed on so much later: a server that gets it with the request may drop both.
_END_LATER = 0.5
_RESET = struct.pack("ii", 1, 0)


class Wire:
    """Carries bytes from those who connect to a target, and back."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._is_cut = False
        #: One for each connection: set while its bytes pass.
        self._gates = set[asyncio.Event]()

    def cut(self) -> None:
        """Let nothing pass, nor anybody connect."""
        self._is_cut = True
        self.hold()

    def hold(self) -> None:
        """Let nothing pass on the connections that there are."""
        for gate in self._gates:
            gate.clear()

    def heal(self) -> None:
        """Let everything pass."""
        self._is_cut = False
        for gate in self._gates:
            gate.set()

    async def serve(self, listen: str) -> None:
        """Listen for ever, and obey the signals."""
        loop = asyncio.get_running_loop()
        for number, obey in (
            (signal.SIGUSR1, self.cut),
            (signal.SIGHUP, self.hold),
            (signal.SIGUSR2, self.heal),
        ):
            loop.add_signal_handler(number, obey)
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
        gate = asyncio.Event()
        self._gates.add(gate)
        if not self._is_cut:
            gate.set()
        try:
            await gate.wait()
            await asyncio.get_running_loop().sock_connect(far, _make_address(self._target))
            # When one fails the other is cancelled before both are closed.
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(_pump(near, far, gate))
                pumps.create_task(_pump(far, near, gate))
        except (OSError, ExceptionGroup):
            _reset(near)
            _reset(far)
        finally:
            self._gates.discard(gate)
            near.close()
            far.close()


async def _pump(source: socket.socket, sink: socket.socket, gate: asyncio.Event) -> None:
    """Pass on what one side sends, to its end. Raise `OSError` when a side has reset its connection."""
    loop = asyncio.get_running_loop()
    while True:
        data = await loop.sock_recv(source, _CHUNK)
        await gate.wait()
        if error := source.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, "reset while the wire was cut")
        if not data:
            await asyncio.sleep(_END_LATER)
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
