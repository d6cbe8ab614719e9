"""What comes back, as its customer reads it on pages and in JSON: pure, from rows already read.

What was declined or taken back brings nothing. Delivery and gift box belong to a submission as a whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from aftercart.cancellations.line_states import find_state
from aftercart.cancellations.models import Destination, RefundQuote, RefundQuoteLine, SubmissionLine
from aftercart.cancellations.quoted import find_due
from aftercart.lib.money import ZERO
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.refund_words import RefundRow, list_refund_rows, name_destination


class RefundStatus(models.TextChoices):
    """How a refund stands. Of several lines the one that is behind speaks: the first of these."""

    REQUESTED = "requested", _("Your refund if approved")
    EXPECTED = "expected", _("Your refund")
    UNDER_WAY = "under_way", _("Refund on its way")
    REFUNDED = "refunded", _("Refunded")
    NONE = "none", _("Nothing to refund")


_BEHIND_FIRST: Final = list(RefundStatus)
#: Where a refund goes, in the order in which it is said.
SPLIT: Final = (Destination.PAYMENT_METHOD, Destination.IBAN, Destination.LOYALTY)


@dataclass(frozen=True, slots=True)
class Rest:
    """What comes back of an order as a whole with one submission."""

    amount: Decimal = ZERO
    points_returned: Decimal = ZERO
    rows: tuple[RefundRow, ...] = ()


_NO_REST: Final = Rest()


@dataclass(frozen=True, slots=True)
class Refund:
    """What comes back. `amount` is `goods_amount` with `rows`; `points_returned` of it were paid with points.

    The rest goes to `destination`; None where nothing does. `due_at`: until when it has to be with the customer, while
    it is under way. `rest` is a part of it. `is_paid`: money had been paid for something of it.
    """

    status: RefundStatus
    amount: Decimal
    goods_amount: Decimal
    rows: tuple[RefundRow, ...]
    rest: Rest
    points_returned: Decimal
    destination: Destination | None
    account_end: str
    method: str
    due_at: datetime | None
    is_paid: bool

    @property
    def label(self) -> str:
        """How it stands, in the customer's words."""
        return str(self.status.label)

    @property
    def destination_name(self) -> str:
        """Where it goes, in the customer's words; "" where nothing does."""
        if self.destination is None:
            return ""
        return name_destination(self.destination, account_end=self.account_end, method=self.method)

    @property
    def split(self) -> dict[Destination, Decimal]:
        """How much goes where; their sum is the amount."""
        split = dict.fromkeys(SPLIT, ZERO)
        split[Destination.LOYALTY] = self.points_returned
        if self.destination is not None:
            split[self.destination] += self.amount - self.points_returned
        return split


def describe_submission(
    order: Order, lines: Sequence[SubmissionLine], items: Iterable[OrderItem]
) -> Refund | None:
    """Describe what comes back for all lines of one submission. `items` are all of the order's, as they stand."""
    quoted = next((quoted for line in lines if (quoted := find_quoted(line))), None)
    if quoted is None:
        return None
    return _describe(order, quoted.quote, lines, find_rest(quoted.quote, lines, items))


def find_rest(quote: RefundQuote, lines: Sequence[SubmissionLine], items: Iterable[OrderItem]) -> Rest:
    """Find what comes back of the order as a whole with these lines, which are all of their quote.

    Before it is booked only what is still to come if all that is asked for goes through: nothing once one of them was
    declined, none is open any more, or, where it rests on that, something of the order stays.
    """
    if quote.rest_booked_at is None:
        is_open = any(line.is_open for line in lines)
        is_declined = any(line.is_declined for line in lines)
        stays = quote.is_rest_for_last and any(item.left_quantity > item.reserved_quantity for item in items)
        if is_declined or stays or not is_open:
            return _NO_REST
    amount = quote.given_rest
    amounts = {"shipping": quote.shipping_refund_amount, "gift_box": quote.gift_box_refund_amount}
    amounts["other"] = amount - sum(amounts.values(), ZERO)
    return Rest(
        amount=amount,
        points_returned=min(quote.rest_points_returned, amount),
        rows=list_refund_rows(amounts) if amount else (),
    )


def find_quoted(line: SubmissionLine) -> RefundQuoteLine | None:
    """Find what was quoted for a line."""
    return getattr(line, "quoted", None)


def _describe(order: Order, quote: RefundQuote, lines: Sequence[SubmissionLine], rest: Rest) -> Refund | None:
    going = [(line, quoted) for line in lines if is_going(line) and (quoted := find_quoted(line))]
    if not going:
        return None
    amount = sum((find_amount(line, quoted) for line, quoted in going), rest.amount)
    points = min(sum((quoted.points_returned for _line, quoted in going), rest.points_returned), amount)
    goods, rows = _list_rows([quoted for _line, quoted in going], rest, amount)
    waiting = [
        line.closed_at for line, quoted in going if _find_status(line, quoted) == RefundStatus.UNDER_WAY
    ]
    statuses = {_find_status(line, quoted) for line, quoted in going}
    if rest.amount and quote.rest_booked_at and not quote.is_rest_refunded(row for _line, row in going):
        statuses.add(RefundStatus.UNDER_WAY)
        waiting += [line.closed_at for line, _quoted in going]
    status = min(statuses, key=_BEHIND_FIRST.index) if amount > ZERO else RefundStatus.NONE
    destination = Destination(quote.destination)
    is_to_account = destination == Destination.IBAN
    return Refund(
        status=status,
        amount=amount,
        goods_amount=goods,
        rows=rows,
        rest=rest,
        points_returned=points,
        destination=destination if amount > points and destination != Destination.NONE else None,
        account_end=next((line.iban[-4:] for line, _quoted in going if line.iban), "")
        if is_to_account
        else "",
        method=str(order.payment_option.get("name") or ""),
        due_at=min((find_due(at) for at in waiting if at), default=None),
        is_paid=destination != Destination.NONE,
    )


def is_going(line: SubmissionLine) -> bool:
    """Return whether a line was not declined."""
    return line.outcome != SubmissionLine.Outcome.REJECTED


def find_amount(line: SubmissionLine, quoted: RefundQuoteLine) -> Decimal:
    """Find what comes back for a line: as it was quoted, and once it is done as it was given."""
    return quoted.given_amount if line.outcome == SubmissionLine.Outcome.COMPLETED else quoted.quoted_amount


def _find_status(line: SubmissionLine, quoted: RefundQuoteLine) -> RefundStatus:
    if line.outcome == SubmissionLine.Outcome.COMPLETED:
        return RefundStatus.REFUNDED if quoted.is_refunded else RefundStatus.UNDER_WAY
    return RefundStatus.REQUESTED if find_state(line) == "requested" else RefundStatus.EXPECTED


def _list_rows(
    quoted: Sequence[RefundQuoteLine], rest: Rest, amount: Decimal
) -> tuple[Decimal, tuple[RefundRow, ...]]:
    """Return what the goods cost, and why the amount is another one."""
    goods = sum((row.item_amount for row in quoted), ZERO)
    amounts = {row.code: row.amount for row in rest.rows} | {
        "discount": -sum((row.discount_share for row in quoted), ZERO),
        "interest": sum((row.interest_share for row in quoted), ZERO),
        "fee": -sum((row.fee_amount for row in quoted), ZERO),
    }
    amounts["other"] = ZERO
    amounts["other"] = amount - goods - sum(amounts.values(), ZERO)
    return goods, list_refund_rows(amounts)
