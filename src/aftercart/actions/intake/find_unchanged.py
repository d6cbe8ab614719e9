"""Find the documents that were imported before, byte for byte: they need not be read again."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from django.db import connection

from aftercart.lib.json_lines import LONGEST_LINE
from aftercart.orders.intake.values import DocumentInvalid, find_moment

_DIGEST_SIZE: Final = 16
_FIND: Final = """
    SELECT known.number FROM unnest(%s::text[], %s::bytea[], %s::timestamptz[]) AS sent (number, digest, modified_date)
    JOIN orders_order AS known ON known.number = sent.number
    WHERE known.import_digest = sent.digest AND known.modified_date = sent.modified_date
"""


class _Dates(msgspec.Struct):
    number: str
    created_date: str = ""
    modified_date: str | None = None


_decoder: Final = msgspec.json.Decoder(_Dates)


@dataclass(slots=True)
class Head:
    """What a line says of itself at first sight, and a digest of all of it."""

    number: str
    modified_date: datetime
    digest: bytes


def find_head(line: bytes) -> Head | None:
    """Read a line's head; None where it takes more than a look, or where something is wrong."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        dates = _decoder.decode(line)
        modified = find_moment({"at": dates.modified_date or dates.created_date}, "at")
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError, DocumentInvalid):
        return None
    if modified is None or "\0" in dates.number:
        return None
    return Head(dates.number.strip(), modified, hashlib.blake2b(line, digest_size=_DIGEST_SIZE).digest())


def find_unchanged(heads: Collection[Head]) -> set[str]:
    """Return the numbers of the orders that we have as these lines gave them, and that were not doubtful then."""
    if not heads:
        return set()
    columns = zip(*((head.number, head.digest, head.modified_date) for head in heads), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [list(column) for column in columns])
        return {number for (number,) in cursor.fetchall()}
