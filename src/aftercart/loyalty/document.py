"""The ledger as JSON: its balance, its entries, and how an order lists these."""

from typing import Any, Final

from aftercart.lib.documents import Document, integer, make_enumeration, moment, money, text
from aftercart.lib.money import format_amount
from aftercart.lib.times import format_time
from aftercart.loyalty import models

_KINDS: Final = {
    "earned": "earned by an order.",
    "spent": "paid with, for an order.",
    "returned": "had paid for goods that were cancelled or returned.",
    "refund_credit": "a refund that was asked for as points.",
    "clawed_back": "had been earned by goods that were cancelled or returned.",
    "adjustment": "put right by the shop.",
}
LoyaltyKind = make_enumeration(
    "LoyaltyKind", "Why points came or went.", _KINDS, labels=dict(models.LoyaltyEntry.Kind.choices)
)


class LoyaltyBalance(Document):
    """How many points there are: one is worth one unit of the currency."""

    balance = money("The sum of the ledger; below zero when points that are taken back were spent before.")


class LoyaltyTransaction(Document):
    """The same entry, where the storefront's client looks for it."""

    created_date = moment()
    order = text("The order's number; empty if it belongs to none.")


class LoyaltyEntry(Document):
    """An entry of the ledger. None ever changes or goes away."""

    id = integer()
    kind = LoyaltyKind()
    amount = money("What it adds to the balance; negative where it takes.")
    currency = text("ISO 4217.", pattern="^[A-Z]{3}$")
    order = integer("The order's id.", null=True, source="order_id")
    order_number = text("The order's number.", null=True)
    created_date = moment()
    transaction = LoyaltyTransaction()


def entry_document(entry: models.LoyaltyEntry) -> dict[str, Any]:
    """Write an entry of the ledger; wants its order selected."""
    number = entry.order.number if entry.order else None
    transaction = LoyaltyTransaction.write(entry, order=number or "")
    return LoyaltyEntry.write(entry, order_number=number, transaction=transaction)


def transaction_document(entry: models.LoyaltyEntry) -> dict[str, Any]:
    """Write an entry as an order's document lists it (`loyaltytransaction_set`).

    The `reference` lets a document of ours be imported again without adding anything.
    """
    return {
        "pk": entry.pk,
        "order": entry.order_id,
        "transaction_type": LoyaltyKind.write(entry.kind),
        "amount": format_amount(entry.amount),
        "reference": entry.reference or None,
        "created_date": format_time(entry.created_date),
    }
