"""Reading single values out of an order document that somebody else wrote: strict in meaning, easy on form.

JSON numbers arrive as `int` or, with a fraction or an exponent, as `Decimal`: no amount passes through a
float. Every function raises `DocumentInvalid` for a value that it cannot read, naming the field.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from aftercart.lib.times import EARLIEST, LATEST, is_plausible
from aftercart.orders.status import Status

#: One JSON object.
Document = dict[str, Any]

#: The largest id that every JSON reader keeps exact, and far enough from the end of our sequences.
LARGEST_ID: Final = 2**53 - 1
LARGEST_WHOLE: Final = 2**31 - 1
_Reader = Callable[[Document, str], Any]
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
#: Amounts and times repeat, within an order and from one to the next: so many are known without reading them again.
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


class Problems:
    """Gathers everything that is wrong with a document, where a single error would end the reading."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str]] = []

    @contextmanager
    def noted(self, place: str = "") -> Iterator[None]:
        """Note what is wrong within the block, which ends there; `place` goes before the fields' names."""
        try:
            yield
        except DocumentInvalid as error:
            self._found += (error.within(place) if place else error).problems

    def read(self, document: Document, form: "Form") -> Document:
        """Read every field; return what could be read, by name."""
        try:
            return form.read(document)
        except DocumentInvalid:  # then one by one, for all that is wrong
            values: Document = {}
        for name, reader in form.fields.items():
            with self.noted():
                values[name] = reader(document, name)
        return values

    def end(self) -> None:
        """Raise `DocumentInvalid` for all that was noted, if anything was."""
        if self._found:
            first, *more = self._found
            raise DocumentInvalid(*first, *more)


def read_each(rows: Sequence[Document], name: str, read: Callable[[Document], _T]) -> list[_T]:
    """Read the rows of a list. Raises `DocumentInvalid` for all that is wrong, naming each row by its place."""
    try:
        return [read(row) for row in rows]
    except DocumentInvalid:
        problems = Problems()
    for place, row in enumerate(rows):
        with problems.noted(f"{name}[{place}]"):
            read(row)
    problems.end()
    raise AssertionError  # what is wrong once is wrong twice


class Form:
    """Some fields of a kind of document, each with what reads it: a function of the document and the field's name.

    Where a document has no such field, or null, a reader returns the same for every document, which is found out once.
    The readers of `always` look elsewhere, too, or want the field to be there.
    """

    def __init__(self, fields: Mapping[str, _Reader], *, always: Collection[str] = ()) -> None:
        self.fields: Final = dict(fields)
        self._always: Final = tuple((name, fields[name]) for name in always)
        self._if_there: Final = {name: read for name, read in fields.items() if name not in always}
        self._blank: Final = {name: read({}, name) for name, read in self._if_there.items()}

    def read(self, document: Document) -> Document:
        """Return all values by name. Raises `DocumentInvalid` for the first that is wrong."""
        values = self._blank.copy()
        find = self._if_there.get
        for name, value in document.items():
            if value is not None and (read := find(name)) is not None:
                values[name] = read(document, name)
        for name, read in self._always:
            values[name] = read(document, name)
        return values


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


def need(value: _T | None, name: str) -> _T:
    """Give the value back, unless there is none."""
    if value is None:
        raise DocumentInvalid(name, "is required")
    return value


def read_text(source: Document, name: str, limit: int, *, is_required: bool = False) -> str:
    """Read a text of at most `limit` characters; a number is taken as its digits, null as ""."""
    value = source.get(name)
    if type(value) is str:
        text = value
    elif value is None:
        text = ""
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        text = str(value)
    else:
        raise DocumentInvalid(name, "must be text")
    if len(text) > limit:
        raise DocumentInvalid(name, f"longer than {limit} characters")
    if is_required and not text.strip():
        raise DocumentInvalid(name, "is required")
    return text


def read_optional_text(source: Document, name: str, limit: int) -> str | None:
    """Read a text that may be null; an enumeration as its value."""
    value = source.get(name)
    if value is None:
        return None
    return read_text({name: plain(value)}, name, limit)


def read_optional_amount(source: Document, name: str) -> Decimal | None:
    """Read an amount that may be missing: a string or number, not negative, of at most four decimals."""
    value = source.get(name)
    if value is None or value == "":
        return None
    kind = type(value)
    if kind is str:
        try:
            return _parse_amount(value) if len(value) <= _LONGEST_KNOWN_TEXT else _read_amount_text(value)
        except DocumentInvalid as error:
            raise error.within(name) from None
    if kind is int:
        value = Decimal(value)
    elif kind is not Decimal:
        raise DocumentInvalid(name, "not an amount")
    return check_amount(value, name)


def _read_amount_text(text: str) -> Decimal:
    if len(text) > _MOST_DIGITS or not _AMOUNT.fullmatch(text):
        raise DocumentInvalid("", "not an amount")
    return check_amount(Decimal(text), "")


_parse_amount: Final = lru_cache(_KNOWN_TEXTS)(_read_amount_text)


def check_amount(amount: Decimal, name: str) -> Decimal:
    """Check that an amount fits its column: 0 or more, below a trillion, at most four decimals."""
    if amount < 0:
        raise DocumentInvalid(name, "must not be negative")
    if amount >= _LARGEST_AMOUNT:
        raise DocumentInvalid(name, "too large")
    rounded = amount.quantize(_FOUR_DECIMALS)
    if rounded != amount:
        raise DocumentInvalid(name, "more than four decimals")
    return rounded


def read_amount(source: Document, name: str) -> Decimal:
    """Read an amount that must be there."""
    return need(read_optional_amount(source, name), name)


def read_optional_moment(source: Document, name: str) -> datetime | None:
    """Read an ISO 8601 date and time with an offset (or Z), as UTC; null is None."""
    value = source.get(name)
    if value is None or value == "":
        return None
    if type(value) is not str:
        raise DocumentInvalid(name, "not an ISO 8601 date and time")
    try:
        return _parse_moment(value) if len(value) <= _LONGEST_KNOWN_TEXT else _read_moment_text(value)
    except DocumentInvalid as error:
        raise error.within(name) from None


def _read_moment_text(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DocumentInvalid("", "not an ISO 8601 date and time") from None
    if moment.tzinfo is None:
        raise DocumentInvalid("", "has no time zone")
    if not is_plausible(moment):
        raise DocumentInvalid("", f"not between {EARLIEST.year} and {LATEST.year}")
    return moment.astimezone(UTC)


_parse_moment: Final = lru_cache(_KNOWN_TEXTS)(_read_moment_text)


def read_optional_whole(source: Document, name: str, least: int = 0, most: int = LARGEST_WHOLE) -> int | None:
    """Read a whole number, or digits, between two bounds; null is None."""
    value = source.get(name)
    if value is None or value == "":
        return None
    if type(value) is str and _WHOLE.fullmatch(value):
        value = int(value)
    elif type(value) is Decimal and abs(value) <= most:
        value = int(value) if value == int(value) else None
    if type(value) is not int:
        raise DocumentInvalid(name, "not a whole number")
    if not least <= value <= most:
        raise DocumentInvalid(name, f"must be between {least} and {most}")
    return value


def read_optional_id(source: Document, name: str) -> int | None:
    """Read an id: the shop's ids are ours."""
    return read_optional_whole(source, name, 1, LARGEST_ID)


def read_optional_own_id(source: Document, name: str) -> int | None:
    """Read the id of an order or item, which may stand under `pk`."""
    return read_optional_id(source, name) or read_optional_id(source, "pk")


def read_optional_status(source: Document, name: str) -> str | None:
    """Read a status, given as number, numeric string, name or `{"value", "label"}`, as its numeric string."""
    value = plain(source.get(name))
    if value is None or value == "":
        return None
    status = _STATUSES.get(str(value).lower()) if type(value) in {str, int} else None
    if status is None:
        raise DocumentInvalid(name, "not a status")
    return status


def read_optional_currency(source: Document, name: str) -> str | None:
    """Read a currency's three letters, in upper case."""
    value = plain(source.get(name))
    if value is None or value == "":
        return None
    currency = _fold_currency(value) if type(value) is str and len(value) == 3 else None  # noqa: PLR2004 - its letters
    if currency is None:
        raise DocumentInvalid(name, "not a currency's three letters")
    return currency


@lru_cache(_KNOWN_TEXTS)
def _fold_currency(text: str) -> str | None:
    return text.upper() if _CURRENCY.fullmatch(text) else None


def read_flag(source: Document, name: str) -> bool:
    """Read a yes or no; null is no."""
    value = source.get(name)
    if value is None or type(value) is bool:
        return bool(value)
    if isinstance(value, str | int) and value in {0, 1, "0", "1", "true", "false", "True", "False", ""}:
        return value in {1, "1", "true", "True"}
    raise DocumentInvalid(name, "neither true nor false")


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


def read_optional_object(source: Document, name: str) -> Document | None:
    """Read an object that may be null."""
    value = source.get(name)
    if value is not None and not isinstance(value, dict):
        raise DocumentInvalid(name, "must be an object")
    return value
