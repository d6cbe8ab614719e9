"""Keep something that the OMS and we tell differently, once a kind until it is resolved."""

from typing import Final

from aftercart.cancellations.models import Difference, RefundQuoteLine, SubmissionLine
from aftercart.lib.clock import get_now
from aftercart.lib.money import format_amount, round_amount
from aftercart.orders.models import Order, OrderItem

#: What differs when the OMS has something else under the name of one of our requests.
NAME_TAKEN: Final = "request name taken"
#: What differs when units were cancelled at the OMS once more than anybody asked for.
CANCELLED_TWICE: Final = "cancelled twice"
#: What no comparison finds again: it stays open until a person has settled it.
FOR_PEOPLE: Final = frozenset({NAME_TAKEN, CANCELLED_TWICE})


def record_difference(order: Order, item: OrderItem | None, what: str, ours: str, theirs: str) -> Difference:
    """Record what differs of a locked order, or bring an open difference of the kind up to date."""
    now = get_now()
    row = Difference.objects.filter(order=order, item=item, what=what, resolved_at=None).first()
    row = row or Difference(order=order, item=item, what=what, first_seen=now)
    row.ours, row.theirs, row.last_seen = ours, theirs, now
    row.save()
    return row


def record_surplus(order: Order, line: SubmissionLine, units: int, surplus: int) -> None:
    """Record how many units of a line were to be cancelled, and that so many more are gone, with their money."""
    item = line.order_item
    quoted = RefundQuoteLine.objects.filter(line=line).first()
    whole = quoted.refund_amount if quoted else item.unit_price * line.quantity
    amount = round_amount(whole * surplus / line.quantity, order.currency)
    gone = f"{units + surplus} × {item.sku}: {format_amount(amount)} {order.currency} too much"
    record_difference(order, item, CANCELLED_TWICE, f"{units} × {item.sku}", gone)
