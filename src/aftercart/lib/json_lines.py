"""Reading JSON Lines from a file or from standard input, and writing beside it which lines were bad.

Memory is bounded whatever comes: a line longer than `LONGEST_LINE` is never held whole.
"""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Protocol, Self, cast

import msgspec

#: In bytes. A longer line is cut there, one byte too long, so that whoever reads it can tell.
LONGEST_LINE: Final = 4 * 1024 * 1024
STDIN: Final = "-"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_CHUNK: Final = 256 * 1024


class InputDamaged(Exception):
    """The compressed input is damaged or ends too early: what follows cannot be read."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that did not go in: its number from 1, why, and the order number that it holds, if any.

    One that `is_imported` did go in, with amounts that do not add up.
    """

    line: int
    reason: str
    number: str | None
    is_imported: bool = False


class _Readable(Protocol):
    def read1(self, size: int = ..., /) -> bytes: ...
    def close(self) -> None: ...


class _Rewound(io.RawIOBase):
    """A stream whose first bytes were read to look at them, and are given again."""

    def __init__(self, head: bytes, stream: _Readable) -> None:
        super().__init__()
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # the stubs name a type that Python 3.11 lacks
        data = self._head[: len(buffer)] or self._stream.read1(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed and self._stream is not sys.stdin.buffer:
            self._stream.close()
        super().close()


def open_lines(path: str | Path) -> Iterator[bytes]:
    """Read the lines of a file, or of standard input for "-": without their ends, gzip unpacked by itself.

    Gzip is known by its first bytes, whatever the file is called. A byte-order mark is dropped. Empty lines
    come as b"", so that counting them gives the line's number. A line longer than `LONGEST_LINE` comes as its
    first `LONGEST_LINE` + 1 bytes. Raises OSError at once when the file cannot be opened, and while reading
    `InputDamaged` when it is a damaged gzip file.
    """
    stream = cast("_Readable", sys.stdin.buffer if str(path) == STDIN else Path(path).open("rb"))  # noqa: SIM115 - whoever reads it closes it
    head = b""
    while len(head) < len(_GZIP_MAGIC) and (more := stream.read1(len(_GZIP_MAGIC) - len(head))):
        head += more
    whole = io.BufferedReader(_Rewound(head, stream), _CHUNK)
    if head == _GZIP_MAGIC:
        unpacked = cast("io.RawIOBase", gzip.GzipFile(fileobj=whole))
        return _read_lines(io.BufferedReader(unpacked, _CHUNK), whole)
    return _read_lines(whole, whole)


def measure_plain(path: str | Path) -> int:
    """Return how many bytes a file has; 0 where that says nothing: of standard input, a pipe, or what is packed."""
    if str(path) == STDIN or not Path(path).is_file():
        return 0
    with Path(path).open("rb") as file:
        is_packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return 0 if is_packed else Path(path).stat().st_size


def _read_lines(lines: IO[bytes], source: IO[bytes]) -> Iterator[bytes]:
    with source:
        is_first = True
        while line := _read_line(lines):
            if is_first:
                line = line.removeprefix(_BYTE_ORDER_MARK)
                is_first = False
            yield line.rstrip(b"\r\n")


def _read_line(lines: IO[bytes]) -> bytes:
    """Read one line with its end, b"" at the end; of a line that is too long the rest is skipped."""
    try:
        line = rest = lines.readline(LONGEST_LINE + 1)
        while rest and len(line) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = lines.readline(_CHUNK)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputDamaged(str(error)) from error
    return line


def bad_lines_path(path: str | Path) -> Path:
    """Return where the bad lines of a file are reported: `orders.jsonl.gz` → `orders.bad.jsonl` beside it.

    For standard input: `stdin.bad.jsonl` in the current folder.
    """
    if str(path) == STDIN:
        return Path("stdin.bad.jsonl")
    path = Path(path)
    stem = path.name
    for ending in (".gz", ".jsonl", ".ndjson", ".json"):
        stem = stem.removesuffix(ending) or stem
    return path.with_name(f"{stem}.bad.jsonl")


class BadLinesFile:
    """Writes bad lines as JSON Lines, `{"line", "reason", "number", "is_imported"}`; the first of them makes the file.

    A report that an earlier import left at that path is removed when this one begins.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        return self

    def report(self, bad: BadLine) -> None:
        """Write one line."""
        if self._file is None:
            self._file = self.path.open("wb")
        self._file.write(msgspec.json.encode(bad) + b"\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
