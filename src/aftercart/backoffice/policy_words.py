"""The policy in words for staff: whom a clause is about, what it says, what became of it."""

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.backoffice.words import NOTHING, Text, say_moment, show_badge
from aftercart.cancellations.models.policies import PolicyType
from aftercart.orders.policy.clauses import Clause, PolicyBook
from aftercart.orders.policy.explain import Look
from aftercart.orders.policy.topics import Effect, Topic
from aftercart.orders.status import Status

_SELECTORS: Final[dict[str, Text]] = {
    "channel": gettext_lazy("channel"),
    "sku": gettext_lazy("sku"),
    "category": gettext_lazy("category"),
    "status": gettext_lazy("status"),
    "payment": gettext_lazy("payment"),
    "client": gettext_lazy("client"),
    "country": gettext_lazy("country"),
    "amount": gettext_lazy("amount"),
    "currency": gettext_lazy("currency"),
    "type": gettext_lazy("type"),
}
_TONES: Final = {Effect.ALLOW: "good", Effect.REVIEW: "warn", Effect.REFUSE: "wrong"}


def name_book(book: PolicyBook) -> str:
    """Name a version."""
    if book.version is None:
        return _("the default of the settings")
    return _("version #%(pk)s") % {"pk": book.version}


def show_effect(effect: Effect) -> Text:
    """Make the badge of an effect."""
    return show_badge(effect.label, _TONES[effect])


def say_subject(clause: Clause) -> str:
    """Say what a clause is about, selector by selector, the weightiest first."""
    amounts = [
        _("above %(amount)s") % {"amount": clause.amount_above.normalize()} if clause.amount_above else "",
        _("up to %(amount)s") % {"amount": clause.amount_up_to.normalize()} if clause.amount_up_to else "",
    ]
    selectors = (
        ("channel", [] if clause.channel_id is None else [clause.channel_id]),
        ("sku", clause.sku_patterns),
        ("category", clause.category_patterns),
        ("status", [_name_status(status) for status in sorted(clause.statuses)]),
        ("payment", sorted(clause.payment_types)),
        ("client", sorted(clause.client_types)),
        ("country", [code.upper() for code in sorted(clause.countries)]),
        ("amount", [text for text in amounts if text]),
        ("currency", [clause.currency] if clause.currency else []),
        ("type", [PolicyType(clause.cancellation_type).label] if clause.cancellation_type else []),
    )
    parts = [
        f"{_SELECTORS[name]}: {', '.join(str(v) for v in values)}" for name, values in selectors if values
    ]
    return "; ".join(parts) or _("everything")


def say_content(clause: Clause) -> str:
    """Say what else a clause says: its window, its terms, its code."""
    parts = []
    if clause.window is not None:
        parts.append(
            _("%(length)s %(unit)s from: %(basis)s")
            % {
                "length": clause.window.length,
                "unit": clause.window.unit.label,
                "basis": clause.window.basis.label,
            }
        )
    if clause.topic is Topic.FEE:
        parts.append(
            _("%(fixed)s %(currency)s and %(percent)s%%")
            % {
                "fixed": f"{clause.fee_fixed.normalize():f}",
                "currency": clause.currency,
                "percent": f"{clause.fee_percent.normalize():f}",
            }
        )
    if clause.topic is Topic.SHIPPING_REFUND:
        parts.append(str(clause.shipping_refund.label))
    if clause.code:
        parts.append(clause.code)
    return "; ".join(parts) or NOTHING


def say_outcome(look: Look) -> str:
    """Say what became of a clause that was looked at."""
    until = _(" (until %(at)s)") % {"at": say_moment(look.ends_at)} if look.ends_at else ""
    if look.speaks:
        return _("Decides.") + until
    if look.decides:
        return _("Decides, and does not stand in the way.") + until
    if look.mismatch:
        return _("Does not apply here: %(selector)s.") % {"selector": _SELECTORS[look.mismatch]}
    return _("Another one is more specific.")


def _name_status(status: str) -> str:
    return f"{status} {dict(Status.choices).get(status, '')}".rstrip()
