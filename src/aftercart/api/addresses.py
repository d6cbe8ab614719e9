"""The views of the address book and of the places in it (contract section 5)."""

from collections.abc import Callable
from typing import Any

from django.db import models
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aftercart.accounts.address_book import (
    LARGEST_BOOK,
    list_addresses,
    list_cities,
    list_countries,
    list_districts,
    list_townships,
)
from aftercart.accounts.document import City, Country, District, Township, address_document
from aftercart.actions.address.add_address import add_address
from aftercart.actions.address.edit_address import edit_address
from aftercart.actions.address.remove_address import remove_address
from aftercart.api.address_serializers import AddressSerializer, PlaceFilterSerializer
from aftercart.api.authentication import get_user
from aftercart.api.pagination import PagePagination
from aftercart.api.parsers import JSON_OR_FORM
from aftercart.api.schema import address_book as schema
from aftercart.api.serializers import read_valid


class WholeBook(PagePagination):
    """A book on one page: its reader, the storefront's client, asks for no second one."""

    page_size = LARGEST_BOOK


class ManyPlaces(PagePagination):
    """All places inside another one on a page, for the choices of a form, and yet not without bound."""

    page_size = 1000
    max_page_size = 1000


class Addresses(APIView):
    """`GET/POST /address/`."""

    parser_classes = JSON_OR_FORM

    @schema.list_addresses
    def get(self, request: Request) -> Response:
        """List the caller's addresses, newest first."""
        return PagePagination().answer(list_addresses(get_user(request)), request, address_document)

    @schema.add_address
    def post(self, request: Request) -> Response:
        """Add an address: 201 and the entry; 200 if the book has just this one already."""
        user = get_user(request)
        serializer = read_valid(AddressSerializer, request.data)
        is_primary = bool(serializer.validated_data.get("primary"))
        entry, is_new = add_address(user, serializer.to_draft(), is_primary=is_primary)
        return Response(address_document(entry), status=201 if is_new else 200)


class DetailedAddresses(APIView):
    """`GET /address/detailed/`."""

    @schema.list_detailed_addresses
    def get(self, request: Request) -> Response:
        """List the caller's addresses, newest first, all on one page."""
        return WholeBook().answer(list_addresses(get_user(request)), request, address_document)


class AddressEntry(APIView):
    """`PATCH/DELETE /address/{pk}/`."""

    parser_classes = JSON_OR_FORM

    @schema.edit_address
    def patch(self, request: Request, pk: int) -> Response:
        """Change the fields that are sent."""
        user = get_user(request)
        serializer = read_valid(AddressSerializer, request.data, partial=True)
        is_primary = serializer.validated_data.get("primary")
        return Response(
            address_document(edit_address(user, pk, serializer.to_changes(), is_primary=is_primary))
        )

    @schema.remove_address
    def delete(self, request: Request, pk: int) -> Response:
        """Take an entry out of the book: 204."""
        remove_address(get_user(request), pk)
        return Response(status=204)


class _Places(APIView):
    """A list of places that the shop delivers to, for somebody who is logged in."""

    def _list(
        self,
        request: Request,
        rows: Callable[[int | None], models.QuerySet[Any]],
        inside: str,
        write: Callable[[Any], dict[str, Any]],
    ) -> Response:
        get_user(request)
        serializer = read_valid(PlaceFilterSerializer, request.query_params)
        found = rows(serializer.validated_data.get(inside))
        found = found.none() if serializer.wants_stores() else found
        return ManyPlaces().answer(found, request, write)


class Countries(_Places):
    """`GET /address/country/`."""

    @schema.list_countries
    def get(self, request: Request) -> Response:
        """List the countries."""
        return self._list(request, lambda _none: list_countries(), "country", Country.write)


class Cities(_Places):
    """`GET /address/city/?country=`."""

    @schema.list_cities
    def get(self, request: Request) -> Response:
        """List the cities of a country."""
        return self._list(request, list_cities, "country", City.write)


class Townships(_Places):
    """`GET /address/township/?city=`."""

    @schema.list_townships
    def get(self, request: Request) -> Response:
        """List the townships of a city."""
        return self._list(request, list_townships, "city", Township.write)


class Districts(_Places):
    """`GET /address/district/?township=`."""

    @schema.list_districts
    def get(self, request: Request) -> Response:
        """List the districts of a township."""
        return self._list(request, list_districts, "township", District.write)
