"""An order document (contract section 6) as rows of our tables: pure, nothing is read or written.

`read_order` checks everything that can be checked without the database, so that what it lets through goes in.
Which fields go where: those with a column into `columns`; those that Aftercart only passes on into
`columns["details"]`; those that nobody knows into `columns["details"]["extra_field"]`. What Aftercart works
out itself (`is_cancellable` and the like) is not taken from the document.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from aftercart.lib.emails import fold_email
from aftercart.lib.money import ZERO
from aftercart.lib.times import EARLIEST
from aftercart.orders.document import Order
from aftercart.orders.intake.address import AddressIntake, read_address
from aftercart.orders.intake.details import read_details
from aftercart.orders.intake.forms import Form, Problems
from aftercart.orders.intake.items import DiscountIntake, ItemIntake, is_under_way, read_discounts, read_items
from aftercart.orders.intake.points import PointsIntake, read_points
from aftercart.orders.intake.values import (
    Document,
    DocumentInvalid,
    check_amount,
    make_required,
    make_text_reader,
    plain,
    read_amount,
    read_field,
    read_optional_amount,
    read_optional_currency,
    read_optional_id,
    read_optional_moment,
    read_optional_own_id,
    read_optional_status,
    read_optional_whole,
)
from aftercart.orders.paid import find_doubts
from aftercart.orders.status import Status

_ORDER_DETAILS: Final = frozenset(
    (*Order.list_passed_on(), "is_payable", "has_gift_box", "loyaltytransaction_set", "card")
)
ORDER_KNOWN: Final = frozenset((*Order.list_names(), "pk", "campaigns", "channel_id", "channel"))
_AMOUNTS: Final = (
    "shipping_amount", "installment_interest_amount", "refund_amount", "discount_refund_amount",
    "shipping_refund_amount",
)  # fmt: skip
#: What Django's validator takes ten times as long to find in order.
_PLAIN_EMAIL: Final = re.compile(r"[a-z0-9_+-]+(\.[a-z0-9_+-]+)*@([a-z0-9]{1,63}\.)+[a-z]{2,63}")
#: What an order number is made of: no slash, which ends a part of an URL, and nothing invisible.
_NUMBER: Final = re.compile(r"[^\s/\\\x00-\x1f\x7f]+( [^\s/\\\x00-\x1f\x7f]+)*")


@dataclass(slots=True)
class OrderIntake:
    """One order. `columns` are those of `Order` without ids, user, addresses and our own bookkeeping."""

    number: str
    id: int | None
    email: str
    is_guest: bool
    shipping: AddressIntake | None
    billing: AddressIntake | None
    modified_date: datetime
    columns: dict[str, Any]
    items: list[ItemIntake]
    discounts: list[DiscountIntake]
    points: list[PointsIntake]
    #: What may be wrong, and does not keep it out.
    doubts: list[str] = field(default_factory=list)
    #: Of the line that it was read from, to know it by when it comes again.
    digest: bytes | None = None

    def copy(self) -> "OrderIntake":
        """Give a copy to be written: what is filled in there must not look given if it is tried again.

        The columns are the same: whoever changes them, as a merge does, puts others in their place.
        """
        return replace(
            self,
            items=[replace(item) for item in self.items],
            discounts=[replace(row) for row in self.discounts],
        )


def find_number(document: Any) -> str | None:
    """Return which order a document speaks of, however broken the rest is; None if it does not tell."""
    value = document.get("number") if isinstance(document, dict) else None
    return str(value)[:64] if isinstance(value, str | int) and not isinstance(value, bool) else None


def read_order(document: Document, *, channel_id: int) -> OrderIntake:
    """Read an order; `channel_id` is for those that name none. Raises `DocumentInvalid` for all that is wrong."""
    try:
        return _read(document, channel_id)
    except DocumentInvalid:
        pass  # then again, for all that is wrong
    _refuse(document)
    raise AssertionError  # what is wrong once is wrong twice


def _read(document: Document, channel_id: int) -> OrderIntake:
    """Read an order. Raises `DocumentInvalid` for the first that is wrong."""
    given = _GIVEN.read(document)
    shipping = billing = given["shipping_address"]
    if document.get("billing_address") != document.get("shipping_address"):  # mostly they are the same
        billing = read_field(document, "billing_address", read_address)
    columns = _COLUMNS.read(document)
    columns["status_before"] = ""
    columns["channel_id"] = columns["channel_id"] or channel_id
    columns["created_date"] = created = given["created_date"]
    columns["modified_date"] = columns["modified_date"] or created
    items = read_items(document, columns)
    discounts = read_discounts(document, columns)
    points = read_points(document, created)
    if columns["status"] == Status.CANCELLATION_WAITING:
        columns["status_before"] = _find_status_before(items)
    _fill_amounts(document, columns, discounts)
    doubts = find_doubts(columns, [item.columns for item in items])
    return OrderIntake(
        given["number"], given["id"], columns["user_email"], "user" in document and document["user"] is None, shipping,
        billing, columns["modified_date"], columns, items, discounts, points, doubts,
    )  # fmt: skip


def _refuse(document: Document) -> None:
    """Raise `DocumentInvalid` for all that is wrong with a document in which something is."""
    problems = Problems()
    given = problems.read(document, _GIVEN)
    with problems.noted():
        read_field(document, "billing_address", read_address)
    columns = problems.read(document, _COLUMNS)
    # Where the order's own columns are wrong, the lines are read all the same, for what is wrong with them.
    order = {"status": Status.APPROVED.value, "currency": "TRY", "details": {}} | columns
    order["created_date"] = created = given.get("created_date", EARLIEST)
    order["modified_date"] = columns.get("modified_date") or created
    discounts: list[DiscountIntake] = []
    with problems.noted():
        read_items(document, order)
    with problems.noted():
        discounts = read_discounts(document, order)
    with problems.noted():
        read_points(document, created)
    problems.end()
    _fill_amounts(document, order, discounts)


def _read_number(value: Any) -> str:
    number = _read_number_text(value).strip()
    if not number:
        raise DocumentInvalid("", "is required")
    if not _NUMBER.fullmatch(number) or not number.strip("."):
        raise DocumentInvalid("", "contains a slash or an invisible character")
    return number


def _read_optional(value: Any) -> Decimal:
    return read_optional_amount(value) or ZERO


def _read_campaigns(value: Any) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise DocumentInvalid("", "must be a list")
    return value or []


def _find_channel(document: Document) -> int | None:
    for name in ("channel_id", "channel"):
        channel = read_field(document, name, _read_channel)
        if channel is not None:
            return channel
    return None


def _read_channel(value: Any) -> int | None:
    if isinstance(value, dict):
        value = value.get("pk", value.get("id"))
    return read_optional_whole(value, 1)


def _read_email(value: Any) -> str:
    email = fold_email(_read_email_text(value))
    if not email:
        raise DocumentInvalid("", "is required")
    if _PLAIN_EMAIL.fullmatch(email):
        return email
    try:
        validate_email(email)
    except ValidationError:
        raise DocumentInvalid("", "not an e-mail address") from None
    return email


def _read_payment(value: Any) -> Document:
    """Read how the order was paid: an object, its `payment_type` bare; a bare value is its pk or name."""
    if isinstance(value, dict):
        return {**value, "payment_type": plain(value["payment_type"])} if "payment_type" in value else value
    if value is None or value == "":
        return {}
    return {"name": value} if isinstance(value, str) else {"pk": read_optional_id(value)}


def _read_details(document: Document) -> Document:
    return read_details(document, _ORDER_DETAILS, ORDER_KNOWN)


_read_number_text: Final = make_text_reader(64)
_read_email_text: Final = make_text_reader(254)
_GIVEN: Final = Form(
    {
        "number": _read_number,
        "id": read_optional_own_id,
        "created_date": make_required(read_optional_moment),
        "shipping_address": read_address,
    },
    always=("number", "created_date"),
    whole=("id",),
)
#: The columns that need no other part of the document.
_COLUMNS: Final = Form(
    {
        "channel_id": _find_channel,
        "user_email": _read_email,
        "status": make_required(read_optional_status),
        "currency": make_required(read_optional_currency),
        "amount": read_amount,
        **dict.fromkeys(_AMOUNTS, _read_optional),
        "shipping_tax_rate": read_optional_amount,
        "payment_option": _read_payment,
        "invoice_number": make_text_reader(64),
        "campaigns": _read_campaigns,
        "modified_date": read_optional_moment,
        "details": _read_details,
    },
    # New documents each time where there are none.
    always=("user_email", "status", "currency", "amount", "payment_option", "campaigns"),
    whole=("channel_id", "details"),
)


def _fill_amounts(document: Document, columns: dict[str, Any], discounts: list[DiscountIntake]) -> None:
    """Derive what the document leaves out: the discount from its parts, the amount before it from both."""
    discount = read_field(document, "discount_amount", read_optional_amount)
    if discount is None:
        discount = check_amount(sum((row.columns["amount"] for row in discounts), ZERO), "discount_amount")
    full = read_field(document, "amount_without_discount", read_optional_amount)
    columns["discount_amount"] = discount
    columns["amount_without_discount"] = (
        check_amount(columns["amount"] + discount, "amount_without_discount") if full is None else full
    )


def _find_status_before(items: list[ItemIntake]) -> str:
    """Return what an order was that is being cancelled as a whole: the least of what its items are, if any."""
    return min((s for item in items if is_under_way(s := item.columns["status"])), key=int, default="")
