"""An address as somebody typed it: checked for form, not yet for sense."""

from dataclasses import dataclass, fields
from typing import Any

import phonenumbers

from aftercart.accounts.models import Address


class PhoneInvalid(ValueError):
    """A text that is no telephone number, neither of this country nor an international one."""


@dataclass(frozen=True, slots=True)
class AddressDraft:
    """What an address is made of. The places are ids; names to the letter of contract section 6."""

    title: str
    first_name: str
    last_name: str
    phone_number: str
    country: int
    city: int
    township: int
    line: str
    district: int | None = None
    email: str = ""
    postcode: str = ""
    notes: str = ""
    company_name: str = ""
    tax_office: str = ""
    tax_no: str = ""
    e_bill_taxpayer: bool = False
    is_corporate: bool = False
    identity_number: str | None = None

    @classmethod
    def of(cls, address: Address) -> "AddressDraft":
        """Make the draft that an entry of an address book was made from."""
        return cls(**{name: _read(address, name) for name in FIELDS})


#: The fields of a draft, by which an entry of the book and what is typed are compared.
FIELDS = tuple(field.name for field in fields(AddressDraft))
PLACES = ("country", "city", "township", "district")


def _read(address: Address, name: str) -> Any:
    return getattr(address, f"{name}_id" if name in PLACES else name)


def read_phone(text: str, region: str) -> str:
    """Check a number and take the blanks out of it; `region` is the ISO code of the address's country.

    It keeps the notation in which it came, national or international: storefronts show it in a mask of
    their own, and the OMS knows its customers' numbers as they typed them. Raises `PhoneInvalid`.
    """
    try:
        number = phonenumbers.parse(text, region.upper())
    except phonenumbers.NumberParseException as error:
        raise PhoneInvalid(text) from error
    if not phonenumbers.is_valid_number(number) or number.extension:
        raise PhoneInvalid(text)
    international = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if text.strip().startswith(("+", "00")):
        return international
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(letter for letter in national if letter.isdigit())
