"""Addresses and users as JSON, field names to the letter of contract section 6."""

import hashlib
from typing import Any

from django.utils.crypto import salted_hmac

from aftercart.accounts import models
from aftercart.lib.documents import Document, flag, integer, moment, passed_on, text

#: What makes two addresses the same: the fields that a courier reads.
_HASHED = ("first_name", "last_name", "phone_number", "line", "postcode", "title", "company_name", "tax_no")


class Country(Document):
    """A country."""

    pk = integer()
    name = text()
    is_active = flag("Whether the shop still delivers there.")
    code = text("ISO 3166-1 alpha-2, in lower case.", pattern="^[a-z]{2}$")
    translations = passed_on("Its name in other languages.")


class City(Document):
    """A city or province."""

    pk = integer()
    name = text()
    is_active = flag()
    postcode = text()
    priority = integer("Where it stands in a list; null: by name.", null=True)
    country = integer("The country's pk.", source="country_id")
    translations = passed_on("Its name in other languages.")


class Township(Document):
    """A township (ilçe) of a city."""

    pk = integer()
    name = text()
    is_active = flag()
    postcode = text()
    city = integer("The city's pk.", source="city_id")


class District(Document):
    """A district (mahalle) of a township."""

    pk = integer()
    name = text()
    is_active = flag()
    postcode = text()
    city = integer("The city's pk.", source="township.city_id")
    township = integer("The township's pk.", source="township_id")


class Address(Document):
    """An address as it was when the order was sent to it: later changes of the address book do not reach it."""

    pk = integer("Its entry in the address book; null if it stands in none.", null=True)
    email = text()
    phone_number = text()
    first_name = text()
    last_name = text()
    country = Country()
    city = City(allow_null=True)
    township = Township(allow_null=True)
    district = District(allow_null=True)
    line = text("Street, house, flat.")
    title = text("What the customer calls it.")
    postcode = text()
    notes = text("For the courier.", null=True)
    company_name = text()
    tax_office = text()
    tax_no = text()
    e_bill_taxpayer = flag()
    hash_data = text("Equal for equal addresses.")
    address_type = text("`customer`, or the shop's own kinds.")
    retail_store = passed_on("The store in which the parcel waits, for a store pick-up.")
    remote_id = text(null=True)
    identity_number = text(null=True)
    extra_field = passed_on("What the shop adds of its own.")
    is_corporate = flag()
    primary = flag("Whether it is the first choice of its address book.")


class User(Document):
    """Who is logged in."""

    pk = integer()
    first_name = text()
    last_name = text()
    email = text(format="email")
    phone = text("International, `+905321112233`; may be empty.")
    email_allowed = flag("Whether the shop may write e-mails.")
    sms_allowed = flag("Whether the shop may write text messages.")
    date_joined = moment()
    last_login = moment(null=True)
    date_of_birth = text(null=True, format="date")
    hashed_email = text("Names the customer to others without telling the address.")
    gender = text(null=True)
    is_staff = flag()


def address_document(address: models.Address) -> dict[str, Any]:
    """Write an address; wants country, city, township and district selected with it."""
    district = address.district and District.write(address.district, city=address.city_id)
    return Address.write(address, district=district, notes=address.notes or None)


def hash_address(fields: dict[str, Any], place_ids: tuple[int | None, ...]) -> str:
    """Fingerprint an address, so that the same one is kept once in a user's book."""
    parts = [str(fields.get(name) or "").strip() for name in _HASHED] + [str(pk) for pk in place_ids]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def user_document(user: models.User) -> dict[str, Any]:
    """Write the current user as the storefront's log-in reads it (`GET /current_user/`)."""
    digest = salted_hmac("aftercart.hashed_email", user.email, algorithm="sha256").hexdigest()
    return User.write(user, phone=str(user.phone or ""), hashed_email=digest, gender=user.gender or None)
