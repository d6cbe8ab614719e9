"""The third step of a cancellation: how it stands, what was asked and when, and what is still to come."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from aftercart.cancellations.causes import Cause
from aftercart.cancellations.kind_words import State
from aftercart.cancellations.line_states import find_state
from aftercart.cancellations.models import (
    CancellationRequest,
    RefundQuoteLine,
    ReturnPhoto,
    Submission,
    SubmissionLine,
)
from aftercart.cancellations.models.photos import MOST_PHOTOS, list_photos
from aftercart.cancellations.models.reasons import SubmissionKind, find_kind
from aftercart.cancellations.refunds import describe_submission, find_amount
from aftercart.lib.formats import get_active_language
from aftercart.lib.money import ZERO
from aftercart.orders.guests import Guest
from aftercart.orders.models import Order
from aftercart.orders.paid import say_unpaid
from aftercart.orders.refund_words import RefundRow
from aftercart.pages.item_cards import ItemCard
from aftercart.pages.order_page import OrderPage
from aftercart.pages.outcome_words import CAUSES, OutcomeWords, find_outcome
from aftercart.pages.returns import ReturnCard, is_sendable, make_cards, view_cards
from aftercart.pages.story import StoryEntry
from aftercart.pages.words import Text

_States = Submission.State
_NOTHING_DONE: Final = frozenset({"declined", "taken_back"})


@dataclass(frozen=True, slots=True)
class AskedLine:
    """One line as it was asked, and how it stands. `declined` is why it was declined, or ""."""

    item: ItemCard
    quantity: int
    reason: str
    description: str
    exchange_preference: str
    refund: Decimal | None
    state: State
    declined: str
    line: SubmissionLine


@dataclass(frozen=True, slots=True)
class PhotoCard:
    """The photos of a returned item."""

    asked: AskedLine
    photos: list[ReturnPhoto]

    @property
    def room(self) -> int:
        """How many more it may have."""
        return MOST_PHOTOS - len(self.photos) if self.asked.line.is_open else 0


class SubmissionPage:
    """What the page of one submission shows, in a number of queries that does not depend on it."""

    def __init__(self, order: Order, submission: Submission, *, guest: Guest | None = None) -> None:
        """Read it."""
        self.order = order
        self.submission = submission
        self.order_page = OrderPage(order, guest=guest)
        self.currency = self.order_page.currency
        cards = {card.pk: card for card in self.order_page.items}
        rows = _read_lines(submission)
        #: All that comes back, as far as it is known; None where nothing does, or nothing was quoted.
        self.described = describe_submission(order, rows, self.order_page.rows)
        self.lines = [_make_line(line, cards) for line in rows]
        if self.order_page.is_view_only:
            self.lines = [replace(asked, description="", exchange_preference="") for asked in self.lines]

    @cached_property
    def state(self) -> State:
        """Where the whole of it stands: what is undecided speaks first."""
        states = [line.state for line in self.lines]
        for state in ("working", "checking", "requested", "approved", "sent"):
            if state in states:
                return state
        if set(states) == {"done"}:
            return "done"
        ended = set(states)
        return states[0] if len(ended) == 1 else "declined" if ended <= _NOTHING_DONE else "partly"

    @property
    def kind(self) -> SubmissionKind:
        """What was asked for."""
        types = (asked.line.cancellation_type for asked in self.lines)
        return find_kind(types, is_withdrawal=self.submission.origin == Submission.Origin.WITHDRAWAL)

    @property
    def is_return(self) -> bool:
        """Whether something has to be sent back."""
        return any(asked.line.cancellation_type == "refund" for asked in self.lines)

    @property
    def words(self) -> OutcomeWords:
        """The headline and what happens next."""
        return find_outcome(self.state, self.kind)

    @property
    def cause(self) -> Text:
        """Why it was left to the team; "" where that is nothing to tell."""
        return CAUSES.get(self.submission.cause, "") if self.state == "requested" else ""

    @property
    def can_be_taken_back(self) -> bool:
        """Whether the customer can still take something of it back; not with a link alone."""
        is_statement = self.submission.origin == Submission.Origin.WITHDRAWAL
        undecided = any(
            asked.state == "requested"
            and asked.line.is_open
            and asked.line.request.status in CancellationRequest.UNDECIDED
            for asked in self.lines
        )
        return undecided and not is_statement and not self.order_page.is_view_only

    @property
    def answer_by(self) -> datetime | None:
        """Until when the team has promised an answer, while it is to come."""
        return self.submission.created_at + settings.REQUEST_ANSWER if self.state == "requested" else None

    @property
    def seconds(self) -> int:
        """How soon the page should ask for news."""
        return 2 if self.state == "working" else 5

    @property
    def rest_rows(self) -> tuple[RefundRow, ...]:
        """What comes back of the order as a whole, so that the total is the sum of what is shown."""
        return self.described.rest.rows if self.described else ()

    @property
    def refund(self) -> Decimal | None:
        """All that comes back, as far as it is known; None where nothing does, or nothing was quoted."""
        return None if self.described is None else self.described.amount

    @property
    def points(self) -> Decimal:
        """What of it are points, having been paid with points."""
        return self.described.points_returned if self.described else ZERO

    @property
    def unpaid_message(self) -> str:
        """That nothing was paid, so that nothing but points is returned; "" where something was."""
        if self.described is None or self.described.is_paid:
            return ""
        return say_unpaid(has_points=self.points > ZERO)

    @property
    def destination(self) -> str:
        """Where what is not points goes: of an account its end, and not behind a link alone."""
        if self.described is None:
            return ""
        shown = replace(self.described, account_end="") if self.order_page.is_view_only else self.described
        return shown.destination_name

    @cached_property
    def photo_cards(self) -> list[PhotoCard]:
        """The photos of what is returned, and where more can be added; nothing with a link alone."""
        returned = [asked for asked in self.lines if asked.line.cancellation_type == "refund"]
        if not returned or self.order_page.is_view_only:
            return []
        photos = list(list_photos(asked.line.pk for asked in returned))
        cards = [
            PhotoCard(asked, [photo for photo in photos if photo.line_id == asked.line.pk])
            for asked in returned
        ]
        return [card for card in cards if card.photos or card.room]

    @property
    def passes(self) -> list[ReturnCard]:
        """How what is sent back gets to the shop; nothing once it is decided, and nothing before the team agrees."""
        lines = [asked.line for asked in self.lines if asked.line.is_open and is_sendable(asked.line)]
        cards = make_cards(self.order, lines, {asked.item.pk: asked.item.name for asked in self.lines})
        return view_cards(cards) if self.order_page.is_view_only else cards

    @property
    def moments(self) -> list[StoryEntry]:
        """What happened, and when."""
        submission, entries = self.submission, []
        entries.append(StoryEntry(submission.created_at, _("You sent your request.")))
        if submission.sent_at:
            # The mark is set before the call: of what was refused we know that it did not get through.
            is_through = submission.state != _States.REFUSED
            words = _("We passed it on.") if is_through else _("We tried to pass it on.")
            entries.append(StoryEntry(submission.sent_at, words))
        if submission.settled_at and submission.state == _States.APPLIED:
            entries.append(StoryEntry(submission.settled_at, _("It was accepted.")))
        elif submission.settled_at:
            entries.append(StoryEntry(submission.settled_at, _("Our team received it.")))
        for asked in self.lines:
            if asked.line.closed_at:
                ended = {
                    "done": _("%(item)s: done."),
                    "taken_back": _("%(item)s: taken back."),
                }.get(asked.state, _("%(item)s: declined."))
                entries.append(
                    StoryEntry(asked.line.closed_at, ended % {"item": asked.item.name}, asked.declined)
                )
        return entries


def _read_lines(submission: Submission) -> list[SubmissionLine]:
    """Read what was asked, and what it was quoted (nothing, if it is from before there were quotes)."""
    needed = ("reason", "shipping_company", "request", "submission", "quoted__quote")
    return list(submission.list_carried().select_related(*needed))


def _make_line(line: SubmissionLine, cards: dict[int, ItemCard]) -> AskedLine:
    request: CancellationRequest | None = getattr(line, "request", None)
    quoted: RefundQuoteLine | None = getattr(line, "quoted", None)
    state = find_state(line)
    return AskedLine(
        item=cards[line.order_item_id],
        quantity=line.quantity,
        reason=line.reason.get_subject(get_active_language()),
        description=line.description,
        exchange_preference=line.exchange_preference,
        refund=None if quoted is None or state in _NOTHING_DONE else find_amount(line, quoted),
        state=state,
        declined=request.reject_reason if request and request.cause != Cause.TAKEN_BACK else "",
        line=line,
    )
