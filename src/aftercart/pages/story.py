"""The timeline in the customer's words: only what a customer cares about, oldest first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.cancellations.kind_words import WORDS, KindWords
from aftercart.cancellations.models import Submission, SubmissionLine
from aftercart.cancellations.models.reasons import SubmissionKind, find_kind
from aftercart.lib.formats import format_points
from aftercart.lib.money import ZERO
from aftercart.lib.notes import keep_sentence
from aftercart.orders.models import Order, OrderItem, TimelineEntry
from aftercart.orders.status import SHIPPED, Status
from aftercart.orders.timeline import Event
from aftercart.pages.templatetags.shop import money
from aftercart.pages.words import ITEM_WORDS, RETURN_IN_PROGRESS, Text

#: How many items one sentence names.
_MOST_NAMES: Final = 3
_HANDED_OVER: Final = frozenset({Status.SHIPPED, Status.SHIPPED_AND_INFORMED})

#: Events whose cause was written for the customer; other causes are notes to ourselves.
_SHOWN_REASONS = frozenset(
    {Event.CANCELLATION_REJECTED, Event.ADDRESS_CHANGE_REFUSED, Event.WITHDRAWAL_REFUSED}
)
#: What customers read of an order as a whole, whatever it is that they asked for.
ORDER_EVENTS: Final[dict[str, Text]] = {
    Event.WITHDRAWAL_RECEIVED: gettext_lazy("You withdrew from the contract; we sent you a receipt."),
    Event.WITHDRAWAL_ACCEPTED: gettext_lazy("We accepted your withdrawal."),
    Event.WITHDRAWAL_REFUSED: gettext_lazy("We did not accept your withdrawal."),
    Event.PICKUP_CHANGED: gettext_lazy("You changed the pickup of your return."),
    Event.PICKUP_CANCELLED: gettext_lazy("You cancelled the pickup of your return."),
    Event.ADDRESS_CHANGE_SUBMITTED: gettext_lazy("You asked us to change the delivery address."),
    Event.ADDRESS_CHANGE_CONFIRMED: gettext_lazy("The delivery address was changed."),
    Event.ADDRESS_CHANGE_REFUSED: gettext_lazy("The delivery address could not be changed."),
    Event.ADDRESS_CHANGE_TOO_LATE: gettext_lazy("It was too late to change the delivery address."),
    Event.ADDRESS_CHANGE_FOUND: gettext_lazy("The delivery address was changed after all."),
}
#: Of a submission: the words of its kind (`KindWords`), by the name of the field.
SUBMISSION_EVENTS: Final[dict[str, Literal["asked", "sent", "opened", "checking"]]] = {
    Event.CANCELLATION_SUBMITTED: "asked",
    Event.CANCELLATION_SENT: "sent",
    Event.REQUESTS_OPENED: "opened",
    Event.ANSWER_UNKNOWN: "checking",
}


@dataclass(frozen=True, slots=True)
class StoryEntry:
    """Something that happened. `reason` is what somebody said about it, `url` where there is more of it, or ""."""

    at: datetime
    text: Text
    reason: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Kinds:
    """What each submission, line and request of an order is: by uuid, id and id (one query)."""

    submissions: Mapping[str, SubmissionKind]
    lines: Mapping[int, SubmissionKind]
    requests: Mapping[int, SubmissionKind]

    def find(self, entry: TimelineEntry) -> SubmissionKind:
        """Return what an entry is about; of an item without a line, a cancellation."""
        for name, kinds in (("request", self.requests), ("line", self.lines)):
            if entry.data.get(name) in kinds:
                return kinds[entry.data[name]]
        return self.submissions.get(str(entry.data.get("submission")), SubmissionKind.CANCEL)


def read_kinds(order: Order) -> Kinds:
    """Read what was asked for about an order."""
    rows = SubmissionLine.objects.filter(order_item__order=order).values_list(
        "pk", "request", "cancellation_type", "submission__uuid", "submission__origin"
    )
    types: dict[str, set[str]] = {}
    lines, requests, withdrawn = {}, {}, set()
    for pk, request, kind, uuid, origin in rows:
        is_withdrawal = origin == Submission.Origin.WITHDRAWAL
        types.setdefault(str(uuid), set()).add(kind)
        lines[pk] = find_kind([kind], is_withdrawal=is_withdrawal)
        if request is not None:
            requests[request] = lines[pk]
        withdrawn |= {str(uuid)} if is_withdrawal else set()
    submissions = {uuid: find_kind(found, is_withdrawal=uuid in withdrawn) for uuid, found in types.items()}
    return Kinds(submissions, lines, requests)


def describe_story(
    order: Order, entries: Iterable[TimelineEntry], items: Sequence[OrderItem], kinds: Kinds
) -> list[StoryEntry]:
    """Return an order's story, oldest first."""
    names, rows = name_items(items), {item.pk: item for item in items}
    placed = StoryEntry(order.created_date, _("You placed the order."))
    moments = describe_parcels(items)
    for entry in entries:
        name, row = names.get(entry.item_id or 0, ""), rows.get(entry.item_id or 0)
        if row is not None:
            text = _describe_item(entry, name, row, order.currency, kinds)
        else:
            text = _describe_order(entry, kinds)
        if text:
            moments.append(StoryEntry(entry.at, text, _find_reason(entry), _find_url(order, entry)))
    return [placed, *sorted(moments, key=lambda moment: moment.at)]


def describe_parcels(items: Sequence[OrderItem]) -> list[StoryEntry]:
    """Say when items were shipped and delivered: those of one moment together, all of them as the order."""
    found: dict[tuple[datetime, bool], list[OrderItem]] = {}
    for item in items:
        for at, is_delivery in ((item.shipped_at, False), (item.delivered_at, True)):
            if at is not None:
                found.setdefault((at, is_delivery), []).append(item)
    return [
        StoryEntry(at, _describe_parcel(group, is_delivery=is_delivery, is_whole=len(group) == len(items)))
        for (at, is_delivery), group in found.items()
    ]


def _describe_parcel(group: Sequence[OrderItem], *, is_delivery: bool, is_whole: bool) -> str:
    if is_whole:
        return _("Your order was delivered.") if is_delivery else _("Your order was handed to the carrier.")
    words = {"items": join_names(list(name_items(group).values()))}
    return (_("%(items)s: delivered.") if is_delivery else _("%(items)s: handed to the carrier.")) % words


def join_names(names: Sequence[str]) -> str:
    """Join names; of many only the first are said, and how many more there are."""
    rest = len(names) - _MOST_NAMES
    if rest <= 1:
        return ", ".join(names)
    words = {"names": ", ".join(names[:_MOST_NAMES]), "count": rest}
    return _("%(names)s and %(count)s more") % words


def _describe_order(entry: TimelineEntry, kinds: Kinds) -> str:
    field = SUBMISSION_EVENTS.get(entry.event)
    if field is None:
        return str(ORDER_EVENTS.get(entry.event, ""))
    kind = kinds.find(entry)
    if "request" in entry.data:  # an approval: told once the OMS has taken it; until then the request waits
        return str(WORDS[kind].approved) if entry.event == Event.CANCELLATION_SENT else ""
    if field == "asked" and (
        entry.actor != TimelineEntry.Actor.CUSTOMER or kind is SubmissionKind.WITHDRAWAL
    ):
        return ""  # somebody else asked, or the statement has been reported already
    return str(getattr(WORDS[kind], field))


def _describe_item(entry: TimelineEntry, name: str, row: OrderItem, currency: str, kinds: Kinds) -> str:
    words = WORDS[kinds.find(entry)]
    if entry.event == Event.CANCELLATION_COMPLETED:
        return _describe_completed(entry, name, currency, words)
    if entry.event == Event.RETURN_CODE_ISSUED:
        return _("%(item)s: your return code is ready.") % {"item": name}
    if entry.event == Event.POINTS_BOOKED:
        return _describe_points(entry, name)
    if entry.event == Event.CANCELLATION_REJECTED:
        return str(words.declined) % {"item": name}
    if entry.event == Event.REQUEST_TAKEN_BACK:
        return str(words.taken_back) % {"item": name}
    return _describe_status(entry, name, row) if entry.event == Event.STATUS_CHANGED else ""


def _describe_status(entry: TimelineEntry, name: str, row: OrderItem) -> str:
    """Say where an item came to stand; "" where a date of its parcel says the same."""
    after, before = (str(entry.data.get(word, "")) for word in ("after", "before"))
    if after not in set(Status):
        return ""
    if (after in _HANDED_OVER and row.shipped_at) or (after == Status.DELIVERED and row.delivered_at):
        return ""
    if after == Status.CANCELLATION_WAITING and before in SHIPPED:
        return f"{name}: {RETURN_IN_PROGRESS.label}"
    return f"{name}: {ITEM_WORDS[Status(after)].label}"


def _describe_completed(entry: TimelineEntry, name: str, currency: str, words: KindWords) -> str:
    refund = Decimal(entry.data.get("refund_amount") or 0)
    if not refund:
        return str(words.done) % {"item": name}
    text = words.done_refunded if entry.data.get("is_refunded", True) else words.done_refund_due
    return str(text) % {"item": name, "amount": money(refund, currency)}


def _describe_points(entry: TimelineEntry, name: str) -> str:
    """Say how many points came back or went; "" where none did."""
    total = sum((Decimal(str(amount)) for amount in entry.data.values()), ZERO)
    if total == 0:
        return ""
    if total > 0:
        return _("%(item)s: %(points)s points were credited to you.") % {
            "item": name,
            "points": format_points(total),
        }
    return _("%(item)s: %(points)s points were taken back.") % {"item": name, "points": format_points(-total)}


def _find_reason(entry: TimelineEntry) -> str:
    """Give what the back office or the OMS said to the customer."""
    return keep_sentence(entry.cause) if entry.event in _SHOWN_REASONS else ""


def _find_url(order: Order, entry: TimelineEntry) -> str:
    """Find the page that tells of a cancellation whole: what was asked, what comes back, how it stands."""
    submission = entry.data.get("submission") if entry.event == Event.CANCELLATION_SUBMITTED else None
    return reverse("order-cancel-result", args=[order.number, submission]) if submission else ""


def name_items(items: Iterable[OrderItem]) -> dict[int, str]:
    """Name items by id, as the customer knows them."""
    return {item.pk: str(item.product.get("name") or item.sku or _("Item")) for item in items}
