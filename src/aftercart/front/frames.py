"""What a front and its hands tell each other over a socket: frames of a JSON head and bytes."""

import json
import struct
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

_LENGTHS: Final = struct.Struct("!II")
#: Bytes that are read at once.
CHUNK: Final = 256 * 1024


class Frame(NamedTuple):
    """A head, and the bytes that come with it."""

    head: Any
    body: bytes


def write_frame(head: object, body: bytes = b"") -> bytes:
    """Write a frame. The head is whatever JSON knows."""
    text = json.dumps(head).encode()
    return b"".join((_LENGTHS.pack(len(text), len(body)), text, body))


class FrameReader:
    """Makes frames of what comes in pieces."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Take a piece; give the frames that are whole by now."""
        self._received += piece
        while len(self._received) >= _LENGTHS.size:
            head, body = _LENGTHS.unpack_from(self._received)
            start, end = _LENGTHS.size + head, _LENGTHS.size + head + body
            if len(self._received) < end:
                return
            frame = Frame(json.loads(self._received[_LENGTHS.size : start]), bytes(self._received[start:end]))
            del self._received[:end]
            yield frame
