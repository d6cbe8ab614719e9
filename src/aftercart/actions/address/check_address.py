"""Check an address that somebody typed: whether its places fit into each other, its number, its company."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.accounts.address_book import list_cities, list_countries, list_districts, list_townships
from aftercart.accounts.document import hash_address
from aftercart.accounts.drafts import PLACES, AddressDraft, PhoneInvalid, read_phone
from aftercart.accounts.models import Address
from aftercart.orders.errors import InputInvalid

_OF_A_COMPANY = ("company_name", "tax_office", "tax_no")
#: Each place, the one above it, what lists those within it, and what to say of one that is not among them.
_LEVELS: Final[tuple[tuple[str, str, Callable[[int], QuerySet[Any]], Promise], ...]] = (
    ("city", "country", list_cities, gettext_lazy("This city is not in the selected country.")),
    ("township", "city", list_townships, gettext_lazy("This township is not in the selected city.")),
    ("district", "township", list_districts, gettext_lazy("This district is not in the selected township.")),
)


def check_address(draft: AddressDraft) -> Address:
    """Make the address of a draft, unsaved and nobody's, with its places. Reads only.

    Raises `InputInvalid` with every complaint at once.
    """
    complaints: dict[str, list[str]] = defaultdict(list)
    places = _find_places(draft, complaints)
    values = asdict(draft)
    country = places.get("country")
    try:
        values["phone_number"] = read_phone(draft.phone_number, country.code if country else "")
    except PhoneInvalid:
        # Without a country nobody can tell what a national number means.
        if country is not None or draft.phone_number.startswith("+"):
            complaints["phone_number"].append(_("Please enter a valid phone number."))
    if draft.is_corporate:
        for name in _OF_A_COMPANY:
            if not values[name].strip():
                complaints[name].append(_("This field is required for a company."))
    if complaints:
        raise InputInvalid(complaints)
    ids = tuple(places[name] and places[name].pk for name in PLACES)
    return Address(**{**values, **places}, hash_data=hash_address(values, ids))


def _find_places(draft: AddressDraft, complaints: dict[str, list[str]]) -> dict[str, Any]:
    """Find each place inside the one above it; below one that is wrong nothing is looked for."""
    found: dict[str, Any] = {"country": list_countries().filter(pk=draft.country).first()}
    if found["country"] is None:
        complaints["country"].append(_("We do not deliver to this country."))
        return found
    for name, above, list_below, complaint in _LEVELS:
        pk = getattr(draft, name)
        found[name] = None if pk is None else list_below(getattr(draft, above)).filter(pk=pk).first()
        if found[name] is None and pk is not None:
            complaints[name].append(str(complaint))
            break
    return found
