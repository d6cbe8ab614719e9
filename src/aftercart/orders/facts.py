"""What the rules and the policy know of a case: pure values, gathered by `orders/selectors.py`."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

CancellationKind = Literal["cancel", "refund"]
KINDS: Final[tuple[CancellationKind, ...]] = ("cancel", "refund")
#: What a case is about: the two cancellations of the contract, and another delivery address.
CaseKind = Literal["cancel", "refund", "address_change"]


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What clauses know of an order. `country` is the delivery address's ISO code, "" if not known."""

    channel_id: int
    currency: str = ""
    payment_type: str = ""
    client_type: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """What one decision is about. `total` is that of the whole submission, in the order's currency."""

    order: OrderFacts
    cancellation_type: CaseKind
    status: str
    sku: str = ""
    categories: tuple[str, ...] = ()
    total: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What the rules know of an item. `unit_amount` is its price a unit; quantities are units."""

    order_item: int
    status: str
    left_quantity: int
    is_in_progress: bool
    has_invoice: bool
    is_final_sale: bool
    unit_amount: Decimal
    delivered_at: datetime | None
    shipped_at: datetime | None = None
    sku: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestedUnits:
    """What is asked of one item; no quantity means all that is left."""

    order_item: int
    cancellation_type: CancellationKind
    quantity: int | None = None
