"""What staff read: causes, events and states in words, times in the shop's zone, no account numbers."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.cancellations.causes import say_detail
from aftercart.cancellations.models import (
    AddressChange,
    CancellationRequest,
    PublicStatement,
    Submission,
    Withdrawal,
)
from aftercart.lib.clock import get_now, get_shop_zone
from aftercart.lib.money import get_exponent, round_amount
from aftercart.lib.times import clamp
from aftercart.mail.models import Email
from aftercart.orders.models import TimelineEntry
from aftercart.orders.status import CHOICES, FINAL, Status
from aftercart.orders.timeline import Event

Text = str | Promise
NOTHING: Final = "–"

EVENT_WORDS: Final[dict[str, Text]] = {
    Event.ORDER_IMPORTED: gettext_lazy("Order imported"),
    Event.ORDER_UPDATED: gettext_lazy("Order updated by an import"),
    Event.ORDER_FOLLOWED: gettext_lazy("Changed at Omnitron"),
    Event.CANCELLATION_SUBMITTED: gettext_lazy("Cancellation or return asked for"),
    Event.CANCELLATION_SENDING: gettext_lazy("About to be sent to Omnitron"),
    Event.CANCELLATION_SENT: gettext_lazy("Omnitron took the cancellation"),
    Event.ANSWER_UNKNOWN: gettext_lazy("Omnitron's answer is unknown; it is being checked"),
    Event.LATE_SENDING: gettext_lazy("Sent after it had been given up; it is being checked again"),
    Event.SECOND_REQUEST_SETTLED: gettext_lazy("A second request in Omnitron's queue was dealt with"),
    Event.LATE_REQUEST_SETTLED: gettext_lazy("A request that reached Omnitron's queue late was dealt with"),
    Event.LATE_SUCCESS: gettext_lazy("Omnitron carried out what had been given up"),
    Event.REQUESTS_OPENED: gettext_lazy("Left to the back office"),
    Event.VERIFICATION_NEEDS_STAFF: gettext_lazy(
        "Its answer has been looked for in vain for long; somebody should look"
    ),
    Event.REQUEST_DELIVERED: gettext_lazy("Request delivered into Omnitron's queue"),
    Event.REQUEST_APPROVED: gettext_lazy("Request approved"),
    Event.REQUEST_WITHDRAWN: gettext_lazy("Request taken out of Omnitron's queue"),
    Event.REQUEST_DECIDED_THERE: gettext_lazy("Omnitron had decided before the approval reached it"),
    Event.REQUEST_FOUND_DONE: gettext_lazy("Found done at Omnitron after a restore"),
    Event.REJECTION_OVERRULED: gettext_lazy("Omnitron had cancelled it before the rejection reached it"),
    Event.CANCELLATION_COMPLETED: gettext_lazy("Cancelled or returned"),
    Event.REQUEST_TAKEN_BACK: gettext_lazy("Taken back by the customer"),
    Event.CANCELLATION_REJECTED: gettext_lazy("Cancellation rejected"),
    Event.RETURN_CODE_ISSUED: gettext_lazy("Return code issued"),
    Event.PICKUP_CHANGED: gettext_lazy("Pickup changed by the customer"),
    Event.PICKUP_CANCELLED: gettext_lazy("Pickup cancelled by the customer"),
    Event.POINTS_BOOKED: gettext_lazy("Loyalty points settled"),
    Event.POLICY_OVERRIDDEN: gettext_lazy("The policy was overridden by staff"),
    Event.LINKS_REVOKED: gettext_lazy("All links to the order were made void"),
    Event.WITHDRAWAL_RECEIVED: gettext_lazy("Withdrawal from contract received"),
    Event.WITHDRAWAL_ACCEPTED: gettext_lazy("Withdrawal accepted"),
    Event.WITHDRAWAL_REFUSED: gettext_lazy("Withdrawal refused"),
    Event.ADDRESS_CHANGE_SUBMITTED: gettext_lazy("Another delivery address asked for"),
    Event.ADDRESS_CHANGE_CONFIRMED: gettext_lazy("Delivery address changed"),
    Event.ADDRESS_CHANGE_REFUSED: gettext_lazy("Address change refused"),
    Event.ADDRESS_CHANGE_TOO_LATE: gettext_lazy("Too late to change the delivery address"),
    Event.ADDRESS_CHANGE_OVERTAKEN: gettext_lazy(
        "An older address change overtook this one; it is told again"
    ),
    Event.ADDRESS_CHANGE_FOUND: gettext_lazy("Omnitron sends it to another address that was asked for"),
}

_ACTORS: Final[dict[str, Text]] = {
    TimelineEntry.Actor.CUSTOMER: gettext_lazy("Customer"),
    TimelineEntry.Actor.STAFF: gettext_lazy("Staff"),
    TimelineEntry.Actor.WORKER: gettext_lazy("Aftercart"),
    TimelineEntry.Actor.OMS: gettext_lazy("Omnitron"),
    TimelineEntry.Actor.IMPORT: gettext_lazy("Import"),
}

SUBMISSION_STATES: Final[dict[str, Text]] = {
    Submission.State.PREPARED: gettext_lazy("Recorded"),
    Submission.State.SENT: gettext_lazy("Sent, no answer yet"),
    Submission.State.APPLIED: gettext_lazy("Taken by Omnitron"),
    Submission.State.REFUSED: gettext_lazy("Left to the back office"),
    Submission.State.UNKNOWN: gettext_lazy("Answer unknown"),
}

#: What a line came to.
OUTCOMES: Final[dict[str, Text]] = {
    "completed": CancellationRequest.Status.COMPLETED.label,
    "rejected": CancellationRequest.Status.REJECTED.label,
}

ORIGINS: Final[dict[str, Text]] = {
    Submission.Origin.DIRECT: gettext_lazy("Direct"),
    Submission.Origin.REQUEST: gettext_lazy("As a request"),
    Submission.Origin.APPROVAL: gettext_lazy("Approved by staff"),
    Submission.Origin.WITHDRAWAL: gettext_lazy("By withdrawal"),
    Submission.Origin.OVERRIDE: gettext_lazy("By staff, against the policy"),
}

ADDRESS_STATES: Final[dict[str, Text]] = {
    AddressChange.State.PENDING: gettext_lazy("Waiting for Omnitron"),
    AddressChange.State.CONFIRMED: gettext_lazy("Changed"),
    AddressChange.State.REFUSED: gettext_lazy("Refused"),
    AddressChange.State.TOO_LATE: gettext_lazy("Too late"),
    AddressChange.State.SUPERSEDED: gettext_lazy("Replaced by a newer one"),
}

_TONES: Final[dict[str, str]] = {
    CancellationRequest.Status.VERIFYING: "info",
    CancellationRequest.Status.WAITING: "warn",
    CancellationRequest.Status.WAITING_APPROVAL: "warn",
    CancellationRequest.Status.CONFIRMED: "info",
    CancellationRequest.Status.APPROVED: "info",
    CancellationRequest.Status.COMPLETED: "good",
    CancellationRequest.Status.REJECTED: "quiet",
    Submission.State.PREPARED: "info",
    Submission.State.SENT: "info",
    Submission.State.APPLIED: "good",
    Submission.State.REFUSED: "quiet",
    Submission.State.UNKNOWN: "warn",
    PublicStatement.State.OPEN: "warn",
    PublicStatement.State.MATCHED: "good",
    PublicStatement.State.CLOSED: "wrong",
    Withdrawal.State.RECEIVED: "warn",
    Withdrawal.State.ACCEPTED: "good",
    Email.State.SENDING: "info",
    Email.State.FAILED: "wrong",
    AddressChange.State.PENDING: "warn",
    AddressChange.State.TOO_LATE: "quiet",
    AddressChange.State.SUPERSEDED: "quiet",
}


def say_event(entry: TimelineEntry) -> str:
    """Say what happened, in words; an event that nobody has put into words yet is shown by its name."""
    if entry.event == "status_changed":
        before, after = (_say_status(str(entry.data.get(name, ""))) for name in ("before", "after"))
        return _("Status: %(before)s → %(after)s") % {"before": before, "after": after}
    return str(EVENT_WORDS.get(entry.event) or entry.event.replace("_", " ").capitalize())


def say_event_cause(entry: TimelineEntry) -> str:
    """Say why it happened: a known cause in words, else the sentence that was recorded."""
    cause = say_detail(entry.cause)
    detail = say_detail(str(entry.data.get("detail") or ""), entry.cause)
    return " – ".join(filter(None, [cause, detail]))


def say_actor(entry: TimelineEntry) -> str:
    """Say who: the member of staff by e-mail, everybody else by kind. Wants `user` selected."""
    if entry.user is not None and entry.actor == TimelineEntry.Actor.STAFF:
        return entry.user.email
    return str(_ACTORS.get(entry.actor, entry.actor))


def _say_status(value: str) -> str:
    return str(dict(CHOICES).get(value, value or NOTHING))


def say_moment(at: datetime | None) -> str:
    """Write a time in the shop's zone, as in "24 Nov 2026, 14:05"."""
    if at is None:
        return NOTHING
    return date_format(clamp(at).astimezone(get_shop_zone()), "j M Y, H:i")


def say_age(at: datetime | None) -> str:
    """Say how long ago, in the largest unit, as in "3 hours"."""
    return NOTHING if at is None else timesince(at, get_now(), depth=1)


def say_amount(amount: Decimal, currency: str) -> str:
    """Write an amount with its currency, as in "1,234.50 TRY"."""
    value = number_format(
        round_amount(amount, currency), decimal_pos=get_exponent(currency), use_l10n=True, force_grouping=True
    )
    return f"{value} {currency.upper()}"


def show_badge(text: Text, tone: str) -> SafeString:
    """Make a badge; the colour never says what the words do not."""
    return format_html('<span class="bo-badge bo-{}">{}</span>', tone, text)


def show_state(state: str, text: Text) -> SafeString:
    """Make the badge of a request, submission or address change."""
    return show_badge(text, _TONES.get(state, "quiet"))


def show_submission(submission: Submission) -> SafeString:
    """Make the badge of a submission; an approval that the OMS did not take leaves its request waiting."""
    text = SUBMISSION_STATES[submission.state]
    if submission.state == Submission.State.REFUSED and submission.origin == Submission.Origin.APPROVAL:
        text = gettext_lazy("Not taken by Omnitron")
    return show_state(submission.state, text)


def show_status(status: str) -> SafeString:
    """Make the badge of an order or item."""
    tone = "info"
    if status in FINAL:
        tone = "quiet"
    elif status == Status.CANCELLATION_WAITING:
        tone = "warn"
    elif status == Status.DELIVERED:
        tone = "good"
    return show_badge(_say_status(status), tone)
