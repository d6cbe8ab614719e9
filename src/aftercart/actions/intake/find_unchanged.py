"""Find the documents that were imported before, byte for byte: they need not be read again."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from django.db import connection

from aftercart.lib.bulk import encode_json
from aftercart.lib.json_lines import LONGEST_LINE
from aftercart.orders.intake.values import DocumentInvalid, read_optional_moment

_DIGEST_SIZE: Final = 16
#: A list as JSON is written, and read, several times as fast as an array.
_FIND: Final = """
    SELECT known.number
    FROM jsonb_to_recordset(%s::jsonb) AS sent (number text, digest text, modified_date timestamptz)
    JOIN orders_order AS known ON known.number = sent.number
    WHERE known.import_digest = decode(sent.digest, 'hex') AND known.modified_date = sent.modified_date
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
        modified = read_optional_moment(dates.modified_date or dates.created_date)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError, DocumentInvalid):
        return None
    if modified is None or "\0" in dates.number:
        return None
    return Head(dates.number.strip(), modified, hashlib.blake2b(line, digest_size=_DIGEST_SIZE).digest())


def find_unchanged(heads: Collection[Head]) -> set[str]:
    """Return the numbers of the orders that we have as these lines gave them, and that were not doubtful then."""
    if not heads:
        return set()
    sent = [
        {"number": head.number, "digest": head.digest.hex(), "modified_date": head.modified_date}
        for head in heads
    ]
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [encode_json(sent)])
        return {number for (number,) in cursor.fetchall()}
