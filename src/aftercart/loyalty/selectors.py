"""Reads of the ledger, and its entries as documents."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Sum

from aftercart.accounts.models import User
from aftercart.lib.money import ZERO, format_amount
from aftercart.lib.prepared import prepared
from aftercart.lib.times import format_time
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


def entry_document(entry: LoyaltyEntry) -> dict[str, Any]:
    """Write an entry of the ledger; wants its order selected."""
    return {
        "id": entry.pk,
        "kind": {"value": entry.kind, "label": entry.get_kind_display()},
        "amount": format_amount(entry.amount),
        "currency": entry.currency,
        "order": entry.order_id,
        "order_number": entry.order.number if entry.order else None,
        "created_date": format_time(entry.created_date),
        # Where the storefront's client looks for them.
        "transaction": {
            "created_date": format_time(entry.created_date),
            "order": entry.order.number if entry.order else "",
        },
    }


def transaction_document(entry: LoyaltyEntry) -> dict[str, Any]:
    """Write an entry as an order's document lists it (`loyaltytransaction_set`).

    The `reference` lets a document of ours be imported again without adding anything.
    """
    return {
        "pk": entry.pk,
        "order": entry.order_id,
        "transaction_type": {"value": entry.kind, "label": entry.get_kind_display()},
        "amount": format_amount(entry.amount),
        "reference": entry.reference or None,
        "created_date": format_time(entry.created_date),
    }
