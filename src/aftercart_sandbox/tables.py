"""What the sandbox knows by heart: statuses, reasons, refusals and the names of its calls."""

from typing import Final, NamedTuple

API_PREFIX: Final = "/api/v1"

CALLS: Final = (
    "login",
    "active_user",
    "integration_actions",
    "orders_list",
    "order_read",
    "orders_updates",
    "order_items",
    "order_cancel",
    "requests_list",
    "request_create",
    "request_read",
    "request_reject",
    "requests_updates",
    "reasons",
    "address_change",
)
"""Every call of the API that a fault can name; anything else is logged as ``unknown``."""

STATUSES: Final = {
    "50": "cancellation_waiting",
    "100": "canceled",
    "200": "waiting",
    "300": "payment_waiting",
    "350": "confirmation_waiting",
    "400": "approved",
    "450": "preparing",
    "500": "shipped",
    "510": "shipped_and_informed",
    "520": "ready_for_pickup",
    "540": "attempted_delivery",
    "544": "review_started",
    "545": "review_waiting",
    "546": "waiting_for_payment",
    "547": "paid",
    "550": "delivered",
    "600": "refunded",
}
"""Order and item statuses, number to name (contract section 7)."""

STATUS_NUMBERS: Final = {name: number for number, name in STATUSES.items()}

CANCELLATION_WAITING: Final = "50"
CANCELED: Final = "100"
WAITING: Final = "200"
APPROVED: Final = "400"
SHIPPED: Final = "500"
REFUNDED: Final = "600"
WAITING_FOR_MONEY: Final = frozenset({"300", "546"})
PAID_AT_THE_DOOR: Final = frozenset({"547", "550", "600"})
CLOSED: Final = frozenset({CANCELED, REFUNDED})

CANCELLABLE: Final = frozenset({"200", "300", "350", "400", "450"})
REFUNDABLE: Final = frozenset({"500", "510", "520", "540", "544", "545", "546", "547", "550"})
"""``cancel`` is for what has not been shipped, ``refund`` for what has (contract section 3.3)."""

LEGAL_FROM: Final = {"cancel": CANCELLABLE, "refund": REFUNDABLE}
ENDS_IN: Final = {"cancel": CANCELED, "refund": REFUNDED}

CANCELLATION_TYPES: Final = ("cancel", "refund")

REQUEST_OPEN: Final = ("waiting", "waiting_approval", "confirmed", "approved")
"""Request statuses still in progress; ``completed`` and ``rejected`` end one (contract section 8)."""

CONTENT_TYPES: Final = {"order": 11, "orderitem": 12, "cancellationrequest": 13}
"""Models that have integration actions, with the content type ids this back office gives them."""

PAY_ON_DELIVERY: Final = "pay_on_delivery"

FIRST_ORDER: Final = 500_001
FIRST_ITEM: Final = 700_001
FIRST_REQUEST: Final = 300_001
FIRST_ACTION: Final = 900_001


class Reason(NamedTuple):
    """A seeded cancellation reason."""

    pk: int
    cancellation_type: str
    subject: str
    turkish: str
    extra_information_needed: bool


# Turkish has a dotless i
REASONS: Final = (
    Reason(1, "cancel", "Changed my mind", "Fikrimi değiştirdim", extra_information_needed=False),
    Reason(2, "cancel", "Ordered by mistake", "Yanlışlıkla sipariş verdim", extra_information_needed=False),
    Reason(3, "cancel", "Found a better price", "Daha uygun fiyat buldum", extra_information_needed=False),
    Reason(
        4, "cancel", "Delivery takes too long", "Teslimat çok uzun sürüyor", extra_information_needed=False
    ),
    Reason(5, "cancel", "Other", "Diğer", extra_information_needed=True),
    Reason(6, "refund", "Does not fit", "Uymadı", extra_information_needed=False),
    Reason(7, "refund", "Not as described", "Açıklandığı gibi değil", extra_information_needed=False),
    Reason(8, "refund", "Damaged or defective", "Hasarlı veya kusurlu", extra_information_needed=False),
    Reason(9, "refund", "Changed my mind", "Fikrimi değiştirdim", extra_information_needed=False),
    Reason(10, "refund", "Other", "Diğer", extra_information_needed=True),
)


class Refusal(NamedTuple):
    """A named business refusal: 406, with ``non_field_errors`` as a list or as a bare string (both occur)."""

    message: str
    as_list: bool


ALREADY_WAITING: Final = "order_cancel_100_1"
ILLEGAL_MOVE: Final = "order_cancel_100_2"
MIXED_TYPES: Final = "order_cancel_100_3"
OVERLAPPING: Final = "order_cancel_100_4"
MISSING_REASON: Final = "order_cancel_100_5"
NO_PURCHASE: Final = "order_cancel_100_6"
NOTHING_REFUNDABLE: Final = "order_cancel_100_7"
SEVERAL_STATUSES: Final = "order_cancel_100_8"
REQUEST_EXISTS: Final = "cancellation_request_100_1"
REQUEST_ILLEGAL: Final = "cancellation_request_100_2"
REQUEST_CLOSED: Final = "cancellation_request_100_3"
TOO_LATE: Final = "address_change_100_1"
ORDER_CLOSED: Final = "address_change_100_2"

REFUSALS: Final = {
    ALREADY_WAITING: Refusal("A cancellation of this order item is already waiting.", as_list=False),
    ILLEGAL_MOVE: Refusal("The status of the order item does not allow this cancellation.", as_list=True),
    MIXED_TYPES: Refusal("Cancel and refund can not be made in the same cancellation.", as_list=False),
    OVERLAPPING: Refusal("is_all and cancel_items are overlapping parameters.", as_list=True),
    MISSING_REASON: Refusal("Every order item to cancel needs a reason.", as_list=False),
    NO_PURCHASE: Refusal("The order has no purchase transaction.", as_list=True),
    NOTHING_REFUNDABLE: Refusal("There is no refundable amount left.", as_list=False),
    SEVERAL_STATUSES: Refusal(
        "Items of a pay on delivery order must have the same status to be cancelled together.", as_list=True
    ),
    REQUEST_EXISTS: Refusal(
        "There is already an open cancellation request for this order item.", as_list=False
    ),
    REQUEST_ILLEGAL: Refusal("The status of the order item does not allow this request.", as_list=True),
    REQUEST_CLOSED: Refusal("The cancellation request is already closed.", as_list=True),
    TOO_LATE: Refusal("The order has been shipped: its address can not be changed any more.", as_list=False),
    ORDER_CLOSED: Refusal("The order is closed: its address can not be changed any more.", as_list=True),
}
"""Stable code to message (contract section 8; the codes' numbers are the sandbox's own)."""
