"""The statuses of orders and items (contract section 7), and which may follow which: one table."""

from enum import StrEnum
from typing import Final

from django.utils.translation import gettext_lazy as _


class Status(StrEnum):
    """A status, as the numeric string that the contract speaks."""

    CANCELLATION_WAITING = "50"
    CANCELED = "100"
    WAITING = "200"
    PAYMENT_WAITING = "300"
    CONFIRMATION_WAITING = "350"
    APPROVED = "400"
    PREPARING = "450"
    SHIPPED = "500"
    SHIPPED_AND_INFORMED = "510"
    READY_FOR_PICKUP = "520"
    ATTEMPTED_DELIVERY = "540"
    REVIEW_STARTED = "544"
    REVIEW_WAITING = "545"
    WAITING_FOR_PAYMENT = "546"
    PAID = "547"
    DELIVERED = "550"
    REFUNDED = "600"


LABELS: Final = {
    Status.CANCELLATION_WAITING: _("Cancellation waiting"),
    Status.CANCELED: _("Cancelled"),
    Status.WAITING: _("Waiting"),
    Status.PAYMENT_WAITING: _("Waiting for payment"),
    Status.CONFIRMATION_WAITING: _("Waiting for confirmation"),
    Status.APPROVED: _("Approved"),
    Status.PREPARING: _("Preparing"),
    Status.SHIPPED: _("Shipped"),
    Status.SHIPPED_AND_INFORMED: _("Shipped and informed"),
    Status.READY_FOR_PICKUP: _("Ready for pick-up"),
    Status.ATTEMPTED_DELIVERY: _("Delivery attempted"),
    Status.REVIEW_STARTED: _("Review started"),
    Status.REVIEW_WAITING: _("Waiting for review"),
    Status.WAITING_FOR_PAYMENT: _("Waiting for payment"),
    Status.PAID: _("Paid"),
    Status.DELIVERED: _("Delivered"),
    Status.REFUNDED: _("Refunded"),
}
CHOICES: Final = [(status.value, LABELS[status]) for status in Status]

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
