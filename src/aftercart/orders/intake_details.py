"""What an order document says beyond our columns: kept as it is, except for a card's number."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from aftercart.orders.intake_values import Document

_CARD_NUMBER: Final = re.compile(r"(?<![0-9])(?:[0-9][ -]?){12,18}[0-9](?![0-9])")
#: The shortest card number has 13 digits.
_SHORTER_THAN_A_CARD: Final = 12


def read_details(document: Document, names: Sequence[str], known: frozenset[str]) -> Document:
    """Gather the fields that Aftercart only passes on, and as `extra_field` those that it does not know."""
    details = {name: document[name] for name in names if document.get(name) is not None}
    for name in ("card", "bin_number"):
        if name in details:
            details[name] = _mask(details[name])
    extra = gather_extra(document, known)
    if extra is not None:
        details["extra_field"] = extra
    return details


def add_extra(extra: Document, name: str, value: Any) -> None:
    """Add a field to an `extra_field`, as `document.<name>` if it has another of that name."""
    while name in extra:
        name = f"document.{name}"
    extra[name] = value


def gather_extra(document: Document, known: frozenset[str]) -> Any:
    """Gather what is to be kept as `extra_field`: the document's own, and every field that nobody knows.

    Nothing is lost: an own `extra_field` that is no object stands under its own name, and an unknown field
    whose name it already uses under `document.<name>`.
    """
    own = document.get("extra_field")
    extra: Document = dict(own) if isinstance(own, dict) else {} if own is None else {"extra_field": own}
    for name in document.keys() - known:
        add_extra(extra, name, document[name])
    return extra if extra or own is not None else None


def _mask_number(found: re.Match[str]) -> str:
    digits = re.sub("[^0-9]", "", found[0])
    return f"{digits[:6]}******{digits[-4:]}"


def _mask(value: Any) -> Any:
    """Mask whatever looks like a whole card number, however deep it stands: none is ever kept."""
    if isinstance(value, str):
        return _CARD_NUMBER.sub(_mask_number, value)
    if isinstance(value, dict):
        return {key: _mask(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mask(inner) for inner in value]
    if isinstance(value, int | Decimal) and len(str(value)) > _SHORTER_THAN_A_CARD:
        return _mask(str(value))
    return value
