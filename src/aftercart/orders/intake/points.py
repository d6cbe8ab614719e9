"""The points of an order document (`loyaltytransaction_set`) as entries of our ledger: pure.

Shops write them in many ways. What says in words that we know whether points were earned or spent becomes an
entry; the rest is passed on with the document, as before.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from aftercart.orders.intake.values import (
    Document,
    DocumentInvalid,
    plain,
    read_amount,
    read_field,
    read_optional_id,
    read_optional_moment,
)

#: Words for a kind of the ledger, and whether that takes from the balance. What cancellations do to points is
#: not among them: that is booked here, and a document that tells it again must not book it twice.
_KINDS: Final = {
    **dict.fromkeys(("earned", "earn", "gain", "gained"), ("earned", False)),
    **dict.fromkeys(("spent", "spend", "used", "use", "redeemed"), ("spent", True)),
}
_TYPE_NAMES: Final = ("transaction_type", "type", "kind")
_NAME: Final = "loyaltytransaction_set"
_IMPORTED: Final = "import:"
_LONGEST_REFERENCE: Final = 64


@dataclass(frozen=True, slots=True)
class PointsIntake:
    """One entry: `amount` is signed, `reference` names it within its order, whenever it is imported."""

    kind: str
    amount: Decimal
    reference: str
    created_date: datetime


def read_points(document: Document, created: datetime) -> list[PointsIntake]:
    """Read the entries that an order document tells of. Raises `DocumentInvalid`."""
    rows = document.get(_NAME)
    if not isinstance(rows, list):
        return []
    points = []
    for place, row in enumerate(rows):
        kind, is_taking = _find_kind(row)
        if not kind:
            continue
        try:
            amount = read_field(row, "amount", _read_unsigned)
            reference = _find_reference(row) or f"{_IMPORTED}{place}"
            at = read_field(row, "created_date", read_optional_moment) or created
        except DocumentInvalid as error:
            raise error.within(f"{_NAME}[{place}]") from None
        if amount:
            points.append(PointsIntake(kind, -amount if is_taking else amount, reference, at))
    return points


def _find_kind(row: Any) -> tuple[str, bool]:
    """Return an entry's kind, and whether it takes; "" for one that we only pass on."""
    if not isinstance(row, dict):
        return "", False
    words = (plain(row.get(name)) for name in _TYPE_NAMES)
    word = next((word for word in words if isinstance(word, str)), "")
    return _KINDS.get(word.strip().lower(), ("", False))


def _find_reference(row: Document) -> str:
    """Name an entry by what our own document called it, or by its id; "" for one that has neither."""
    own = row.get("reference")
    if isinstance(own, str) and own.startswith(_IMPORTED) and len(own) <= _LONGEST_REFERENCE:
        return own
    pk = read_field(row, "pk", read_optional_id) or read_field(row, "id", read_optional_id)
    return "" if pk is None else f"{_IMPORTED}pk:{pk}"


def _read_unsigned(value: Any) -> Decimal:
    """Read an amount whose sign, if it has one, only repeats its kind."""
    if isinstance(value, str):
        value = value.removeprefix("-")
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = abs(value)
    return read_amount(value)
