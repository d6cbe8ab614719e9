"""An item of an order as pages show it: its picture, its variant, where it stands and what can be done with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime

from aftercart.lib.money import ZERO
from aftercart.lib.web_addresses import find_image, find_shop_page, find_url
from aftercart.orders.facts import CancellationKind
from aftercart.orders.models import OrderItem
from aftercart.orders.status import SHIPPED, Status
from aftercart.pages.story import name_items
from aftercart.pages.words import ITEM_WORDS, REQUESTED, RETURN_IN_PROGRESS, ItemWords

_MOST_ATTRIBUTES = 3
#: What distinguishes one variant from another, in the words of shops that we know; the rest is for product pages.
_VARIANT_WORDS = ("color", "colour", "renk", "size", "beden", "numara", "boyut")


@dataclass(frozen=True, slots=True)
class ItemCard:
    """One line of an order.

    `kind` is what can be done to what is left of it, `note` why nothing can; `asked` says that a request about it
    is undecided. `buy_again` is the product's page in the shop.
    """

    pk: int
    name: str
    image: str | None
    variant: list[str]
    quantity: int
    left_quantity: int
    price: Decimal
    words: ItemWords
    asked: ItemWords | None
    kind: CancellationKind | None
    note: str
    requests: Sequence[Mapping[str, Any]]
    tracking_url: str | None
    tracking_number: str
    expected: date | None
    buy_again: str | None

    @property
    def total(self) -> Decimal:
        """What the line cost."""
        return self.price * self.quantity

    @property
    def cancelled_quantity(self) -> int:
        """How many units are cancelled or returned, where some are left; 0 where all or none are."""
        return self.quantity - self.left_quantity if self.left_quantity else 0


def make_card(row: OrderItem, document: Mapping[str, Any], note: str) -> ItemCard:
    """Make the card of an item from its row, its document and why nothing can be done with it, or ""."""
    kind: CancellationKind | None = None
    if document["is_cancellable"]:
        kind = "cancel"
    elif document["is_refundable"]:
        kind = "refund"
    is_coming = row.delivered_at is None and ITEM_WORDS[Status(row.status)].tone == "info"
    product = document["product"]
    return ItemCard(
        pk=row.pk,
        name=name_items([row])[row.pk],
        image=find_image(document["image"], product["image"]),
        variant=_describe_variant(document),
        quantity=row.quantity,
        left_quantity=row.left_quantity,
        price=Decimal(document["price"] or ZERO),
        words=_find_words(row),
        asked=_find_asked(row, document["active_cancellation_request"]),
        kind=kind,
        note="" if kind else note,
        requests=document["cancellationrequest_set"],
        # Its own: the order's stands above the items.
        tracking_url=find_url(row.details.get("tracking_url"))
        or find_url(row.details.get("shipping_tracking_url")),
        tracking_number=str(row.details.get("tracking_number") or ""),
        expected=_find_day(document["estimated_delivery_date"]) if is_coming else None,
        buy_again=find_shop_page(product["absolute_url"]),
    )


def _find_words(row: OrderItem) -> ItemWords:
    if row.status == Status.CANCELLATION_WAITING and row.status_before in SHIPPED:
        return RETURN_IN_PROGRESS
    return ITEM_WORDS[Status(row.status)]


def _find_asked(row: OrderItem, request: Mapping[str, Any] | None) -> ItemWords | None:
    """Say that a request is undecided, where the item's own status does not yet."""
    if request is None or row.status == Status.CANCELLATION_WAITING:
        return None
    return REQUESTED[request["cancellation_type"]["value"]]


def _describe_variant(document: Mapping[str, Any]) -> list[str]:
    """Say which variant it is, as in ["Colour: Blue", "Size: M"]."""
    of_item = [document["localized_attributes"], document["attributes"]]
    attributes = next((found for found in of_item if isinstance(found, dict) and found), None)
    if attributes is None:
        of_product = document["product"]["attributes"]
        attributes = {
            name: value
            for name, value in (of_product if isinstance(of_product, dict) else {}).items()
            if any(word in name.lower() for word in _VARIANT_WORDS)
        }
    return [
        f"{str(name).replace('_', ' ').strip().capitalize()}: {value}"
        for name, value in attributes.items()
        if isinstance(value, str | int) and str(value).strip()
    ][:_MOST_ATTRIBUTES]


def _find_day(value: Any) -> date | None:
    """Read a day out of a date or a time; None if it is neither."""
    try:
        moment: date | datetime | None = parse_datetime(str(value)) or parse_date(str(value)[:10])
    except ValueError:
        return None
    return moment.date() if isinstance(moment, datetime) else moment
