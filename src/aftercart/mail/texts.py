"""The words of each kind of e-mail about orders, in the language that is active. Pure: facts in, draft out."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from aftercart.cancellations.causes import say_cause, say_detail
from aftercart.lib.formats import format_day, format_money
from aftercart.lib.times import parse_time
from aftercart.mail.account_texts import write_email_change, write_password_link
from aftercart.mail.draft import Draft, EmailContent, Row
from aftercart.mail.models import Email
from aftercart.mail.withdrawal_texts import write_accepted, write_receipt, write_refused
from aftercart.orders.payment import say_unpaid
from aftercart.orders.refund_words import name_destination

_Kind = Email.Kind


def _make_button(content: EmailContent) -> tuple[str, str]:
    return (_("See your order"), content.url)


def _make_note(content: EmailContent) -> str:
    """Say how long a guest's link lives; a customer's page wants log-in and lives as long as the order."""
    if not content.is_guest:
        return ""
    return _(
        "The link opens your order without a password and works for %(days)s days. Keep it to yourself."
    ) % {"days": settings.LINK_LIFE.days}


def _list_rows(content: EmailContent) -> tuple[Row, ...]:
    currency = str(content.facts.get("currency") or "")
    return tuple(
        Row(
            str(item["name"]),
            int(item["quantity"]),
            format_money(item["amount"], currency) if item.get("amount") else "",
        )
        for item in content.facts.get("items", ())
    )


def _write_link(content: EmailContent) -> Draft:
    return Draft(
        subject=_("Your order %(number)s") % {"number": content.number},
        heading=_("Your order at a glance"),
        paragraphs=[
            _("Follow your order, change its address, cancel it or send items back: all on one page."),
        ],
        button=_make_button(content),
        note=_make_note(content),
    )


def _write_reminder(content: EmailContent) -> Draft:
    return Draft(
        subject=_("How is your order %(number)s?") % {"number": content.number},
        heading=_("Your order is still at hand"),
        paragraphs=[_("Should something not fit, you can cancel or return it on the page of your order.")],
        button=_make_button(content),
        note=_make_note(content),
    )


def _write_code(content: EmailContent) -> Draft:
    return Draft(
        subject=_("Your code for order %(number)s") % {"number": content.number},
        heading=_("Your one-time code"),
        paragraphs=[_("Enter this code on the page where you asked for it. It works once, for ten minutes.")],
        code=content.secret,
        note=_("If it was not you who asked, do nothing: without the code nobody can change your order."),
    )


def _list_refund(content: EmailContent, label: str) -> list[tuple[str, str]]:
    """List what comes back, if anything does: how much, the points in it, and where the rest goes."""
    facts = content.facts
    refund, points = facts.get("refund"), facts.get("points")
    currency = str(facts.get("currency") or "")
    rows = [(label, format_money(refund, currency))] if refund else []
    if refund and points:
        rows.append((_("Of that in points, as you paid with points"), format_money(points, currency)))
    if refund and facts.get("to"):
        to, end, method = (str(facts.get(name) or "") for name in ("to", "account_end", "method"))
        rows.append((_("Goes to"), name_destination(to, account_end=end, method=method)))
    return rows


def _list_unpaid(content: EmailContent) -> list[str]:
    """Say that nothing was paid, where that is so."""
    is_unpaid = content.facts.get("is_paid") is False
    return [say_unpaid(has_points=bool(content.facts.get("points")))] if is_unpaid else []


def _say_next(content: EmailContent) -> str:
    if content.facts.get("is_paid") is False:
        return _("As soon as it is done we write again.")
    return _("As soon as it is done we write again, and tell you what comes back.")


def _write_sent(content: EmailContent) -> Draft:
    return Draft(
        subject=_("We have passed on your cancellation of order %(number)s") % {"number": content.number},
        heading=_("Your cancellation is on its way"),
        paragraphs=[
            _("We have passed on what you no longer want. It is being confirmed."),
            *_list_unpaid(content),
            _say_next(content),
        ],
        rows=_list_rows(content),
        facts=_list_refund(content, _("Comes back to you")),
        button=_make_button(content),
        note=_make_note(content),
    )


def _write_confirmed(content: EmailContent) -> Draft:
    return Draft(
        subject=_("Your cancellation of order %(number)s has gone through") % {"number": content.number},
        heading=_("Your cancellation has gone through"),
        paragraphs=[
            _("Our check has found it: your cancellation has arrived and is being carried out."),
            *_list_unpaid(content),
            _say_next(content),
        ],
        rows=_list_rows(content),
        facts=_list_refund(content, _("Comes back to you")),
        button=_make_button(content),
        note=_make_note(content),
    )


def _list_refunded(content: EmailContent) -> list[str]:
    """Say how a refund stands: that it was made only where Omnitron has reported it. Points are there at once."""
    facts = content.facts
    if not facts.get("refund"):
        return []
    is_points = (facts.get("to") or "loyalty") == "loyalty" if "is_paid" in facts else facts.get("as_points")
    if is_points:
        return [_("It is credited as loyalty points.")]
    if facts.get("is_refunded"):
        return [_("Your refund has been made. Your bank may take some days to show it.")]
    return [_("Your refund is on its way.")]


def _write_late(content: EmailContent) -> Draft:
    return Draft(
        subject=_("A cancellation of your order %(number)s has gone through after all")
        % {"number": content.number},
        heading=_("Cancelled after all"),
        paragraphs=[
            _(
                "We had told you otherwise, but a cancellation of these items was carried out later than expected."
            ),
            _(
                "Our team knows about it and is checking your order. If you want to keep an item, write to us now."
            ),
        ],
        rows=_list_rows(content),
        button=_make_button(content),
        note=_make_note(content),
    )


def _write_completed(content: EmailContent) -> Draft:
    return Draft(
        subject=_("Cancelled: items of your order %(number)s") % {"number": content.number},
        heading=_("It is done"),
        paragraphs=[
            _("These items are cancelled or returned."),
            *(_list_unpaid(content) or _list_refunded(content)),
        ],
        rows=_list_rows(content),
        facts=_list_refund(
            content, _("Refunded") if content.facts.get("is_refunded") else _("On its way to you")
        ),
        button=_make_button(content),
        note=_make_note(content),
    )


def _write_received(content: EmailContent) -> Draft:
    answer_by = parse_time(content.facts.get("answer_by"))
    return Draft(
        subject=_("We have received your request about order %(number)s") % {"number": content.number},
        heading=_("Your request is with our team"),
        paragraphs=[
            _("We could not do it at once, so our team decides. You need not send it again."),
            _("We will tell you by %(day)s.") % {"day": format_day(answer_by)},
            *_list_unpaid(content),
        ],
        rows=_list_rows(content),
        facts=_list_refund(content, _("Comes back to you if we agree")),
        button=_make_button(content),
        note=_make_note(content),
    )


def _write_approved(content: EmailContent) -> Draft:
    return Draft(
        subject=_("Approved: your request about order %(number)s") % {"number": content.number},
        heading=_("Our team has approved your request"),
        paragraphs=[_("It is carried out now. As soon as it is done we write again.")],
        rows=_list_rows(content),
        button=_make_button(content),
        note=_make_note(content),
    )


def _write_rejected(content: EmailContent) -> Draft:
    return Draft(
        subject=_("Declined: your request about order %(number)s") % {"number": content.number},
        heading=_("We could not do what you asked"),
        paragraphs=[_("Your request was declined. The items stay yours, and the order goes on as before.")],
        rows=_list_rows(content),
        quote=str(content.facts.get("reason") or ""),
        button=_make_button(content),
        note=_make_note(content),
    )


def _write_moved(content: EmailContent) -> Draft:
    return Draft(
        subject=_("New delivery address for order %(number)s") % {"number": content.number},
        heading=_("Your order goes to the new address"),
        paragraphs=[_("We have changed where your order is delivered.")],
        quote=str(content.facts.get("address") or ""),
        button=_make_button(content),
        note=_make_note(content),
    )


def _write_too_late(content: EmailContent) -> Draft:
    return Draft(
        subject=_("The address of order %(number)s could not be changed") % {"number": content.number},
        heading=_("It was too late for the new address"),
        paragraphs=[
            _("The order had left, or could not be changed any more. It goes to the address it had before.")
        ],
        quote=str(content.facts.get("address") or ""),
        button=_make_button(content),
        note=_make_note(content),
    )


def _write_bounced(content: EmailContent) -> Draft:
    words = {"pk": content.facts["request"], "number": content.number}
    cause = str(content.facts.get("cause") or "")
    why = [
        str(say_cause(cause)),
        say_detail(str(content.facts.get("detail") or ""), cause),
    ]
    return Draft(
        subject=_("Not taken by Omnitron: request #%(pk)s of order %(number)s") % words,
        heading=_("Omnitron did not take what you approved"),
        paragraphs=[
            _("You approved request #%(pk)s, and Omnitron did not take the cancellation.") % words,
            _(
                "Nothing is cancelled, and the customer has not been told so. The request waits for a decision again."
            ),
        ],
        rows=_list_rows(content),
        quote="\n".join(filter(None, why)),
        button=(_("See the request"), content.url),
    )


_WRITERS: Final[dict[str, Callable[[EmailContent], Draft]]] = {
    _Kind.ORDER_LINK: _write_link,
    _Kind.ORDER_LINK_REMINDER: _write_reminder,
    _Kind.GUEST_CODE: _write_code,
    _Kind.CANCELLATION_SENT: _write_sent,
    _Kind.CANCELLATION_CONFIRMED: _write_confirmed,
    _Kind.CANCELLATION_LATE: _write_late,
    _Kind.CANCELLATION_COMPLETED: _write_completed,
    _Kind.REQUEST_RECEIVED: _write_received,
    _Kind.REQUEST_APPROVED: _write_approved,
    _Kind.REQUEST_REJECTED: _write_rejected,
    _Kind.APPROVAL_BOUNCED: _write_bounced,
    _Kind.ADDRESS_CHANGED: _write_moved,
    _Kind.ADDRESS_TOO_LATE: _write_too_late,
    _Kind.WITHDRAWAL_RECEIPT: write_receipt,
    _Kind.WITHDRAWAL_ACCEPTED: write_accepted,
    _Kind.WITHDRAWAL_REFUSED: write_refused,
    _Kind.PASSWORD_LINK: write_password_link,
    _Kind.EMAIL_CHANGE: write_email_change,
}


def write_draft(kind: str, content: EmailContent) -> Draft:
    """Put an e-mail into words."""
    return _WRITERS[kind](content)
