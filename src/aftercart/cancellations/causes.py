"""Why a submission or a request is where it is: stored as codes, put into words in the reader's language."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.lib.account_numbers import hide_accounts
from aftercart.lib.notes import read_note
from aftercart.orders.status import LABELS, Status

Text = str | Promise

#: Why something is where it is. What is not listed is a code of Omnitron's own: it refused.
CAUSES: Final[dict[str, Text]] = {
    "requested": gettext_lazy("Asked for as a request"),
    "has_invoice": gettext_lazy("An invoice has been issued"),
    "direct_window_passed": gettext_lazy("The time for cancelling directly is over"),
    "type_needs_approval": gettext_lazy("Requests of this kind need approval"),
    "amount_needs_approval": gettext_lazy("Requests of this amount need approval"),
    "partial_line": gettext_lazy("Only a part of the line"),
    "mixed_types": gettext_lazy("Cancellation and return in one request"),
    "collection_not_chosen": gettext_lazy("How it is collected is to be arranged with the customer"),
    "reason_not_given": gettext_lazy("No reason was given"),
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


#: What was noticed, with its values (lib/notes.py). What is not listed is one of the causes.
_NOTES: Final[dict[str, Text]] = {
    "no_item_left": gettext_lazy("Omnitron has nothing left of item %(item)s."),
    "too_few_left": gettext_lazy("Of item %(item)s Omnitron has %(left)s left, not %(asked)s."),
    "item_in_progress": gettext_lazy("Omnitron is already cancelling its item %(item)s."),
    "item_status": gettext_lazy("Omnitron's item %(item)s stands at “%(status)s”."),
    "item_unknown": gettext_lazy("Omnitron does not know item %(item)s."),
    "no_such_reason": gettext_lazy("Omnitron has no reason like “%(subject)s”."),
    "still_making": gettext_lazy("Omnitron may still be making this request."),
    "still_waiting": gettext_lazy("Omnitron still shows this request as waiting."),
    "still_deciding": gettext_lazy("Omnitron is deciding on it."),
    "order_has_left": gettext_lazy("The order has left meanwhile."),
}


def say_cause(code: str) -> Text:
    """Say why, in words; "" for no cause."""
    if not code:
        return ""
    return CAUSES.get(code) or _("Omnitron refused: %(code)s") % {
        "code": hide_accounts(code).replace("_", " ")
    }


def say_detail(text: str, cause: str = "") -> str:
    """Say what was noted, in words; what others said is shown as they said it, without account numbers.

    "" for what `cause` says already.
    """
    note = read_note(text)
    if note is None:
        return str(CAUSES.get(text) or hide_accounts(text))
    code, values = note
    if code not in _NOTES:
        return "" if code == cause else str(say_cause(code))
    if values.get("status") in {status.value for status in Status}:
        values["status"] = LABELS[Status(values["status"])]
    try:
        return hide_accounts(str(_NOTES[code]) % values)
    except KeyError:  # a note of another version
        return str(code).replace("_", " ")
