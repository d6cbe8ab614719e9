"""What comes back for a submission as an order's JSON says it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from aftercart.cancellations import refunds
from aftercart.cancellations.models import SubmissionLine
from aftercart.cancellations.refunds import (
    SPLIT,
    RefundStatus,
    describe_submission,
    find_amount,
    find_quoted,
    is_going,
)
from aftercart.lib.documents import (
    Document,
    integer,
    make_document,
    make_enumeration,
    moment,
    money,
    one_of,
    text,
)
from aftercart.lib.money import format_amount
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.refund_words import ROW_LABELS

#: What each status of a refund means.
REFUND_STATUSES: Final = {
    RefundStatus.REQUESTED: "the back office decides first",
    RefundStatus.EXPECTED: "it comes once the cancellation or the return is done",
    RefundStatus.UNDER_WAY: "done; Omnitron has not reported the money yet",
    RefundStatus.REFUNDED: "Omnitron has reported it; points are there at once",
    RefundStatus.NONE: "nothing comes back, since nothing was paid, or all of it is kept",
}

RefundState = make_enumeration(
    "RefundState",
    "How a refund stands. Of several lines the one that is behind speaks: the first of these.",
    {status.value: meaning for status, meaning in REFUND_STATUSES.items()},
)

RefundDestination = make_document(
    "RefundDestination",
    "Where a refund goes.",
    {
        "value": one_of([destination.value for destination in SPLIT]),
        "label": text("For people, in the language that `Accept-Language` asks for."),
        "account_end": text(
            "The last four digits of the account, and no more of it; null without one.", null=True
        ),
    },
)


class RefundSplit(Document):
    """How much goes where. Their sum is the amount."""

    payment_method = money("Back to where it was paid from: the card.")
    iban = money("To the bank account that was named.")
    loyalty = money("Points: what had been paid with points, and what was asked for as points.")


class RefundAdjustment(Document):
    """Why a refund is not what the goods cost."""

    code = one_of(
        ROW_LABELS,
        "`discount`, `fee`: what is kept; `interest`, `shipping`, `gift_box`: what comes back besides; `other`: what "
        "Omnitron reports otherwise.",
    )
    label = text("For people, in the language that `Accept-Language` asks for.")  # type: ignore[assignment]  # a field of this name hides the framework's own
    amount = money("Negative where it is kept.")


class RefundedLine(Document):
    """One line of a refund."""

    order_item = integer("The item's id.", source="order_item_id")
    quantity = integer("Units.", minimum=0)
    amount = money()
    exchange_preference = text(
        "Another size or colour that the customer would rather have, of a return; may be empty. Nothing is promised."
    )


class Refund(Document):
    """What comes back for one submission, delivery and gift box included. What was declined is not in it."""

    submission = text("What was asked for together: the uuid of its page.", format="uuid")
    status = RefundState()
    amount = money("As it was quoted; once it is done, as it was given back. Money and points together.")
    split = RefundSplit()
    destination = RefundDestination(
        allow_null=True, help_text="Of what had not been paid with points; null where nothing goes there."
    )
    refund_due_at = moment(
        source="due_at",
        help_text="While it is `under_way`: until when it has to be with the customer (`REFUND_DAYS`).",
        null=True,
    )
    goods_amount = money("What the goods cost: `amount` less all `adjustments`.")
    adjustments = RefundAdjustment(many=True)
    lines = RefundedLine(many=True)


def refund_document(refund: refunds.Refund, **given: Any) -> dict[str, Any]:
    """Return a refund as it stands in an order's JSON, with its submission and lines."""
    destination = refund.destination
    return Refund.write(
        refund,
        status={"value": refund.status.value, "label": refund.label},
        split={place.value: format_amount(amount) for place, amount in refund.split.items()},
        destination=destination
        and {
            "value": destination.value,
            "label": refund.destination_name,
            "account_end": refund.account_end or None,
        },
        adjustments=[RefundAdjustment.write(row) for row in refund.rows],
        **given,
    )


def list_refunds(
    order: Order, lines: Iterable[SubmissionLine], items: Sequence[OrderItem]
) -> list[dict[str, Any]]:
    """Return the refunds of an order, one a submission, newest first; `lines` are all of the order's."""
    by_quote: dict[int, list[SubmissionLine]] = {}
    for line in lines:
        quoted = find_quoted(line)
        if quoted is not None:
            by_quote.setdefault(quoted.quote_id, []).append(line)
    found = []
    for _pk, asked in sorted(by_quote.items(), reverse=True):
        refund = describe_submission(order, asked, items)
        if refund is not None:
            lines_of = [_part_document(line) for line in asked if is_going(line)]
            submission = str(asked[0].submission.uuid)
            found.append(refund_document(refund, submission=submission, lines=lines_of))
    return found


def _part_document(line: SubmissionLine) -> dict[str, Any]:
    is_done = line.outcome == SubmissionLine.Outcome.COMPLETED
    return RefundedLine.write(
        line,
        quantity=line.completed_quantity if is_done else line.quantity,
        amount=format_amount(find_amount(line, line.quoted)),
    )
