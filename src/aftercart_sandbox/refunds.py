"""What units are worth when they are cancelled: their price, less their part of the order's discount, plus interest.

The shop that loads an order says what was paid; a unit's part of it is fixed by that, whatever is cancelled
before. Where no money was paid, nothing is given back. Parts are split by the largest remainder among the lines, in
the order of the shop's ids, and evenly among a line's units, the first of which have one cent more.
"""

import json
from decimal import Decimal
from typing import Any

from aftercart_sandbox import ledger
from aftercart_sandbox.orders import items_of
from aftercart_sandbox.store import Row, Store
from aftercart_sandbox.tables import PAID_AT_THE_DOOR, PAY_ON_DELIVERY, WAITING, WAITING_FOR_MONEY
from aftercart_sandbox.values import CENT, plain, read_money

_TRANSFERS = frozenset({"funds_transfer", "bank_transfer", "money_transfer", "wire_transfer"})
_ON_DELIVERY = frozenset({PAY_ON_DELIVERY, "cash_on_delivery", "pay_at_door", "pay_on_door"})
_NO_CENTS = frozenset({"jpy", "krw", "clp", "isk", "vnd"})


def worth_of(store: Store, item: Row, quantity: int | None = None) -> Decimal:
    """Return what the item's units that are left, or the first ``quantity`` of them, cost, paid or not."""
    return sum((value for value, _discount in _of_units(store, item, quantity)), Decimal())


def value_of(store: Store, item: Row, quantity: int | None = None) -> Decimal:
    """Return what the same units give back: what they cost, if it was paid."""
    return worth_of(store, item, quantity) if _is_paid(store, item) else Decimal()


def discount_of(store: Store, item: Row, quantity: int | None = None) -> Decimal:
    """Return the same units' part of the order's discount, if they were paid."""
    if not _is_paid(store, item):
        return Decimal()
    return sum((discount for _value, discount in _of_units(store, item, quantity)), Decimal())


def shipping_of(store: Store, order: Row) -> Decimal:
    """Return what was paid for the delivery: what a discount above the goods has left of it."""
    return _charges_of(store, order)[0]


def gift_box_of(store: Store, order: Row) -> Decimal:
    """Return what was paid for the gift box: a field that the shop puts beside the others."""
    return _charges_of(store, order)[1]


def _charges_of(store: Store, order: Row) -> tuple[Decimal, Decimal]:
    """Return what was paid for delivery and gift box; a discount that the goods can't bear was taken off them."""
    document, items = json.loads(order["document"]), items_of(store, order["pk"])
    is_given = any(Decimal(item["refund_amount"]) for item in items)
    if not is_given and not any(_is_paid(store, item) for item in items):
        return Decimal(), Decimal()
    lines = {item["remote_id"]: item for item in items}.values()
    goods = sum((_cost(json.loads(item["document"]), item) for item in lines), Decimal())
    beyond = max(_read(document, "discount_amount") - goods, Decimal())
    extra = document.get("extra_field")
    gift_box = _read(extra, "gift_box_amount") if isinstance(extra, dict) else Decimal()
    shipping = max(Decimal(order["shipping_amount"]) - beyond, Decimal())
    return shipping, max(gift_box - max(beyond - Decimal(order["shipping_amount"]), Decimal()), Decimal())


def _cost(line: dict[str, Any], item: Row) -> Decimal:
    return _read(line, "total_amount", Decimal(item["price"]) * int(line.get("quantity") or 1))


def _is_paid(store: Store, item: Row) -> bool:
    """Return whether an item was paid: a transfer by its status, at the door by its delivery, else when ordered."""
    order = store.get("orders", item["order_pk"])
    document, status = json.loads(order["document"]), str(order["base_status"])
    if document.get("is_payable") is True or status in WAITING_FOR_MONEY:
        return False
    option = document.get("payment_option") or {}
    kind = str(plain(option.get("payment_type")) or "").lower() if isinstance(option, dict) else ""
    if kind in _ON_DELIVERY:
        return not PAID_AT_THE_DOOR.isdisjoint({status, str(item["status_before"] or item["status"])})
    return kind not in _TRANSFERS or status != WAITING


def _of_units(store: Store, item: Row, quantity: int | None) -> list[tuple[Decimal, Decimal]]:
    if item["quantity"] - item["cancelled_quantity"] <= 0:
        return []
    order = store.get("orders", item["order_pk"])
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
