"""Read a customer's addresses where the shop keeps them, with the customer's own cookie."""

from typing import Any

from aftercart.accounts.document import hash_address
from aftercart.accounts.models import Address, City, Country, District, Township
from aftercart.commerce.connect import get_commerce
from aftercart.orders.intake.address import read_address
from aftercart.orders.intake.values import Document, DocumentInvalid


def list_shop_addresses(cookie: str) -> list[Address]:
    """List the addresses of who has this session in the shop, as rows that are never saved; theirs alone.

    Ids, also those of places, are the shop's, which its the OMS knows. What cannot be read is left out.
    Raises `CommerceUnavailable`.
    """
    if not cookie:
        return []
    found = (_read(row) for row in get_commerce().list_addresses(cookie))
    return [address for address in found if address is not None]


def choose_shop_address(cookie: str, pk: int) -> Address | int:
    """Find one of them; where it is not among them, the id, which then is nobody's. Raises `CommerceUnavailable`."""
    return next((address for address in list_shop_addresses(cookie) if address.pk == pk), pk)


def _read(row: Document) -> Address | None:
    try:
        intake = read_address(row)
    except DocumentInvalid:
        return None
    pk = row.get("pk", row.get("id"))
    if intake is None or type(pk) is not int:
        return None
    places, country_pk = intake.places, _get_pk(row, "country")
    city_pk, township_pk = _get_pk(row, "city"), _get_pk(row, "township")
    if country_pk is None or city_pk is None or township_pk is None:
        return None
    district_pk = _get_pk(row, "district")
    return Address(
        pk=pk,
        **intake.columns,
        country=Country(pk=country_pk, code=places.country, name=places.country_name),
        city=City(pk=city_pk, name=places.city or "", country_id=country_pk),
        township=Township(pk=township_pk, name=places.township or "", city_id=city_pk),
        district=None
        if district_pk is None
        else District(pk=district_pk, name=places.district or "", township_id=township_pk),
        hash_data=hash_address(intake.columns, (country_pk, city_pk, township_pk, district_pk)),
        primary=row.get("primary") is True,
    )


def _get_pk(row: Document, name: str) -> int | None:
    place: Any = row.get(name)
    pk = place.get("pk", place.get("id")) if isinstance(place, dict) else place
    return pk if type(pk) is int else None
