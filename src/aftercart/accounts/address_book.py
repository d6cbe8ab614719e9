"""Reads of address books and of the places that an address can be in."""

from django.db import connection, models

from aftercart.accounts.models import Address, City, Country, District, Township, User

#: So many entries a book has at most: it is read whole by those who choose from it.
LARGEST_BOOK = 100


def list_addresses(user: User) -> models.QuerySet[Address]:
    """List a user's addresses, newest first, with their places."""
    addresses = Address.objects.filter(user=user).order_by("-created_date", "-pk")
    return addresses.select_related("country", "city", "township", "district")


def lock_book(user: User) -> None:
    """Keep everybody else from writing to a user's address book for the rest of the transaction.

    One row stands for the book, so that two first addresses, or two that become the primary one, meet.
    """
    if not connection.in_atomic_block:  # the lock would be gone before the next statement
        raise RuntimeError("lock_book() needs a transaction")
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)


def list_countries() -> models.QuerySet[Country]:
    """List the countries that the shop delivers to."""
    return Country.objects.filter(is_active=True).order_by("name", "pk")


def list_cities(country: int | None = None) -> models.QuerySet[City]:
    """List cities, those of a country if one is given: by priority, then by name."""
    cities = City.objects.filter(is_active=True, country__is_active=True)
    cities = cities if country is None else cities.filter(country=country)
    return cities.order_by(models.F("priority").asc(nulls_last=True), "name", "pk")


def list_townships(city: int | None = None) -> models.QuerySet[Township]:
    """List townships, those of a city if one is given, by name."""
    townships = Township.objects.filter(is_active=True, city__is_active=True)
    return (townships if city is None else townships.filter(city=city)).order_by("name", "pk")


def list_districts(township: int | None = None) -> models.QuerySet[District]:
    """List districts, those of a township if one is given, by name."""
    districts = District.objects.filter(is_active=True, township__is_active=True).select_related("township")
    return (districts if township is None else districts.filter(township=township)).order_by("name", "pk")
