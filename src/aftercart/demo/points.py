"""The loyalty points of the demo's named customers: pure, as the shop would send them with an order."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from aftercart.demo.kinds import NAMED, Person
from aftercart.lib.money import format_amount, round_amount
from aftercart.lib.times import format_time
from aftercart.orders.status import Status

#: What part of a delivered order comes as points.
_EARNED: Final = Decimal("0.05")
#: What a larger order was partly paid with, by currency.
_SPENT: Final = {"TRY": Decimal(40), "EUR": Decimal(1)}
#: From so many items on an order counts as a larger one.
_MANY_ITEMS: Final = 4


def write_points(
    person: Person, order_id: int, status: str, amount: Decimal, at: datetime, count: int
) -> list[dict[str, Any]]:
    """Write an order's `loyaltytransaction_set`; `count` is how many items it has.

    A delivered order earns points, one of many items was partly paid with some.
    """
    rows: list[tuple[str, Decimal]] = []
    if person in NAMED and status == Status.DELIVERED:
        rows.append(("earned", round_amount(amount * _EARNED, person.currency)))
    if person in NAMED and count >= _MANY_ITEMS:
        rows.append(("spent", -_SPENT[person.currency]))
    return [
        {
            "pk": order_id * 10 + place,
            "transaction_type": {"value": kind, "label": kind.capitalize()},
            "amount": format_amount(points),
            "created_date": format_time(at),
        }
        for place, (kind, points) in enumerate(rows)
    ]
