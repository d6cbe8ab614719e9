"""An order as its page shows it: the document, put into words, with what the caller may do."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from django.utils.translation import gettext as _

from aftercart.cancellations.kind_words import WORDS
from aftercart.cancellations.models import CancellationRequest, Withdrawal
from aftercart.cancellations.models.reasons import SubmissionKind, find_kind
from aftercart.cancellations.policy.selectors import get_book_and_end, get_policy
from aftercart.cancellations.quoted import Unreported, find_submissions, find_unreported
from aftercart.cancellations.selectors import build_timed_documents, find_open_items
from aftercart.cancellations.stored_documents import find_first
from aftercart.cancellations.withdrawal_terms import WithdrawalOffer, find_offer, list_withdrawals
from aftercart.lib.clock import get_now
from aftercart.lib.formats import format_weekday
from aftercart.lib.money import ZERO
from aftercart.lib.times import parse_time
from aftercart.orders.document import NO_ADDRESS
from aftercart.orders.guest_document import view_document
from aftercart.orders.guests import Guest
from aftercart.orders.models import Order
from aftercart.orders.policy.clauses import find_collected
from aftercart.orders.refund_words import name_destination
from aftercart.orders.rules import find_return_end
from aftercart.orders.selectors import gather_facts
from aftercart.orders.status import FINAL, SHIPPED, Status
from aftercart.pages.amounts import AmountRow, list_amounts, sum_spent_points
from aftercart.pages.item_cards import make_card
from aftercart.pages.order_cards import find_tracking
from aftercart.pages.returns import ReturnCard, list_returns, view_cards
from aftercart.pages.story import StoryEntry, describe_story, name_items, read_kinds
from aftercart.pages.verdicts import explain_refusals, find_address_refusal
from aftercart.pages.words import ORDER_IN_PROGRESS, ORDER_WORDS, STEPS, OrderWords, Text

_WITH_CARRIER: Final = frozenset(
    {Status.SHIPPED, Status.SHIPPED_AND_INFORMED, Status.ATTEMPTED_DELIVERY, Status.READY_FOR_PICKUP}
)
_ADDRESSES = ("shipping_address", "billing_address")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an order's road."""

    label: Text
    is_done: bool
    is_current: bool


@dataclass(frozen=True, slots=True)
class RefundCard:
    """What comes back for one submission; `places` are where it goes, each with its amount, `due` until when."""

    submission: str
    label: str
    amount: Decimal
    places: list[tuple[str, Decimal]]
    due: datetime | None


def _make_refund(document: Mapping[str, Any]) -> RefundCard:
    destination = document["destination"] or {"value": "", "label": ""}
    places = [
        (destination["label"] if place == destination["value"] else name_destination(place), Decimal(amount))
        for place, amount in document["split"].items()
    ]
    return RefundCard(
        submission=document["submission"],
        label=document["status"]["label"],
        amount=Decimal(document["amount"]),
        places=[(name, amount) for name, amount in places if amount],
        due=parse_time(document["refund_due_at"]),
    )


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
        self._policy = policy = get_policy(order, book)
        timed = build_timed_documents([order], book)[0]
        self._verdicts_end = find_first(timed.valid_until, book_end)
        document = timed.document
        document = view_document(document) if self.is_view_only else document
        unknown = {name: None for name in _ADDRESSES if document[name] == NO_ADDRESS}
        self.document = document | unknown  # what is blank for the API has no place on a page
        self.rows = list(order.items.all())
        self.in_progress = find_open_items([order.pk])
        self.collected = find_collected(policy, gather_facts(order, self.rows, self.in_progress).values())
        self.address_refusal = find_address_refusal(order, self.rows, self.in_progress, policy)
        notes = explain_refusals(order, self.rows, self.in_progress, policy)
        documents = {item["id"]: item for item in self.document["orderitem_set"]}
        self.items = [make_card(row, documents[row.pk], notes[row.pk]) for row in self.rows]

    @property
    def currency(self) -> str:
        """The ISO code."""
        return self.order.currency.upper()

    @property
    def words(self) -> OrderWords:
        """The headline and what happens next; of what was returned, how its refund stands."""
        words = ORDER_WORDS[Status(self.order.status)]
        if self.order.status == Status.CANCELLATION_WAITING and self.open_kind:
            return replace(words, headline=ORDER_IN_PROGRESS[self.open_kind])
        if self.order.status != Status.REFUNDED:
            return words
        if self.refund_under_way:
            return replace(words, next=_("Your refund is on its way."))
        if self.refunded:
            said = _("We have made your refund. Your bank may take a few days to show it.")
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
        """What comes back for what is done, and the OMS has not reported as refunded yet."""
        return self._unreported.to_come

    @property
    def refund_due(self) -> datetime | None:
        """Until when that has to be with the customer."""
        return self._unreported.due_at

    @property
    def refunded(self) -> Decimal:
        """What has been given back so far: what the OMS has reported, and points."""
        amount: Decimal = self.order.refund_amount - self._unreported.booked
        return max(amount, ZERO)

    @property
    def refunds(self) -> list[RefundCard]:
        """What comes back, or has come back, for each submission, newest first."""
        return [_make_refund(document) for document in self.document["refund_set"]]

    @cached_property
    def requests(self) -> list[dict[str, Any]]:
        """The requests of all items, newest first.

        Each with its item's name, the submission that it came with (None if nothing was quoted), what comes back for
        it alone, and whether it is open.
        """
        refunds = {
            (refund["submission"], line["order_item"]): Decimal(line["amount"])
            for refund in self.document["refund_set"]
            for line in refund["lines"]
        }
        asked = [(item, request) for item in self.items for request in item.requests]
        submissions = find_submissions([request["id"] for _item, request in asked])
        found = [
            {
                **request,
                "item": item.name,
                "submission": submissions.get(request["id"]),
                "refund": refunds.get((str(submissions.get(request["id"])), request["order_item"]), ZERO),
                "is_open": request["status"]["value"] in CancellationRequest.OPEN,
            }
            for item, request in asked
        ]
        return sorted(found, key=lambda request: -int(request["id"]))

    @cached_property
    def returns(self) -> list[ReturnCard]:
        """What is left for the customer to do, and to know, about what is being cancelled or returned."""
        cards = list_returns(self.order, name_items(self.rows)) if self.has_open_cancellation else []
        return view_cards(cards) if self.is_view_only else cards

    @cached_property
    def open_kind(self) -> SubmissionKind | None:
        """What is being cancelled or returned; None if nothing is."""
        waiting = [
            row
            for row in self.rows
            if row.pk in self.in_progress or row.status == Status.CANCELLATION_WAITING
        ]
        if not waiting:
            return None
        return find_kind(
            "refund" if {row.status, row.status_before} & SHIPPED else "cancel" for row in waiting
        )

    @property
    def open_words(self) -> Text:
        """What is being cancelled or returned, in a few words."""
        return WORDS[self.open_kind].in_progress if self.open_kind else ""

    @cached_property
    def lead(self) -> list[str]:
        """What is said below the headline: what happened and when, then what comes next."""
        sentences = [sentence for sentence in (self._say_parcel(), self._say_expected()) if sentence]
        if self.return_until and self.order.status == Status.DELIVERED and not self.open_kind:
            day = format_weekday(self.return_until)
            return [*sentences, _("You can return items until %(day)s.") % {"day": day}]
        return sentences if self.order.status in SHIPPED and sentences else [str(self.words.next), *sentences]

    def _say_parcel(self) -> str:
        """Say when the last parcel was delivered, or handed to the carrier; "" where neither is known."""
        left = [row for row in self.rows if row.status not in FINAL]
        delivered = [row.delivered_at for row in left if row.delivered_at]
        shipped = [row.shipped_at for row in left if row.shipped_at]
        if self.order.status == Status.DELIVERED and delivered:
            return _("Delivered on %(day)s.") % {"day": format_weekday(max(delivered))}
        if self.order.status in _WITH_CARRIER and shipped:
            return _("Handed to the carrier on %(day)s.") % {"day": format_weekday(max(shipped))}
        return ""

    def _say_expected(self) -> str:
        days = [item.expected for item in self.items if item.expected]
        return _("Expected by %(day)s.") % {"day": format_weekday(max(days))} if days else ""

    @cached_property
    def return_until(self) -> datetime | None:
        """Until when the first of the delivered items can be returned; None where no window is running."""
        returnable = {item.pk for item in self.items if item.kind == "refund"}
        facts = gather_facts(self.order, self.rows, self.in_progress)
        return find_first(
            *(
                find_return_end(facts[row.pk], placed_at=self.order.created_date, policy=self._policy)
                for row in self.rows
                if row.pk in returnable and row.delivered_at
            )
        )

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
    def has_ways(self) -> bool:
        """Whether there is more than one way out of the order, so that their difference has to be explained."""
        return bool(self.action) and self.withdrawal_offer.is_shown

    @property
    def explanation(self) -> str:
        """What cancelling and returning are, as far as this order allows them."""
        kinds = {item.kind for item in self.items}
        cancel = _("You can cancel items that have not shipped yet. You do not need to send anything back.")
        give_back = _(
            "You can return items that are on their way or delivered. We refund them once they reach us."
        )
        return " ".join(
            sentence for kind, sentence in (("cancel", cancel), ("refund", give_back)) if kind in kinds
        )

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
        return find_tracking(self.document)

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
        parcels = (card.parcel for card in self.returns)
        codes = [parcel.valid_until for parcel in parcels if parcel and not parcel.is_expired]
        return find_first(self._verdicts_end, offer_end, *codes)

    @cached_property
    def withdrawals(self) -> list[Withdrawal]:
        """The statements of withdrawal that were made, newest first (one query)."""
        return list_withdrawals(self.order)

    def list_moments(self) -> list[StoryEntry]:
        """Return the order's story (two more queries)."""
        return describe_story(self.order, self.order.timeline.all(), self.rows, read_kinds(self.order))
