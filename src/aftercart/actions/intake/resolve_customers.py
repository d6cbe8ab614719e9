"""Find or make the customers and places of a batch of imported orders, and snapshot its addresses.

A handful of statements for the whole batch, whatever its size; nothing is made twice. If somebody else makes
the same at the same moment, a unique constraint fails the batch, and whoever called tries it again.
"""

import re
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_bytes
from typing import Any, Final, NamedTuple

import phonenumbers
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection
from psycopg import sql

from aftercart.accounts import document
from aftercart.accounts.document import hash_address
from aftercart.accounts.models import City, Country, District, Township, User
from aftercart.lib.bulk import copy_rows, encode_json, find_rows, reserve_ids
from aftercart.lib.clock import get_now
from aftercart.orders.intake.address import AddressIntake, PlaceNames
from aftercart.orders.intake.order import OrderIntake

#: The bytes of a password that is none: forty characters.
_SECRET: Final = 30
_USER_COLUMNS: Final = (
    "id", "password", "is_superuser", "email", "first_name", "last_name", "phone", "gender", "email_allowed",
    "sms_allowed", "is_staff", "is_active", "date_joined",
)  # fmt: skip


def _make_mobile_pattern() -> re.Pattern[str]:
    """Make what finds a mobile number of Türkiye, as most shops write it, by the library's own pattern."""
    region = phonenumbers.PhoneMetadata.metadata_for_region("TR")
    mobile = region.mobile.national_number_pattern if region and region.mobile else "(?!)"
    return re.compile(rf"(?:(?P<international>\+90)|0)(?P<number>(?=[0-9]{{10}}$)(?:{mobile}))")


#: What it takes the library 20 µs to tell.
_TURKISH_MOBILE: Final = _make_mobile_pattern()
_FIND_LEVEL: Final = sql.SQL(
    "SELECT place.* FROM {table} AS place"
    " JOIN unnest(%s::bigint[], %s::text[]) AS wanted (parent, name)"
    " ON place.{parent} = wanted.parent AND place.name = wanted.name"
)
_FIND_IN_BOOKS: Final = """
    SELECT address.user_id, address.hash_data, address.id, address."primary" FROM accounts_address AS address
    JOIN jsonb_to_recordset(%s::jsonb) AS wanted (user_id bigint, hash_data text)
    ON address.user_id = wanted.user_id AND address.hash_data = wanted.hash_data
"""


@dataclass(frozen=True, slots=True)
class Places:
    """Where an address is: ids and documents of country, city, township, district; None where it does not tell."""

    ids: tuple[int | None, ...]
    documents: dict[str, Any]


class Customer(NamedTuple):
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
        is_same = intake.billing is intake.shipping
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
    users: dict[str, int] = dict(find_rows(User._meta.db_table, "email", list(wanted), ("email", "id")))
    missing = [email for email in wanted if email not in users]
    made = dict(zip(missing, reserve_ids(User._meta.db_table, len(missing)), strict=True))
    now = get_now()
    secrets = token_bytes(
        _SECRET * len(made)
    )  # at once: each time the system is asked takes as long as reading an item
    copy_rows(
        User._meta.db_table,
        _USER_COLUMNS,
        [
            _make_user_row(pk, wanted[email], secrets[place * _SECRET : (place + 1) * _SECRET], now)
            for place, (email, pk) in enumerate(made.items())
        ],
    )
    return users | made


def _make_user_row(pk: int, intake: OrderIntake, secret: bytes, now: datetime) -> tuple[Any, ...]:
    """Make a customer with whose password nobody can log in, named as their order's address is."""
    columns = intake.shipping.columns if intake.shipping else {}
    country = intake.shipping.places.country if intake.shipping else ""
    first_name, last_name = columns.get("first_name", ""), columns.get("last_name", "")
    phone = _find_phone(columns.get("phone_number", ""), country)
    # As `make_password(None)` makes it, of random bytes instead of forty random choices (60 µs of each order).
    password = UNUSABLE_PASSWORD_PREFIX + b64encode(secret).decode()
    return (
        pk, password, False, intake.email, first_name, last_name, phone, "", False, False, False, True, now,
    )  # fmt: skip


def _find_phone(text: str, country: str) -> str:
    """Write a phone number as E.164, or as "" where it is none."""
    mobile = _TURKISH_MOBILE.fullmatch(text.replace(" ", ""))
    if mobile and (mobile["international"] or country == "tr"):
        return "+90" + mobile["number"]
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
    cities = _resolve_level(City, "country", {n: (countries[n.country], n.city) for n in names if n.city})
    townships = _resolve_level(Township, "city", {n: (cities[n], n.township) for n in cities if n.township})
    districts = _resolve_level(
        District, "township", {n: (townships[n], n.district) for n in townships if n.district}
    )
    return {
        name: _describe(countries[name.country], cities.get(name), townships.get(name), districts.get(name))
        for name in names
    }


def _describe(
    country: Country, city: City | None, township: Township | None, district: District | None
) -> Places:
    documents = {
        "country": document.Country.write(country),
        "city": city and document.City.write(city),
        "township": township and document.Township.write(township),
        "district": city and district and document.District.write(district, city=city.pk),
    }
    return Places(
        tuple(place.pk if place else None for place in (country, city, township, district)), documents
    )


def _resolve_countries(names: Collection[PlaceNames]) -> dict[str, Country]:
    wanted = {name.country: name.country_name for name in names}
    found = {country.code: country for country in Country.objects.filter(code__in=list(wanted))}
    missing = [Country(code=code, name=name) for code, name in wanted.items() if code not in found]
    return found | {country.code: country for country in Country.objects.bulk_create(missing)}


def _resolve_level(
    model: type[City | Township | District], parent: str, wanted: Mapping[PlaceNames, tuple[Any, str]]
) -> dict[PlaceNames, Any]:
    """Find or make one level; `wanted` are the place above and the name of each."""
    pairs = {(above.pk, name): above for above, name in wanted.values()}
    if not pairs:
        return {}
    # Pairs, not parents times names: a name that every city has would bring them all.
    statement = _FIND_LEVEL.format(
        table=sql.Identifier(model._meta.db_table),
        parent=sql.Identifier(f"{parent}_id"),
    )
    rows = model._default_manager.raw(
        statement.as_string(), [list(column) for column in zip(*pairs, strict=True)]
    )
    known = {(getattr(row, f"{parent}_id"), row.name): row for row in rows}
    missing: dict[tuple[int, str], Any] = {
        pair: model(**{parent: above, "name": pair[1]}) for pair, above in pairs.items() if pair not in known
    }
    model._default_manager.bulk_create(missing.values())
    known |= missing
    return {names: known[above.pk, name] for names, (above, name) in wanted.items()}


# --- addresses ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Entry:
    """An address on its way into an order's snapshot; with a `user_id` it may stand in that customer's book."""

    document: dict[str, Any]
    user_id: int | None

    @property
    def key(self) -> tuple[int | None, str]:
        """What finds it in a book."""
        return self.user_id, self.document["hash_data"]


def _make_entry(
    intake: AddressIntake | None, places: Mapping[PlaceNames, Places], user_id: int | None
) -> _Entry | None:
    """Make the document that `address_document` makes of a row."""
    if intake is None:
        return None
    found = places[intake.places]
    document = {
        "pk": None,
        "primary": False,
        **intake.columns,
        "notes": intake.columns["notes"] or None,
        **found.documents,
        "hash_data": hash_address(intake.columns, found.ids),
    }
    return _Entry(document, user_id if intake.is_for_the_book else None)


def _find_in_books(entries: Sequence[_Entry]) -> None:
    """Give each address that stands in its customer's book its id there; none is added, an order may go to anybody."""
    wanted = {entry.key for entry in entries}
    if not wanted:
        return
    with connection.cursor() as cursor:
        sent = [{"user_id": user_id, "hash_data": digest} for user_id, digest in wanted]
        cursor.execute(_FIND_IN_BOOKS, [encode_json(sent)])
        known = {(user_id, digest): found for user_id, digest, *found in cursor.fetchall()}
    for entry in entries:
        if found := known.get(entry.key):
            entry.document["pk"], entry.document["primary"] = found


def snapshot_address(intake: AddressIntake) -> str:
    """Return one address as a JSON snapshot, its places found or made; it stands in nobody's book."""
    entry = _make_entry(intake, _resolve_places([intake.places]), None)
    return str(_write_snapshot(entry))


def _write_snapshots(shipping: _Entry | None, billing: _Entry | None) -> tuple[str | None, str | None]:
    first = _write_snapshot(shipping)
    return first, first if billing is shipping else _write_snapshot(billing)


def _write_snapshot(entry: _Entry | None) -> str | None:
    return None if entry is None else encode_json(entry.document)
