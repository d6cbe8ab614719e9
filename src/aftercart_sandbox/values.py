"""Reading what clients send and writing what they get: money, statuses, whole numbers, dates."""

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from aftercart_sandbox.errors import invalid, required
from aftercart_sandbox.tables import STATUS_NUMBERS, STATUSES

CENT = Decimal("0.01")
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)


def money(value: Decimal) -> str:
    """Return an amount as the API writes it: a string with two decimals."""
    return str(value.quantize(CENT, ROUND_HALF_UP))


def read_money(value: Any, field: str) -> Decimal:
    """Return the amount in ``value`` (string or number), or raise a 400 for ``field``."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise invalid(field, "A valid number is required.")
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise invalid(field, "A valid number is required.") from None
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 13:
        raise invalid(field, "A valid number is required.")
    return amount.quantize(CENT, ROUND_HALF_UP)


def allocate(total: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """Split ``total`` by ``weights``, to the cent and without loss; into equal parts if all weigh nothing."""
    if not any(weights):
        weights = [Decimal(1)] * len(weights)
    whole, seen, given, parts = sum(weights, Decimal()), Decimal(), Decimal(), []
    for weight in weights:
        seen += weight
        upto = (total * seen / whole).quantize(CENT, ROUND_HALF_UP)
        parts.append(upto - given)
        given = upto
    return parts


def whole(value: Any, field: str) -> int:
    """Return a whole number given as a number or as a numeric string, or raise a 400 for ``field``."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise invalid(field, "A valid integer is required.")


def truth(value: Any, field: str) -> bool:
    """Return a boolean as DRF reads one, or raise a 400 for ``field``."""
    if value in (True, "true", "True", "1", 1, "on"):
        return True
    if value in (False, "false", "False", "0", 0, None, ""):
        return False
    raise invalid(field, "Must be a valid boolean.")


def plain(value: Any) -> Any:
    """Return the bare value of an enumeration that a shop writes as ``{"value", "label"}``."""
    return value.get("value") if isinstance(value, dict) and "value" in value else value


def read_status(value: Any, field: str) -> str:
    """Return a status as its numeric string; takes number, numeric string, name or ``{"value", "label"}``."""
    text = str(plain(value))
    text = STATUS_NUMBERS.get(text, text)
    if text not in STATUSES:
        raise invalid(field, f'"{text}" is not a valid choice.')
    return text


def stamp(moment: dt.datetime) -> str:
    """Return a moment as the API writes it: ISO 8601, UTC, microseconds, ``Z`` (contract section 1)."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_moment(value: Any, field: str) -> str:
    """Return an ISO 8601 date or date-time in the API's own form; without an offset it is read as UTC."""
    try:
        moment = dt.datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise invalid(field, "Enter a valid date/time.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    try:
        return stamp(moment)
    except OverflowError:
        raise invalid(field, "Enter a valid date/time.") from None


def need(body: Any, field: str) -> Any:
    """Return ``body[field]``, or raise the 400 for a missing field or for a body that is no object."""
    if not isinstance(body, dict):
        raise invalid("non_field_errors", "Invalid data. Expected a dictionary.")
    if body.get(field) is None:
        raise required(field)
    return body[field]
