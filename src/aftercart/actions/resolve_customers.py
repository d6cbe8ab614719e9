"""Find or make the customers and places of a batch of imported orders, and snapshot its addresses.

A handful of statements for the whole batch, whatever its size; nothing is made twice. If somebody else makes
the same at the same moment, a unique constraint fails the batch, and whoever called tries it again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_urlsafe
from typing import Any, Final

import phonenumbers
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from psycopg import sql

from aftercart.accounts.document import address_document, hash_address
from aftercart.accounts.models import Address, City, Country, District, Township, User
from aftercart.lib.bulk import copy_rows, encode_json, reserve_ids
from aftercart.lib.clock import get_now
from aftercart.orders.intake import OrderIntake
from aftercart.orders.intake_address import AddressIntake, PlaceNames

_USER_COLUMNS: Final = (
    "id", "password", "is_superuser", "email", "first_name", "last_name", "phone", "gender", "email_allowed",
    "sms_allowed", "is_staff", "is_active", "date_joined",
)  # fmt: skip

_FIND_LEVEL: Final = sql.SQL(
    "SELECT place.* FROM {table} AS place"
    " JOIN unnest(%s::bigint[], %s::text[]) AS wanted (parent, name)"
    " ON place.{parent} = wanted.parent AND place.name = wanted.name"
)


@dataclass(frozen=True, slots=True)
class Places:
    """Where an address is; a level that the document does not tell is None."""

    country: Country
    city: City | None
    township: Township | None
    district: District | None


@dataclass(frozen=True, slots=True)
class Customer:
    """Whose an order is, None for a guest, and its addresses as JSON snapshots, None where it has none."""

    user_id: int | None
    shipping: str | None
    billing: str | None


def resolve_customers(intakes: Sequence[OrderIntake]) -> list[Customer]:
    """Find or make everything that these orders refer to, and answer in their order. Wants a transaction."""
    users = _resolve_users(intakes)
    places = _resolve_places(
        {address.places for intake in intakes for address in (intake.shipping, intake.billing) if address}
    )
    user_ids = [None if intake.is_guest else users[intake.email] for intake in intakes]
    pairs = []
    for intake, user_id in zip(intakes, user_ids, strict=True):
        shipping = _make_entry(intake.shipping, places, user_id)
        is_same = intake.billing == intake.shipping
        pairs.append((shipping, shipping if is_same else _make_entry(intake.billing, places, user_id)))
    _find_in_books([entry for pair in pairs for entry in pair if entry and entry.user_id])
    return [
        Customer(user_id, *_write_snapshots(*pair)) for user_id, pair in zip(user_ids, pairs, strict=True)
    ]


# --- users -------------------------------------------------------------------------------------------------


def _resolve_users(intakes: Sequence[OrderIntake]) -> dict[str, int]:
    """Find the users with these orders' e-mail addresses, or make them; answers ids by e-mail."""
    wanted: dict[str, OrderIntake] = {}
    for intake in intakes:
        if not intake.is_guest:
            wanted.setdefault(intake.email, intake)
    users = dict(User.objects.filter(email__in=list(wanted)).values_list("email", "pk"))
    missing = [email for email in wanted if email not in users]
    made = dict(zip(missing, reserve_ids(User._meta.db_table, len(missing)), strict=True))
    now = get_now()
    copy_rows(
        User._meta.db_table,
        _USER_COLUMNS,
        [_make_user_row(pk, wanted[email], now) for email, pk in made.items()],
    )
    return users | made


def _make_user_row(pk: int, intake: OrderIntake, now: datetime) -> tuple[Any, ...]:
    """Make a customer with whose password nobody can log in, named as their order's address is."""
    columns = intake.shipping.columns if intake.shipping else {}
    country = intake.shipping.places.country if intake.shipping else ""
    first_name, last_name = columns.get("first_name", ""), columns.get("last_name", "")
    phone = _find_phone(columns.get("phone_number", ""), country)
    # As `make_password(None)` makes it, of one random text instead of forty random choices (60 µs of each order).
    return (
        pk, UNUSABLE_PASSWORD_PREFIX + token_urlsafe(30), False, intake.email, first_name, last_name, phone, "",
        False, False, False, True, now,
    )  # fmt: skip


def _find_phone(text: str, country: str) -> str:
    """Write a phone number as E.164, or as "" where it is none."""
    try:
        phone = phonenumbers.parse(text, country.upper())
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(phone):
        return ""
    return phonenumbers.format_number(phone, phonenumbers.PhoneNumberFormat.E164)


# --- places ------------------------------------------------------------------------------------------------


def _resolve_places(names: Collection[PlaceNames]) -> dict[PlaceNames, Places]:
    """Find every place by its name (a country by its code), or make it: one level after the other."""
    countries = _resolve_countries(names)
    places = {name: Places(countries[name.country], None, None, None) for name in names}
    cities = _resolve_level(City, "country", {(p.country, n.city) for n, p in places.items() if n.city})
    for name, place in places.items():
        if name.city:
            places[name] = replace(place, city=cities[place.country.pk, name.city])
    wanted = {(p.city, n.township) for n, p in places.items() if p.city and n.township}
    townships = _resolve_level(Township, "city", wanted)
    for name, place in places.items():
        if place.city and name.township:
            places[name] = replace(place, township=townships[place.city.pk, name.township])
    wanted_districts = {(p.township, n.district) for n, p in places.items() if p.township and n.district}
    districts = _resolve_level(District, "township", wanted_districts)
    for name, place in places.items():
        if place.township and name.district:
            places[name] = replace(place, district=districts[place.township.pk, name.district])
    return places


def _resolve_countries(names: Collection[PlaceNames]) -> dict[str, Country]:
    wanted = {name.country: name.country_name for name in names}
    found = {country.code: country for country in Country.objects.filter(code__in=list(wanted))}
    missing = [Country(code=code, name=name) for code, name in wanted.items() if code not in found]
    return found | {country.code: country for country in Country.objects.bulk_create(missing)}


def _resolve_level(
    model: type[City | Township | District], parent: str, wanted: Collection[tuple[Any, str]]
) -> dict[tuple[int, str], Any]:
    """Find or make one level. `wanted` are parents and names; answers by the parent's id and the name."""
    if not wanted:
        return {}
    # Pairs, not parents times names: a name that every city has would bring them all.
    statement = _FIND_LEVEL.format(
        table=sql.Identifier(model._meta.db_table),
        parent=sql.Identifier(f"{parent}_id"),
    )
    pairs = [[above.pk for above, _ in wanted], [name for _, name in wanted]]
    rows = model._default_manager.raw(statement.as_string(), pairs)
    found = {(getattr(row, f"{parent}_id"), row.name): row for row in rows}
    missing: dict[tuple[int, str], Any] = {
        (above.pk, name): model(**{parent: above, "name": name})
        for above, name in wanted
        if (above.pk, name) not in found
    }
    model._default_manager.bulk_create(missing.values())
    return found | missing


# --- addresses ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Entry:
    """An address on its way into an order's snapshot; with a `user_id` it may stand in that customer's book."""

    address: Address
    places: Places
    user_id: int | None


def _make_entry(
    intake: AddressIntake | None, places: Mapping[PlaceNames, Places], user_id: int | None
) -> _Entry | None:
    if intake is None:
        return None
    found = places[intake.places]
    parts = (found.country, found.city, found.township, found.district)
    address = Address(
        **intake.columns,
        country=found.country,
        city=found.city or City(),
        township=found.township or Township(),
        district=found.district,
        hash_data=hash_address(intake.columns, _place_ids(parts)),
    )
    return _Entry(address, found, user_id if intake.is_for_the_book else None)


def _place_ids(parts: Sequence[Any]) -> tuple[int | None, ...]:
    return tuple(part and part.pk for part in parts)


def _find_in_books(entries: Sequence[_Entry]) -> None:
    """Give each address that stands in its customer's book its id there; none is added, an order may go to anybody."""
    rows = Address.objects.filter(
        user_id__in={entry.user_id for entry in entries},
        hash_data__in={entry.address.hash_data for entry in entries},
    ).values_list("user_id", "hash_data", "pk", "primary")
    known: dict[tuple[int | None, str], tuple[int, bool]] = {
        (user_id, digest): (pk, is_primary) for user_id, digest, pk, is_primary in rows
    }
    for entry in entries:
        found = known.get((entry.user_id, entry.address.hash_data))
        if found is not None:
            entry.address.pk, entry.address.primary = found


def snapshot_address(intake: AddressIntake) -> str:
    """Return one address as a JSON snapshot, its places found or made; it stands in nobody's book."""
    entry = _make_entry(intake, _resolve_places([intake.places]), None)
    return str(_write_snapshot(entry))


def _write_snapshots(shipping: _Entry | None, billing: _Entry | None) -> tuple[str | None, str | None]:
    first = _write_snapshot(shipping)
    return first, first if billing is shipping else _write_snapshot(billing)


def _write_snapshot(entry: _Entry | None) -> str | None:
    if entry is None:
        return None
    document = address_document(entry.address)
    if entry.places.city is None:
        document["city"] = None
    if entry.places.township is None:
        document["township"] = None
    return encode_json(document)
