"""An order as its page shows it: the document, put into words, with what the caller may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from aftercart.cancellations.models import CancellationRequest, Withdrawal
from aftercart.cancellations.policy_selectors import find_collected, get_book_and_end, get_policy
from aftercart.cancellations.quoted import Unreported, find_quoted, find_unreported
from aftercart.cancellations.selectors import build_timed_documents, find_open_items
from aftercart.cancellations.stored_documents import find_first
from aftercart.cancellations.withdrawal_terms import WithdrawalOffer, find_offer, list_withdrawals
from aftercart.lib.clock import get_now
from aftercart.lib.money import ZERO
from aftercart.orders.document import NO_ADDRESS
from aftercart.orders.guest_document import view_document
from aftercart.orders.guests import Guest
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.rules import CancellationKind
from aftercart.orders.status import FINAL, SHIPPED, Status
from aftercart.pages.amounts import AmountRow, list_amounts, sum_spent_points
from aftercart.pages.returns import ReturnCard, list_returns
from aftercart.pages.story import StoryEntry, describe_story, name_items
from aftercart.pages.verdicts import explain_refusals, find_address_refusal
from aftercart.pages.words import (
    ITEM_WORDS,
    ORDER_WORDS,
    REQUESTED,
    RETURN_IN_PROGRESS,
    STEPS,
    ItemWords,
    OrderWords,
    Text,
)

_MOST_ATTRIBUTES = 3
#: In a list of orders; of the rest only the number is told.
_MOST_PICTURES = 3
#: What tells one variant from another, in the words of shops that we know; the rest is for product pages.
_ADDRESSES = ("shipping_address", "billing_address")
_VARIANT_WORDS = ("color", "colour", "renk", "size", "beden", "numara", "boyut")


@dataclass(frozen=True, slots=True)
class ItemCard:
    """One line of an order.

    `kind` is what can be done to what is left of it, `note` why nothing can; `asked` tells that a request
    about it is undecided.
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

    @property
    def total(self) -> Decimal:
        """What the line cost."""
        return self.price * self.quantity

    @property
    def cancelled_quantity(self) -> int:
        """How many units are cancelled or returned, where some are left; 0 where all or none are."""
        return self.quantity - self.left_quantity if self.left_quantity else 0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an order's road."""

    label: Text
    is_done: bool
    is_current: bool


class OrderPage:
    """What the pages of one order show.

    `is_thanks` for the one that follows the purchase; `guest` for who sees it as its guest: with a link alone,
    no more than the API would answer.
    """

    def __init__(self, order: Order, *, is_thanks: bool = False, guest: Guest | None = None) -> None:
        """Read what is shown, in a number of queries that does not depend on the order."""
        self.order = order
        self.is_thanks = is_thanks
        self.is_guest = guest is not None
        self.is_view_only = guest is not None and not guest.has_code
        self.now = get_now()
        book, book_end = get_book_and_end(self.now)
        policy = get_policy(order, book)
        timed = build_timed_documents([order], book)[0]
        self._verdicts_end = find_first(timed.valid_until, book_end)
        document = timed.document
        document = view_document(document) if self.is_view_only else document
        unknown = {name: None for name in _ADDRESSES if document[name] == NO_ADDRESS}
        self.document = document | unknown  # what is blank for the API has no place on a page
        self.rows = list(order.items.all())
        self.in_progress = find_open_items([order.pk])
        self.collected = find_collected(policy, self.rows)
        self.address_refusal = find_address_refusal(order, self.rows, self.in_progress, policy)
        notes = explain_refusals(order, self.rows, self.in_progress, policy)
        documents = {item["id"]: item for item in self.document["orderitem_set"]}
        self.items = [_make_card(row, documents[row.pk], notes[row.pk]) for row in self.rows]

    @property
    def currency(self) -> str:
        """The ISO code."""
        return self.order.currency.upper()

    @property
    def words(self) -> OrderWords:
        """The headline and what happens next; of what was returned, how its refund stands."""
        words = ORDER_WORDS[Status(self.order.status)]
        if self.order.status != Status.REFUNDED:
            return words
        if self.refund_under_way:
            return replace(words, next=_("Your refund is on its way."))
        if self.refunded:
            said = _("Your refund has been made. Your bank may take some days to show it.")
            return replace(words, next=said)
        return words

    @property
    def steps(self) -> list[Step]:
        """The road, with where the order is on it; empty for an order that has left it."""
        at = self.words.step
        if at is None:
            return []
        return [
            Step(label, place < at or at == len(STEPS) - 1, place == at) for place, label in enumerate(STEPS)
        ]

    @property
    def amounts(self) -> list[AmountRow]:
        """The rows above the total."""
        return list_amounts(self.document)

    @property
    def points_spent(self) -> Decimal:
        """What of the total was paid with points."""
        return sum_spent_points(self.document)

    @cached_property
    def _unreported(self) -> Unreported:
        if not any(row.cancelled_quantity for row in self.rows):
            return Unreported()
        return find_unreported(self.order)

    @property
    def refund_under_way(self) -> Decimal:
        """What comes back for what is done, and Omnitron has not reported as refunded yet."""
        return self._unreported.to_come

    @property
    def refunded(self) -> Decimal:
        """What has been given back so far: what Omnitron has reported, and points."""
        amount: Decimal = self.order.refund_amount - self._unreported.booked
        return max(amount, ZERO)

    @cached_property
    def requests(self) -> list[dict[str, Any]]:
        """The requests of all items, newest first.

        Each with its item's name, what it was quoted (None if nothing was) and whether it is open.
        """
        asked = [(item, request) for item in self.items for request in item.requests]
        quoted = find_quoted([request["id"] for _item, request in asked])
        found = [
            {
                **request,
                "item": item.name,
                "quoted": quoted.get(request["id"]),
                "is_open": request["status"]["value"] in CancellationRequest.OPEN,
            }
            for item, request in asked
        ]
        return sorted(found, key=lambda request: -int(request["id"]))

    @cached_property
    def returns(self) -> list[ReturnCard]:
        """What is left for the customer to do, and to know, about what is being cancelled or returned."""
        return list_returns(self.order, name_items(self.rows)) if self.has_open_cancellation else []

    @property
    def action(self) -> str:
        """What the button that leads to the cancellation says; "" if nothing can be cancelled or returned."""
        kinds = {item.kind for item in self.items} - {None}
        if kinds == {"cancel"}:
            return _("Cancel items")
        if kinds == {"refund"}:
            return _("Return items")
        return _("Cancel or return items") if kinds else ""

    @property
    def has_open_cancellation(self) -> bool:
        """Whether something is being cancelled or returned."""
        return bool(self.in_progress) or any(r.status == Status.CANCELLATION_WAITING for r in self.rows)

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen by itself, so that nobody need wait for news."""
        return not self.has_open_cancellation and Status(self.order.status) in FINAL | {Status.DELIVERED}

    @property
    def seconds(self) -> int:
        """How soon the page should ask for news."""
        return 5 if self.has_open_cancellation else 30

    @property
    def tracking_url(self) -> str | None:
        """Where the whole parcel can be followed."""
        names = ("tracking_url", "shipping_tracking_url", "defined_tracking_url")
        return next((url for name in names if (url := _find_url(self.document[name]))), None)

    @property
    def installments(self) -> int:
        """In how many instalments it is paid; 0 for one."""
        count = self.document["installment_count"]
        return count if isinstance(count, int) and count > 1 else 0

    @cached_property
    def withdrawal_offer(self) -> WithdrawalOffer:
        """Whether, and until when, the contract can be withdrawn from (two queries)."""
        return find_offer(self.order, self.rows, self.now)

    @property
    def valid_until(self) -> datetime | None:
        """The last instant at which all of it holds, if nothing is written: no window closes, no code expires."""
        ends_at = self.withdrawal_offer.ends_at
        offer_end = ends_at - timedelta.resolution if ends_at is not None and ends_at > self.now else None
        codes = [card.valid_until for card in self.returns if not card.is_expired]
        return find_first(self._verdicts_end, offer_end, *codes)

    @cached_property
    def withdrawals(self) -> list[Withdrawal]:
        """The statements of withdrawal that were made, newest first (one query)."""
        return list_withdrawals(self.order)

    def list_moments(self) -> list[StoryEntry]:
        """Tell the order's story (one more query)."""
        return describe_story(self.order, self.order.timeline.all(), name_items(self.rows))


def _make_card(row: OrderItem, document: Mapping[str, Any], note: str) -> ItemCard:
    kind: CancellationKind | None = None
    if document["is_cancellable"]:
        kind = "cancel"
    elif document["is_refundable"]:
        kind = "refund"
    is_coming = row.status not in SHIPPED and ITEM_WORDS[Status(row.status)].tone == "info"
    product = document["product"]
    return ItemCard(
        pk=row.pk,
        name=name_items([row])[row.pk],
        image=_find_image(document["image"]) or _find_image(product["image"]),
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
        tracking_url=_find_url(row.details.get("tracking_url"))
        or _find_url(row.details.get("shipping_tracking_url")),
        tracking_number=str(row.details.get("tracking_number") or ""),
        expected=_find_day(document["estimated_delivery_date"]) if is_coming else None,
    )


def _find_words(row: OrderItem) -> ItemWords:
    if row.status == Status.CANCELLATION_WAITING and row.status_before in SHIPPED:
        return RETURN_IN_PROGRESS
    return ITEM_WORDS[Status(row.status)]


def _find_asked(row: OrderItem, request: Mapping[str, Any] | None) -> ItemWords | None:
    """Tell of an undecided request, where the item's own status does not yet."""
    if request is None or row.status == Status.CANCELLATION_WAITING:
        return None
    return REQUESTED[request["cancellation_type"]["value"]]


def _split(value: Any) -> SplitResult:
    """Take a URL apart; what is none comes apart into nothing."""
    try:
        return urlsplit(value if isinstance(value, str) else "")
    except ValueError:
        return urlsplit("")


def _find_url(value: Any) -> str | None:
    """Take a link to elsewhere only if a browser can do no harm with it."""
    return value if _split(value).scheme in {"http", "https"} else None


def _find_image(value: Any) -> Any:
    """Take an image from here, or from an origin that the Content-Security-Policy names; else none."""
    parts = _split(value)
    if not parts.scheme and not parts.netloc:
        return value if parts.path.startswith("/") else None
    allowed: Sequence[str] = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["img-src"]
    return value if f"{parts.scheme}://{parts.netloc}" in allowed else None


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


class OrderCard:
    """An order in a list; its items must have been fetched with it."""

    def __init__(self, order: Order) -> None:
        """Put it into words."""
        self.order = order
        self.currency = order.currency.upper()
        self.words = ORDER_WORDS[Status(order.status)]
        self.label = ITEM_WORDS[Status(order.status)].label
        self.tone = ITEM_WORDS[Status(order.status)].tone
        items = list(order.items.all())
        names = name_items(items)
        self.pictures = [
            (names[item.pk], _find_image(item.details.get("image")) or _find_image(item.product.get("image")))
            for item in items
        ]
        self.count = sum(item.quantity for item in items)
        self.more = max(len(items) - _MOST_PICTURES, 0)
