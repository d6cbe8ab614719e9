"""Whether anything was paid for an order, or for an item of it: pure facts, no query (docs/money.md).

Points that were spent are another matter: they were paid when the order was placed, and the ledger knows them.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from aftercart.orders.models import Order, OrderItem
from aftercart.orders.status import FINAL, Status

#: The customer transfers the money after ordering, which the shop then waits for.
TRANSFERS: Final = frozenset({"funds_transfer", "bank_transfer", "money_transfer", "wire_transfer"})
#: The courier collects the money at the door.
ON_DELIVERY: Final = frozenset({"pay_on_delivery", "cash_on_delivery", "pay_at_door", "pay_on_door"})
#: Payments that cannot be given back to where they came from, so that an account is needed.
WITHOUT_SOURCE: Final = TRANSFERS | ON_DELIVERY

#: The code of what is said where no money was paid.
NOTHING_PAID: Final = "nothing_paid"
#: The code of the refusal to give back as points what was never paid.
POINTS_NEED_PAYMENT: Final = "points_need_payment"

#: These say by themselves that the money is still to come, however it is to be paid.
_WAITING_FOR_MONEY: Final = frozenset({Status.PAYMENT_WAITING, Status.WAITING_FOR_PAYMENT})
#: A transfer has not even been asked for before the shop waits for it.
_BEFORE_TRANSFER: Final = frozenset({Status.WAITING})
_AFTER_DELIVERY: Final = frozenset({Status.PAID, Status.DELIVERED})
#: These say nothing of the payment: what was before does.
_CANCELLING: Final = FINAL | {Status.CANCELLATION_WAITING}


def is_paid(status: str, *, is_payable: bool, payment_type: str, is_delivered: bool) -> bool:
    """Return whether the money has been paid.

    `status` is where fulfilment stands, not a cancellation; "" where nobody knows. `is_payable` is the shop's
    word that there still is something to pay. What is paid at the door is paid once it is delivered; everything
    else when the order is placed, unless the status says that the money is still waited for.
    """
    if is_payable or status in _WAITING_FOR_MONEY:
        return False
    kind = _normalize(payment_type)
    if kind in ON_DELIVERY:
        return is_delivered or status in _AFTER_DELIVERY
    return kind not in TRANSFERS or status not in _BEFORE_TRANSFER


def _normalize(payment_type: str) -> str:
    return payment_type.strip().lower()


@dataclass(frozen=True, slots=True)
class Payment:
    """What is known of how an order is paid."""

    status: str
    is_payable: bool
    payment_type: str

    @property
    def has_source(self) -> bool:
        """Whether the money can be given back to where it came from, so that no account is needed."""
        return _normalize(self.payment_type) not in WITHOUT_SOURCE

    def covers(self, item: OrderItem) -> bool:
        """Return whether the money for an item of the order has been paid."""
        status = find_fulfilment(item.status, item.status_before)
        return is_paid(
            self.status or status,
            is_payable=self.is_payable,
            payment_type=self.payment_type,
            is_delivered=item.delivered_at is not None
            or (status or item.status) in _AFTER_DELIVERY | {Status.REFUNDED},
        )


def read_payment(order: Order) -> Payment:
    """Read how an order is paid."""
    return Payment(
        status=find_fulfilment(order.status, order.status_before),
        is_payable=order.details.get("is_payable") is True,
        payment_type=order.get_payment_type(),
    )


def is_payment_shown(before: str, after: str, payment_type: str) -> bool:
    """Return whether a move of an order's status shows that it was paid: it was waited for, and is no more."""

    def is_reached(status: str) -> bool:
        return is_paid(status, is_payable=False, payment_type=payment_type, is_delivered=False)

    return is_reached(after) and not is_reached(before)


def say_unpaid(*, has_points: bool) -> str:
    """Say what comes back where no money was paid: nothing, or the points that were spent."""
    if has_points:
        return _("No money was paid, so only the points that you spent are returned.")
    return _("Nothing was paid, so nothing is returned.")


def find_fulfilment(status: str, status_before: str) -> str:
    """Find where fulfilment stands, or stood before a cancellation; "" where nobody knows."""
    if status not in _CANCELLING:
        return status
    return "" if status_before in _CANCELLING else status_before
