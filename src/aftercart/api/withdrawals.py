"""`POST /orders/{order number}/withdraw/` and `POST /withdraw/`: the withdrawal function for storefronts (ours)."""

from http import HTTPStatus

from django.conf import settings
from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aftercart.accounts.networks import get_client_address
from aftercart.actions.withdraw.record_statement import StatementCommand, record_statement
from aftercart.actions.withdraw.withdraw_order import WithdrawalCommand, withdraw_order
from aftercart.api.open_views import OpenView
from aftercart.api.orders import read_caller, respond
from aftercart.api.schema.withdrawals import state_withdrawal, withdraw_from_contract
from aftercart.api.serializers import read_valid
from aftercart.api.withdrawal_serializer import StatementSerializer, WithdrawalSerializer
from aftercart.cancellations.withdrawal_document import statement_document
from aftercart.lib.formats import get_active_language
from aftercart.oms.connect import get_client


class WithdrawOrder(APIView):
    """A statement of withdrawal from the contract that an order is."""

    @withdraw_from_contract
    def post(self, request: Request, number: str) -> Response:
        """Record the statement and send its receipt: 201; the same statement again, marked, for a replay."""
        caller = read_caller(request)
        data = read_valid(WithdrawalSerializer, request.data, context={"user": caller.user}).validated_data
        command = WithdrawalCommand(caller, number, data["name"], data["email"], tuple(data["items"]))
        return respond(withdraw_order(command, get_client()))


class StateWithdrawal(OpenView):
    """A statement of withdrawal by anybody: no session, so it needs no CSRF token (docs/withdrawal.md)."""

    @state_withdrawal
    def post(self, request: Request) -> Response:
        """Record the statement and acknowledge it: 202, whether there is such an order or not."""
        if not settings.WITHDRAWAL_COUNTRIES:
            raise Http404
        serializer = read_valid(StatementSerializer, request.data)
        language = get_active_language()
        client = get_client_address(request._request)  # noqa: SLF001 - Django's own request, which the framework keeps there
        stated = record_statement(
            StatementCommand(**serializer.validated_data, language=language, client=client)
        )
        return Response(statement_document(stated), status=HTTPStatus.ACCEPTED)
