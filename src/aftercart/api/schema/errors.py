"""What goes wrong, as JSON (contract section 1): every body carries a stable `code`."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.utils import PolymorphicProxySerializer

from aftercart.api.schema.rules import REFUSALS, SECOND_REQUEST
from aftercart.lib.documents import Document, integer, list_codes, make_document, one_of, sentences, text

#: Every code of a field error, from the framework's fields and from ours.
INPUT_CODES: Final = {
    "blank": "an empty string where there must be one",
    "contradiction": "the items and the whole say different things",
    "date": "a date was wanted, not a time",
    "empty": "the list has no entry",
    "invalid": "of the wrong type or form, or an id that is unknown or somebody else's",
    "invalid_choice": "not one of the values",
    "invalid_iban": "no valid IBAN",
    "max_length": "too long",
    "max_string_length": "a number of too many digits",
    "max_value": "too large",
    "min_value": "too small",
    "not_a_list": "a list was wanted",
    "not_accepted": "the consent was not given",
    "null": "null where there must be a value",
    "null_characters_not_allowed": "it contains a NUL character",
    "required": "missing",
    "surrogate_characters_not_allowed": "it is no valid Unicode",
}
ADDRESS_CODES: Final = {
    "cancellation_in_progress": "a cancellation of the order is not decided yet",
    "omnitron_refused": "Omnitron says no; the sentence is its reason",
    "other_country": "the new address is in another country, where the shop does not allow that",
    "status_not_allowed": "the order, or an item of it, has left already",
    "store_pickup": "the order is collected in a store",
}
#: Outside of any operation: an address that does not exist, a fault of ours.
OTHER_CODES: Final = {
    "error": "500: a fault of ours, and always worth a report; no request should be able to cause it",
    "method_not_allowed": "405: the address does not take this method",
    "not_found": "404: there is no such address",
    "permission_denied": "403: the caller may not do this",
}


def _detail(name: str, description: str, codes: Iterable[str]) -> type[Document]:
    return make_document(
        name, description, {"detail": text("One sentence for a person."), "code": one_of(codes)}
    )


NotAuthenticated = _detail("NotAuthenticated", "Nobody is logged in.", ["not_authenticated"])
CsrfFailed = _detail("CsrfFailed", "`X-CSRFToken` is missing or wrong.", ["csrf_failed"])
NotFound = _detail(
    "NotFound", "There is none, or it is somebody else's: nobody can tell which.", ["not_found"]
)
StillRunning = _detail(
    "StillRunning", "The same write is under way; try again in a moment.", ["still_running"]
)
NothingToTakeBack = _detail(
    "NothingToTakeBack",
    "The request has been decided or is being carried out, or it stands for a withdrawal from the contract.",
    ["nothing_to_take_back"],
)
PhotoRefused = _detail(
    "PhotoRefused",
    "The item has five photos (`photos_full`), or no return of it is open (`no_open_return`).",
    ["photos_full", "no_open_return"],
)
KeyReused = _detail(
    "KeyReused", "The `Idempotency-Key` was used for another write.", ["idempotency_key_reused"]
)
UnsupportedMediaType = _detail(
    "UnsupportedMediaType", "The body's content type is not JSON.", ["unsupported_media_type"]
)
Throttled = _detail("Throttled", "Too many attempts.", ["throttled"])
Unavailable = _detail(
    "Unavailable", "The database is away for a moment. Nothing was changed.", ["unavailable"]
)
SignatureInvalid = _detail(
    "SignatureInvalid", "The message is not from Omnitron, or too old.", ["signature_invalid"]
)
Unreadable = _detail(
    "Unreadable",
    "The body cannot be read: no JSON, nested too deeply (`parse_error`), or above 1 MB (`bad_request`).",
    ["parse_error", "bad_request"],
)


class RefusedItem(Document):
    """What a rule says of one item."""

    order_item = integer("The item's id.")
    code = one_of(REFUSALS)
    message = text("For a person.")


class CancellationRefused(Document):
    """The rules refuse: every refusal, item by item; the first one's code speaks for all."""

    non_field_errors = sentences("Each sentence once, in the order of the rules.")
    code = one_of([*REFUSALS, SECOND_REQUEST])
    items = RefusedItem(many=True)


AddressChangeRefused = make_document(
    "AddressChangeRefused",
    f"The address cannot change.\n\n{list_codes(ADDRESS_CODES)}",
    {"non_field_errors": sentences("Why, for a person."), "code": one_of(ADDRESS_CODES)},
)


def make_input_error(
    name: str, names: Iterable[str], codes: Mapping[str, str] | None = None
) -> type[Document]:
    """Make the error about these fields: `{"<field>": ["…"], "code"}` with one or more of them."""
    fields: dict[str, Any] = {field: sentences(required=False) for field in (*names, "non_field_errors")}
    description = (
        "Input that makes no sense: the sentences about each field, and the first one's code. What is wrong "
        "with an entry of a list is said of the list, and the sentence names the entry."
    )
    document = make_document(name, description, {**fields, "code": one_of({**INPUT_CODES, **(codes or {})})})
    document.constraints = {"minProperties": 2}
    return document


class LogInError(Document):
    """What went wrong with a log-in, whatever it was: lists of sentences and no `code`, as storefronts read it."""

    email = sentences(required=False)
    password = sentences(required=False)
    non_field_errors = sentences("What is about no field.", required=False)

    constraints: ClassVar = {"minProperties": 1}


def make_bad_request(name: str, *kinds: type[Document]) -> PolymorphicProxySerializer:
    """Make the body of a 400 that is one of several."""
    return PolymorphicProxySerializer(
        component_name=name, serializers=list(kinds), resource_type_field_name=None
    )
