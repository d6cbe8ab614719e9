"""What a newer document may change of an order that we have, and what it may not: pure.

The shop knows what was bought; what was cancelled, returned and paid back is known here and at the OMS. So a
document never takes back a cancellation: refunds and cancelled units do not shrink, nothing comes back from
`canceled` or `refunded`, and what a customer has just asked to cancel keeps its status until that is decided.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from aftercart.orders.intake.items import DiscountIntake, ItemIntake
from aftercart.orders.intake.order import OrderIntake
from aftercart.orders.models import DiscountItem, Order, OrderItem
from aftercart.orders.paid import is_payment_shown
from aftercart.orders.status import FINAL, Status

_Row = TypeVar("_Row", OrderItem, DiscountItem)

_WAITING: Final = Status.CANCELLATION_WAITING
_REFUNDS: Final = ("refund_amount", "discount_refund_amount", "shipping_refund_amount")
#: The columns that a merge looks at: no others need to be read.
MERGED_OF_ORDERS: Final = ("status", "status_before", *_REFUNDS)
MERGED_OF_ITEMS: Final = (
    "sku", "status", "status_before", "shipped_at", "delivered_at", "refund_amount", "cancelled_quantity",
)  # fmt: skip
MERGED_OF_DISCOUNTS: Final = ("name", "cancel_amount")


def merge_order(order: Order, intake: OrderIntake, *, has_open_lines: bool) -> None:
    """Change the intake's columns to what the order is to become."""
    columns = intake.columns = intake.columns.copy()
    for name in _REFUNDS:
        ours = getattr(order, name)
        columns[name] = ours if has_open_lines else max(columns[name], ours)
    if _stays(order.status, columns["status"], is_open=has_open_lines and order.status == _WAITING):
        payment_type = str(columns["payment_option"].get("payment_type") or "")
        is_paid_now = order.status == _WAITING and is_payment_shown(
            order.status_before, columns["status"], payment_type
        )
        # That it was paid meanwhile must not be lost: what is given back rests on it.
        columns["status_before"] = columns["status"] if is_paid_now else order.status_before
        columns["status"] = order.status
    elif columns["status"] == _WAITING and order.status == _WAITING:
        columns["status_before"] = order.status_before or columns["status_before"]


def merge_item(item: OrderItem, intake: ItemIntake, open_quantity: int | None) -> None:
    """Change the intake's columns to what the item is to become; `open_quantity` units are being decided."""
    columns = intake.columns = intake.columns.copy()
    if not intake.is_shipping_date_given and item.shipped_at:
        columns["shipped_at"] = item.shipped_at
    if not intake.is_delivery_date_given and item.delivered_at:
        columns["delivered_at"] = item.delivered_at
    if open_quantity is not None:  # what is gone and given back is booked with what is decided
        columns["refund_amount"] = item.refund_amount
        columns["cancelled_quantity"] = item.cancelled_quantity
        columns["quantity"] = max(columns["quantity"], item.cancelled_quantity + open_quantity)
    else:
        columns["refund_amount"] = max(columns["refund_amount"], item.refund_amount)
        cancelled = max(columns["cancelled_quantity"], item.cancelled_quantity)
        columns["cancelled_quantity"] = min(cancelled, columns["quantity"])
    if _stays(item.status, columns["status"], is_open=open_quantity is not None):
        columns["status"] = item.status
        columns["status_before"] = item.status_before
    elif columns["status"] == _WAITING and item.status == _WAITING:
        columns["status_before"] = item.status_before or columns["status_before"]
    if columns["status"] in FINAL and open_quantity is None:
        columns["cancelled_quantity"] = columns["quantity"]


def _stays(before: str, after: str, *, is_open: bool) -> bool:
    return is_open or (before in FINAL and after not in FINAL)


def merge_discount(discount: DiscountItem, intake: DiscountIntake) -> None:
    """Change the intake's columns to what the discount is to become."""
    largest = max(intake.columns["cancel_amount"], discount.cancel_amount)
    intake.columns = {**intake.columns, "cancel_amount": largest}


def match_rows(
    rows: Iterable[_Row], intakes: Sequence[ItemIntake | DiscountIntake], column: str
) -> dict[int, _Row]:
    """Find which of our rows each one of a document is: by id; those without one by `column` and position.

    Answers our rows by the position in the document; one that is new is missing.
    """
    by_id = {row.pk: row for row in rows}
    matched = {
        place: by_id.pop(intake.id)
        for place, intake in enumerate(intakes)
        if intake.id is not None and intake.id in by_id
    }
    left: dict[str, list[_Row]] = {}
    for pk in sorted(by_id):
        left.setdefault(getattr(by_id[pk], column), []).append(by_id[pk])
    for place, intake in enumerate(intakes):
        if intake.id is None and (same := left.get(intake.columns[column])):
            matched[place] = same.pop(0)
    return matched
