"""The words of each kind of e-mail about orders, in the language that is active. Pure: facts in, draft out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from aftercart.cancellations.causes import say_cause, say_detail
from aftercart.cancellations.kind_words import WORDS, State, get_kind
from aftercart.cancellations.return_pass import ReturnPass
from aftercart.lib.formats import format_day
from aftercart.lib.times import parse_time
from aftercart.mail.account_texts import (
    write_email_change,
    write_email_moved,
    write_login_code,
    write_password_link,
)
from aftercart.mail.draft import Draft, EmailContent, Section
from aftercart.mail.models import Email
from aftercart.mail.parts import list_refund, list_rows
from aftercart.mail.withdrawal_texts import (
    write_accepted,
    write_acknowledgement,
    write_receipt,
    write_refused,
)
from aftercart.orders.paid import say_unpaid

_Kind = Email.Kind


def _make_draft(
    content: EmailContent, subject: str, heading: str, paragraphs: Sequence[str], **parts: Any
) -> Draft:
    """Make the draft of an e-mail that leads to the order's page.

    A guest's link lives for some days; a customer's page wants log-in and lives as long as the order.
    """
    note = _(
        "The link opens your order without a password and works for %(days)s days. Keep it to yourself."
    ) % {"days": settings.LINK_LIFE.days}
    return Draft(
        subject,
        heading,
        paragraphs,
        button=(_("View your order"), content.url),
        note=note if content.is_guest else "",
        **parts,
    )


def _make_event(content: EmailContent, heading: str, paragraphs: Sequence[str], **parts: Any) -> Draft:
    """Make the draft of an e-mail about some of an order's products, which its heading sums up."""
    subject = _("%(headline)s: order %(number)s") % {"headline": heading, "number": content.number}
    return _make_draft(content, subject, heading, paragraphs, rows=list_rows(content), **parts)


def _make_state(
    content: EmailContent, state: State, *more: str, instead: Sequence[str] = (), **parts: Any
) -> Draft:
    """Make the draft of an e-mail in the words that the page of the submission has for this state.

    `more` follows what they say, `instead` stands in its place.
    """
    words = WORDS[get_kind(content.facts.get("what"))].outcomes[state]
    return _make_event(content, str(words.headline), instead or [str(words.next), *more], **parts)


def _write_link(content: EmailContent) -> Draft:
    return _make_draft(
        content,
        _("Your order %(number)s") % {"number": content.number},
        _("Your order at a glance"),
        [_("Track your order, change its address, cancel it or send items back: all on one page.")],
    )


def _write_reminder(content: EmailContent) -> Draft:
    return _make_draft(
        content,
        _("Is everything all right with order %(number)s?") % {"number": content.number},
        _("Need to change something?"),
        [_("If something isn't right, you can cancel or return it from your order page.")],
    )


def _write_code(content: EmailContent) -> Draft:
    return Draft(
        subject=_("Your code for order %(number)s") % {"number": content.number},
        heading=_("Your one-time code"),
        paragraphs=[
            _(
                "Enter this code on the page where you asked for it. It works once and expires after ten minutes."
            )
        ],
        code=content.secret,
        note=_(
            "If you did not ask for it, ignore this e-mail: nobody can change your order without the code."
        ),
    )


def _list_unpaid(content: EmailContent) -> list[str]:
    """Say that nothing was paid, where that is so."""
    is_unpaid = content.facts.get("is_paid") is False
    return [say_unpaid(has_points=bool(content.facts.get("points")))] if is_unpaid else []


def _list_return(content: EmailContent) -> list[Section]:
    """List how the items get back to the shop, where any do."""
    facts = content.facts.get("return")
    if not isinstance(facts, Mapping):
        return []
    found = ReturnPass.from_facts(facts)
    return [Section(_("How to send it back"), found.rows, found.steps)]


def _write_sent(content: EmailContent) -> Draft:
    refund, sections = list_refund(content, _("Your refund")), _list_return(content)
    return _make_state(content, "sent", *_list_unpaid(content), facts=refund, sections=sections)


def _write_checking(content: EmailContent) -> Draft:
    return _make_state(content, "checking")


def _write_return_code(content: EmailContent) -> Draft:
    found = ReturnPass.from_facts(content.facts.get("return") or {})
    return _make_draft(
        content,
        _("Your return code is %(code)s: order %(number)s") % {"code": found.code, "number": content.number},
        _("Your return code"),
        [_("Write this code on the parcel before you hand it over.")],
        code=found.code,
        is_scanned=True,
        rows=list_rows(content),
        sections=_list_return(content),
    )


def _write_pickup(content: EmailContent) -> Draft:
    found = ReturnPass.from_facts(content.facts.get("return") or {})
    if found.is_pickup_cancelled:
        heading, next_step = _("Your pickup is cancelled"), _("Choose a new time on the page of your return.")
    else:
        heading, next_step = _("Your new pickup time"), _("We will collect your parcel: %(pickup)s.")
    return _make_event(
        content, heading, [next_step % {"pickup": found.pickup}], sections=_list_return(content)
    )


def _list_refunded(content: EmailContent) -> list[str]:
    """Say how a refund stands: that it was made only where the OMS has reported it. Points are there at once."""
    facts = content.facts
    if not facts.get("refund"):
        return []
    is_points = (facts.get("to") or "loyalty") == "loyalty" if "is_paid" in facts else facts.get("as_points")
    if is_points:
        return [_("It is added to your loyalty points.")]
    if facts.get("is_refunded"):
        return [_("We have made your refund. Your bank may take a few days to show it.")]
    due = parse_time(facts.get("due"))
    if due is not None:
        return [_("Your refund is on its way. You will have it by %(day)s.") % {"day": format_day(due)}]
    return [_("Your refund is on its way.")]


def _write_late(content: EmailContent) -> Draft:
    return _make_event(
        content,
        _("These items were cancelled after all"),
        [
            _(
                "We told you something else earlier. Since then, the warehouse has carried out the cancellation."
            ),
            _("Our team is checking your order. If you would like to keep an item, please write to us now."),
        ],
    )


def _write_completed(content: EmailContent) -> Draft:
    label = _("Refunded") if content.facts.get("is_refunded") else _("Your refund")
    instead = _list_unpaid(content) or _list_refunded(content)
    return _make_state(content, "done", instead=instead, facts=list_refund(content, label))


def _write_received(content: EmailContent) -> Draft:
    answer_by = parse_time(content.facts.get("answer_by"))
    return _make_state(
        content,
        "requested",
        _("You will have an answer by %(day)s.") % {"day": format_day(answer_by)},
        *_list_unpaid(content),
        facts=list_refund(content, _("Your refund if approved")),
    )


def _write_approved(content: EmailContent) -> Draft:
    return _make_state(content, "approved", sections=_list_return(content))


def _write_rejected(content: EmailContent) -> Draft:
    return _make_state(content, "declined", quote=str(content.facts.get("reason") or ""))


def _write_moved(content: EmailContent) -> Draft:
    return _make_draft(
        content,
        _("New delivery address for order %(number)s") % {"number": content.number},
        _("Your order will go to the new address"),
        [_("We have changed the delivery address of your order.")],
        quote=str(content.facts.get("address") or ""),
    )


def _write_too_late(content: EmailContent) -> Draft:
    return _make_draft(
        content,
        _("The address of order %(number)s could not be changed") % {"number": content.number},
        _("It was too late to change the address"),
        [
            _(
                "Your order had already left or could no longer be changed. It will be delivered to the previous "
                "address."
            )
        ],
        quote=str(content.facts.get("address") or ""),
    )


def _write_bounced(content: EmailContent) -> Draft:
    words = {"pk": content.facts["request"], "number": content.number}
    cause = str(content.facts.get("cause") or "")
    why = [
        str(say_cause(cause)),
        say_detail(str(content.facts.get("detail") or ""), cause),
    ]
    return Draft(
        subject=_("Did not go through at Omnitron: request #%(pk)s of order %(number)s") % words,
        heading=_("What you approved did not go through at Omnitron"),
        paragraphs=[
            _("You approved request #%(pk)s, but the cancellation did not go through at Omnitron.") % words,
            _(
                "Nothing is cancelled, and the customer was not told that it is. The request needs a decision again."
            ),
        ],
        rows=list_rows(content),
        quote="\n".join(filter(None, why)),
        button=(_("See the request"), content.url),
    )


_WRITERS: Final[dict[str, Callable[[EmailContent], Draft]]] = {
    _Kind.ORDER_LINK: _write_link,
    _Kind.ORDER_LINK_REMINDER: _write_reminder,
    _Kind.GUEST_CODE: _write_code,
    _Kind.CANCELLATION_SENT: _write_sent,
    _Kind.CANCELLATION_CHECKING: _write_checking,
    _Kind.CANCELLATION_CONFIRMED: _write_sent,
    _Kind.RETURN_CODE: _write_return_code,
    _Kind.PICKUP_CHANGED: _write_pickup,
    _Kind.CANCELLATION_LATE: _write_late,
    _Kind.CANCELLATION_COMPLETED: _write_completed,
    _Kind.REQUEST_RECEIVED: _write_received,
    _Kind.REQUEST_APPROVED: _write_approved,
    _Kind.REQUEST_REJECTED: _write_rejected,
    _Kind.APPROVAL_BOUNCED: _write_bounced,
    _Kind.ADDRESS_CHANGED: _write_moved,
    _Kind.ADDRESS_TOO_LATE: _write_too_late,
    _Kind.WITHDRAWAL_STATED: write_acknowledgement,
    _Kind.WITHDRAWAL_RECEIPT: write_receipt,
    _Kind.WITHDRAWAL_ACCEPTED: write_accepted,
    _Kind.WITHDRAWAL_REFUSED: write_refused,
    _Kind.PASSWORD_LINK: write_password_link,
    _Kind.EMAIL_CHANGE: write_email_change,
    _Kind.EMAIL_MOVED: write_email_moved,
    _Kind.LOGIN_CODE: write_login_code,
}


def write_draft(kind: str, content: EmailContent) -> Draft:
    """Put an e-mail into words."""
    return _WRITERS[kind](content)
