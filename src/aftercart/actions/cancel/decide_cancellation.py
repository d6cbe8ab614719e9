"""The second step of a cancellation, its quote and its request: decide, from the case that was read.

Pure: no query, no clock. What makes no sense becomes `InputInvalid`, with every complaint at once; whether what makes
sense is allowed is for the rules to say, and what comes back for it is for `price_lines`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from aftercart.actions.cancel.price_lines import (
    QuoteAnswer,
    check_quote,
    is_any_paid,
    list_requested,
    price_lines,
)
from aftercart.actions.commands import CancellationCase, CancellationCommand, ItemRequest
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import CancellationReason, SubmissionLine
from aftercart.cancellations.pickups import Calendar, find_next_slot, find_pickup_problem
from aftercart.orders.errors import CancellationRefused, InputInvalid, say_unknown
from aftercart.orders.paid import POINTS_NEED_PAYMENT, read_payment
from aftercart.orders.policy.clauses import is_easy_return
from aftercart.orders.policy.topics import Effect, Rule
from aftercart.orders.rules import Finding, judge, list_refusals
from aftercart.orders.selectors import read_country


@dataclass(frozen=True, slots=True)
class Decision:
    """Planned lines, unsaved, and what comes back for them, with what the rules find about them."""

    lines: Sequence[SubmissionLine]
    priced: QuoteAnswer


def decide_cancellation(case: CancellationCase, command: CancellationCommand) -> Decision:
    """Plan the lines that a command asks for, judge and price them. Raises `InputInvalid`.

    What the rules refuse stands among the findings.
    """
    lines = plan_lines(case, command)
    findings = (*judge_lines(case, lines), *_find_unchosen(case, lines))
    return Decision(lines, price_lines(case, lines, findings, quoted_to=command.caller.quoted_to))


def enforce(decided: Decision, quote: str) -> None:
    """Refuse what the rules refuse, and a quote that was brought back and no longer holds.

    Raises `CancellationRefused`, `InputInvalid`, `QuoteStale`.
    """
    refusals = list_refusals(decided.priced.findings)
    if refusals:
        raise CancellationRefused(refusals)
    check_quote(quote, decided.priced)


def judge_lines(case: CancellationCase, lines: Sequence[SubmissionLine]) -> tuple[Finding, ...]:
    """Judge planned lines by the rules: all that speak, refusals among them."""
    findings = judge(
        list_requested(lines),
        case.facts,
        placed_at=case.order.created_date,
        policy=case.policy,
        now=case.now,
    )
    return (*findings, *_find_pointless(case, lines))


def _find_pointless(case: CancellationCase, lines: Sequence[SubmissionLine]) -> list[Finding]:
    """Find lines that are wanted as points though no money was paid for any of them."""
    is_as_points = any(line.fully_refund_as_loyalty_money for line in lines)
    if not is_as_points or is_any_paid(case, lines):
        return []
    message = _("Nothing was paid, so it can't be refunded as points.")
    return [
        Finding(line.order_item_id, Rule.PAYMENT, POINTS_NEED_PAYMENT, message, Effect.REFUSE)
        for line in lines
    ]


def _find_unchosen(case: CancellationCase, lines: Iterable[SubmissionLine]) -> list[Finding]:
    """Find planned lines that lack what the back office must then ask for: a collection, or a reason."""
    findings = []
    for line in lines:
        missing = []
        is_chosen = line.pickup_address is not None and line.shipping_company is not None
        if not is_chosen and _is_collected(case, line.order_item_id, line.cancellation_type):
            missing.append(
                (Cause.COLLECTION_NOT_CHOSEN, _("Our team will contact you to arrange the pickup."))
            )
        if line.reason.code == Cause.REASON_NOT_GIVEN:
            missing.append(
                (Cause.REASON_NOT_GIVEN, _("No reason was given, so our team will review it first."))
            )
        findings += [
            Finding(line.order_item_id, Rule.APPROVAL, code, message, Effect.REVIEW)
            for code, message in missing
        ]
    return findings


def _is_collected(case: CancellationCase, order_item: int, kind: str) -> bool:
    """Return whether it is a return that a shipping company would collect."""
    return kind == "refund" and is_easy_return(
        case.policy, case.policy.make_item_case("refund", case.facts[order_item])
    )


# --- the lines: what is asked for, completed by what a client cannot say ------------------------------------


def plan_lines(case: CancellationCase, command: CancellationCommand) -> tuple[SubmissionLine, ...]:
    """Plan the lines of a submission, unsaved. Raises `InputInvalid`."""
    complaints: dict[str, list[str]] = defaultdict(list)
    pickup, problem = _find_pickup_address(case, command)
    if problem:
        complaints["pickup_address"].append(problem)
    named: set[int] = set()
    for item_request in command.items:
        pk = item_request.order_item
        twice = [("order_item", _("This item is listed twice."))] if pk in named else []
        named.add(pk)
        complaints["cancel_order_items"] += [  # the field is the whole list, so each names its item
            _("Item %(item)s, %(field)s: %(message)s") % {"item": pk, "field": field, "message": message}
            for field, message in (*twice, *_find_complaints(case, item_request))
        ]
    if any(complaints.values()):
        raise InputInvalid({field: found for field, found in complaints.items() if found})
    return tuple(_make_line(case, item_request, command, pickup) for item_request in command.items)


def _find_pickup_address(
    case: CancellationCase, command: CancellationCommand
) -> tuple[dict[str, Any] | None, str]:
    """Find where returns are collected, where the customer says or else where the order was delivered; or a complaint.

    Not at a store, where nobody collects anything.
    """
    order, found = case.order, case.pickup_address
    if command.pickup_address is None:
        is_known = settings.RETURN_DEFAULTS and order.shipping_address and not order.is_store_pickup
        return (order.shipping_address if is_known else None), ""
    if found is None:
        return None, say_unknown(str(command.pickup_address))
    here, there = read_country(order.shipping_address), read_country(found)
    if here and there and here != there:
        return None, _("We can only collect returns in the country the order was delivered to.")
    return found, ""


def _find_complaints(case: CancellationCase, item_request: ItemRequest) -> Iterator[tuple[str, str]]:
    """Find what makes no sense of one item: the field, and a sentence."""
    item, quantity = case.items.get(item_request.order_item), item_request.quantity
    if item is None:
        yield "order_item", say_unknown(item_request.order_item)
    elif quantity is not None and 0 < item.left_quantity < quantity:  # nothing left is for the rules to say
        yield (
            "quantity",
            _("You can cancel or return at most %(left)s of this item.") % {"left": item.left_quantity},
        )
    reason = _get_reason(case, item_request)
    if reason is None:
        is_known = item_request.reason in case.reasons
        message = _("This reason is for another cancellation type.")
        yield "reason", message if is_known else say_unknown(item_request.reason)
    elif reason.extra_information_needed and not item_request.description.strip():
        yield "description", _("This reason needs a description.")
    yield from _find_return_complaints(case, item_request)
    if bool(item_request.iban) != bool(item_request.holder_name.strip()):
        field = "holder_name" if item_request.iban else "iban"
        yield field, _("Please enter both the IBAN and the account holder.")
    elif item_request.iban and read_payment(case.order).has_source:
        yield "iban", _("This payment is refunded to the original payment method; please leave out the IBAN.")


def _find_return_complaints(case: CancellationCase, item_request: ItemRequest) -> Iterator[tuple[str, str]]:
    is_return = item_request.cancellation_type == "refund"
    if item_request.exchange_preference and not is_return:
        yield "exchange_preference", _("You can only ask for another size or colour when you return an item.")
    company = case.companies.get(item_request.shipping_company or 0)
    if item_request.shipping_company is not None and company is None:
        yield "shipping_company", say_unknown(item_request.shipping_company)
    elif item_request.pickup_date is not None and is_return:
        calendar = company.calendar if company else Calendar()
        problem = find_pickup_problem(calendar, item_request.pickup_date, case.shop_time)
        if problem:
            yield "pickup_date", problem


def _get_reason(case: CancellationCase, item_request: ItemRequest) -> CancellationReason | None:
    """Get the reason that was given; one that makes no sense counts as none, if such are let through."""
    reason = case.reasons.get(item_request.reason)
    if reason is not None and reason.cancellation_type == item_request.cancellation_type:
        return reason
    return case.unnamed_reasons.get(item_request.cancellation_type)


def _make_line(
    case: CancellationCase,
    item_request: ItemRequest,
    command: CancellationCommand,
    pickup: dict[str, Any] | None,
) -> SubmissionLine:
    item, kind = case.items[item_request.order_item], item_request.cancellation_type
    is_collected = _is_collected(case, item.pk, kind)
    company, pickup_date = case.companies.get(item_request.shipping_company or 0), item_request.pickup_date
    if is_collected and company is None and settings.RETURN_DEFAULTS:
        # For a client that cannot: the channel's first company, and the next time at which it collects.
        company = next(iter(case.companies.values()), None)
        if company is not None and pickup_date is None:
            pickup_date = find_next_slot(company.calendar, case.shop_time)
    return SubmissionLine(
        order_item=item,
        reason=_get_reason(case, item_request),
        cancellation_type=kind,
        quantity=item_request.quantity or max(item.left_quantity, 1),
        description=item_request.description,
        exchange_preference=item_request.exchange_preference,
        fully_refund_as_loyalty_money=command.fully_refund_as_loyalty_money,
        iban=item_request.iban,
        holder_name=item_request.holder_name,
        shipping_company=company,
        pickup_address=pickup if is_collected or command.pickup_address is not None else None,
        pickup_date=pickup_date,
    )
