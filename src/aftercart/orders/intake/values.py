"""Reading single values out of an order document that somebody else wrote: strict in meaning, easy on form.

JSON numbers arrive as `int` or, with a fraction or an exponent, as `Decimal`: no amount passes through a
float. Every function raises `DocumentInvalid` for a value that it cannot read; whoever knows the field names it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

import msgspec

from aftercart.lib.times import EARLIEST, LATEST, is_plausible
from aftercart.orders.status import Status

#: One JSON object.
Document = dict[str, Any]

#: The largest id that every JSON reader keeps exact, and far enough from the end of our sequences.
LARGEST_ID: Final = 2**53 - 1
LARGEST_WHOLE: Final = 2**31 - 1
_T = TypeVar("_T")
_DEEPEST: Final = 50
#: No number of the trade has more digits; PostgreSQL and Python each have a limit further out.
_MOST_DIGITS: Final = 300
_LONGEST_INTEGER: Final = 10**_MOST_DIGITS
_LARGEST_AMOUNT: Final = Decimal(10) ** 12
_FOUR_DECIMALS: Final = Decimal("0.0001")

_AMOUNT: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_WHOLE: Final = re.compile(r"[0-9]{1,18}")
_CURRENCY: Final = re.compile(r"[A-Za-z]{3}")
_KNOWN_TEXTS: Final = 4096
_LONGEST_KNOWN_TEXT: Final = 40
_STATUSES: Final = {
    **{status.value: status.value for status in Status},
    **{status.name.lower(): status.value for status in Status},
    "cancelled": Status.CANCELED.value,
}


class DocumentInvalid(ValueError):
    """A document that cannot be an order: each `problem` with its place, `field` ("" for the whole document)."""

    def __init__(self, field: str, problem: str, *more: tuple[str, str]) -> None:
        super().__init__(field, problem, *more)
        self.problems: Final = ((field, problem), *more)

    def __str__(self) -> str:
        return "; ".join(f"{field}: {problem}" if field else problem for field, problem in self.problems)

    def within(self, place: str) -> "DocumentInvalid":
        """Return the same error for a document that stands at `place` of a larger one."""
        first, *more = ((f"{place}.{field}" if field else place, text) for field, text in self.problems)
        return DocumentInvalid(*first, *more)


class _Known(dict[str, _T]):
    """What texts were read as: amounts and times repeat, within an order and from one to the next."""

    def __init__(self, read: Callable[[str], _T]) -> None:
        super().__init__()
        self._read: Final = read

    def __missing__(self, text: str) -> _T:
        value = self._read(text)
        if len(text) <= _LONGEST_KNOWN_TEXT:
            if len(self) >= _KNOWN_TEXTS:
                self.clear()
            self[text] = value
        return value


def read_field(document: Mapping[str, Any], name: str, read: Callable[[Any], _T]) -> _T:
    """Read one field. Raises `DocumentInvalid`, naming it."""
    try:
        return read(document.get(name))
    except DocumentInvalid as error:
        raise error.within(name) from None


_decoder = msgspec.json.Decoder(float_hook=Decimal)


def decode_document(line: bytes) -> Document:
    """Read one line as a JSON object that PostgreSQL can hold: no NUL, no monstrous number, not too deep."""
    value = decode_value(line)
    # Mostly there is nothing to find, which is seen faster than where it would stand. A NUL is written as an escape.
    # One byte is looked for much faster than six.
    if isinstance(value, dict) and not (b"\\" in line and b"\\u0000" in line) and _is_harmless(value, 0):
        return value
    return check_document(value)


def _is_harmless(value: Any, depth: int) -> bool:
    """Return whether a dict or list is not too deep and holds no monstrous number; its texts have been looked at."""
    if depth == _DEEPEST:
        return False
    for inner in value.values() if type(value) is dict else value:
        kind = type(inner)
        if kind is str or inner is None:
            continue
        if kind is dict or kind is list:
            if not _is_harmless(inner, depth + 1):
                return False
        elif (kind is int and abs(inner) >= _LONGEST_INTEGER) or (kind is Decimal and not _is_tame(inner)):
            return False
    return True


def decode_value(text: bytes) -> Any:
    """Read a JSON text, its fractions as `Decimal`. Raises `DocumentInvalid`."""
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, InvalidOperation, ValueError) as error:
        raise DocumentInvalid("", f"not JSON: {error}") from None
    except RecursionError:
        raise DocumentInvalid("", "nested too deeply") from None


def check_document(value: Any) -> Document:
    """Return a value that is a JSON object, and holds nothing that PostgreSQL cannot. Raises `DocumentInvalid`."""
    if not isinstance(value, dict):
        raise DocumentInvalid("", "not a JSON object")
    _check_tree(value, 0)
    return value


def _check_tree(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is str:
        if "\0" in value:
            raise DocumentInvalid("", "contains a NUL character")
    elif kind is dict or kind is list:
        if depth == _DEEPEST:
            raise DocumentInvalid("", "nested too deeply")
        for place, inner in value.items() if kind is dict else enumerate(value):
            try:
                _check_tree(place, depth)
                if inner is not None:
                    _check_tree(inner, depth + 1)
            except DocumentInvalid as error:
                raise error.within(str(place).replace("\0", "")) from None
    elif (kind is int and abs(value) >= _LONGEST_INTEGER) or (kind is Decimal and not _is_tame(value)):
        raise DocumentInvalid("", "a number too long to keep")


def _is_tame(number: Decimal) -> bool:
    return (
        number.is_finite()
        and len(number.as_tuple().digits) <= _MOST_DIGITS
        and -_MOST_DIGITS <= number.adjusted() <= _MOST_DIGITS
    )


def plain(value: Any) -> Any:
    """Take the bare value of an enumeration written as `{"value", "label"}`."""
    return value.get("value") if isinstance(value, dict) and "value" in value else value


def need(value: _T | None) -> _T:
    """Give the value back, unless there is none."""
    if value is None:
        raise DocumentInvalid("", "is required")
    return value


def make_required(read: Callable[[Any], _T | None]) -> Callable[[Any], _T]:
    """Make what reads a value that must be there of what reads one that may be missing."""
    return lambda value: need(read(value))


def make_text_reader(limit: int) -> Callable[[Any], str]:
    """Make what reads a text of at most `limit` characters; a number is taken as its digits, null as ""."""

    def read_text(value: Any) -> str:
        text: str = value if type(value) is str else _write_text(value)
        if len(text) > limit:
            raise DocumentInvalid("", f"longer than {limit} characters")
        return text

    return read_text


def _write_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise DocumentInvalid("", "must be text")


def make_optional_text_reader(limit: int) -> Callable[[Any], str | None]:
    """Make what reads a text that may be null; an enumeration as its value."""
    read = make_text_reader(limit)
    return lambda value: None if value is None else read(plain(value))


def read_optional_amount(value: Any) -> Decimal | None:
    """Read an amount that may be missing: a string or number, not negative, of at most four decimals."""
    kind = type(value)
    if kind is str:
        return _amounts[value]
    if value is None:
        return None
    if kind is int:
        value = Decimal(value)
    elif kind is not Decimal:
        raise DocumentInvalid("", "not an amount")
    return check_amount(value)


def _read_amount_text(text: str) -> Decimal | None:
    if not text:
        return None
    if len(text) > _MOST_DIGITS or not _AMOUNT.fullmatch(text):
        raise DocumentInvalid("", "not an amount")
    return check_amount(Decimal(text))


_amounts: Final = _Known(_read_amount_text)


def check_amount(amount: Decimal, name: str = "") -> Decimal:
    """Check that an amount fits its column: 0 or more, below a trillion, at most four decimals."""
    if amount < 0:
        raise DocumentInvalid(name, "must not be negative")
    if amount >= _LARGEST_AMOUNT:
        raise DocumentInvalid(name, "too large")
    rounded = amount.quantize(_FOUR_DECIMALS)
    if rounded != amount:
        raise DocumentInvalid(name, "more than four decimals")
    return rounded


def read_amount(value: Any) -> Decimal:
    """Read an amount that must be there."""
    return need(read_optional_amount(value))


def read_optional_moment(value: Any) -> datetime | None:
    """Read an ISO 8601 date and time with an offset (or Z), as UTC; null is None."""
    if value is None:
        return None
    if type(value) is not str:
        raise DocumentInvalid("", "not an ISO 8601 date and time")
    return _moments[value]


def _read_moment_text(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DocumentInvalid("", "not an ISO 8601 date and time") from None
    if moment.tzinfo is None:
        raise DocumentInvalid("", "has no time zone")
    if not is_plausible(moment):
        raise DocumentInvalid("", f"not between {EARLIEST.year} and {LATEST.year}")
    return moment.astimezone(UTC)


_moments: Final = _Known(_read_moment_text)


def read_optional_whole(value: Any, least: int = 0, most: int = LARGEST_WHOLE) -> int | None:
    """Read a whole number, or digits, between two bounds; null is None."""
    kind = type(value)
    if value is None or value == "":
        return None
    if kind is str and _WHOLE.fullmatch(value):
        value = int(value)
    elif kind is Decimal and abs(value) <= most:
        value = int(value) if value == int(value) else None
    if type(value) is not int:
        raise DocumentInvalid("", "not a whole number")
    if not least <= value <= most:
        raise DocumentInvalid("", f"must be between {least} and {most}")
    return value


def read_optional_id(value: Any) -> int | None:
    """Read an id: the shop's ids are ours."""
    return read_optional_whole(value, 1, LARGEST_ID)


def read_optional_own_id(document: Document) -> int | None:
    """Read the id of an order or item, which may stand under `pk`."""
    return read_field(document, "id", read_optional_id) or read_field(document, "pk", read_optional_id)


def read_optional_status(value: Any) -> str | None:
    """Read a status, given as number, numeric string, name or `{"value", "label"}`, as its numeric string."""
    value = plain(value)
    if value is None:
        return None
    if type(value) not in {str, int}:
        raise DocumentInvalid("", "not a status")
    return _statuses[str(value)]


def _read_status_text(text: str) -> str | None:
    status = _STATUSES.get(text.lower())
    if status is None and text:
        raise DocumentInvalid("", "not a status")
    return status


_statuses: Final = _Known(_read_status_text)


def read_optional_currency(value: Any) -> str | None:
    """Read a currency's three letters, in upper case."""
    value = plain(value)
    if value is None:
        return None
    if type(value) is not str:
        raise DocumentInvalid("", "not a currency's three letters")
    return _currencies[value]


def _read_currency_text(text: str) -> str | None:
    if text and not _CURRENCY.fullmatch(text):
        raise DocumentInvalid("", "not a currency's three letters")
    return text.upper() or None


_currencies: Final = _Known(_read_currency_text)


def read_flag(value: Any) -> bool:
    """Read a yes or no; null is no."""
    if value is None or type(value) is bool:
        return bool(value)
    if isinstance(value, str | int) and value in {0, 1, "0", "1", "true", "false", "True", "False", ""}:
        return value in {1, "1", "true", "True"}
    raise DocumentInvalid("", "neither true nor false")


def read_rows(source: Document, name: str) -> list[Document]:
    """Read a list of objects; null is an empty one."""
    value = source.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise DocumentInvalid(name, "must be a list")
    for place, row in enumerate(value):
        if not isinstance(row, dict):
            raise DocumentInvalid(f"{name}[{place}]", "must be an object")
    return value


def read_optional_object(value: Any) -> Document | None:
    """Read an object that may be null."""
    if value is not None and not isinstance(value, dict):
        raise DocumentInvalid("", "must be an object")
    return value
