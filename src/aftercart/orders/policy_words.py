"""The codes that topics have by themselves, and what the customer is told for each."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from aftercart.orders.policies import CaseKind, Clause, Topic

#: What a finding is called whose clause has no code of its own. Clients rely on these.
TOPIC_CODES: Final = {
    Topic.STATUS: "status_not_allowed",
    Topic.INVOICE: "has_invoice",
    Topic.DIRECT_WINDOW: "direct_window_passed",
    Topic.FINAL_SALE: "final_sale",
    Topic.RETURN_WINDOW: "return_window_closed",
    Topic.APPROVAL: "type_needs_approval",
    Topic.AMOUNT: "amount_needs_approval",
    Topic.PARTIAL_LINE: "partial_line",
    Topic.MIXED_TYPES: "mixed_types",
    Topic.COUNTRY: "other_country",
    Topic.EASY_RETURN: "easy_return",
    Topic.FEE: "fee",
    Topic.SHIPPING_REFUND: "shipping_refund",
}

_SENTENCES: Final[dict[Topic, Promise]] = {
    Topic.STATUS: _("Order can't be cancelled in this status."),
    Topic.INVOICE: _("This item has been invoiced already, so our team checks it first."),
    Topic.DIRECT_WINDOW: _("The time for an immediate cancellation is over, so our team checks it first."),
    Topic.FINAL_SALE: _("This item is a final sale and can't be returned."),
    Topic.RETURN_WINDOW: _("The time for returning this item is over."),
    Topic.APPROVAL: _("Our team checks every request of this kind."),
    Topic.AMOUNT: _("Our team checks requests of this amount."),
    Topic.PARTIAL_LINE: _("You are keeping some units of this item, so our team handles the others."),
    Topic.MIXED_TYPES: _("Your request both cancels and returns items, so our team handles it."),
    Topic.COUNTRY: _("The new address must be in the same country."),
}
_TOO_LATE_FOR_ADDRESS: Final = _("It is too late to change this order's address.")


def get_code(topic: Topic, clause: Clause | None) -> str:
    """Give the stable code of what a clause says, or of what a topic says where no clause does."""
    return (clause.code if clause else "") or TOPIC_CODES[topic]


def say_sentence(topic: Topic, clause: Clause | None, kind: CaseKind) -> str:
    """Say to the customer, in their language, what a clause says: in its own words, or in the topic's."""
    own = ""
    if clause is not None:
        is_turkish = (get_language() or "").startswith("tr")
        first, second = clause.message_en, clause.message_tr
        own = (second or first) if is_turkish else (first or second)
    if own:
        return own
    if topic is Topic.STATUS and kind == "address_change":
        return str(_TOO_LATE_FOR_ADDRESS)
    return str(_SENTENCES.get(topic, ""))
