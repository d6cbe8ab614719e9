"""What a cancellation does to the points of its order: pure, no query, no clock.

Points spent on the order come back before any money does. Points earned by it are taken back pro rata to the
value of the goods that are gone, as a running total, so that any sequence of cancellations ends at exactly
what was earned.
"""

from dataclasses import dataclass
from decimal import Decimal

from aftercart.lib.money import ZERO, round_amount
from aftercart.orders.quotes import Points


@dataclass(frozen=True, slots=True)
class OrderPoints(Points):
    """An order's points so far, each as a positive amount in its currency."""

    returned: Decimal = ZERO
    clawed_back: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class LinePoints:
    """What one line does, each as a positive amount: points given back, credited, and taken back."""

    returned: Decimal = ZERO
    refund_credit: Decimal = ZERO
    clawed_back: Decimal = ZERO

    def __add__(self, other: "LinePoints") -> "LinePoints":
        return LinePoints(
            self.returned + other.returned,
            self.refund_credit + other.refund_credit,
            self.clawed_back + other.clawed_back,
        )


def share_points(
    points: OrderPoints,
    *,
    currency: str,
    value: Decimal,
    goods: Decimal,
    gone: Decimal,
    is_all_gone: bool,
    is_refund_as_points: bool,
) -> LinePoints:
    """Share an order's points for a line.

    `value` is what the line gives back, in whatever form; `goods` what all goods of the order cost, `gone`
    those of them that are cancelled or returned now, this line included. When nothing is left of the order,
    all points that were spent on it are given back, those that paid its shipping too.
    """
    left = max(points.spent - points.returned, ZERO)
    returned = left if is_all_gone else min(left, value)
    share = Decimal(1) if is_all_gone else min(gone / goods, Decimal(1)) if goods > 0 else ZERO
    due = round_amount(points.earned * share, currency) - points.clawed_back
    credit = max(value - returned, ZERO) if is_refund_as_points else ZERO
    return LinePoints(
        returned=round_amount(returned, currency),
        refund_credit=round_amount(credit, currency),
        clawed_back=max(due, ZERO),
    )


def limit_points(points: OrderPoints, wanted: LinePoints, *, is_all_gone: bool) -> LinePoints:
    """Keep what was quoted for a line within what the order's ledger holds now.

    Nothing comes back that was not spent, and nothing is taken back that was not earned; when nothing is left
    of the order, all that is left of what it earned goes.
    """
    earned = max(points.earned - points.clawed_back, ZERO)
    return LinePoints(
        returned=min(wanted.returned, max(points.spent - points.returned, ZERO)),
        refund_credit=wanted.refund_credit,
        clawed_back=earned if is_all_gone else min(wanted.clawed_back, earned),
    )
