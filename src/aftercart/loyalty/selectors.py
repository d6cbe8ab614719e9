"""Reads of the ledger."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db import models
from django.db.models import Sum

from aftercart.accounts.models import User
from aftercart.lib.money import ZERO
from aftercart.lib.prepared import prepared
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.loyalty.shares import OrderPoints

_Kind = LoyaltyEntry.Kind


def list_entries(user: User) -> models.QuerySet[LoyaltyEntry]:
    """List a customer's entries, newest first, with what their documents need."""
    return LoyaltyEntry.objects.filter(user=user).select_related("order")


def has_entries(user: User) -> bool:
    """Return whether a customer has ever had points."""
    return LoyaltyEntry.objects.filter(user=user).exists()


def get_balance(user: User, currency: str) -> Decimal:
    """Add up a customer's points of a currency; below zero when points taken back were spent before."""
    total: Decimal | None = LoyaltyEntry.objects.filter(user=user, currency=currency).aggregate(
        total=Sum("amount")
    )["total"]
    return ZERO if total is None else total


def list_balances(user: User) -> list[tuple[str, Decimal]]:
    """Add up a customer's points by currency, in the order of the alphabet."""
    rows = LoyaltyEntry.objects.filter(user=user).order_by("currency").values_list("currency")
    return [(currency, total) for currency, total in rows.annotate(total=Sum("amount"))]


def find_order_entries(order_ids: Iterable[int]) -> dict[int, list[LoyaltyEntry]]:
    """Find the entries of these orders, by order, oldest first."""
    found: dict[int, list[LoyaltyEntry]] = defaultdict(list)
    for entry in LoyaltyEntry.objects.filter(order_id__in=list(order_ids)).order_by("created_date", "id"):
        found[entry.order_id or 0].append(entry)
    return found


def read_order_points(order_id: int) -> OrderPoints:
    """Read what an order has done to points so far."""
    sums = {kind: abs(total) for kind, total in _list_sums(order_id)}
    return OrderPoints(
        spent=sums.get(_Kind.SPENT, ZERO),
        earned=sums.get(_Kind.EARNED, ZERO),
        returned=sums.get(_Kind.RETURNED, ZERO),
        clawed_back=sums.get(_Kind.CLAWED_BACK, ZERO),
    )


@prepared
def _list_sums(order: int) -> models.QuerySet[LoyaltyEntry, tuple[str, Decimal]]:
    rows = LoyaltyEntry.objects.filter(order_id=order).order_by("kind").values_list("kind")
    return rows.annotate(total=Sum("amount"))
