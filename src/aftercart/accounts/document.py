"""Addresses and users as JSON, field names to the letter of contract section 6."""

import hashlib
from typing import Any

from django.utils.crypto import salted_hmac

from aftercart.accounts.models import Address, City, Country, District, Township, User

#: What makes two addresses the same: the fields that a courier reads.
_HASHED = ("first_name", "last_name", "phone_number", "line", "postcode", "title", "company_name", "tax_no")


def _place(place: Any, **more: Any) -> dict[str, Any]:
    return {"pk": place.pk, "name": place.name, "is_active": place.is_active, **more}


def country_document(country: Country) -> dict[str, Any]:
    """Write a country."""
    return _place(country, code=country.code, translations=country.translations)


def city_document(city: City) -> dict[str, Any]:
    """Write a city; its country by its id."""
    return _place(
        city,
        postcode=city.postcode,
        priority=city.priority,
        country=city.country_id,
        translations=city.translations,
    )


def township_document(township: Township) -> dict[str, Any]:
    """Write a township; its city by its id."""
    return _place(township, postcode=township.postcode, city=township.city_id)


def district_document(district: District, city: int) -> dict[str, Any]:
    """Write a district; its township by its id, and the city of that one."""
    return _place(district, postcode=district.postcode, city=city, township=district.township_id)


def address_document(address: Address) -> dict[str, Any]:
    """Write an address; wants country, city, township and district selected with it."""
    return {
        "pk": address.pk,
        "email": address.email,
        "phone_number": address.phone_number,
        "first_name": address.first_name,
        "last_name": address.last_name,
        "country": country_document(address.country),
        "city": city_document(address.city),
        "township": township_document(address.township),
        "district": address.district and district_document(address.district, address.city_id),
        "line": address.line,
        "title": address.title,
        "postcode": address.postcode,
        "notes": address.notes or None,
        "company_name": address.company_name,
        "tax_office": address.tax_office,
        "tax_no": address.tax_no,
        "e_bill_taxpayer": address.e_bill_taxpayer,
        "hash_data": address.hash_data,
        "address_type": address.address_type,
        "retail_store": address.retail_store,
        "remote_id": address.remote_id,
        "identity_number": address.identity_number,
        "extra_field": address.extra_field,
        "is_corporate": address.is_corporate,
        "primary": address.primary,
    }


def hash_address(fields: dict[str, Any], place_ids: tuple[int | None, ...]) -> str:
    """Fingerprint an address, so that the same one is kept once in a user's book."""
    parts = [str(fields.get(name) or "").strip() for name in _HASHED] + [str(pk) for pk in place_ids]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def user_document(user: User) -> dict[str, Any]:
    """Write the current user as the storefront's log-in reads it (`GET /current_user/`)."""
    return {
        "pk": user.pk,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "phone": str(user.phone or ""),
        "email_allowed": user.email_allowed,
        "sms_allowed": user.sms_allowed,
        "date_joined": user.date_joined,
        "last_login": user.last_login,
        "date_of_birth": user.date_of_birth,
        "hashed_email": salted_hmac("aftercart.hashed_email", user.email, algorithm="sha256").hexdigest(),
        "gender": user.gender or None,
        "is_staff": user.is_staff,
    }
