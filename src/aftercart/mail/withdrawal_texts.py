"""The words of the e-mails about withdrawals (docs/withdrawal.md). The receipt never sounds like an acceptance."""

from datetime import UTC

from django.utils.translation import gettext as _

from aftercart.lib.formats import format_day, format_moment
from aftercart.lib.times import parse_time
from aftercart.mail.draft import Draft, EmailContent
from aftercart.mail.parts import list_refund, list_rows
from aftercart.orders.paid import say_unpaid


def _list_stated(content: EmailContent) -> list[tuple[str, str]]:
    """List when something was stated, to the second, and by whom."""
    at = parse_time(content.facts.get("submitted_at"))
    return [
        (_("Submitted"), "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"),
        (_("In the shop's time"), format_moment(at)),
        (_("Name"), str(content.facts.get("name") or "")),
    ]


def write_receipt(content: EmailContent) -> Draft:
    """Write the acknowledgement that the directive asks for: the content, and when it was submitted."""
    return Draft(
        subject=_("Receipt: your withdrawal from contract %(number)s") % {"number": content.number},
        heading=_("We have received your withdrawal"),
        paragraphs=[
            _("This e-mail confirms that we have received your statement, with its content and the time."),
            _("It is a receipt, not a decision. We will send you our decision in a separate e-mail."),
        ],
        facts=[
            *_list_stated(content),
            (_("Contract"), content.number),
            (_("Ordered on"), format_day(parse_time(content.facts.get("ordered_at")))),
            (_("Receipt sent to"), str(content.facts.get("email") or "")),
            (_("Receipt number"), str(content.facts.get("uuid") or "")),
        ],
        quote=str(content.facts.get("statement") or ""),
        rows=list_rows(content),
        button=(_("View your order"), content.url),
        note=_("Keep this e-mail. It shows what you told us, and when."),
    )


def write_acknowledgement(content: EmailContent) -> Draft:
    """Write that a public statement was received: what was typed, and when; nobody knows yet by whom."""
    return Draft(
        subject=_("Receipt: your statement of withdrawal"),
        heading=_("We have received your statement"),
        paragraphs=[
            _("This e-mail confirms that we have received your statement, with its content and the time."),
            _(
                "It is a receipt, not a decision. Next, we look for your order and write to the e-mail address it was"
                " placed with."
            ),
        ],
        facts=[
            *_list_stated(content),
            (_("Order number"), str(content.facts.get("number") or "")),
            (_("Items"), str(content.facts.get("items") or _("The whole order"))),
            (_("Reference"), str(content.facts.get("uuid") or "")),
        ],
        button=(_("Speed it up"), content.url),
        note=_(
            "If you did not state this, ignore this e-mail: nothing is cancelled before we know who ordered."
        ),
    )


def write_accepted(content: EmailContent) -> Draft:
    """Write that the contract is undone."""
    return Draft(
        subject=_("Accepted: your withdrawal from contract %(number)s") % {"number": content.number},
        heading=_("We have accepted your withdrawal"),
        paragraphs=[
            _("The contract for these items has ended."),
            say_unpaid(has_points=False)
            if content.facts.get("is_paid") is False
            else _("We will refund what you paid within 14 days of your statement."),
        ],
        rows=list_rows(content),
        facts=list_refund(content, _("Your refund")),
        button=(_("View your order"), content.url),
    )


def write_refused(content: EmailContent) -> Draft:
    """Write that it has no effect, and why."""
    return Draft(
        subject=_("Decision on your withdrawal from contract %(number)s") % {"number": content.number},
        heading=_("We could not accept your withdrawal"),
        paragraphs=[_("We have checked your statement and cannot accept it, for this reason:")],
        rows=list_rows(content),
        quote=str(content.facts.get("reason") or ""),
        button=(_("View your order"), content.url),
        note=_("If you disagree, reply to this e-mail. You can also turn to a consumer organisation."),
    )
