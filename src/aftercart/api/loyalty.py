"""The views of loyalty points (contract section 5): the balance, and the ledger that it is the sum of."""

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aftercart.api.authentication import get_user
from aftercart.api.pagination import PagePagination
from aftercart.api.schema import loyalty as schema
from aftercart.api.serializers import CurrencyFilterSerializer, read_valid
from aftercart.lib.money import format_amount
from aftercart.loyalty.document import entry_document
from aftercart.loyalty.selectors import get_balance, list_entries


def _read_currency(request: Request) -> str:
    data = read_valid(CurrencyFilterSerializer, request.query_params).validated_data
    return str(data.get("currency") or "").upper()


class LoyaltyBalance(APIView):
    """`GET /account/loyalty-account-balance/`."""

    @schema.get_loyalty_balance
    def get(self, request: Request) -> Response:
        """Give the caller's balance of one currency."""
        currency = _read_currency(request) or settings.LOYALTY_CURRENCY
        return Response({"balance": format_amount(get_balance(get_user(request), currency))})


class LoyaltyLedger(APIView):
    """`GET /account/loyalty/`."""

    @schema.list_loyalty_entries
    def get(self, request: Request) -> Response:
        """List the caller's entries, newest first."""
        currency = _read_currency(request)
        entries = list_entries(get_user(request))
        if currency:
            entries = entries.filter(currency=currency)
        return PagePagination().answer(entries, request, entry_document)
