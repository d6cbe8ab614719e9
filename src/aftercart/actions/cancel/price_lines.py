"""Price a submission's lines: what would come back for them, signed so that it can be brought back.

Reads only. Under the order's lock it is what will be booked; without, what would be if nothing changes.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from aftercart.cancellations.models import (
    Destination,
    RefundQuote,
    RefundQuoteLine,
    Submission,
    SubmissionLine,
)
from aftercart.cancellations.policy.selectors import get_terms
from aftercart.cancellations.quoted import find_given
from aftercart.lib.clock import get_now
from aftercart.lib.money import ZERO, format_amount
from aftercart.lib.quote_tokens import QuoteToken, QuoteTokenInvalid, digest, read_quote, sign_quote
from aftercart.lib.times import format_time
from aftercart.loyalty.selectors import read_order_points
from aftercart.orders.errors import InputInvalid, QuoteStale
from aftercart.orders.facts import RequestedUnits
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.paid import gather_paid
from aftercart.orders.payment import NOTHING_PAID, read_payment, say_unpaid
from aftercart.orders.policy.clauses import Policy
from aftercart.orders.quotes import (
    Given,
    LineQuote,
    PaidOrder,
    Points,
    Quote,
    RefundTerms,
    ShippingRefund,
    compute_quote,
)
from aftercart.orders.rules import Finding, list_refusals


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One line as it was asked; `quote` is None if a rule refuses it. `codes` are those of all that speak."""

    order_item: int
    quantity: int
    codes: tuple[str, ...]
    quote: LineQuote | None


@dataclass(frozen=True, slots=True)
class QuoteAnswer:
    """What would come back, for a page to show; `write_document()` is contract section 3.6.

    `quote` prices the lines that no rule refuses. `token` binds it until `expires_at`. `findings` are all that
    the rules say, in their words.
    """

    lines: tuple[PricedLine, ...]
    findings: tuple[Finding, ...]
    quote: Quote
    destination: Destination
    way: RefundQuote.Way
    order_version: int
    token: str
    expires_at: datetime

    @property
    def message(self) -> str:
        """What is to be said of the whole: that nothing was paid, or ""."""
        if self.destination != Destination.NONE:
            return ""
        return say_unpaid(has_points=self.quote.points_returned > ZERO)

    def write_document(self) -> dict[str, Any]:
        """Write the answer of `POST /orders/{order number}/cancel/quote/`."""
        return {
            **_write_amounts(self.lines, self.quote, self.destination, self.way),
            **({"message": self.message} if self.message else {}),
            "order_version": self.order_version,
            "quote": self.token,
            "expires": format_time(self.expires_at),
        }


def price_lines(
    order: Order,
    items: Mapping[int, OrderItem],
    lines: Sequence[SubmissionLine],
    findings: Iterable[Finding],
    user_pk: int,
    policy: Policy | None,
) -> QuoteAnswer:
    """Price planned lines, as the rules have judged them. `items` are all of the order's, by id.

    Without a policy the terms are the default: all that was paid comes back, as the law wants it of a withdrawal.
    """
    findings = tuple(findings)
    refused = {finding.order_item for finding in list_refusals(findings)}
    allowed = [line for line in lines if line.order_item_id not in refused]
    quote = compute_quote(
        _gather_paid(order, list(items.values())),
        [RequestedUnits(line.order_item_id, line.cancellation_type, line.quantity) for line in allowed],  # type: ignore[arg-type]  # the column holds one of its choices
        terms={} if policy is None else _find_terms(policy, items, allowed),
        is_all_as_points=any(line.fully_refund_as_loyalty_money for line in lines),
    )
    priced = _price_each(lines, findings, quote)
    is_paid = any(read_payment(order).covers(items[line.order_item_id]) for line in lines)
    way = _find_way(findings, refused)
    destination = _find_destination(lines) if is_paid else Destination.NONE
    binding = QuoteToken(
        user=user_pk,
        order=order.pk,
        version=order.version,
        asks=digest(_list_asks(lines)),
        amounts=digest(_write_amounts(priced, quote, destination, way)),
        expires=int((get_now() + settings.QUOTE_LIFE).timestamp()),
    )
    return QuoteAnswer(
        lines=priced,
        findings=findings,
        quote=quote,
        destination=destination,
        way=way,
        order_version=order.version,
        token=sign_quote(binding),
        expires_at=binding.expires_at,
    )


def _gather_paid(order: Order, items: Sequence[OrderItem]) -> PaidOrder:
    """Gather what was paid, less what earlier cancellations have given back or quoted."""
    if any(getattr(item, "has_past", True) for item in items):
        return gather_paid(order, items, given=find_given(order), points=_find_points(order))
    return gather_paid(order, items, given=Given(has_shipping=order.shipping_refund_amount > 0))


def _price_each(
    lines: Sequence[SubmissionLine], findings: Sequence[Finding], quote: Quote
) -> tuple[PricedLine, ...]:
    by_item = {line.order_item: line for line in quote.lines}
    return tuple(
        PricedLine(
            order_item=line.order_item_id,
            quantity=line.quantity,
            codes=_list_codes(findings, line.order_item_id, by_item.get(line.order_item_id)),
            quote=by_item.get(line.order_item_id),
        )
        for line in lines
    )


def check_quote(token: str, fresh: QuoteAnswer) -> None:
    """Check that a quote that was brought back is still what would come back; "" promises nothing.

    Raises `InputInvalid` for one that we have not made, or have made for somebody else or another order, and
    `QuoteStale`, with the fresh one, for one that no longer holds.
    """
    if not token:
        return
    now = read_quote(fresh.token)
    try:
        then = read_quote(token)
    except QuoteTokenInvalid:
        then = None
    if then is None or (then.user, then.order) != (now.user, now.order):
        raise InputInvalid({"quote": [_("This is not a quote of this order.")]}, code="quote_invalid")
    is_same = (then.version, then.asks, then.amounts) == (now.version, now.asks, now.amounts)
    if not is_same or then.expires_at <= get_now():
        raise QuoteStale(fresh.write_document())


def store_quote(
    submission: Submission, lines: Sequence[SubmissionLine], answer: QuoteAnswer, *, is_binding: bool
) -> None:
    """Keep the quote of a submission whose lines have been saved: it is what will be booked."""
    quote, rows = make_quote(submission, lines, answer, is_binding=is_binding)
    quote.save(force_insert=True)
    for row in rows:
        row.quote = quote
    RefundQuoteLine.objects.bulk_create(rows)


def make_quote(
    submission: Submission, lines: Sequence[SubmissionLine], answer: QuoteAnswer, *, is_binding: bool
) -> tuple[RefundQuote, list[RefundQuoteLine]]:
    """Make the rows of a submission's quote, unsaved."""
    quote = answer.quote
    row = RefundQuote(
        submission=submission,
        order_version=answer.order_version,
        is_binding=is_binding,
        way=answer.way,
        destination=answer.destination,
        shipping_refund_amount=quote.shipping_refund,
        is_rest_for_last=quote.is_rest_for_last,
        gift_box_refund_amount=quote.gift_box_refund,
        rest_points_returned=quote.rest_points_returned,
        rest_points_credited=quote.rest_points_credited,
        fee_amount=quote.fees,
        total_amount=quote.total,
    )
    by_item = {line.order_item: line for line in quote.lines}
    return row, [_make_row(row, line, by_item[line.order_item_id]) for line in lines]


def _make_row(quote: RefundQuote, line: SubmissionLine, priced: LineQuote) -> RefundQuoteLine:
    return RefundQuoteLine(
        quote=quote,
        line=line,
        item_amount=priced.item_amount,
        discount_share=priced.discount_share,
        interest_share=priced.interest_share,
        tax_included=priced.tax_included,
        refund_amount=priced.refund_amount,
        fee_amount=priced.fee_amount,
        points_returned=priced.points_returned,
        points_credited=priced.points_credited,
        points_clawed_back=priced.points_clawed_back,
        is_paid=priced.is_paid,
    )


def _find_way(findings: Iterable[Finding], refused: Collection[int]) -> RefundQuote.Way:
    """Return whether it would be sent at once, or left to the back office; what is refused does not count."""
    is_review = any(finding.order_item not in refused for finding in findings)
    return RefundQuote.Way.REVIEW if is_review else RefundQuote.Way.DIRECT


def _find_points(order: Order) -> Points:
    """Find the points that were spent on an order, as a part of its total, and those that it earned."""
    points = read_order_points(order.pk)
    return Points(spent=points.spent, earned=points.earned)


def _find_terms(
    policy: Policy, items: Mapping[int, OrderItem], lines: Sequence[SubmissionLine]
) -> dict[int, RefundTerms]:
    """Find the shop's terms for each line."""
    total = sum((items[line.order_item_id].price * line.quantity for line in lines), ZERO)
    found = {
        line.order_item_id: get_terms(policy, items[line.order_item_id], line.cancellation_type, total)  # type: ignore[arg-type]  # the column holds one of its choices
        for line in lines
    }
    return {
        pk: RefundTerms(
            fee_percent=terms.fee_percent,
            fee_amount=terms.fee_fixed,
            shipping_refund=ShippingRefund(terms.shipping_refund.value),
        )
        for pk, terms in found.items()
    }


# --- documents ---------------------------------------------------------------------------------------------


def _list_asks(lines: Sequence[SubmissionLine]) -> list[list[Any]]:
    """List what is asked, as far as an amount can depend on it."""
    return sorted(
        [
            line.order_item_id,
            line.cancellation_type,
            line.quantity,
            line.reason_id,
            line.fully_refund_as_loyalty_money,
            bool(line.iban),
        ]
        for line in lines
    )


def _list_codes(findings: Sequence[Finding], order_item: int, priced: LineQuote | None) -> tuple[str, ...]:
    codes = [finding.code for finding in findings if finding.order_item == order_item]
    unpaid = [NOTHING_PAID] if priced is not None and not priced.is_paid else []
    return tuple(dict.fromkeys([*codes, *unpaid]))


def _find_destination(lines: Sequence[SubmissionLine]) -> Destination:
    if any(line.fully_refund_as_loyalty_money for line in lines):
        return Destination.LOYALTY
    if any(line.iban for line in lines):
        return Destination.IBAN
    return Destination.PAYMENT_METHOD


def _write(amount: Decimal) -> str:
    return str(format_amount(amount))


def _write_amounts(
    lines: Sequence[PricedLine], quote: Quote, destination: Destination, way: RefundQuote.Way
) -> dict[str, Any]:
    return {
        "lines": [_write_line(line) for line in lines],
        "shipping_refund": _write(quote.shipping_refund),
        "gift_box_refund": _write(quote.gift_box_refund),
        "fees": _write(quote.fees),
        "loyalty": {
            "returned": _write(quote.points_returned),
            "credited": _write(quote.points_credited),
            "clawed_back": _write(quote.points_clawed_back),
        },
        "total": _write(quote.total),
        "destination": destination.value,
        "way": way.value,
    }


def _write_line(line: PricedLine) -> dict[str, Any]:
    priced = line.quote
    return {
        "order_item": line.order_item,
        "quantity": line.quantity,
        "eligible": priced is not None,
        "codes": list(line.codes),
        "item_amount": _write(priced.item_amount if priced else ZERO),
        "discount_share": _write(priced.discount_share if priced else ZERO),
        "interest_share": _write(priced.interest_share if priced else ZERO),
        "tax_included": _write(priced.tax_included if priced else ZERO),
        "refund_amount": _write(priced.refund_amount if priced else ZERO),
    }
