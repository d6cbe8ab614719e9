"""The API as an OpenAPI 3.1 document: a decorator for every operation, to stand on the view that answers it."""

from aftercart.api.schema.cancellations import (
    cancel_order_items,
    list_cancellation_reasons,
    request_cancellation,
    request_cancellations,
)
from aftercart.api.schema.loyalty import get_loyalty_balance, list_loyalty_entries
from aftercart.api.schema.orders import change_order_address, get_completed_order, get_order, list_orders
from aftercart.api.schema.quotes import quote_cancellation
from aftercart.api.schema.session import (
    get_csrf_token,
    get_current_user,
    log_in,
    log_out,
    log_out_by_get,
)

__all__ = [
    "cancel_order_items",
    "change_order_address",
    "get_completed_order",
    "get_csrf_token",
    "get_current_user",
    "get_loyalty_balance",
    "get_order",
    "list_cancellation_reasons",
    "list_loyalty_entries",
    "list_orders",
    "log_in",
    "log_out",
    "log_out_by_get",
    "quote_cancellation",
    "request_cancellation",
    "request_cancellations",
]
