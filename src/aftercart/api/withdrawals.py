"""`POST /orders/{order number}/withdraw/`: the withdrawal function for storefronts (ours; docs/withdrawal.md)."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aftercart.actions.withdraw_order import WithdrawalCommand, withdraw_order
from aftercart.api.authentication import get_user
from aftercart.api.schema.withdrawals import withdraw_from_contract
from aftercart.api.withdrawal_serializer import WithdrawalSerializer
from aftercart.cancellations.withdrawals import Withdrawal
from aftercart.lib.times import format_time
from aftercart.omnitron.connect import get_client


class WithdrawOrder(APIView):
    """A statement of withdrawal from the contract that an order is."""

    @withdraw_from_contract
    def post(self, request: Request, number: str) -> Response:
        """Record the statement and send its receipt: 201; the same statement again, marked, for a repeat."""
        user = get_user(request)
        serializer = WithdrawalSerializer(data=request.data, context={"user": user})
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        command = WithdrawalCommand(number, user, data["name"], data["email"], tuple(data["items"]))
        done = withdraw_order(command, get_client())
        headers = {"Idempotency-Replayed": "true"} if done.is_replay else {}
        return Response(write_withdrawal(done.withdrawal, number), status=201, headers=headers)


def write_withdrawal(withdrawal: Withdrawal, number: str) -> dict[str, Any]:
    """Write a statement as a document. The receipt's address is for the customer's browser."""
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
