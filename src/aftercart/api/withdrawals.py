"""`POST /orders/{order number}/withdraw/`: the withdrawal function for storefronts (ours; docs/withdrawal.md)."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aftercart.actions.withdraw_order import WithdrawalCommand, withdraw_order
from aftercart.api.orders import read_caller, respond
from aftercart.api.schema.withdrawals import withdraw_from_contract
from aftercart.api.withdrawal_serializer import WithdrawalSerializer
from aftercart.omnitron.connect import get_client


class WithdrawOrder(APIView):
    """A statement of withdrawal from the contract that an order is."""

    @withdraw_from_contract
    def post(self, request: Request, number: str) -> Response:
        """Record the statement and send its receipt: 201; the same statement again, marked, for a replay."""
        caller = read_caller(request)
        serializer = WithdrawalSerializer(data=request.data, context={"user": caller.user})
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        command = WithdrawalCommand(caller, number, data["name"], data["email"], tuple(data["items"]))
        return respond(withdraw_order(command, get_client()))
