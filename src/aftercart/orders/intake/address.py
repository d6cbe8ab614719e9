"""Addresses of an order document as rows of an address book; their places are only named, not found yet."""

import re
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from aftercart.orders.document import NO_ADDRESS, OrderAddress
from aftercart.orders.intake.details import gather_extra
from aftercart.orders.intake.forms import Form, Problems
from aftercart.orders.intake.values import (
    Document,
    DocumentInvalid,
    make_optional_text_reader,
    make_text_reader,
    plain,
    read_field,
    read_flag,
    read_optional_object,
)

DEFAULT_COUNTRY: Final = "tr"
#: Lengths of the text columns of `accounts.models.Address`.
_TEXTS: Final = {
    "title": 128,
    "email": 254,
    "phone_number": 32,
    "first_name": 150,
    "last_name": 150,
    "line": 512,
    "postcode": 20,
    "notes": 10_000,
    "company_name": 255,
    "tax_office": 64,
    "tax_no": 32,
}
_KNOWN: Final = frozenset((*OrderAddress.list_names(), "id", "created_date", "modified_date", "user"))
_CODE: Final = re.compile(r"[A-Za-z]{2}")
#: Countries that shops write without a code, by the names that they write.
_CODES: Final = {
    "türkiye": "tr", "turkiye": "tr", "turkey": "tr", "türkei": "tr", "germany": "de", "almanya": "de",
    "deutschland": "de", "austria": "at", "avusturya": "at", "österreich": "at", "netherlands": "nl",
    "hollanda": "nl", "france": "fr", "fransa": "fr", "belgium": "be", "belçika": "be", "italy": "it",
    "italya": "it", "spain": "es", "ispanya": "es", "united kingdom": "gb", "birleşik krallık": "gb",
    "ingiltere": "gb", "united states": "us", "abd": "us", "amerika birleşik devletleri": "us",
    "azerbaijan": "az", "azerbaycan": "az", "cyprus": "cy", "kıbrıs": "cy", "greece": "gr",
    "yunanistan": "gr", "switzerland": "ch", "isviçre": "ch",
}  # fmt: skip


class PlaceNames(NamedTuple):
    """Where an address is: `country` is an ISO code in lower case, the rest are names; None is not told."""

    country: str
    country_name: str
    city: str | None
    township: str | None
    district: str | None


@dataclass(frozen=True, slots=True)
class AddressIntake:
    """An address as the document gives it: columns of `Address` by name, and the names of its places."""

    columns: dict[str, Any]
    places: PlaceNames

    @property
    def is_for_the_book(self) -> bool:
        """Whether it may go into an address book: it can be found, and is no shop to pick up from."""
        places = self.places
        return bool(
            places.city and places.township and self.columns["line"] and not self.columns["retail_store"]
        )


def read_address(value: Any) -> AddressIntake | None:
    """Read an address, which may be none. Raises `DocumentInvalid`."""
    given = read_optional_object(value)
    return _read(given) if given and not _is_blank(given) else None


def _is_blank(value: Document) -> bool:
    """Return whether it is what our own documents have where no address is known."""
    return all(value.get(name) == blank for name, blank in NO_ADDRESS.items())


def _read(value: Document) -> AddressIntake:
    try:
        columns, places = _COLUMNS.read(value), _PLACES.read(value)
    except DocumentInvalid:
        problems = Problems()
        problems.read(value, _COLUMNS)
        problems.read(value, _PLACES)
        problems.end()
        raise
    country, country_name = places["country"]
    names = PlaceNames(country, country_name, places["city"], places["township"], places["district"])
    return AddressIntake(columns, names)


def _read_address_type(value: Any) -> str:
    return _read_type(value) or "customer"


def _find_store(value: Any) -> Any:
    return value or None


def _gather_extra(address: Document) -> Any:
    return gather_extra(address, _KNOWN)


def _read_place(value: Any) -> str | None:
    if value is None:
        return None
    place = value if isinstance(value, dict) else {"name": value}
    return read_field(place, "name", _read_name).strip() or None


def _read_country(address: Document) -> tuple[str, str]:
    """Read a country's code and name: by its code, or by a name that we know; Türkiye if it tells neither."""
    country = address.get("country")
    code = (country.get("code") or None) if isinstance(country, dict) else None
    name = read_field(address, "country", _read_place)
    if code is None and name and _CODE.fullmatch(name):
        code = name
    if code is not None:
        code = plain(code)
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise DocumentInvalid("country.code", "not a country's two letters")
        return code.lower(), name or code.upper()
    if name is None:
        return DEFAULT_COUNTRY, "Türkiye"
    known = _CODES.get(name.replace("İ", "i").lower())
    if known is None:
        raise DocumentInvalid("country.code", f"is required for {name!r}")
    return known, name


_read_type: Final = make_optional_text_reader(32)
_read_name: Final = make_text_reader(100)
_COLUMNS: Final = Form(
    {
        **{name: make_text_reader(limit) for name, limit in _TEXTS.items()},
        "e_bill_taxpayer": read_flag,
        "is_corporate": read_flag,
        "address_type": _read_address_type,
        "retail_store": _find_store,
        "remote_id": make_optional_text_reader(64),
        "identity_number": make_optional_text_reader(32),
        "extra_field": _gather_extra,
    },
    whole=("extra_field",),
)
_PLACES: Final = Form(
    {"country": _read_country, **dict.fromkeys(("city", "township", "district"), _read_place)},
    whole=("country",),
)
