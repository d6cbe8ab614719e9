"""What must not leave: card numbers, and notes that the staff wrote for each other."""

import re
from decimal import Decimal
from typing import Any, Final

_DIGITS: Final = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")
#: Where a number of that length is a card's, whatever its digits.
_CARD_NAME: Final = re.compile(r"card|kart|\bpan\b|_pan\b", re.IGNORECASE)
#: Where it is something else, even if its digits could be a card's.
_OTHER_NAME: Final = re.compile(r"id$|number|barcode|gtin|ean|tracking|invoice|phone", re.IGNORECASE)
#: How the numbers of the card schemes begin: American Express, Visa, Mastercard, Troy, Discover.
_SCHEME: Final = re.compile(r"3[47]|4|5[1-5]|2[2-7]|6(?:011|5)|9792")
_STAFF_NOTE: Final = re.compile(
    r"(staff|internal|admin|operator|back_?office|agent|private)_?(note|comment|remark)", re.IGNORECASE
)


def mask_card_numbers(value: Any, name: str = "") -> Any:
    """Mask whatever is a card number in some JSON, however deep: the first six and last four digits stay.

    A number under a name like `card` is one; elsewhere it is one if its length, beginning and check digit say
    so and its name does not say otherwise.
    """
    if isinstance(value, dict):
        # What stands in a card is a card's: names add up on the way down.
        return {key: mask_card_numbers(inner, f"{name}.{key}") for key, inner in value.items()}
    if isinstance(value, list):
        return [mask_card_numbers(inner, name) for inner in value]
    if isinstance(value, str):
        return _DIGITS.sub(lambda found: _mask(found[0], name), value)
    if isinstance(value, int | Decimal) and _is_card(str(value), name):
        return _mask(str(value), name)
    return value


def drop_staff_notes(value: Any) -> Any:
    """Leave out, however deep, the fields whose names say that staff wrote them for staff."""
    if isinstance(value, dict):
        return {key: drop_staff_notes(v) for key, v in value.items() if not _STAFF_NOTE.search(str(key))}
    if isinstance(value, list):
        return [drop_staff_notes(inner) for inner in value]
    return value


def _mask(text: str, name: str) -> str:
    digits = re.sub("[^0-9]", "", text)
    return f"{digits[:6]}******{digits[-4:]}" if _is_card(digits, name) else text


def _is_card(digits: str, name: str) -> bool:
    if not (digits.isdecimal() and 13 <= len(digits) <= 19):  # noqa: PLR2004 - the lengths of ISO/IEC 7812
        return False
    if _CARD_NAME.search(name):
        return True
    return not _OTHER_NAME.search(name) and bool(_SCHEME.match(digits)) and _has_check_digit(digits)


def _has_check_digit(digits: str) -> bool:
    """Check the last digit by the Luhn formula."""
    doubled = [int(digit) * (2 if position % 2 else 1) for position, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0  # noqa: PLR2004 - Luhn's digits
