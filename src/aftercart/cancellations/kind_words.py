"""What a submission is (a cancellation, a return, both, a withdrawal) and every sentence that names it.

One catalogue for headings, badges, timelines and e-mails, so that they cannot call one thing by two names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from aftercart.cancellations.models.reasons import SubmissionKind

Text = str | Promise
#: Where a line or a submission stands for its customer.
State = Literal[
    "working", "sent", "checking", "requested", "approved", "done", "declined", "taken_back", "partly"
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A headline and what happens next: of a page, and of the e-mail that reports the same."""

    headline: Text
    next: Text


@dataclass(frozen=True, slots=True)
class KindWords:
    """The words of one kind: badges, then sentences of the timeline, then one outcome a state.

    `done…`, `declined` and `taken_back` name an item (`%(item)s`), those with an amount `%(amount)s`.
    """

    in_progress: Text
    requested: Text
    asked: Text
    sent: Text
    checking: Text
    opened: Text
    approved: Text
    done: Text
    done_refunded: Text
    done_refund_due: Text
    declined: Text
    taken_back: Text
    outcomes: Mapping[State, Outcome]


_NOTHING_LEFT: Final = _("There is nothing else you need to do.")
_WORKING: Final = _("This takes a few seconds. There is no need to send it again.")
_UNDER_WAY: Final = _("It is under way, and we will e-mail you as soon as it is done.")
_EACH: Final = _("You can see the result for each item below.")

_CANCEL: Final = KindWords(
    in_progress=_("Cancellation in progress"),
    requested=_("Cancellation requested"),
    asked=_("You asked to cancel items."),
    sent=_("We passed on your cancellation and are waiting for it to be confirmed."),
    checking=_("We passed on your cancellation; the confirmation is still to come."),
    opened=_("Our team received your cancellation request."),
    approved=_("Our team approved your cancellation; it is under way."),
    done=_("%(item)s: cancelled."),
    done_refunded=_("%(item)s: cancelled, %(amount)s refunded."),
    done_refund_due=_("%(item)s: cancelled. Your refund of %(amount)s is on its way."),
    declined=_("%(item)s: your cancellation was declined."),
    taken_back=_("%(item)s: you took your cancellation request back."),
    outcomes={
        "working": Outcome(_("We are sending your cancellation"), _WORKING),
        "sent": Outcome(
            _("We have passed on your cancellation"),
            _("It is being confirmed. We will e-mail you as soon as it is done."),
        ),
        "checking": Outcome(
            _("We are waiting for your cancellation to be confirmed"),
            _(
                "We have passed it on, and the confirmation is taking longer than usual. We will e-mail you the "
                "result; there is no need to ask again."
            ),
        ),
        "requested": Outcome(
            _("We have received your cancellation request"),
            _("Nothing is cancelled yet: our team will decide and e-mail you."),
        ),
        "approved": Outcome(_("Our team has approved your cancellation"), _UNDER_WAY),
        "done": Outcome(_("Your cancellation is complete"), _NOTHING_LEFT),
        "declined": Outcome(
            _("We could not complete your cancellation"), _("Your order goes ahead as planned.")
        ),
        "taken_back": Outcome(
            _("You have taken your cancellation request back"), _("Your order goes ahead as planned.")
        ),
        "partly": Outcome(_("Part of your order is cancelled"), _EACH),
    },
)

_RETURN: Final = KindWords(
    in_progress=_("Return in progress"),
    requested=_("Return requested"),
    asked=_("You asked to return items."),
    sent=_("Your return is registered."),
    checking=_("We passed on your return; the confirmation is still to come."),
    opened=_("Our team received your return request."),
    approved=_("Our team approved your return."),
    done=_("%(item)s: returned."),
    done_refunded=_("%(item)s: returned, %(amount)s refunded."),
    done_refund_due=_("%(item)s: returned. Your refund of %(amount)s is on its way."),
    declined=_("%(item)s: your return was declined."),
    taken_back=_("%(item)s: you took your return request back."),
    outcomes={
        "working": Outcome(_("We are sending your return"), _WORKING),
        "sent": Outcome(
            _("Your return is registered"),
            _("Please pack the items. You can see below how to send them back."),
        ),
        "checking": Outcome(
            _("We are waiting for your return to be confirmed"),
            _(
                "We have passed it on, and the confirmation is taking longer than usual. Please keep the items; we "
                "will e-mail you the result."
            ),
        ),
        "requested": Outcome(
            _("We have received your return request"),
            _("Please keep the items until our team has decided. We will e-mail you."),
        ),
        "approved": Outcome(_("Our team has approved your return"), _UNDER_WAY),
        "done": Outcome(_("Your return is complete"), _NOTHING_LEFT),
        "declined": Outcome(_("We could not accept your return"), _("The items stay with you.")),
        "taken_back": Outcome(_("You have taken your return request back"), _("The items stay with you.")),
        "partly": Outcome(_("Part of your return is complete"), _EACH),
    },
)

_BOTH: Final = KindWords(
    in_progress=_("Cancellation and return in progress"),
    requested=_("Cancellation and return requested"),
    asked=_("You asked to cancel and return items."),
    sent=_("We passed on your cancellation and your return."),
    checking=_("We passed on your cancellation and your return; the confirmation is still to come."),
    opened=_("Our team received your request to cancel and return items."),
    approved=_("Our team approved your request; it is under way."),
    done=_CANCEL.done,
    done_refunded=_CANCEL.done_refunded,
    done_refund_due=_CANCEL.done_refund_due,
    declined=_CANCEL.declined,
    taken_back=_CANCEL.taken_back,
    outcomes={
        "working": Outcome(_("We are sending your cancellation and return"), _WORKING),
        "sent": Outcome(
            _("We have passed on your cancellation and return"),
            _("They are being confirmed. Please pack the items that you are sending back."),
        ),
        "checking": Outcome(
            _("We are waiting for your cancellation and return to be confirmed"),
            _(
                "We have passed them on, and the confirmation is taking longer than usual. Please keep the items; "
                "we will e-mail you the result."
            ),
        ),
        "requested": Outcome(
            _("We have received your cancellation and return request"),
            _("Please keep the items until our team has decided. We will e-mail you."),
        ),
        "approved": Outcome(_("Our team has approved your request"), _UNDER_WAY),
        "done": Outcome(_("Your cancellation and return are complete"), _NOTHING_LEFT),
        "declined": Outcome(_("We could not complete your request"), _("Your order stays as it was.")),
        "taken_back": Outcome(_("You have taken your request back"), _("Your order stays as it was.")),
        "partly": Outcome(_("Part of your request is complete"), _EACH),
    },
)

_WITHDRAWAL: Final = KindWords(
    in_progress=_("Withdrawal in progress"),
    requested=_("Withdrawal received"),
    asked=_("You withdrew from the contract."),
    sent=_("Your withdrawal is being processed."),
    checking=_("Your withdrawal was passed on; the confirmation is still to come."),
    opened=_("Our team received your withdrawal."),
    approved=_("Our team accepted your withdrawal; it is being processed."),
    done=_("%(item)s: withdrawal complete."),
    done_refunded=_("%(item)s: withdrawal complete, %(amount)s refunded."),
    done_refund_due=_("%(item)s: withdrawal complete. Your refund of %(amount)s is on its way."),
    declined=_("%(item)s: your withdrawal was not accepted."),
    taken_back=_("%(item)s: withdrawal ended."),
    outcomes={
        "working": Outcome(_("We are passing on your withdrawal"), _WORKING),
        "sent": Outcome(_("Your withdrawal is being processed"), _UNDER_WAY),
        "checking": Outcome(
            _("Your withdrawal is being processed"),
            _("The confirmation is taking longer than usual. Your statement counts from when you sent it."),
        ),
        "requested": Outcome(
            _("We have received your withdrawal"),
            _("Our team will confirm it and e-mail you. Your statement counts from when you sent it."),
        ),
        "approved": Outcome(_("We have accepted your withdrawal"), _UNDER_WAY),
        "done": Outcome(_("Your withdrawal is complete"), _NOTHING_LEFT),
        "declined": Outcome(_("We could not accept your withdrawal"), _("You can read why below.")),
        "taken_back": Outcome(_("Your withdrawal has ended"), _NOTHING_LEFT),
        "partly": Outcome(_("Part of your withdrawal is complete"), _EACH),
    },
)

WORDS: Final[Mapping[SubmissionKind, KindWords]] = {
    SubmissionKind.CANCEL: _CANCEL,
    SubmissionKind.RETURN: _RETURN,
    SubmissionKind.BOTH: _BOTH,
    SubmissionKind.WITHDRAWAL: _WITHDRAWAL,
}


def get_kind(value: object) -> SubmissionKind:
    """Return the kind that was noted as `value`; a cancellation where an earlier version noted none."""
    return next((kind for kind in SubmissionKind if kind == value), SubmissionKind.CANCEL)
