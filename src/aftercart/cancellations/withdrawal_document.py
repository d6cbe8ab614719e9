"""A statement of withdrawal as JSON."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from aftercart.cancellations.public_statements import PublicStatement
from aftercart.cancellations.withdrawals import Withdrawal
from aftercart.lib.times import format_time


def withdrawal_document(withdrawal: Withdrawal) -> dict[str, Any]:
    """Return a statement as a document. The receipt's address is for the customer's browser."""
    number = withdrawal.order.number
    path = reverse("withdrawal-receipt", args=[number, withdrawal.uuid])
    return {
        "uuid": str(withdrawal.uuid),
        "number": number,
        "name": withdrawal.name,
        "email": withdrawal.email,
        "statement": withdrawal.statement,
        "items": [
            {"order_item": line.order_item_id, "quantity": line.quantity} for line in withdrawal.lines.all()
        ],
        "submitted_at": format_time(withdrawal.submitted_at),
        "state": {"value": withdrawal.state, "label": withdrawal.get_state_display()},
        "reason": withdrawal.reason,
        "decided_at": format_time(withdrawal.decided_at),
        "receipt_url": f"{settings.PUBLIC_URL}{path}",
    }


def statement_document(statement: PublicStatement) -> dict[str, Any]:
    """Return a public statement as JSON: nothing that depends on whether there is such an order."""
    return {
        "uuid": str(statement.uuid),
        "submitted_at": format_time(statement.submitted_at),
        "is_acknowledged": statement.is_acknowledged,
        "receipt_url": f"{settings.PUBLIC_URL}/withdraw/{statement.uuid}/",
    }
