"""What is asked of an action: typed, checked for form only, the same from a page and from the API."""

from dataclasses import dataclass, field
from typing import Any

from aftercart.accounts.models import User
from aftercart.orders.rules import CancellationKind


@dataclass(frozen=True, slots=True)
class Write:
    """Who writes, and how a repeat of the same write is recognised (contract section 3.5).

    `key` is the client's `Idempotency-Key` or ""; `fingerprint` a digest of path and body.
    """

    user: User
    fingerprint: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class ItemAsk:
    """One entry of `cancel_order_items`. `position` is where it stood, for error messages."""

    order_item: int
    reason: int
    cancellation_type: CancellationKind
    description: str = ""
    quantity: int | None = None
    shipping_company: int | None = None
    iban: str = field(default="", repr=False)
    holder_name: str = field(default="", repr=False)
    pickup_date: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CancellationCommand:
    """A whole submission. Without a `number` the order is that of the items.

    `quote` is the signed quote that it is to be bound to, or "".
    """

    write: Write
    items: tuple[ItemAsk, ...]
    number: str | None = None
    pickup_address: int | None = None
    fully_refund_as_loyalty_money: bool = False
    quote: str = ""


@dataclass(frozen=True, slots=True)
class AddressCommand:
    """A wish to send an order to another address of the caller's book."""

    write: Write
    order: int
    address: int
    channel_id: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told: an HTTP status and a JSON body (None: empty). Pages read it too."""

    status: int
    body: Any = None
    is_replay: bool = False
