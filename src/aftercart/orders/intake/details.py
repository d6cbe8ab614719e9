"""What an order document says beyond our columns: kept as it is, except for a card's number."""

from typing import Any

from aftercart.lib.secrets import mask_card_numbers
from aftercart.orders.document import UNKNOWN
from aftercart.orders.intake.values import Document


def read_details(document: Document, names: frozenset[str], known: frozenset[str]) -> Document:
    """Gather the fields that Aftercart only passes on: those of the contract, and apart those that nobody knows."""
    details = {name: value for name, value in document.items() if name in names and value is not None}
    for name in ("card", "bin_number"):
        if name in details:
            details[name] = mask_card_numbers(details[name], "card")
    if document.get("extra_field") is not None:
        details["extra_field"] = mask_card_numbers(document["extra_field"])
    if not known.issuperset(document):
        unknown = document.keys() - known
        details[UNKNOWN] = {name: mask_card_numbers(document[name], name) for name in unknown}
    return details


def add_extra(extra: Document, name: str, value: Any) -> None:
    """Add a field to an `extra_field`, as `document.<name>` if it has another of that name."""
    while name in extra:
        name = f"document.{name}"
    extra[name] = value


def gather_extra(document: Document, known: frozenset[str]) -> Any:
    """Gather what is to be kept as `extra_field`: the document's own, and every field that nobody knows.

    Nothing is lost: an own `extra_field` that is no object stands under its own name, and an unknown field
    whose name it already uses under `document.<name>`.
    """
    own = document.get("extra_field")
    extra: Document = dict(own) if isinstance(own, dict) else {} if own is None else {"extra_field": own}
    for name in document.keys() - known:
        add_extra(extra, name, document[name])
    return extra if extra or own is not None else None
