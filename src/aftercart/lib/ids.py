"""Ids of rows, as clients write them: in a form, a query or an address."""

from typing import Final

#: As many digits as every number of them fits into an id of the database.
LONGEST_ID: Final = 18


def read_id(text: str) -> int | None:
    """Read the id of a row; None for a text that can be none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_ID else None
