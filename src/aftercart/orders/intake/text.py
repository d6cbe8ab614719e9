"""Find the order documents in what was sent: one a line (JSON Lines), or in JSON texts that hold one or many.

A JSON text is a document, a list of them, or a page of an API (`{"count", "next", "previous", "results"}`),
pretty-printed or not; several may follow each other.
"""

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from aftercart.lib.json_lines import InputDamaged
from aftercart.orders.intake.values import Document, DocumentInvalid, check_document, decode_value

#: In bytes. A JSON text is read whole; what is larger counts as lines.
LARGEST_TEXT: Final = 64 * 1024 * 1024
_BOUNDARIES: Final = json.JSONDecoder()
_FILLED: Final = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class Sent:
    """A document: the number of its line, or in a JSON text its own, from 1; its size in bytes.

    `content` is a line that is still to be decoded, or a document of a text, or why there is none.
    """

    number: int
    size: int
    content: bytes | Document | DocumentInvalid


def list_sent(lines: Iterable[bytes]) -> Iterator[Sent]:
    """List the documents of some lines, which together may be JSON texts; empty lines come as they are."""
    lines = iter(lines)
    head: list[bytes] = []
    try:
        for line in _take_head(lines):
            head.append(line)  # noqa: PERF402 - what came before the damage is kept
    except InputDamaged as error:
        lines = _raise(error)
    everything = itertools.chain(head, lines)
    if not _begins_text(head):
        yield from _list_in_lines(everything)
        return
    kept, size = [], 0
    for line in everything:
        kept.append(line)
        size += len(line) + 1
        if size > LARGEST_TEXT:
            yield from _list_in_lines(itertools.chain(kept, everything))
            return
    yield from _list_in_text(kept)


def _list_in_lines(lines: Iterable[bytes]) -> Iterator[Sent]:
    for number, line in enumerate(lines, start=1):
        yield Sent(number, len(line), line)


def _take_head(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Take the lines up to the second that is not empty."""
    count = 0
    for line in lines:
        yield line
        count += bool(line.strip())
        if count == 2:  # noqa: PLR2004 - the first two say what it is
            return


def _raise(error: Exception) -> Iterator[bytes]:
    raise error
    yield  # so that it raises only when it is reached


def _begins_text(head: list[bytes]) -> bool:
    """Return whether these first lines begin a JSON text: a list or page, or the beginning of a document."""
    filled = [line for line in head if line.strip()]
    if not filled:
        return False
    first = _find_value(filled[0])
    if first is not None:
        return isinstance(first, list) or _is_page(first)
    # A line that was cut off begins nothing if a whole document follows it.
    is_alone = len(filled) == 1 or not isinstance(_find_value(filled[1]), dict)
    return filled[0].lstrip()[:1] in {b"{", b"["} and len(filled) > 1 and is_alone


def _find_value(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError):
        return None


def _is_page(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("results"), list) and "number" not in value


def _list_in_text(lines: list[bytes]) -> Iterator[Sent]:
    text = b"\n".join(lines)
    try:
        documents = [row for value in _split(text) for row in _unfold(decode_value(value))]
    except DocumentInvalid as error:
        if any(
            isinstance(_find_value(line), dict) for line in lines
        ):  # they are lines, the first of them bad
            yield from _list_in_lines(lines)
        else:
            yield Sent(1, 0, error)
        return
    size = len(text) // max(len(documents), 1)
    for number, document in enumerate(documents, start=1):
        try:
            yield Sent(number, size, check_document(document))
        except DocumentInvalid as error:
            yield Sent(number, size, error)


def _split(text: bytes) -> Iterator[bytes]:
    """Split JSON texts that follow each other; a single one is the usual case."""
    if _find_value(text) is not None:
        yield text
        return
    end = 0
    try:
        whole = text.decode()
        while filled := _FILLED.search(whole, end):  # where it stands: to cut it off would copy the rest
            end = _BOUNDARIES.raw_decode(whole, filled.start())[1]
            yield whole[filled.start() : end].encode()
    except (ValueError, RecursionError) as error:
        raise DocumentInvalid("", f"not JSON: {error}") from None


def _unfold(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return value["results"] if _is_page(value) else [value]
