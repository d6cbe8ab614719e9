"""The operation that tells what would come back (contract section 3.6)."""

from typing import Final

from aftercart.api import serializers
from aftercart.api.schema import errors
from aftercart.api.schema.operation import ORDER_NUMBER, operation
from aftercart.api.schema.rules import RULES
from aftercart.api.schema.texts import CANCELLATIONS
from aftercart.cancellations.models import Destination, RefundQuote
from aftercart.lib.documents import Document, Shape, flag, integer, moment, money, one_of, text
from aftercart.orders.paid import NOTHING_PAID

_SUBMITTED: Final = tuple(serializers.CancellationSerializer().fields)


class QuotedLine(Document):
    """What would come back for one item. All amounts are `0.00` where a rule refuses it."""

    order_item = integer("The item's id.")
    quantity = integer("Units.", minimum=1)
    eligible = flag("Whether no rule refuses it.")
    codes = Shape(
        {
            "type": "array",
            "items": {"type": "string", "enum": [*dict.fromkeys(r.code for r in RULES), NOTHING_PAID]},
        },
        "What is to be said of it: why not, why it needs a review, or that nothing was paid for it.",
    )
    item_amount = money("What these units cost, tax included, after the item's own discounts.")
    discount_share = money("Their part of the order's discount.")
    interest_share = money("What comes back of the interest of an instalment plan.")
    tax_included = money("The tax in `item_amount - discount_share`.")
    refund_amount = money("`item_amount - discount_share + interest_share`.")


class QuotedPoints(Document):
    """Loyalty points in it."""

    returned = money("Comes back as points, since it was paid with points; a part of `total`.")
    credited = money("Comes back as points, since that was asked for; a part of `total`.")
    clawed_back = money("Was earned with these items, and is lost; no part of `total`.")


class Quote(Document):
    """What would come back now, and a signature that binds it."""

    lines = QuotedLine(many=True)
    shipping_refund = money("Comes back for the delivery.")
    gift_box_refund = money("Comes back for the gift box.")
    fees = money("Is kept.")
    loyalty = QuotedPoints()
    message = Shape(
        {"type": "string"},
        "Only where no money was paid: a sentence that says so, and that nothing (but points) is returned.",
        required=False,
    )
    total = money("All `refund_amount`, `shipping_refund` and `gift_box_refund`, less `fees`.")
    destination = one_of(
        Destination.values, "Where what does not come back as points goes; `none`: nothing was paid."
    )
    way = one_of(RefundQuote.Way.values, "`review`: the back office will look at it.")
    order_version = integer("The order's version; any change of the order moves it.")
    quote = text("Send it back as `quote` with the cancellation.")
    expires = moment("Until then it binds.")


class QuoteStale(Quote):
    """The quote that was sent back does not hold any more; this is a fresh one. Nothing was recorded."""

    detail = text("One sentence for a person.")
    code = one_of(["quote_stale"])


quote_cancellation = operation(
    "quote_cancellation",
    tag=CANCELLATIONS,
    summary="Quote what would come back",
    description="""\
Takes the body of `cancel_order_items` and tells what would come back, to the cent: nothing is recorded, nothing is
sent. What a rule refuses is told in its line (`eligible`, `codes`), not as an error; input that makes no sense is a
400 as there. The amounts are explained in docs/money.md.

Sent back as `quote` with the cancellation of the same items, it binds for half an hour (a setting of the shop): what
is booked is what was quoted. If the order has changed, the quote has expired, or something else is asked, the answer
is a 409 with a fresh quote; never another amount.
""",
    request=serializers.CancellationSerializer,
    parameters=[
        ORDER_NUMBER,
    ],
    answers={
        200: (Quote, "What would come back."),
        400: (
            errors.make_bad_request(
                "QuoteCancellationBadRequest",
                errors.make_input_error("QuoteInputError", (*_SUBMITTED, "Idempotency-Key")),
                errors.Unreadable,
            ),
            "The input makes no sense.",
        ),
        404: (errors.NotFound, "There is no such order, or it is somebody else's; or `format` is unknown."),
    },
)
