"""The timeline in the customer's words: only what a customer cares about, oldest first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.lib.money import ZERO
from aftercart.lib.notes import keep_sentence
from aftercart.orders.models import Order, OrderItem, TimelineEntry
from aftercart.orders.status import Status
from aftercart.orders.timeline import Event
from aftercart.pages.templatetags.shop import money
from aftercart.pages.words import ITEM_WORDS, Text

#: Events whose cause was written for the customer; other causes are notes to ourselves.
_SHOWN_REASONS = frozenset(
    {Event.CANCELLATION_REJECTED, Event.ADDRESS_CHANGE_REFUSED, Event.WITHDRAWAL_REFUSED}
)
#: What customers read of an order as a whole. Of a request that was approved they hear once Omnitron has taken it.
ORDER_EVENTS: Final[dict[str, Text]] = {
    Event.CANCELLATION_SUBMITTED: gettext_lazy("You asked us to cancel or return items."),
    Event.CANCELLATION_SENT: gettext_lazy("Your cancellation was sent; it is being confirmed."),
    Event.REQUESTS_OPENED: gettext_lazy("Our team received your request and will decide on it."),
    Event.ANSWER_UNKNOWN: gettext_lazy("We are checking whether your cancellation has gone through."),
    Event.WITHDRAWAL_RECEIVED: gettext_lazy(
        "You withdrew from the contract; we confirmed that we received it."
    ),
    Event.WITHDRAWAL_ACCEPTED: gettext_lazy("We accepted your withdrawal."),
    Event.WITHDRAWAL_REFUSED: gettext_lazy("We did not accept your withdrawal."),
    Event.ADDRESS_CHANGE_SUBMITTED: gettext_lazy("You asked us to change the delivery address."),
    Event.ADDRESS_CHANGE_CONFIRMED: gettext_lazy("The delivery address was changed."),
    Event.ADDRESS_CHANGE_REFUSED: gettext_lazy("The delivery address could not be changed."),
    Event.ADDRESS_CHANGE_TOO_LATE: gettext_lazy("It was too late to change the delivery address."),
    Event.ADDRESS_CHANGE_FOUND: gettext_lazy("The delivery address was changed after all."),
}
#: Of an item: what `_describe_item` puts into words.
ITEM_EVENTS: Final = frozenset(
    {
        Event.CANCELLATION_COMPLETED,
        Event.RETURN_CODE_ISSUED,
        Event.POINTS_BOOKED,
        Event.CANCELLATION_REJECTED,
        Event.STATUS_CHANGED,
    }
)
#: Notes to ourselves: what a customer has to know of them is said by the event before or after, or by an e-mail.
OUR_EVENTS: Final = frozenset(
    {
        Event.ORDER_IMPORTED,
        Event.ORDER_UPDATED,
        Event.ORDER_FOLLOWED,
        Event.CANCELLATION_SENDING,
        Event.LATE_SENDING,
        Event.LATE_SUCCESS,
        Event.VERIFICATION_NEEDS_STAFF,
        Event.REQUEST_DELIVERED,
        Event.REQUEST_APPROVED,
        Event.REQUEST_WITHDRAWN,
        Event.REQUEST_FOUND_DONE,
        Event.SECOND_REQUEST_SETTLED,
        Event.LATE_REQUEST_SETTLED,
        Event.REQUEST_DECIDED_THERE,
        Event.REJECTION_OVERRULED,
        Event.POLICY_OVERRIDDEN,
        Event.LINKS_REVOKED,
        Event.ADDRESS_CHANGE_OVERTAKEN,
    }
)


@dataclass(frozen=True, slots=True)
class StoryEntry:
    """Something that happened. `reason` is what somebody said about it, `url` where there is more of it, or ""."""

    at: datetime
    text: Text
    reason: str = ""
    url: str = ""


def describe_story(
    order: Order, entries: Iterable[TimelineEntry], names: Mapping[int, str]
) -> list[StoryEntry]:
    """Tell an order's story; `names` are the items' names by id."""
    moments = [StoryEntry(order.created_date, _("You placed the order."))]
    for entry in entries:
        name = names.get(entry.item_id or 0, "")
        text = _describe_item(entry, name, order.currency) if name else _describe_order(entry)
        if text:
            moments.append(StoryEntry(entry.at, text, _find_reason(entry), _find_url(order, entry)))
    return moments


def _describe_order(entry: TimelineEntry) -> str:
    if entry.event == Event.CANCELLATION_SUBMITTED:
        is_theirs = entry.actor == TimelineEntry.Actor.CUSTOMER
        return str(ORDER_EVENTS[entry.event]) if is_theirs else ""
    if "request" in entry.data:  # an approval: told once Omnitron has taken it; until then the request waits
        is_taken = entry.event == Event.CANCELLATION_SENT
        return _("Our team approved your request; it is being carried out.") if is_taken else ""
    return str(ORDER_EVENTS.get(entry.event, ""))


def _describe_item(entry: TimelineEntry, name: str, currency: str) -> str:
    if entry.event == Event.CANCELLATION_COMPLETED:
        return _notify_completed(entry, name, currency)
    if entry.event == Event.RETURN_CODE_ISSUED:
        return _("%(item)s: you got a return code.") % {"item": name}
    if entry.event == Event.POINTS_BOOKED:
        return _describe_points(entry, name)
    if entry.event == Event.CANCELLATION_REJECTED:
        return _("%(item)s: your cancellation or return was declined.") % {"item": name}
    after = str(entry.data.get("after", ""))
    if entry.event == Event.STATUS_CHANGED and after in {status.value for status in Status}:
        return f"{name}: {ITEM_WORDS[Status(after)].label}"
    return ""


def _notify_completed(entry: TimelineEntry, name: str, currency: str) -> str:
    refund = Decimal(entry.data.get("refund_amount") or 0)
    if refund:
        words = {"item": name, "amount": money(refund, currency)}
        if entry.data.get("is_refunded", True):
            return _("%(item)s: cancelled or returned, %(amount)s given back.") % words
        return _("%(item)s: cancelled or returned; refund %(amount)s on its way.") % words
    return _("%(item)s: cancelled or returned.") % {"item": name}


def _describe_points(entry: TimelineEntry, name: str) -> str:
    """Return what became of points; "" where none came back and none went."""
    total = sum((Decimal(str(amount)) for amount in entry.data.values()), ZERO)
    if total == 0:
        return ""
    if total > 0:
        return _("%(item)s: %(points)s points were credited to you.") % {"item": name, "points": total}
    return _("%(item)s: %(points)s points were taken back.") % {"item": name, "points": -total}


def _find_reason(entry: TimelineEntry) -> str:
    """Give what the back office or Omnitron said to the customer."""
    return keep_sentence(entry.cause) if entry.event in _SHOWN_REASONS else ""


def _find_url(order: Order, entry: TimelineEntry) -> str:
    """Find the page that tells of a cancellation whole: what was asked, what comes back, how it stands."""
    submission = entry.data.get("submission") if entry.event == Event.CANCELLATION_SUBMITTED else None
    return reverse("order-cancel-result", args=[order.number, submission]) if submission else ""


def name_items(items: Iterable[OrderItem]) -> dict[int, str]:
    """Name items by id, as the customer knows them."""
    return {item.pk: str(item.product.get("name") or item.sku or _("Item")) for item in items}
