"""What the demo's cancelled and returned orders have given back: pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from aftercart.lib.money import ZERO
from aftercart.orders.paid import is_paid
from aftercart.orders.status import FINAL, Status


def find_refund(status: str, payment: Mapping[str, Any], amount: Decimal) -> Decimal:
    """Find what was given back of what cost `amount`: nothing of what nobody has paid.

    What is cancelled was not delivered, so it was not paid at the door.
    """
    was_paid = is_paid(
        "",
        is_payable=False,
        payment_type=str(payment["payment_type"]),
        is_delivered=status == Status.REFUNDED,
    )
    return amount if status in FINAL and was_paid else ZERO
