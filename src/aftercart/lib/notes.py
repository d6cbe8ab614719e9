"""Notes: what was noticed, kept as a code with its values, so that each reader gets it in their own language.

What other systems say stays as they said it. A note and a sentence live in the same text column.
"""

import json
from typing import Any, Final

_MARK: Final = '{"note":'


def write_note(code: str, **values: str | int) -> str:
    """Write a note down."""
    return json.dumps({"note": code, **values}, ensure_ascii=False, separators=(",", ":"))


def read_note(text: str) -> tuple[str, dict[str, Any]] | None:
    """Read a note's code and values; None for a sentence."""
    if not text.startswith(_MARK):
        return None
    try:
        values = json.loads(text)
    except ValueError:
        return None
    return str(values.pop("note")), values


def keep_sentence(text: str) -> str:
    """Return what another system said; "" for a note of our own."""
    return "" if read_note(text) else text
