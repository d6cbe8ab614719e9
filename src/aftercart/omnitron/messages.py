"""What is said to Omnitron and what it says, as frozen values (contract section 8).

`.body()` is the JSON to send, to the letter; `.parse(row)` reads one JSON object and raises `Malformed` when
a required key is missing. Statuses are numeric strings ("50"), amounts are `Decimal` in the order's currency,
moments are aware. What is optional there and absent is None here.

IBANs, holder names and addresses are left out of every repr: a repr ends in logs and tracebacks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from aftercart.omnitron.values import (
    Malformed,
    Row,
    find_amount,
    find_id,
    find_moment,
    find_text,
    read_id,
    read_row,
    read_status,
    read_text,
)


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """One row of `C/order_items/`. `cancel_status` is a name such as "waiting", or None when none runs."""

    pk: int
    order_pk: int
    sku: str | None
    status: str
    cancel_status: str | None
    quantity: int | None
    price: Decimal | None
    refund_amount: Decimal | None
    easy_return_code: str | None = None
    easy_return_valid_until: datetime | None = None
    modified_date: datetime | None = None
    #: The whole row, for who makes an order of it.
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a row; its pk, order and status are required."""
        row = read_row(value)
        code, valid_until = _read_easy_return(row)
        return cls(
            pk=read_id(row, "pk", "id"),
            order_pk=read_id(row, "order"),
            sku=find_text(row, "sku"),
            status=read_status(row),
            cancel_status=find_text(row, "cancel_status"),
            quantity=find_id(row, "quantity"),
            price=find_amount(row, "price"),
            refund_amount=find_amount(row, "refund_amount"),
            easy_return_code=code,
            easy_return_valid_until=valid_until,
            modified_date=find_moment(row, "modified_date"),
            document=row,
        )


@dataclass(frozen=True, slots=True)
class RemoteOrder:
    """One row of `C/orders/`; `items` only where they were read too, by ascending pk."""

    pk: int
    number: str
    status: str
    cancel_status: str | None
    amount: Decimal | None
    refund_amount: Decimal | None
    discount_refund_amount: Decimal | None
    shipping_refund_amount: Decimal | None
    modified_date: datetime | None
    items: tuple[RemoteItem, ...] = ()
    shipping_address_pk: int | None = None
    created_date: datetime | None = None
    #: The whole row, for who makes an order of it.
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a row; its pk, number and status are required."""
        row = read_row(value)
        return cls(
            pk=read_id(row, "pk", "id"),
            number=read_text(row, "number"),
            status=read_status(row),
            cancel_status=find_text(row, "cancel_status"),
            amount=find_amount(row, "amount"),
            refund_amount=find_amount(row, "refund_amount"),
            discount_refund_amount=find_amount(row, "discount_refund_amount"),
            shipping_refund_amount=find_amount(row, "shipping_refund_amount"),
            modified_date=find_moment(row, "modified_date"),
            shipping_address_pk=_find_address_pk(row),
            created_date=find_moment(row, "created_date") or find_moment(row, "date_placed"),
            document=row,
        )


def _find_address_pk(row: Row) -> int | None:
    """Read which address an order goes to, told as an object or by its pk; None if Omnitron does not tell."""
    address = row.get("shipping_address")
    try:
        return find_id(address, "pk", "id") if isinstance(address, dict) else find_id(row, "shipping_address")
    except Malformed:
        return None


@dataclass(frozen=True, slots=True)
class RemoteReason:
    """One row of `C/cancellation_reasons/`. `cancellation_type` is "cancel" or "refund"."""

    pk: int
    cancellation_type: str
    subject: str
    is_active: bool

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a row; a reason that does not say whether it is active is."""
        row = read_row(value)
        return cls(
            pk=read_id(row, "pk", "id"),
            cancellation_type=read_text(row, "cancellation_type"),
            subject=read_text(row, "subject"),
            is_active=row.get("is_active") is not False,
        )


@dataclass(frozen=True, slots=True)
class RemoteRequest:
    """One row of `C/cancellation_requests/`.

    `status` is waiting, waiting_approval, confirmed, approved, rejected or completed; `remote_id` is what we
    gave it at its making.
    """

    pk: int
    order_item_pk: int
    remote_id: str | None
    status: str
    cancellation_type: str | None
    quantity: int | None
    easy_return_code: str | None
    easy_return_valid_until: datetime | None
    reject_reason: str | None
    refund_amount: Decimal | None
    modified_date: datetime | None

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a row; its pk, order item and status are required. The easy return is flat or an object."""
        row = read_row(value)
        code, valid_until = _read_easy_return(row)
        return cls(
            pk=read_id(row, "pk", "id"),
            order_item_pk=read_id(row, "order_item"),
            remote_id=find_text(row, "remote_id"),
            status=read_text(row, "status"),
            cancellation_type=find_text(row, "cancellation_type"),
            quantity=find_id(row, "quantity"),
            easy_return_code=code,
            easy_return_valid_until=valid_until,
            reject_reason=find_text(row, "reject_reason"),
            refund_amount=find_amount(row, "refund_amount"),
            modified_date=find_moment(row, "modified_date"),
        )


def _read_easy_return(row: Row) -> tuple[str | None, datetime | None]:
    """Read the code of an easy return, and until when it is valid."""
    nested = row.get("easy_return")
    easy_return: Row = nested if isinstance(nested, dict) else {}
    return (
        find_text(easy_return, "code") or find_text(row, "easy_return_code"),
        find_moment(easy_return, "valid_until") or find_moment(row, "easy_return_valid_until"),
    )


@dataclass(frozen=True, slots=True)
class CancelCommand:
    """The direct cancellation of items of one order, or of all of it.

    `reasons` maps each item's pk to its reason's pk, and so names the items. `ibans` and `holder_names` are
    by item pk too, and so are the `shipping_companies` that collect returns: their codes at Omnitron.
    """

    order_pk: int
    reasons: Mapping[int, int]
    is_all: bool = False
    forced_refund_amount: Decimal | None = None
    is_cargo_refund: bool = False
    refund_invoice_number: str | None = None
    ibans: Mapping[int, str] = field(default_factory=dict, repr=False)
    holder_names: Mapping[int, str] = field(default_factory=dict, repr=False)
    shipping_companies: Mapping[int, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Write the body of `POST C/orders/{pk}/cancel/`; with `is_all` the list of items must be empty.

        `shipping_companies` is ours, and only there for an easy return (docs/decisions/0018).
        """
        collected = {str(item): company for item, company in self.shipping_companies.items()}
        forced = self.forced_refund_amount
        return {
            "order": self.order_pk,
            "is_all": self.is_all,
            "cancel_items": [] if self.is_all else list(self.reasons),
            "reasons": {str(item): reason for item, reason in self.reasons.items()},
            "forced_refund_amount": None if forced is None else f"{forced:f}",
            "is_cargo_refund": self.is_cargo_refund,
            "refund_invoice_number": self.refund_invoice_number,
            "ibans": {str(item): iban for item, iban in self.ibans.items()},
            "holder_names": {str(item): name for item, name in self.holder_names.items()},
            **({"shipping_companies": collected} if collected else {}),
        }

    def secrets(self) -> tuple[str, ...]:
        """Return what must not come back in a message of Omnitron's."""
        return (*self.ibans.values(), *self.holder_names.values())


@dataclass(frozen=True, slots=True)
class RequestDraft:
    """A cancellation request to be made. `remote_id` is ours: it finds it again after a lost answer."""

    order_item_pk: int
    reason_pk: int
    remote_id: str
    description: str = field(default="", repr=False)
    cancellation_type: str = "cancel"
    quantity: int | None = None
    iban: str | None = field(default=None, repr=False)
    holder_name: str | None = field(default=None, repr=False)
    fully_refund_as_loyalty_money: bool = False
    shipping_company: str | None = None

    def body(self) -> dict[str, Any]:
        """Write the body of `POST C/cancellation_requests/`.

        `shipping_company` is ours, and only there for an easy return (docs/decisions/0018).
        """
        return {
            "order_item": self.order_item_pk,
            "reason": self.reason_pk,
            "remote_id": self.remote_id,
            "description": self.description,
            "cancellation_type": self.cancellation_type,
            "quantity": self.quantity,
            "iban": self.iban,
            "holder_name": self.holder_name,
            "fully_refund_as_loyalty_money": self.fully_refund_as_loyalty_money,
            **({} if self.shipping_company is None else {"shipping_company": self.shipping_company}),
        }

    def secrets(self) -> tuple[str, ...]:
        """Return what must not come back in a message of Omnitron's."""
        return tuple(text for text in (self.iban, self.holder_name) if text)


@dataclass(frozen=True, slots=True)
class RemoteAddress:
    """An address as Omnitron takes it. The places and the store are ids, None where there is none."""

    pk: int
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    email: str = field(repr=False)
    phone_number: str = field(repr=False)
    title: str = field(repr=False)
    line: str = field(repr=False)
    postcode: str | None = field(repr=False)
    notes: str | None = field(repr=False)
    country: int | None
    city: int | None
    township: int | None
    district: int | None
    retail_store: int | None = None

    def body(self) -> dict[str, Any]:
        """Write the `address` object of an address change."""
        return {
            "pk": self.pk,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "email": self.email,
            "phone_number": self.phone_number,
            "title": self.title,
            "line": self.line,
            "postcode": self.postcode,
            "notes": self.notes,
            "country": self.country,
            "city": self.city,
            "township": self.township,
            "district": self.district,
            "retail_store": self.retail_store,
        }


@dataclass(frozen=True, slots=True)
class AddressChange:
    """A new shipping address for an order. `order_id` is the shop's id, not Omnitron's."""

    channel_id: int
    order_id: int
    address: RemoteAddress

    def body(self) -> dict[str, Any]:
        """Write the body of the address change."""
        return {
            "channel_id": self.channel_id,
            "order": self.order_id,
            "address": self.address.body(),
            "order_address_types": ["shipping"],
        }
