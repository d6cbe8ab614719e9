"""The statuses of orders and items (contract section 7), and which may follow which: one table."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """A status, as the numeric string that the contract speaks, with its words."""

    CANCELLATION_WAITING = "50", _("Cancellation waiting")
    CANCELED = "100", _("Cancelled")
    WAITING = "200", _("Waiting")
    PAYMENT_WAITING = "300", _("Waiting for payment")
    CONFIRMATION_WAITING = "350", _("Waiting for confirmation")
    APPROVED = "400", _("Approved")
    PREPARING = "450", _("Preparing")
    SHIPPED = "500", _("Shipped")
    SHIPPED_AND_INFORMED = "510", _("Shipped and informed")
    READY_FOR_PICKUP = "520", _("Ready for pick-up")
    ATTEMPTED_DELIVERY = "540", _("Delivery attempted")
    REVIEW_STARTED = "544", _("Review started")
    REVIEW_WAITING = "545", _("Waiting for review")
    WAITING_FOR_PAYMENT = "546", _("Waiting for payment")
    PAID = "547", _("Paid")
    DELIVERED = "550", _("Delivered")
    REFUNDED = "600", _("Refunded")


#: The end of the road: nothing follows.
FINAL: Final = frozenset({Status.CANCELED, Status.REFUNDED})
#: Statuses that an item has only if a cancellation of it was taken; of the payment they say nothing.
CANCELLING: Final = FINAL | {Status.CANCELLATION_WAITING}
#: Where nothing of the item is cancelled or being cancelled.
_FULFILMENT: Final = tuple(s for s in Status if s not in CANCELLING)
#: Has left the warehouse: can be returned, not cancelled.
SHIPPED: Final = frozenset(s for s in _FULFILMENT if s >= Status.SHIPPED)

#: Fulfilment goes forward; it may skip steps, since we see only what the OMS tells.
_FORWARD: Final = {(a, b) for i, a in enumerate(_FULFILMENT) for b in _FULFILMENT[i + 1 :]}
_CANCEL: Final = {(s, Status.CANCELLATION_WAITING) for s in _FULFILMENT}
#: A rejected cancellation gives back the status before: the one way backwards.
_REJECT: Final = {(Status.CANCELLATION_WAITING, s) for s in _FULFILMENT}
#: Decided by the OMS, whether we had seen it wait or not.
_DECIDE: Final = {(s, Status.CANCELED) for s in (*_FULFILMENT, Status.CANCELLATION_WAITING)} | {
    (s, Status.REFUNDED) for s in (*SHIPPED, Status.CANCELLATION_WAITING)
}

LEGAL_MOVES: Final = frozenset(_FORWARD | _CANCEL | _REJECT | _DECIDE)


def is_legal_move(before: str, after: str) -> bool:
    """Return whether an item or an order may go from one status to the other."""
    return (before, after) in LEGAL_MOVES
