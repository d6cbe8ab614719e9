"""Why a submission or a request is where it is: stored as codes, put into words in the reader's language."""

from typing import Final

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.lib.account_numbers import hide_accounts
from aftercart.lib.notes import read_note
from aftercart.oms.errors import Code
from aftercart.orders.policy.topics import ITEM_TOPICS
from aftercart.orders.status import Status

Text = str | Promise


class Cause(models.TextChoices):
    """Why something is where it is, besides the policy's topics and what failed in the dialogue (`oms.errors.Code`).

    Any other code is the OMS's own: it refused.
    """

    REQUESTED = "requested", gettext_lazy("Submitted as a request")
    TAKEN_BACK = "taken_back", gettext_lazy("Taken back by the customer")
    COLLECTION_NOT_CHOSEN = (
        "collection_not_chosen",
        gettext_lazy("The pickup is to be arranged with the customer"),
    )
    REASON_NOT_GIVEN = "reason_not_given", gettext_lazy("No reason was given")
    POLICY_OVERRIDDEN = "policy_overridden", gettext_lazy("Requested by staff, against the policy")
    PROCESS_DIED = "process_died", gettext_lazy("Our server stopped midway")
    #: With these a submission without an answer was settled by reading the OMS.
    FOUND_APPLIED = "found_applied", gettext_lazy("Found applied at Omnitron")
    FOUND_NOT_APPLIED = "found_not_applied", gettext_lazy("Not found at Omnitron")
    FOUND_CHANGED = (
        "found_changed",
        gettext_lazy("Changed at Omnitron meanwhile; it may have been rejected there"),
    )
    #: What was given up has arrived all the same.
    ARRIVED_LATE = "arrived_late", gettext_lazy("Given up, and carried out by Omnitron all the same")
    #: Something that was sent earlier for the same items may still arrive.
    EARLIER_UNPROVEN = "earlier_unproven", gettext_lazy("Something that was sent earlier may still arrive")
    NAME_TAKEN = "name_taken", gettext_lazy("Omnitron has something else under its name")
    MERGED_LINE = (
        "merged_line",
        gettext_lazy("Part of a line that is a single item at Omnitron: to be approved there"),
    )
    OMS_DIFFERS = "omnitron_differs", gettext_lazy("Omnitron's order differs from ours")
    OMS_IN_PROGRESS = "omnitron_in_progress", gettext_lazy("Omnitron is already cancelling it")
    OMS_STATUS = "omnitron_status", gettext_lazy("Its status at Omnitron does not allow it")
    OMS_UNKNOWN_ITEM = "omnitron_unknown_item", gettext_lazy("Omnitron does not know the item")
    PARTLY_DECIDED = "partly_decided", gettext_lazy("Omnitron has decided part of it in its own queue")
    REJECTION_UNSENT = (
        "rejection_untold",
        gettext_lazy("An earlier rejection has not reached Omnitron yet"),
    )
    REASON_UNMAPPED = "reason_unmapped", gettext_lazy("Omnitron has no such reason")


#: Each in words for staff; for customers: pages/outcome_words.py.
CAUSES: Final[dict[str, Text]] = {
    **dict(Cause.choices),
    **dict(Code.choices),
    **{topic.declared.code: topic.declared.reason or topic.declared.name for topic in ITEM_TOPICS},
}


#: What was noticed, with its values (lib/notes.py). What is not listed is one of the causes.
_NOTES: Final[dict[str, Text]] = {
    "no_item_left": gettext_lazy("Omnitron has nothing left of item %(item)s."),
    "too_few_left": gettext_lazy("Of item %(item)s Omnitron has %(left)s left, not %(asked)s."),
    "item_in_progress": gettext_lazy("Omnitron is already cancelling its item %(item)s."),
    "item_status": gettext_lazy("Omnitron's item %(item)s has the status “%(status)s”."),
    "item_unknown": gettext_lazy("Omnitron does not know item %(item)s."),
    "no_such_reason": gettext_lazy("Omnitron has no reason like “%(subject)s”."),
    "still_making": gettext_lazy("Omnitron may still be creating this request."),
    "still_waiting": gettext_lazy("Omnitron still shows this request as waiting."),
    "still_deciding": gettext_lazy("Omnitron is deciding on it."),
    "order_has_left": gettext_lazy("The order has shipped in the meantime."),
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
    if values.get("status") in Status.values:
        values["status"] = Status(values["status"]).label
    try:
        return hide_accounts(str(_NOTES[code]) % values)
    except KeyError:  # a note of another version
        return str(code).replace("_", " ")
