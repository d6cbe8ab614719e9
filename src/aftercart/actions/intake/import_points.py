"""Put the points that imported orders tell of into the ledger; again: only what is missing."""

from collections.abc import Sequence

from aftercart.actions.intake.resolve_customers import Customer
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.intake.order import OrderIntake


def import_points(intakes: Sequence[OrderIntake], customers: Sequence[Customer]) -> None:
    """Add the entries of orders that were just written, each with its customer. Wants a transaction.

    An entry is known by its reference within the order, so the same document adds nothing a second time. A
    guest has no ledger. What a newer document says of a known entry changes nothing: the ledger is not
    rewritten.
    """
    entries = [
        LoyaltyEntry(
            user_id=customer.user_id,
            currency=intake.columns["currency"],
            kind=row.kind,
            amount=row.amount,
            order_id=intake.id,
            reference=row.reference,
            created_date=row.created_date,
        )
        for intake, customer in zip(intakes, customers, strict=True)
        if customer.user_id is not None
        for row in intake.points
    ]
    if entries:
        LoyaltyEntry.objects.bulk_create(entries, ignore_conflicts=True)
