"""Where an order or an item stands, in the customer's words. The API keeps to the contract's labels."""

from dataclasses import dataclass
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from aftercart.cancellations.kind_words import WORDS
from aftercart.cancellations.models.reasons import SubmissionKind
from aftercart.orders.status import Status

Tone = Literal["good", "info", "warn", "quiet"]
Text = str | Promise


@dataclass(frozen=True, slots=True)
class ItemWords:
    """A short badge, and the tone that colours it; the colour never says what the words do not."""

    label: Text
    tone: Tone


@dataclass(frozen=True, slots=True)
class OrderWords:
    """A headline and what happens next. `step` counts from 0 along `STEPS`; None: not on that road."""

    headline: Text
    next: Text
    step: int | None = None


STEPS: Final = (_("Order placed"), _("Preparing"), _("On its way"), _("Delivered"))

ITEM_WORDS: Final = {
    Status.CANCELLATION_WAITING: ItemWords(WORDS[SubmissionKind.CANCEL].in_progress, "warn"),
    Status.CANCELED: ItemWords(_("Cancelled"), "quiet"),
    Status.WAITING: ItemWords(_("Order received"), "info"),
    Status.PAYMENT_WAITING: ItemWords(_("Waiting for payment"), "warn"),
    Status.CONFIRMATION_WAITING: ItemWords(_("Being confirmed"), "info"),
    Status.APPROVED: ItemWords(_("Order confirmed"), "info"),
    Status.PREPARING: ItemWords(_("Being prepared"), "info"),
    Status.SHIPPED: ItemWords(_("On its way"), "info"),
    Status.SHIPPED_AND_INFORMED: ItemWords(_("On its way"), "info"),
    Status.READY_FOR_PICKUP: ItemWords(_("Ready for pick-up"), "good"),
    Status.ATTEMPTED_DELIVERY: ItemWords(_("Delivery attempted"), "warn"),
    Status.REVIEW_STARTED: ItemWords(_("Being reviewed"), "info"),
    Status.REVIEW_WAITING: ItemWords(_("Being reviewed"), "info"),
    Status.WAITING_FOR_PAYMENT: ItemWords(_("Waiting for payment"), "warn"),
    Status.PAID: ItemWords(_("Paid"), "good"),
    Status.DELIVERED: ItemWords(_("Delivered"), "good"),
    Status.REFUNDED: ItemWords(_("Returned"), "quiet"),
}

RETURN_IN_PROGRESS: Final = ItemWords(WORDS[SubmissionKind.RETURN].in_progress, "warn")
#: What an item gets beside its own badge while somebody decides on a request about it.
REQUESTED: Final = {
    kind.value: ItemWords(WORDS[kind].requested, "warn")
    for kind in (SubmissionKind.CANCEL, SubmissionKind.RETURN)
}

#: The headline of an order of which everything is being cancelled or returned.
ORDER_IN_PROGRESS: Final = {
    SubmissionKind.CANCEL: _("Your cancellation is in progress"),
    SubmissionKind.RETURN: _("Your return is in progress"),
    SubmissionKind.BOTH: _("Your cancellation and return are in progress"),
    SubmissionKind.WITHDRAWAL: _("Your withdrawal is in progress"),
}

_ON_ITS_WAY: Final = OrderWords(
    _("Your order is on its way"),
    _("The carrier has it now."),
    2,
)
_REVIEW: Final = OrderWords(
    _("Your order is being reviewed"), _("Our team is looking at it and will e-mail you the result."), 2
)

ORDER_WORDS: Final = {
    Status.CANCELLATION_WAITING: OrderWords(
        ORDER_IN_PROGRESS[SubmissionKind.CANCEL], _("We will e-mail you as soon as it is decided.")
    ),
    Status.CANCELED: OrderWords(_("Your order has been cancelled"), _("Nothing more will be delivered.")),
    Status.WAITING: OrderWords(
        _("We have received your order"), _("Next, we confirm it and start preparing it."), 0
    ),
    Status.PAYMENT_WAITING: OrderWords(
        _("We are waiting for your payment"),
        _("As soon as it has arrived, we start preparing your order."),
        0,
    ),
    Status.CONFIRMATION_WAITING: OrderWords(
        _("Your order is being confirmed"), _("After that, we start preparing it."), 0
    ),
    Status.APPROVED: OrderWords(_("Your order is confirmed"), _("Next, we prepare it for shipping."), 0),
    Status.PREPARING: OrderWords(
        _("We are preparing your order"), _("Next, we hand it over to the carrier."), 1
    ),
    Status.SHIPPED: _ON_ITS_WAY,
    Status.SHIPPED_AND_INFORMED: _ON_ITS_WAY,
    Status.READY_FOR_PICKUP: OrderWords(_("Your order is ready for pickup"), _("You can collect it now."), 2),
    Status.ATTEMPTED_DELIVERY: OrderWords(
        _("The carrier could not deliver your order"),
        _("The carrier's tracking page shows what happens next."),
        2,
    ),
    Status.REVIEW_STARTED: _REVIEW,
    Status.REVIEW_WAITING: _REVIEW,
    Status.WAITING_FOR_PAYMENT: OrderWords(
        _("We are waiting for your payment"), _("As soon as it has arrived, your order is complete."), 2
    ),
    Status.PAID: OrderWords(_("Your payment has arrived"), _("There is nothing else you need to do."), 2),
    Status.DELIVERED: OrderWords(_("Your order has been delivered"), _("We hope you enjoy it."), 3),
    Status.REFUNDED: OrderWords(
        _("Your order has been returned"), _("There is nothing else you need to do.")
    ),
}
