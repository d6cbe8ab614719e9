"""The operations about orders and their addresses (contract sections 2, 4 and 5)."""

from typing import Final

from drf_spectacular.utils import OpenApiParameter

from aftercart.api import serializers
from aftercart.api.schema import errors
from aftercart.api.schema.operation import (
    ETAG,
    IF_NONE_MATCH,
    KEY,
    LIMIT,
    PAGE,
    STILL_RUNNING,
    UNCHANGED,
    operation,
)
from aftercart.api.schema.texts import ORDERS
from aftercart.cancellations.document import Order
from aftercart.lib.documents import NO_NUL, Document, Shape, integer, list_codes, make_page, one_of
from aftercart.orders import guest_document

_DAY_OR_TIME: Final = {
    "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}, {"const": ""}]
}
_FILTERS: Final = tuple(serializers.OrderFilterSerializer().fields)


class CompletedOrder(Document):
    """An order just placed, and what was saved on it."""

    order = Order()
    campaigns = Shape(
        {"type": "array", "items": {}},
        "The campaigns applied to it as the shop sent them, or else its discounts (`DiscountItem`).",
    )


class AddressChanged(Document):
    """The OMS has taken the new address."""

    status_code = integer("The HTTP status of Omnitron's answer.", minimum=100, maximum=599)


class AddressChangePending(Document):
    """The new address is recorded; the OMS will be told while the order may still change."""

    status_code = Shape({"type": "null"}, "There is no answer of Omnitron yet.")
    state = one_of(("pending",))


def _list_names(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


_GUEST_VIEW: Final = f"""\
A guest who has opened a signed link, and has typed no code lately, gets each field, but only these with what is in
them; the others are null or empty.

- Of the order: {_list_names(guest_document.ORDER_FIELDS)}.
- Of an item: {_list_names(guest_document.ITEM_FIELDS)}.
- Of a request: {_list_names(guest_document.REQUEST_FIELDS)}.
- Of a discount: {_list_names(guest_document.DISCOUNT_FIELDS)}.
- Of the delivery address: {_list_names(guest_document.ADDRESS_FIELDS)}, and the name of a `retail_store`.
- Of `extra_field`: {_list_names(guest_document.EXTRA_FIELDS)}.
"""

get_completed_order = operation(
    "get_completed_order",
    tag=ORDERS,
    summary="Get the order of a signed link",
    description="""\
What the confirmation page shows. The link is signed for this purpose, valid for a limited time (7 days unless the shop
decides otherwise), and can be revoked; keys may rotate meanwhile. A bad, expired, revoked or foreign link and an
unknown order are one and the same 404.
""",
    parameters=[
        OpenApiParameter(
            "signed",
            str,
            OpenApiParameter.PATH,
            description="The signed order number: `number:timestamp:signature`, URL-safe.",
        ),
        IF_NONE_MATCH,
        ETAG,
    ],
    answers={
        200: (CompletedOrder, "The order, and the campaigns applied to it."),
        304: UNCHANGED,
        404: (errors.NotFound, "Not a link to an order of the caller, or not any more."),
    },
    has_page=True,
)

list_orders = operation(
    "list_orders",
    tag=ORDERS,
    summary="List the caller's orders",
    description=f"""\
Newest first, each as its document. A guest, whose session a link or a code has admitted, sees the latest order
only. A `limit` that makes no sense counts as none.

{_GUEST_VIEW}
""",
    parameters=[
        PAGE,
        LIMIT,
        OpenApiParameter(
            "search",
            {"type": "string", "maxLength": 64, "pattern": NO_NUL},
            description="A part of the number, in any case.",
        ),
        OpenApiParameter(
            "last_month",
            {"type": "string", "pattern": NO_NUL},
            description="Only of so many months: a number; `false`, `no` and `0` mean all, any other text means 1.",
        ),
        OpenApiParameter(
            "created_date__gte",
            _DAY_OR_TIME,
            description="Placed then or later: a day (from its start, in the shop's time zone) or an ISO 8601 time.",
        ),
        OpenApiParameter(
            "created_date__lte",
            _DAY_OR_TIME,
            description="Placed then or earlier: a day (until its end) or an ISO 8601 time.",
        ),
    ],
    answers={
        200: (make_page("OrderPage", Order, "One page of orders, newest first."), "One page of orders."),
        400: (errors.make_input_error("OrderFilterError", _FILTERS), "A filter makes no sense."),
        404: (errors.NotFound, "There is no such page."),
    },
    has_page=True,
)

get_order = operation(
    "get_order",
    tag=ORDERS,
    summary="Get an order",
    description=f"""\
The whole document, with what the rules say of each item now.

{_GUEST_VIEW}
""",
    parameters=[
        OpenApiParameter(
            "id", int, OpenApiParameter.PATH, description="The order's id; a guest's is ignored."
        ),
        IF_NONE_MATCH,
        ETAG,
    ],
    answers={
        200: (Order, "The order."),
        304: UNCHANGED,
        404: (errors.NotFound, "There is no such order, or it is somebody else's."),
    },
    has_page=True,
)

change_order_address = operation(
    "change_order_address",
    tag=ORDERS,
    summary="Send an order to another address",
    description=f"""\
Sends one of the caller's orders to an entry of the caller's address book. The order must not have left yet, no
cancellation of it may be in progress, the country stays the same unless the shop decides otherwise, and an order that
is collected in a store has no address to change.

- **200**: Omnitron has taken the change; `status_code` is the HTTP status of its answer.
- **202**: Omnitron did not answer. The change is recorded, and delivered as long as the order may still change.
- **400**: the input makes no sense, the order may not change, or Omnitron refused. The codes of a refusal:

{list_codes(errors.ADDRESS_CODES)}
""",
    request=serializers.AddressChangeSerializer,
    parameters=[KEY],
    answers={
        200: (AddressChanged, "Omnitron has taken the change."),
        202: (AddressChangePending, "Recorded; Omnitron will be told."),
        400: (
            errors.make_bad_request(
                "ChangeOrderAddressBadRequest",
                errors.make_input_error(
                    "AddressChangeInputError",
                    (*serializers.AddressChangeSerializer().fields, "Idempotency-Key"),
                ),
                errors.AddressChangeRefused,
                errors.Unreadable,
            ),
            "The input makes no sense (an unknown and a foreign order or address in one wording), or it is refused.",
        ),
        409: STILL_RUNNING,
    },
    has_page=True,
)
