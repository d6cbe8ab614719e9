"""The API as an OpenAPI 3.1 document: a decorator for every operation, to stand on the view that answers it."""

from aftercart.api.schema.address_book import (
    add_address,
    edit_address,
    find_anonymous_order,
    list_addresses,
    list_cities,
    list_countries,
    list_detailed_addresses,
    list_districts,
    list_townships,
    remove_address,
)
from aftercart.api.schema.cancellations import (
    cancel_order_items,
    list_cancellation_reasons,
    request_cancellation,
    request_cancellations,
    take_back_request,
)
from aftercart.api.schema.intake import send_orders
from aftercart.api.schema.loyalty import get_loyalty_balance, list_loyalty_entries
from aftercart.api.schema.orders import change_order_address, get_completed_order, get_order, list_orders
from aftercart.api.schema.photos import (
    add_return_photo,
    get_return_photo,
    list_return_photos,
    remove_return_photo,
)
from aftercart.api.schema.quotes import quote_cancellation
from aftercart.api.schema.session import get_csrf_token, get_current_user, log_in, log_out, log_out_by_get

__all__ = [
    "add_address",
    "add_return_photo",
    "cancel_order_items",
    "change_order_address",
    "edit_address",
    "find_anonymous_order",
    "get_completed_order",
    "get_csrf_token",
    "get_current_user",
    "get_loyalty_balance",
    "get_order",
    "get_return_photo",
    "list_addresses",
    "list_cancellation_reasons",
    "list_cities",
    "list_countries",
    "list_detailed_addresses",
    "list_districts",
    "list_loyalty_entries",
    "list_orders",
    "list_return_photos",
    "list_townships",
    "log_in",
    "log_out",
    "log_out_by_get",
    "quote_cancellation",
    "remove_address",
    "remove_return_photo",
    "request_cancellation",
    "request_cancellations",
    "send_orders",
    "take_back_request",
]
