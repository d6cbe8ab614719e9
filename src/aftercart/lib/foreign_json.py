"""JSON that somebody else has written: read so that PostgreSQL can hold every text in it."""

import json
import re
from typing import Any, Final

#: NUL and halves of a character, which JSON can write (RFC 8259, section 8.2) and PostgreSQL cannot hold.
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
#: Where none of these stands, a text has none of those.
_SUSPICIOUS: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])|[\ud800-\udfff]")
_INSTEAD: Final = "\N{REPLACEMENT CHARACTER}"


def read_foreign_json(body: bytes, **options: Any) -> Any:
    """Read JSON as `json.loads` does with these options; what cannot be stored is replaced. Raises ValueError.

    A single such character would else fail every write that its text is part of, and with it all that was read along.
    """
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    try:
        value = json.loads(text, **options)
        return _replace(value) if _SUSPICIOUS.search(text) else value
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _replace(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub(_INSTEAD, value)
    if isinstance(value, list):
        return [_replace(inner) for inner in value]
    if isinstance(value, dict):
        return {_replace(name): _replace(inner) for name, inner in value.items()}
    return value
