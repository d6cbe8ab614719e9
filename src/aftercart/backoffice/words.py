"""What staff read: causes, events and states in words, times in the shop's zone, no account numbers."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.cancellations.models import AddressChange, CancellationRequest, Submission, Withdrawal
from aftercart.lib.money import get_exponent, round_amount
from aftercart.lib.times import clamp
from aftercart.mail.models import Letter
from aftercart.orders.models import TimelineEntry
from aftercart.orders.status import FINAL, LABELS, Status

Text = str | Promise
NOTHING: Final = "–"

#: Why something is where it is. What is not listed is a code of Omnitron's own: it refused.
CAUSES: Final[dict[str, Text]] = {
    "requested": gettext_lazy("Asked for as a request"),
    "has_invoice": gettext_lazy("An invoice has been issued"),
    "direct_window_passed": gettext_lazy("The time for cancelling directly is over"),
    "type_needs_approval": gettext_lazy("Requests of this kind need approval"),
    "amount_needs_approval": gettext_lazy("Requests of this amount need approval"),
    "partial_line": gettext_lazy("Only a part of the line"),
    "mixed_types": gettext_lazy("Cancellation and return in one request"),
    "policy_overridden": gettext_lazy("Asked for by staff, against the policy"),
    "unreachable": gettext_lazy("Omnitron could not be reached"),
    "breaker_open": gettext_lazy("Omnitron was failing and was left alone"),
    "bulkhead_full": gettext_lazy("Too many were waiting for Omnitron"),
    "on_hold": gettext_lazy("Sending to Omnitron was on hold"),
    "throttled": gettext_lazy("Omnitron was too busy"),
    "unauthorized": gettext_lazy("Omnitron did not take our token"),
    "login_failed": gettext_lazy("Omnitron did not let us log in"),
    "deadline_over": gettext_lazy("Omnitron took too long"),
    "timeout": gettext_lazy("Omnitron did not answer in time"),
    "connection_lost": gettext_lazy("The connection to Omnitron broke"),
    "server_error": gettext_lazy("Omnitron failed while answering"),
    "redirected": gettext_lazy("Omnitron's answer made no sense"),
    "not_json": gettext_lazy("Omnitron's answer made no sense"),
    "too_large": gettext_lazy("Omnitron's answer made no sense"),
    "malformed": gettext_lazy("Omnitron's answer made no sense"),
    "process_died": gettext_lazy("Our server stopped on the way"),
    "found_applied": gettext_lazy("Found applied at Omnitron"),
    "found_not_applied": gettext_lazy("Not found at Omnitron"),
    "found_changed": gettext_lazy("Changed at Omnitron meanwhile; it may have been rejected there"),
    "arrived_late": gettext_lazy("Given up, and carried out by Omnitron all the same"),
    "earlier_unproven": gettext_lazy("Something that was sent earlier may still arrive"),
    "name_taken": gettext_lazy("Omnitron has something else under its name"),
    "claim_lost": gettext_lazy("Taken over before it was sent"),
    "merged_line": gettext_lazy("A part of a line that is one item at Omnitron: to be approved there"),
    "omnitron_differs": gettext_lazy("Omnitron's order differs from ours"),
    "omnitron_in_progress": gettext_lazy("Omnitron is already cancelling it"),
    "omnitron_status": gettext_lazy("Its status at Omnitron does not allow it"),
    "omnitron_unknown_item": gettext_lazy("Omnitron does not know the item"),
    "partly_decided": gettext_lazy("Omnitron has decided on a part of it in its own queue"),
    "rejection_untold": gettext_lazy("Omnitron has still to be told of an earlier rejection"),
    "reason_unmapped": gettext_lazy("Omnitron has no such reason"),
    "not_found": gettext_lazy("Omnitron does not know the order"),
    "refused": gettext_lazy("Omnitron refused"),
}

_EVENTS: Final[dict[str, Text]] = {
    "order_imported": gettext_lazy("Order imported"),
    "cancellation_submitted": gettext_lazy("Cancellation or return asked for"),
    "cancellation_sending": gettext_lazy("About to be sent to Omnitron"),
    "cancellation_sent": gettext_lazy("Omnitron took the cancellation"),
    "answer_unknown": gettext_lazy("Omnitron's answer is unknown; it is being checked"),
    "late_sending": gettext_lazy("Sent after it had been given up; it is being checked again"),
    "second_request_settled": gettext_lazy("A second request in Omnitron's queue was dealt with"),
    "late_success": gettext_lazy("Omnitron carried out what had been given up"),
    "requests_opened": gettext_lazy("Left to the back office"),
    "request_delivered": gettext_lazy("Request delivered into Omnitron's queue"),
    "request_approved": gettext_lazy("Request approved"),
    "request_withdrawn": gettext_lazy("Request taken out of Omnitron's queue"),
    "request_decided_there": gettext_lazy("Omnitron had decided before the approval reached it"),
    "request_found_done": gettext_lazy("Found done at Omnitron after a restore"),
    "rejection_overruled": gettext_lazy("Omnitron had cancelled it before the rejection reached it"),
    "cancellation_completed": gettext_lazy("Cancelled or returned"),
    "cancellation_rejected": gettext_lazy("Cancellation rejected"),
    "return_code_issued": gettext_lazy("Return code issued"),
    "points_booked": gettext_lazy("Loyalty points settled"),
    "policy_overridden": gettext_lazy("The policy was overridden by staff"),
    "links_revoked": gettext_lazy("All links to the order were made void"),
    "withdrawal_received": gettext_lazy("Withdrawal from contract received"),
    "withdrawal_accepted": gettext_lazy("Withdrawal accepted"),
    "withdrawal_refused": gettext_lazy("Withdrawal refused"),
    "address_change_submitted": gettext_lazy("Another delivery address asked for"),
    "address_change_confirmed": gettext_lazy("Delivery address changed"),
    "address_change_refused": gettext_lazy("Address change refused"),
    "address_change_too_late": gettext_lazy("Too late to change the delivery address"),
    "address_change_overtaken": gettext_lazy("An older address change overtook this one; it is told again"),
    "address_change_found": gettext_lazy("Omnitron sends it to another address that was asked for"),
    "address_change_superseded": gettext_lazy("Address change replaced by a newer one"),
}

_ACTORS: Final[dict[str, Text]] = {
    TimelineEntry.Actor.CUSTOMER: gettext_lazy("Customer"),
    TimelineEntry.Actor.STAFF: gettext_lazy("Staff"),
    TimelineEntry.Actor.WORKER: gettext_lazy("Aftercart"),
    TimelineEntry.Actor.OMNITRON: gettext_lazy("Omnitron"),
    TimelineEntry.Actor.IMPORT: gettext_lazy("Import"),
}

SUBMISSION_STATES: Final[dict[str, Text]] = {
    Submission.State.PREPARED: gettext_lazy("Recorded"),
    Submission.State.SENT: gettext_lazy("Sent, no answer yet"),
    Submission.State.APPLIED: gettext_lazy("Taken by Omnitron"),
    Submission.State.REFUSED: gettext_lazy("Left to requests"),
    Submission.State.UNKNOWN: gettext_lazy("Answer unknown"),
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
    Withdrawal.State.RECEIVED: "warn",
    Withdrawal.State.ACCEPTED: "good",
    Letter.State.SENDING: "info",
    Letter.State.FAILED: "wrong",
    AddressChange.State.PENDING: "warn",
    AddressChange.State.TOO_LATE: "quiet",
    AddressChange.State.SUPERSEDED: "quiet",
}

#: What looks like an IBAN: in groups of four (a last one of digits may be shorter), in one piece, or, where
#: all but the country is digits, with separators wherever somebody has put them.
_ACCOUNT: Final = re.compile(
    r"\b(?:"
    r"[A-Za-z]{2}\d{2}[ -][A-Za-z0-9]{4}"
    r"(?:[ -](?:[A-Z0-9]{4}|(?=[a-z]*\d)[a-z0-9]{4})){2,7}(?:[ -](?=[A-Z]*\d)[A-Z0-9]{1,3})?"
    r"|[A-Za-z]{2}\d{2}[A-Za-z0-9]{11,30}"
    r"|(?:[A-Za-z]{2}|[A-Z]{2}[ -])\d{2}(?:[ -]?\d){10,30}"
    r"|[a-z]{2}[ -]\d{2}(?:[ -]?\d){16,30}"  # shorter ones behind a word are order numbers
    r")\b"
)


def hide_accounts(text: str) -> str:
    """Write every account number in a free text as its last four characters.

    People and Omnitron quote them in sentences; a back-office page must never hold a whole one.
    """
    return _ACCOUNT.sub(lambda match: show_last_four(re.sub(r"[ -]", "", match[0])), text)


def show_last_four(iban: str) -> str:
    """Write an account number as staff may see it, or a dash for none."""
    return f"•••• {iban[-4:]}" if iban else NOTHING


def say_cause(code: str) -> Text:
    """Say why, in words; "" for no cause."""
    if not code:
        return ""
    return CAUSES.get(code) or _("Omnitron refused: %(code)s") % {
        "code": hide_accounts(code).replace("_", " ")
    }


def say_event(entry: TimelineEntry) -> str:
    """Say what happened, in words; an event that nobody has put into words yet is shown by its name."""
    if entry.event == "status_changed":
        before, after = (_say_status(str(entry.data.get(name, ""))) for name in ("before", "after"))
        return _("Status: %(before)s → %(after)s") % {"before": before, "after": after}
    return str(_EVENTS.get(entry.event) or entry.event.replace("_", " ").capitalize())


def say_event_cause(entry: TimelineEntry) -> str:
    """Say why it happened: a known cause in words, else the sentence that was recorded."""
    told = str(CAUSES.get(entry.cause) or hide_accounts(entry.cause))
    detail = entry.data.get("detail")
    return f"{told} – {hide_accounts(str(detail))}" if told and detail else told


def say_actor(entry: TimelineEntry) -> str:
    """Say who: the member of staff by e-mail, everybody else by kind. Wants `user` selected."""
    if entry.user is not None and entry.actor == TimelineEntry.Actor.STAFF:
        return entry.user.email
    return str(_ACTORS.get(entry.actor, entry.actor))


def _say_status(value: str) -> str:
    return str(LABELS[Status(value)]) if value in {status.value for status in Status} else value or NOTHING


def say_moment(at: datetime | None) -> str:
    """Write a time in the shop's zone, as in "24 Nov 2026, 14:05"."""
    if at is None:
        return NOTHING
    return date_format(clamp(at).astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)), "j M Y, H:i")


def say_age(at: datetime | None) -> str:
    """Say how long ago, in the largest unit, as in "3 hours"."""
    return NOTHING if at is None else timesince(at, timezone.now(), depth=1)


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
