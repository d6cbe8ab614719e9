"""What the kinds of prepared orders are, told from their present state, so that a used demo still works."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from aftercart.orders.models import Order, OrderItem
from aftercart.orders.status import Status

#: An order with more lines is not "one or two items".
_FEW_ITEMS = 2
_SEVERAL_ITEMS = 4
_SEVERAL_UNITS = 3


def is_fit(kind: str, order: Order, *, is_touched: bool, now: datetime) -> bool:
    """Return whether an order still shows what its kind (`kinds.KINDS`) is for; wants its items fetched with it.

    `is_touched`: a customer has asked to cancel something of it, or to send it elsewhere.
    """
    items = list(order.items.all())
    if kind == "cancelled":
        return order.status == Status.CANCELED
    if kind == "in_progress":
        return order.status == Status.APPROVED and any(
            item.status == Status.CANCELLATION_WAITING for item in items
        )
    if is_touched:
        return False
    if kind == "shipped":
        return _are_all(Status.SHIPPED, order, items)
    if kind == "delivered":
        return _are_all(Status.DELIVERED, order, items) and _can_be_returned(items, now)
    return _are_all(Status.APPROVED, order, items) and _is_approved_kind(kind, order, items)


def _is_approved_kind(kind: str, order: Order, items: Sequence[OrderItem]) -> bool:
    has_invoice = bool(order.invoice_number or any(item.invoice_number for item in items))
    if kind == "store_pickup":
        return order.is_store_pickup
    if kind == "invoiced":
        return has_invoice
    if has_invoice or order.is_store_pickup or order.get_payment_type() != "credit_card":
        return False
    if kind == "several_items":
        return len(items) >= _SEVERAL_ITEMS and any(item.left_quantity >= _SEVERAL_UNITS for item in items)
    return len(items) <= _FEW_ITEMS and all(item.quantity == 1 for item in items)


def _are_all(status: Status, order: Order, items: Sequence[OrderItem]) -> bool:
    return order.status == status and all(item.status == status and item.left_quantity for item in items)


def _can_be_returned(items: Sequence[OrderItem], now: datetime) -> bool:
    window = settings.RETURN_WINDOW
    return all(
        not item.is_final_sale and item.delivered_at and (not window or now < item.delivered_at + window)
        for item in items
    )
