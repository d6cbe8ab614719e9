"""What units are worth when they are cancelled: their price, less their part of the order's discount, plus interest.

The shop that loads an order says what was paid; a unit's part of it is fixed by that, whatever is cancelled
before. Parts are split by the largest remainder among the lines, in the order of the shop's ids, and evenly
among a line's units, the first of which have one cent more.
"""

import json
from decimal import Decimal
from typing import Any

from sandbox import ledger
from sandbox.orders import items_of
from sandbox.store import Row, Store
from sandbox.values import CENT, read_money

_NO_CENTS = frozenset({"jpy", "krw", "clp", "isk", "vnd"})


def value_of(store: Store, item: Row, quantity: int | None = None) -> Decimal:
    """Return what the item's units that are left, or the first ``quantity`` of them, give back."""
    return sum((value for value, _discount in _of_units(store, item, quantity)), Decimal())


def discount_of(store: Store, item: Row, quantity: int | None = None) -> Decimal:
    """Return the same units' part of the order's discount."""
    return sum((discount for _value, discount in _of_units(store, item, quantity)), Decimal())


def gift_box_of(order: Row) -> Decimal:
    """Return what the gift box cost: a field that the shop puts beside the others."""
    extra = json.loads(order["document"]).get("extra_field")
    return _read(extra, "gift_box_amount") if isinstance(extra, dict) else Decimal()


def _of_units(store: Store, item: Row, quantity: int | None) -> list[tuple[Decimal, Decimal]]:
    if item["quantity"] - item["cancelled_quantity"] <= 0:
        return []
    order = store.all("SELECT * FROM orders WHERE pk = ?", item["order_pk"])[0]
    units = _split_order(order, items_of(store, order["pk"]))
    return [units[item["remote_id"], unit] for unit in ledger.units_of(item, quantity)]


def _split_order(order: Row, items: list[Row]) -> dict[tuple[str, int], tuple[Decimal, Decimal]]:
    """Return value and part of the discount of every unit, by the shop's id of its line and its number."""
    document = json.loads(order["document"])
    unit = Decimal(1) if str(order["currency"]).lower() in _NO_CENTS else CENT
    lines: dict[str, tuple[int, Decimal]] = {}
    for item in sorted(items, key=lambda row: int(row["remote_id"])):
        line = json.loads(item["document"])
        quantity = int(line.get("quantity") or 1)
        price = Decimal(item["price"]) * quantity
        lines[item["remote_id"]] = quantity, _read(line, "total_amount", price)
    costs = [_count(cost, unit) for _quantity, cost in lines.values()]
    discounts = _share(min(_count(_read(document, "discount_amount"), unit), sum(costs)), costs)
    left = [cost - discount for cost, discount in zip(costs, discounts, strict=True)]
    interests = _share(_count(_read(document, "installment_interest_amount"), unit), left)
    found = {}
    for place, (remote_id, (quantity, _cost)) in enumerate(lines.items()):
        even = [1] * quantity
        parts = zip(
            _share(costs[place], even),
            _share(discounts[place], even),
            _share(interests[place], even),
            strict=True,
        )
        for number, (cost, discount, interest) in enumerate(parts, start=1):
            found[remote_id, number] = (cost - discount + interest) * unit, discount * unit
    return found


def _read(document: dict[str, Any], field: str, otherwise: Decimal = Decimal()) -> Decimal:
    value = document.get(field)
    return otherwise if value is None else read_money(value, field)


def _count(amount: Decimal, unit: Decimal) -> int:
    return int((amount / unit).to_integral_value())


def _share(total: int, weights: list[int]) -> list[int]:
    """Split ``total`` by the largest remainder; evenly if nothing weighs anything."""
    weights = weights if any(weights) else [1] * len(weights)
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    fractions = [total * weight % whole for weight in weights]
    for place in sorted(range(len(weights)), key=fractions.__getitem__, reverse=True)[: total - sum(parts)]:
        parts[place] += 1
    return parts
