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
from aftercart.orders.status import FINAL, Status
from aftercart.orders.timeline import EVENTS

Text = str | Promise
NOTHING: Final = "–"

#: What a line came to.
OUTCOMES: Final[dict[str, Text]] = {
    "completed": CancellationRequest.Status.COMPLETED.label,
    "rejected": CancellationRequest.Status.REJECTED.label,
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
    """Say what happened, in words; an event of an earlier version is shown by its name."""
    if entry.event == "status_changed":
        before, after = (_say_status(str(entry.data.get(name, ""))) for name in ("before", "after"))
        return _("Status: %(before)s → %(after)s") % {"before": before, "after": after}
    known = EVENTS.get(entry.event)
    return str(known.words) if known else entry.event.replace("_", " ").capitalize()


def say_event_cause(entry: TimelineEntry) -> str:
    """Say why it happened: a known cause in words, else the sentence that was recorded."""
    cause = say_detail(entry.cause)
    detail = say_detail(str(entry.data.get("detail") or ""), entry.cause)
    return " – ".join(filter(None, [cause, detail]))


def say_actor(entry: TimelineEntry) -> str:
    """Say who: the member of staff by e-mail, everybody else by kind. Wants `user` selected."""
    if entry.user is not None and entry.actor == TimelineEntry.Actor.STAFF:
        return entry.user.email
    return entry.get_actor_display()


def _say_status(value: str) -> str:
    return str(dict(Status.choices).get(value, value or NOTHING))


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
    text: Text = submission.get_state_display()
    if submission.state == Submission.State.REFUSED and submission.origin == Submission.Origin.APPROVAL:
        text = gettext_lazy("Did not go through at Omnitron")
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
