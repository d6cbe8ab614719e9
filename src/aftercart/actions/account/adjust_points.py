"""Put a customer's points right by an entry of its own, in the back office."""

from decimal import Decimal

from django.db import transaction

from aftercart.accounts.models import User
from aftercart.loyalty.models import LoyaltyEntry


@transaction.atomic(durable=True)
def adjust_points(
    customer: User, currency: str, amount: Decimal, *, note: str, reference: str, staff: User
) -> LoyaltyEntry:
    """Add (or with a negative amount take) points; again with the same reference: the entry that is there.

    `amount` is not zero. The reference names the form that was sent, so that a double click adds once.
    """
    entry, _is_new = LoyaltyEntry.objects.get_or_create(
        kind=LoyaltyEntry.Kind.ADJUSTMENT,
        reference=reference,
        defaults={
            "user": customer,
            "currency": currency,
            "amount": amount,
            "note": note,
            "made_by": staff,
        },
    )
    return entry
