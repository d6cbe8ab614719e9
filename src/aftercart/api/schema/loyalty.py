"""The operations about loyalty points (contract section 5)."""

from typing import Final

from drf_spectacular.utils import OpenApiParameter

from aftercart.api import serializers
from aftercart.api.schema import errors
from aftercart.api.schema.operation import (
    LIMIT,
    PAGE,
    UNKNOWN_FORMAT,
    operation,
)
from aftercart.api.schema.texts import POINTS
from aftercart.lib.documents import make_page
from aftercart.loyalty.document import LoyaltyBalance, LoyaltyEntry

_PAGE: Final = make_page("LoyaltyPage", LoyaltyEntry, "One page of the ledger, newest first.")


def _make_currency(description: str) -> OpenApiParameter:
    return OpenApiParameter(
        "currency", {"type": "string", "pattern": "^([A-Za-z]{3})?$"}, description=description
    )


_BAD_CURRENCY: Final = errors.make_input_error(
    "CurrencyFilterError", tuple(serializers.CurrencyFilterSerializer().fields)
)

get_loyalty_balance = operation(
    "get_loyalty_balance",
    tag=POINTS,
    summary="Return the caller's points",
    description="The sum of the caller's ledger of one currency; 0.00 for who never had any.",
    parameters=[_make_currency("Of which currency; the shop's own unless told.")],
    answers={
        200: (LoyaltyBalance, "The balance."),
        400: (_BAD_CURRENCY, "Not a currency's three letters."),
        404: UNKNOWN_FORMAT,
    },
)

list_loyalty_entries = operation(
    "list_loyalty_entries",
    tag=POINTS,
    summary="List how the caller's points came and went",
    description="""\
The ledger, newest first. Points are booked when Omnitron has completed a cancellation: those spent on the order come
back before any money does, those earned by it are taken back in proportion, and a refund that was asked for as points
is credited.
""",
    parameters=[
        PAGE,
        LIMIT,
        _make_currency("Only of this currency."),
    ],
    answers={
        200: (_PAGE, "One page of the ledger."),
        400: (_BAD_CURRENCY, "Not a currency's three letters."),
        404: (errors.NotFound, "There is no such page, or `format` names an unknown format."),
    },
)
