"""A statement of withdrawal as JSON."""

from typing import Any, Final

from django.conf import settings
from django.urls import reverse

from aftercart.cancellations.models import public_statements, withdrawals
from aftercart.lib.documents import Document, flag, integer, make_enumeration, moment, text

_STATES: Final = {
    "received": "submitted, and its receipt sent; no decision yet",
    "accepted": "the contract is undone",
    "refused": "in the shop's view it has no effect; `reason` says why",
}
WithdrawalState = make_enumeration(
    "WithdrawalState",
    "What was decided, apart from the receipt.",
    _STATES,
    labels=dict(withdrawals.Withdrawal.State.choices),
)


class WithdrawnItem(Document):
    """Units of an item."""

    order_item = integer("The item's id.", source="order_item_id")
    quantity = integer("Units that were left of it.", minimum=1)


class Withdrawal(Document):
    """A statement of withdrawal, as it was submitted, and the decision on it."""

    uuid = text("The receipt's number.", format="uuid")
    number = text("The order's number.", source="order.number")
    name = text("The consumer's.")
    email = text("Where the receipt went.", format="email")
    statement = text("What was declared, in the consumer's language.")
    items = WithdrawnItem(many=True)
    submitted_at = moment("The time that the receipt bears.")
    state = WithdrawalState()
    reason = text("Why it was refused; else empty.")
    decided_at = moment(null=True)
    receipt_url = text("The receipt as a page, for the customer's browser.", format="uri")


class PublicStatement(Document):
    """A statement that was recorded; it says nothing of whether there is such an order."""

    uuid = text("The reference that the receipt bears.", format="uuid")
    submitted_at = moment("The time that counts.")
    is_acknowledged = flag("Whether a receipt goes out by e-mail; not beyond what one address may get.")
    receipt_url = text("The receipt as a page, with the way on to the order.", format="uri")


def withdrawal_document(withdrawal: withdrawals.Withdrawal) -> dict[str, Any]:
    """Return a statement as a document. The receipt's address is for the customer's browser."""
    path = reverse("withdrawal-receipt", args=[withdrawal.order.number, withdrawal.uuid])
    return Withdrawal.write(
        withdrawal,
        uuid=str(withdrawal.uuid),
        items=[WithdrawnItem.write(line) for line in withdrawal.lines.all()],
        receipt_url=f"{settings.PUBLIC_URL}{path}",
    )


def statement_document(statement: public_statements.PublicStatement) -> dict[str, Any]:
    """Return a public statement as JSON: nothing that depends on whether there is such an order."""
    receipt_url = f"{settings.PUBLIC_URL}/withdraw/{statement.uuid}/"
    return PublicStatement.write(statement, uuid=str(statement.uuid), receipt_url=receipt_url)
