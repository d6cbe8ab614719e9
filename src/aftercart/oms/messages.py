"""What is said to an order-management system and what it says, as frozen values.

Statuses are numeric strings ("50", contract section 7), amounts are `Decimal` in the order's currency, moments are
aware. What is optional there and absent is None here. How an OMS writes it is its adapter's.

IBANs, holder names and addresses are left out of every repr: a repr ends in logs and tracebacks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """An item as the OMS has it. `cancel_status` is a name such as "waiting", or None when none runs."""

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
    #: All that is known of it, as an element of an order document's `orderitem_set` (contract section 6).
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RemoteOrder:
    """An order as the OMS has it; `items` only where they were read too, by ascending pk."""

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
    #: All that is known of it, as an order document (contract section 6) without ids of the shop's and items.
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RemoteReason:
    """A reason as the OMS has it. `cancellation_type` is "cancel" or "refund"."""

    pk: int
    cancellation_type: str
    subject: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class RemoteRequest:
    """A cancellation request as the OMS has it.

    `status` is waiting, waiting_approval, confirmed, approved, rejected or completed; `remote_id` is what we
    gave it when it was created.
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


@dataclass(frozen=True, slots=True)
class CancelCommand:
    """The direct cancellation of items of one order, or of all of it.

    `reasons` maps each item's pk to its reason's pk, and so names the items. `ibans` and `holder_names` are
    by item pk too, and so are the `shipping_companies` that collect returns: their codes at the OMS.
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

    def secrets(self) -> tuple[str, ...]:
        """Return what must not come back in a message of the OMS's."""
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

    def secrets(self) -> tuple[str, ...]:
        """Return what must not come back in a message of the OMS's."""
        return tuple(text for text in (self.iban, self.holder_name) if text)


@dataclass(frozen=True, slots=True)
class RemoteAddress:
    """An address as the OMS takes it. The places and the store are ids, None where there is none."""

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


@dataclass(frozen=True, slots=True)
class AddressChange:
    """A new shipping address for an order. `order_id` is the shop's id, not the OMS's."""

    channel_id: int
    order_id: int
    address: RemoteAddress
