"""Reading single values out of Omnitron's JSON: strict about what must be there, tolerant about its form.

JSON numbers with a fraction arrive here as `Decimal` (see `answers.read_json`), so no amount passes through
a float. Every function raises `Malformed` for a value that it cannot read.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from aftercart.lib.times import clamp

#: One JSON object.
Row = Mapping[str, Any]

#: Order and item statuses by name (contract section 7).
STATUS_NUMBERS = {
    "cancellation_waiting": "50",
    "canceled": "100",
    "waiting": "200",
    "payment_waiting": "300",
    "confirmation_waiting": "350",
    "approved": "400",
    "preparing": "450",
    "shipped": "500",
    "shipped_and_informed": "510",
    "ready_for_pickup": "520",
    "attempted_delivery": "540",
    "review_started": "544",
    "review_waiting": "545",
    "waiting_for_payment": "546",
    "paid": "547",
    "delivered": "550",
    "refunded": "600",
}

_WHOLE = re.compile(r"-?[0-9]{1,18}")
#: What fits our columns: beyond them PostgreSQL would refuse the row, and with it all that was read.
_LARGEST_WHOLE = 2**63 - 1
_LARGEST_AMOUNT = Decimal(10) ** 12


class Malformed(ValueError):
    """A body without what the contract promises; its text names the place, never the value."""


def read_row(value: Any) -> Row:
    """Read a JSON object."""
    if not isinstance(value, dict):
        raise Malformed("an object was expected")
    return value


def read_optional_id(row: Row, *keys: str) -> int | None:
    """Read the whole number under the first key that is there; numeric strings are numbers too."""
    key = next((key for key in keys if row.get(key) is not None), None)
    if key is None:
        return None
    value = row[key]
    if isinstance(value, str | Decimal) and _is_whole(value):
        value = int(value)
    if type(value) is not int or abs(value) > _LARGEST_WHOLE:
        raise Malformed(f"{key} is not a whole number")
    return value


def _is_whole(value: str | Decimal) -> bool:
    if isinstance(value, str):
        return _WHOLE.fullmatch(value.strip()) is not None
    return value.is_finite() and abs(value) <= _LARGEST_WHOLE and value == value.to_integral_value()


def read_id(row: Row, *keys: str) -> int:
    """Do as `read_optional_id`, but the number must be there."""
    found = read_optional_id(row, *keys)
    if found is None:
        raise Malformed(f"{keys[0]} is missing")
    return found


def read_optional_text(row: Row, key: str) -> str | None:
    """Read a string; numbers are written out, `{"value": …}` is taken for its value."""
    value = row.get(key)
    if isinstance(value, dict):
        value = value.get("value")
    if value is None:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise Malformed(f"{key} is not a string")


def read_text(row: Row, key: str) -> str:
    """Do as `read_optional_text`, but the string must be there."""
    found = read_optional_text(row, key)
    if found is None:
        raise Malformed(f"{key} is missing")
    return found


def read_status(row: Row) -> str:
    """Read an order's or item's status as its numeric string ("50"), from number or name.

    A status that the contract does not know is kept as it came.
    """
    text = read_text(row, "status").strip()
    return STATUS_NUMBERS.get(text.lower(), text)


def read_optional_amount(row: Row, key: str) -> Decimal | None:
    """Read an amount of money in the order's currency, major units."""
    value = row.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Malformed(f"{key} is not an amount")
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise Malformed(f"{key} is not an amount") from None
    if not amount.is_finite() or abs(amount) >= _LARGEST_AMOUNT:
        raise Malformed(f"{key} is not an amount")
    return amount


def read_optional_moment(row: Row, key: str) -> datetime | None:
    """Read an ISO 8601 moment, in UTC; one without an offset is UTC.

    One that no calendar can reckon with (the year 9999 is a usual way to say "never") becomes the nearest
    that ours can.
    """
    value = row.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Malformed(f"{key} is not a moment")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Malformed(f"{key} is not a moment") from None
    return clamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def write_moment(moment: datetime) -> str:
    """Write a moment as the contract does: ISO 8601, UTC, microseconds, `Z` (section 1).

    A moment without an offset is refused with a ValueError: whose time it is would be a guess.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs its offset")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
