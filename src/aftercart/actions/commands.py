"""What is asked of an action, by a page and the API alike, what it is decided from, and what it answers: typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aftercart.accounts.drafts import AddressDraft
from aftercart.accounts.models import Address, User
from aftercart.cancellations.models import CancellationReason, EasyReturnCompany
from aftercart.orders.facts import CancellationKind, ItemFacts
from aftercart.orders.guests import Guest
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.policy.clauses import Policy
from aftercart.orders.quotes import PaidOrder


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and how a replay of the same request is recognised (contract section 3.5).

    `key` is the client's `Idempotency-Key` or ""; `fingerprint` a keyed digest of path and body, and
    `older_fingerprints` those under earlier secrets. A customer has a `user`; a guest has none, but has proved one
    order to be theirs.
    """

    user: User | None
    fingerprint: str
    key: str = ""
    guest: Guest | None = None
    older_fingerprints: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.user is None) == (self.guest is None):  # nobody must ever own all orders without a user
            raise ValueError("a caller is a customer or a guest")

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """All digests under which the same request may have been recorded."""
        return (self.fingerprint, *self.older_fingerprints)

    @property
    def guest_order(self) -> int | None:
        """The order that a guest writes to; None for a customer."""
        return None if self.guest is None else self.guest.order

    @property
    def quoted_to(self) -> int:
        """Whom a quote is made for: the customer's id, 0 for an order's guest."""
        return 0 if self.user is None else int(self.user.pk)

    @property
    def owner(self) -> User | Guest:
        """The customer or the guest."""
        owner = self.user or self.guest
        assert owner is not None  # noqa: S101 - as __post_init__() has seen to
        return owner


@dataclass(frozen=True, slots=True)
class ItemRequest:
    """One entry of `cancel_order_items`. `position` is where it stood, for error messages."""

    order_item: int
    reason: int
    cancellation_type: CancellationKind
    description: str = ""
    exchange_preference: str = ""
    quantity: int | None = None
    shipping_company: int | None = None
    iban: str = field(default="", repr=False)
    holder_name: str = field(default="", repr=False)
    pickup_date: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CancellationCommand:
    """A whole submission. Without a `number` the order is that of the items.

    A guest, who has no address book, types the `pickup_address`; one of the shop's own book comes as it is. `quote`
    is the signed quote that it is to be bound to, or "". `points_agreement` is the sentence under which points were
    chosen instead of money; "" where a client has shown its own.
    """

    caller: Caller
    items: tuple[ItemRequest, ...]
    number: str | None = None
    pickup_address: int | AddressDraft | Address | None = None
    fully_refund_as_loyalty_money: bool = False
    points_agreement: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class CancellationCase:
    """All that a cancellation is decided from, as it was read.

    `items` are all of the order's, by id, `facts` what the rules want to know of those that are asked for. `version_pk`
    is the version that the policy is kept as; None: it has still to be kept. `reasons`, `companies` and
    `pickup_address` are what a command names, or can choose from; `unnamed_reasons`, by type, stand for no reason.
    """

    order: Order
    items: Mapping[int, OrderItem]
    facts: Mapping[int, ItemFacts]
    paid: PaidOrder
    policy: Policy
    version_pk: int | None
    now: datetime
    reasons: Mapping[int, CancellationReason] = field(default_factory=dict)
    unnamed_reasons: Mapping[str, CancellationReason] = field(default_factory=dict)
    companies: Mapping[int, EasyReturnCompany] = field(default_factory=dict)
    pickup_address: dict[str, Any] | None = None

    @property
    def shop_time(self) -> datetime:
        """When it was read, in the shop's time zone."""
        return self.now.astimezone(self.policy.book.zone)


@dataclass(frozen=True, slots=True)
class AddressCommand:
    """A request to send an order to another address of the caller's book, or, for a guest, one just typed."""

    caller: Caller
    order: int
    address: int | AddressDraft | Address
    channel_id: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told: an HTTP status and a JSON body (None: empty). Pages read it too."""

    status: int
    body: Any = None
    is_replay: bool = False
