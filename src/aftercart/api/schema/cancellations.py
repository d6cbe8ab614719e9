"""The operations about cancellations and returns (contract sections 3 and 5)."""

from typing import Final

from drf_spectacular.utils import OpenApiParameter

from aftercart.api import serializers
from aftercart.api.schema import errors
from aftercart.api.schema.operation import (
    CSRF_FAILED,
    KEY,
    LIMIT,
    ORDER_NUMBER,
    PAGE,
    STILL_RUNNING,
    UNKNOWN_FORMAT,
    operation,
)
from aftercart.api.schema.quotes import QuoteStale
from aftercart.api.schema.rules import SECOND_REQUEST, write_rules
from aftercart.api.schema.texts import CANCELLATIONS
from aftercart.cancellations.document import CancellationReason, CancellationRequest, ItemRequest
from aftercart.lib.documents import make_page

_SUBMITTED: Final = tuple(serializers.CancellationSerializer().fields)
_ITEM: Final = tuple(serializers.SingleRequestSerializer().fields)

_REASON_PAGE: Final = make_page(
    "CancellationReasonPage",
    CancellationReason,
    "One page of reasons, in the order in which they are offered.",
)
_INPUT: Final = """\
- An item may be named once. Without a `quantity`, all that is left of the line is meant.
- `reason` is an active reason of the same `cancellation_type`; one with `extra_information_needed` wants a
  `description`.
- `refund` wants a `shipping_company` for each item and one `pickup_address` for all, where the shop has easy
  return.
- `iban` and `holder_name` come together, and only for payments that cannot be refunded to their source
  (transfer, cash on delivery).
- `pickup_address` and `fully_refund_as_loyalty_money` may also stand inside the items, as older clients put them;
  two values that disagree are an error.
- `return_policy` may be left out; false is an error.
- `quote` is what `quote_cancellation` signed for the same items; it may be left out. Another's, or a forged one, is an
  error (`quote_invalid`); one that does not hold any more is a 409.
"""

_QUOTE: Final = {"quote_invalid": "not a quote of this order for this customer"}
_STALE: Final = "The quote does not hold any more: the fresh one is in the body (`quote_stale`)."

cancel_order_items = operation(
    "cancel_order_items",
    tag=CANCELLATIONS,
    summary="Cancel or return items of an order",
    description=f"""\
Takes back items of one of the caller's orders: at once if that can be done, through the back office if not.

### What is checked

{_INPUT}
### The order of things

1. The order is the caller's. 2. All rules below are judged, for every item. 3. The order is read from Omnitron.
4. The cancellation is sent to Omnitron. 5. The items become `cancellation_waiting` (50), until Omnitron has decided:
then `canceled` (100), `refunded` (600), or what they were before.

All or nothing: one submission ends as a whole in one of the answers below.

- **204**: the direct way succeeded. Omnitron has the cancellation; there is no body.
- **200**: the direct way did *not* succeed, since a rule wants a review, or since Omnitron refused, was
  unreachable or gave no reliable answer. The list holds the cancellation requests that the back office will
  process. Nothing needs to be sent again.
- **400**: the input makes no sense, or a rule refuses. Nothing was recorded.

### The rules

{write_rules()}

`refuse` ends in 400, `review` in 200. A ninth reason for a review is Omnitron itself.
""",
    request=serializers.CancellationSerializer,
    parameters=[
        ORDER_NUMBER,
        KEY,
    ],
    answers={
        204: (None, "Omnitron has taken the cancellation. No body."),
        200: (
            CancellationRequest(many=True),
            "The direct way did not succeed: the requests that the back office will process.",
        ),
        400: (
            errors.make_bad_request(
                "CancelOrderItemsBadRequest",
                errors.make_input_error("CancellationInputError", (*_SUBMITTED, "Idempotency-Key"), _QUOTE),
                errors.CancellationRefused,
                errors.Unreadable,
            ),
            "The input makes no sense, or the rules refuse.",
        ),
        404: (errors.NotFound, "There is no such order, or it is somebody else's."),
        409: (
            errors.make_bad_request("CancelOrderItemsConflict", errors.StillRunning, QuoteStale),
            f"{STILL_RUNNING[1]} Or: {_STALE[0].lower()}{_STALE[1:]}",
        ),
    },
    has_page=True,
)

request_cancellations = operation(
    "request_cancellations",
    tag=CANCELLATIONS,
    summary="Ask the back office to cancel or return items",
    description=f"""\
The body of `cancel_order_items`, without the direct way: always requests for the back office. The items name the
order; all of them belong to one order of the caller.

{_INPUT}
The rules that refuse are those of `cancel_order_items`; those that want a review change nothing here. If the first
refusal is that a cancellation is in progress, the whole bears the code `{SECOND_REQUEST}`.
""",
    request=serializers.CancellationSerializer,
    parameters=[KEY],
    answers={
        201: (CancellationRequest(many=True), "The requests, one for each item."),
        400: (
            errors.make_bad_request(
                "RequestCancellationsBadRequest",
                errors.make_input_error(
                    "CancellationsInputError", (*_SUBMITTED, "order_item", "Idempotency-Key"), _QUOTE
                ),
                errors.CancellationRefused,
                errors.Unreadable,
            ),
            "The input makes no sense, or the rules refuse.",
        ),
        404: UNKNOWN_FORMAT,
        409: (QuoteStale, _STALE),
    },
)

request_cancellation = operation(
    "request_cancellation",
    tag=CANCELLATIONS,
    summary="Ask the back office to cancel or return one item",
    description=f"""\
One entry of `cancel_order_items` as the whole body: one request for the back office.

A second request for an item whose first one is not decided yet is refused with the code `{SECOND_REQUEST}`.
""",
    request=serializers.SingleRequestSerializer,
    parameters=[KEY],
    answers={
        201: (CancellationRequest, "The request."),
        400: (
            errors.make_bad_request(
                "RequestCancellationBadRequest",
                errors.make_input_error("CancellationRequestInputError", (*_ITEM, "Idempotency-Key")),
                errors.CancellationRefused,
                errors.Unreadable,
            ),
            "The input makes no sense, or the rules refuse.",
        ),
        404: UNKNOWN_FORMAT,
    },
)

take_back_request = operation(
    "take_back_request",
    tag=CANCELLATIONS,
    summary="Take a request back",
    description="""\
Takes back a request of the caller's while it is `waiting` or `waiting_approval`. The item goes on as before and may be
asked for anew; the request becomes `rejected`, and leaves Omnitron's queue afterwards. Whoever was first has it: the
customer, the back office or Omnitron. Taking back what was taken back gives the same answer again.
""",
    parameters=[OpenApiParameter("id", int, OpenApiParameter.PATH, description="The request's `id`.")],
    request=None,
    answers={
        200: (ItemRequest, "The request, taken back."),
        403: CSRF_FAILED,
        404: (errors.NotFound, "There is no such request, or it is somebody else's."),
        409: (errors.NothingToTakeBack, "It is too late: nothing was changed."),
        429: (errors.Throttled, "The item was taken back five times within the hour."),
    },
)

list_cancellation_reasons = operation(
    "list_cancellation_reasons",
    tag=CANCELLATIONS,
    summary="List the reasons that may be given",
    description="Active reasons only, in the order in which they are offered; subjects in the caller's language.",
    parameters=[
        PAGE,
        LIMIT,
    ],
    answers={
        200: (_REASON_PAGE, "One page of reasons."),
        404: (errors.NotFound, "There is no such page, or `format` names an unknown format."),
    },
)
