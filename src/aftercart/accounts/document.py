"""Addresses and users as JSON, field names to the letter of contract section 6."""

import hashlib
from typing import Any

from django.utils.crypto import salted_hmac

from aftercart.accounts.models import Address, User

#: What makes two addresses the same: the fields that a courier reads.
_HASHED = ("first_name", "last_name", "phone_number", "line", "postcode", "title", "company_name", "tax_no")


def _place(place: Any, **more: Any) -> dict[str, Any]:
    return {"pk": place.pk, "name": place.name, "is_active": place.is_active, **more}


def address_document(address: Address) -> dict[str, Any]:
    """Write an address; wants country, city, township and district selected with it."""
    country = _place(address.country, code=address.country.code, translations=address.country.translations)
    city, township, district = address.city, address.township, address.district
    return {
        "pk": address.pk,
        "email": address.email,
        "phone_number": address.phone_number,
        "first_name": address.first_name,
        "last_name": address.last_name,
        "country": country,
        "city": _place(
            city,
            postcode=city.postcode,
            priority=city.priority,
            country=address.country_id,
            translations=city.translations,
        ),
        "township": _place(township, postcode=township.postcode, city=address.city_id),
        "district": None
        if district is None
        else _place(district, postcode=district.postcode, city=address.city_id, township=address.township_id),
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
