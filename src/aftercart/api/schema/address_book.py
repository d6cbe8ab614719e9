"""The operations of the address book, its places, and the look-up of guests' orders (contract section 5)."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from drf_spectacular.utils import OpenApiParameter

from aftercart.accounts import document as addresses
from aftercart.api import address_serializers, serializers
from aftercart.api.schema import errors
from aftercart.api.schema.operation import (
    CSRF_FAILED,
    LIMIT,
    PAGE,
    UNKNOWN_FORMAT,
    Answer,
    operation,
)
from aftercart.api.schema.texts import ADDRESSES, ORDERS
from aftercart.cancellations.document import Order
from aftercart.lib.documents import (
    NO_NUL,
    Document,
    list_codes,
    make_document,
    make_page,
    one_of,
    sentences,
)

_F = TypeVar("_F", bound=Callable[..., Any])

BOOK_CODES: Final = {
    "address_book_full": "the book holds as many addresses as it can",
    "address_in_use": "a return is collected there, or an order is being sent there",
    "duplicate_address": "the book has this address already, with something else beside it",
    "primary_needed": "one address is always the first choice",
}
_FIELDS: Final = tuple(address_serializers.AddressSerializer().fields)

AddressBookRefused = make_document(
    "AddressBookRefused",
    f"The book cannot be written like that.\n\n{list_codes(BOOK_CODES)}",
    {"non_field_errors": sentences("Why, for a person."), "code": one_of(BOOK_CODES)},
)
_BAD_ADDRESS: Final = errors.make_bad_request(
    "AddressBadRequest",
    errors.make_input_error("AddressInputError", _FIELDS),
    AddressBookRefused,
    errors.Unreadable,
)
GuestOrderNotFound = make_document(
    "GuestOrderNotFound",
    "No guest's order has this number and this e-mail address: an unknown number, a customer's order and "
    "another e-mail address are told in one wording.",
    {
        "non_field_errors": sentences("For a person."),
        "code": one_of(["order_not_found"]),
    },
)


_ENTRY: Final = OpenApiParameter("id", int, OpenApiParameter.PATH, description="The entry's pk.")
_ADDRESS_PAGE: Final = make_page("AddressPage", addresses.Address, "One page of an address book.")
_NO_PAGE: Final[Answer] = (errors.NotFound, "There is no such page.")
_NO_ENTRY: Final[Answer] = (errors.NotFound, "There is no such entry, or it is in somebody else's book.")

list_addresses = operation(
    "list_addresses",
    tag=ADDRESSES,
    summary="List the caller's addresses",
    description="Newest first. 20 a page unless `limit` says so, 100 at most.",
    parameters=[PAGE, LIMIT],
    answers={200: (_ADDRESS_PAGE, "Addresses."), 404: _NO_PAGE},
    has_page=True,
)
list_detailed_addresses = operation(
    "list_detailed_addresses",
    tag=ADDRESSES,
    summary="List all of the caller's addresses",
    description="As `list_addresses`, on one page: a book holds 100 addresses at most.",
    parameters=[PAGE, LIMIT],
    answers={200: (_ADDRESS_PAGE, "Addresses."), 404: _NO_PAGE},
)
add_address = operation(
    "add_address",
    tag=ADDRESSES,
    summary="Add an address",
    description="""\
The places must lie in each other, and the phone number must be a possible one of the address's country, or
international; it is kept in the notation in which it came, without blanks. A company's address needs the company's
name, tax office and tax number. The first address of a book is its first choice (`primary`).

A repeat is harmless: if the book has just this address already, that entry is given with 200.
""",
    request=address_serializers.AddressSerializer,
    answers={
        200: (addresses.Address, "The book has just this one."),
        201: (addresses.Address, "The new entry."),
        400: (_BAD_ADDRESS, "The input makes no sense, or it is refused."),
    },
    has_page=True,
)
edit_address = operation(
    "edit_address",
    tag=ADDRESSES,
    summary="Change an address",
    description=f"""\
Changes the fields that are sent. `"primary": true` makes the entry the first choice instead of the one before. Orders
keep the addresses that they were sent to. The codes of a refusal:

{list_codes(BOOK_CODES)}
""",
    request=address_serializers.AddressSerializer,
    parameters=[_ENTRY],
    answers={
        200: (addresses.Address, "The entry as it is now."),
        400: (_BAD_ADDRESS, "The input makes no sense, or it is refused."),
        404: _NO_ENTRY,
    },
    has_page=True,
)
remove_address = operation(
    "remove_address",
    tag=ADDRESSES,
    summary="Remove an address",
    description="If it was the first choice, the newest of the others becomes it.",
    parameters=[_ENTRY],
    answers={
        204: (None, "It is gone."),
        400: (AddressBookRefused, "A return is collected there, or an order is being sent there."),
        403: CSRF_FAILED,
        404: _NO_ENTRY,
    },
    has_page=True,
)


def _list_places(operation_id: str, document: type[Document], of: str, inside: str) -> Callable[[_F], _F]:
    """Describe one of the lists of places."""
    given = [PAGE, LIMIT]
    if inside:
        given.append(
            OpenApiParameter(
                inside,
                {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, {"const": ""}]},
                description=f"Only those of this {inside}; empty: all.",
            )
        )
    given.append(
        OpenApiParameter(
            "retailstore__isnull",
            {"type": "string", "maxLength": 8, "pattern": NO_NUL},
            description="`false`: only places with a store of the shop, of which Aftercart knows none.",
        )
    )
    page = make_page(f"{document.__name__}Page", document, f"One page of {of}.")
    return operation(
        operation_id,
        tag=ADDRESSES,
        summary=f"List {of}",
        description=f"The {of} that the shop delivers to, 1000 a page unless `limit` says so.",
        parameters=given,
        answers={
            200: (page, f"The {of}."),
            400: (
                errors.make_input_error(
                    f"{document.__name__}FilterError", address_serializers.PlaceFilterSerializer().fields
                ),
                "A filter makes no sense.",
            ),
            404: _NO_PAGE,
        },
    )


list_countries = _list_places("list_countries", addresses.Country, "countries", "")
list_cities = _list_places("list_cities", addresses.City, "cities", "country")
list_townships = _list_places("list_townships", addresses.Township, "townships", "city")
list_districts = _list_places("list_districts", addresses.District, "districts", "township")


find_anonymous_order = operation(
    "find_anonymous_order",
    tag=ORDERS,
    summary="Look up a guest's order",
    description="""\
For who has bought without an account: the order's number and e-mail address, as JSON or as a form. Only guests' orders
are found, and only in whole. Every miss is one and the same 400. Needs no CSRF token, and gives no session.

Throttled by number, by e-mail address and by the client's network address, whether there is such an order or not.
""",
    request=serializers.AnonymousSerializer,
    is_open=True,
    answers={
        200: (Order(many=True), "The order, in a list of exactly one."),
        400: (
            errors.make_bad_request(
                "AnonymousBadRequest",
                errors.make_input_error("AnonymousInputError", serializers.AnonymousSerializer().fields),
                GuestOrderNotFound,
                errors.Unreadable,
            ),
            "There is no such order, or the input makes no sense.",
        ),
        404: UNKNOWN_FORMAT,
        429: (errors.Throttled, "Too many look-ups."),
    },
)
