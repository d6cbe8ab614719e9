"""Price a submission's lines: what would come back for them, signed so that it can be brought back.

Pure: no query, no clock. Of a case that was read under the order's lock it is what will be booked; of another one what
would be if nothing changes.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from aftercart.actions.commands import CancellationCase
from aftercart.cancellations.models import Destination, RefundQuote, SubmissionLine
from aftercart.lib.money import ZERO, format_amount
from aftercart.lib.quote_tokens import QuoteToken, QuoteTokenInvalid, digest, read_quote, sign_quote
from aftercart.lib.times import format_time
from aftercart.orders.errors import InputInvalid, QuoteStale
from aftercart.orders.facts import RequestedUnits
from aftercart.orders.paid import NOTHING_PAID, say_unpaid
from aftercart.orders.policy.clauses import decide_terms
from aftercart.orders.quotes import LineQuote, Quote, RefundTerms, compute_quote
from aftercart.orders.rules import Finding, list_refusals

#: What a line is quoted, in the contract's words.
_AMOUNTS: Final = ("item_amount", "discount_share", "interest_share", "tax_included", "refund_amount")


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

    `quote` prices the lines that no rule refuses. `findings` are all that the rules say, in their words. `quoted_to`
    as in `Caller`, `order` is the order's id, `asks` what is asked, as far as an amount can depend on it.
    """

    lines: tuple[PricedLine, ...]
    findings: tuple[Finding, ...]
    quote: Quote
    destination: Destination
    way: RefundQuote.Way
    quoted_to: int
    order: int
    order_version: int
    asks: list[list[Any]]
    made_at: datetime

    @property
    def expires_at(self) -> datetime:
        """Until when its token binds, in whole seconds."""
        return (self.made_at + settings.QUOTE_LIFE).replace(microsecond=0)

    @property
    def binding(self) -> QuoteToken:
        """What its token says."""
        return QuoteToken(
            user=self.quoted_to,
            order=self.order,
            version=self.order_version,
            asks=digest(self.asks),
            amounts=digest(self._write_amounts()),
            expires=int(self.expires_at.timestamp()),
        )

    @property
    def token(self) -> str:
        """What binds it, to be brought back."""
        return sign_quote(self.binding)

    @property
    def message(self) -> str:
        """What is to be said of the whole: that nothing was paid, or ""."""
        if self.destination != Destination.NONE:
            return ""
        return say_unpaid(has_points=self.quote.points_returned > ZERO)

    def write_document(self) -> dict[str, Any]:
        """Write the answer of `POST /orders/{order number}/cancel/quote/`."""
        return {
            **self._write_amounts(),
            **({"message": self.message} if self.message else {}),
            "order_version": self.order_version,
            "quote": self.token,
            "expires": format_time(self.expires_at),
        }

    def _write_amounts(self) -> dict[str, Any]:
        quote = self.quote
        return {
            "lines": [_write_line(line) for line in self.lines],
            "shipping_refund": format_amount(quote.shipping_refund),
            "gift_box_refund": format_amount(quote.gift_box_refund),
            "fees": format_amount(quote.fees),
            "loyalty": {
                "returned": format_amount(quote.points_returned),
                "credited": format_amount(quote.points_credited),
                "clawed_back": format_amount(quote.points_clawed_back),
            },
            "total": format_amount(quote.total),
            "destination": self.destination.value,
            "way": self.way.value,
        }


def price_lines(
    case: CancellationCase,
    lines: Sequence[SubmissionLine],
    findings: Iterable[Finding],
    *,
    quoted_to: int,
    has_terms: bool = True,
) -> QuoteAnswer:
    """Price planned lines, as the rules have judged them.

    Without the shop's terms all that was paid comes back, as the law wants it of a withdrawal.
    """
    findings = tuple(findings)
    refused = {finding.order_item for finding in list_refusals(findings)}
    requested = list_requested(line for line in lines if line.order_item_id not in refused)
    quote = compute_quote(
        case.paid,
        requested,
        terms=_find_terms(case, requested) if has_terms else {},
        is_all_as_points=any(line.fully_refund_as_loyalty_money for line in lines),
    )
    return QuoteAnswer(
        lines=_price_each(lines, findings, quote),
        findings=findings,
        quote=quote,
        destination=_find_destination(lines) if is_any_paid(case, lines) else Destination.NONE,
        way=_find_way(findings, refused),
        quoted_to=quoted_to,
        order=case.order.pk,
        order_version=case.order.version,
        asks=_list_asks(lines),
        made_at=case.now,
    )


def list_requested(lines: Iterable[SubmissionLine]) -> list[RequestedUnits]:
    """List what lines ask for, as rules and amounts take it."""
    return [RequestedUnits(line.order_item_id, line.cancellation_type, line.quantity) for line in lines]  # type: ignore[arg-type]  # the column holds one of its choices


def is_any_paid(case: CancellationCase, lines: Iterable[SubmissionLine]) -> bool:
    """Return whether the money for any of these lines has been paid."""
    named = {line.order_item_id for line in lines}
    return any(item.is_paid for item in case.paid.items if item.order_item in named)


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
    now = fresh.binding
    try:
        then = read_quote(token)
    except QuoteTokenInvalid:
        then = None
    if then is None or (then.user, then.order) != (now.user, now.order):
        raise InputInvalid({"quote": [_("This quote does not belong to this order.")]}, code="quote_invalid")
    is_same = (then.version, then.asks, then.amounts) == (now.version, now.asks, now.amounts)
    if not is_same or then.expires_at <= fresh.made_at:
        raise QuoteStale(fresh.write_document())


def _find_way(findings: Iterable[Finding], refused: Collection[int]) -> RefundQuote.Way:
    """Return whether it would be sent at once, or left to the back office; what is refused does not count."""
    is_review = any(finding.order_item not in refused for finding in findings)
    return RefundQuote.Way.REVIEW if is_review else RefundQuote.Way.DIRECT


def _find_terms(case: CancellationCase, requested: Sequence[RequestedUnits]) -> dict[int, RefundTerms]:
    """Find the shop's terms for each line."""
    facts = case.facts
    total = sum((facts[each.order_item].unit_amount * (each.quantity or 0) for each in requested), ZERO)
    found = {}
    for each in requested:
        item_case = case.policy.make_item_case(each.cancellation_type, facts[each.order_item], total)
        terms = decide_terms(case.policy, item_case)
        found[each.order_item] = RefundTerms(
            fee_percent=terms.fee_percent,
            fee_amount=terms.fee_fixed,
            shipping_refund=terms.shipping_refund,
        )
    return found


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


def _write_line(line: PricedLine) -> dict[str, Any]:
    amounts = {name: getattr(line.quote, name, ZERO) for name in _AMOUNTS}
    return {
        "order_item": line.order_item,
        "quantity": line.quantity,
        "eligible": line.quote is not None,
        "codes": list(line.codes),
        **{name: format_amount(amount) for name, amount in amounts.items()},
    }
