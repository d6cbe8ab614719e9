"""The second step of a cancellation, its quote and its request: decide, from the case that was read.

Pure: no query, no clock. What makes no sense becomes `InputInvalid`, with every complaint at once; whether what makes
sense is allowed is for the rules to say, and what comes back for it is for `price_lines`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from aftercart.actions.cancel.price_lines import QuoteAnswer, check_quote, list_requested, price_lines
from aftercart.actions.commands import CancellationCase, CancellationCommand, ItemRequest
from aftercart.cancellations.models import CancellationReason, SubmissionLine
from aftercart.cancellations.pickups import Calendar, find_next_slot, find_pickup_problem
from aftercart.orders.errors import CancellationRefused, InputInvalid, say_unknown
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.paid import POINTS_NEED_PAYMENT, read_payment
from aftercart.orders.policy.clauses import is_easy_return
from aftercart.orders.policy.topics import Effect, Rule
from aftercart.orders.rules import Finding, judge, list_refusals

_FIELD = "cancel_order_items"
#: The codes of what a client may leave out, and the back office has to ask for.
COLLECTION_NOT_CHOSEN: Final = "collection_not_chosen"
REASON_NOT_GIVEN: Final = "reason_not_given"


@dataclass(frozen=True, slots=True)
class Decision:
    """Planned lines, unsaved, what the rules find about them, and what comes back for them."""

    lines: Sequence[SubmissionLine]
    findings: Sequence[Finding]
    priced: QuoteAnswer


def decide_cancellation(case: CancellationCase, command: CancellationCommand) -> Decision:
    """Plan the lines that a command asks for, judge and price them. Raises `InputInvalid`.

    What the rules refuse stands among the findings.
    """
    lines = plan_lines(case, command)
    findings = (*judge_lines(case, lines), *_find_unchosen(case, lines))
    return Decision(lines, findings, price_lines(case, lines, findings, quoted_to=command.caller.quoted_to))


def enforce(decided: Decision, quote: str) -> None:
    """Refuse what the rules refuse, and a quote that was brought back and no longer holds.

    Raises `CancellationRefused`, `InputInvalid`, `QuoteStale`.
    """
    refusals = list_refusals(decided.findings)
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
    if not is_as_points or case.paid.covers(line.order_item_id for line in lines):
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
            missing.append((COLLECTION_NOT_CHOSEN, _("Our team will arrange with you how it is collected.")))
        if line.reason.code == REASON_NOT_GIVEN:
            missing.append((REASON_NOT_GIVEN, _("No reason was given, so our team checks it first.")))
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


class _Complaints:
    """Collects complaints by field; those about an item name it, since the field is the whole list."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = defaultdict(list)

    def about_item(self, item_request: ItemRequest, field: str, message: str) -> None:
        self.fields[_FIELD].append(
            _("Item %(item)s, %(field)s: %(message)s")
            % {"item": item_request.order_item, "field": field, "message": message}
        )

    def raise_any(self) -> None:
        if self.fields:
            raise InputInvalid(self.fields)


def plan_lines(case: CancellationCase, command: CancellationCommand) -> tuple[SubmissionLine, ...]:
    """Plan the lines of a submission, unsaved. Raises `InputInvalid`."""
    complaints = _Complaints()
    pickup = _find_pickup_address(case, command, complaints)
    named: set[int] = set()
    for item_request in command.items:
        if item_request.order_item in named:
            complaints.about_item(item_request, "order_item", _("This item is named twice."))
        named.add(item_request.order_item)
        _check_item(item_request, case.items.get(item_request.order_item), complaints)
        _check_reason(item_request, case.reasons.get(item_request.reason), complaints)
        _check_return(item_request, case, complaints)
        _check_account(item_request, case.order, complaints)
    complaints.raise_any()
    return tuple(_make_line(case, item_request, command, pickup) for item_request in command.items)


def _make_line(
    case: CancellationCase,
    item_request: ItemRequest,
    command: CancellationCommand,
    pickup: dict[str, Any] | None,
) -> SubmissionLine:
    item, kind = case.items[item_request.order_item], item_request.cancellation_type
    is_collected = _is_collected(case, item.pk, kind)
    line = SubmissionLine(
        order_item=item,
        reason=_get_reason(case, item_request),
        cancellation_type=kind,
        quantity=item_request.quantity or max(item.left_quantity, 1),
        description=item_request.description,
        exchange_preference=item_request.exchange_preference,
        fully_refund_as_loyalty_money=command.fully_refund_as_loyalty_money,
        iban=item_request.iban,
        holder_name=item_request.holder_name,
        shipping_company=case.companies.get(item_request.shipping_company or 0),
        pickup_address=pickup if is_collected or command.pickup_address is not None else None,
        pickup_date=item_request.pickup_date,
    )
    if is_collected:
        _choose_collection(case, line)
    return line


def _get_reason(case: CancellationCase, item_request: ItemRequest) -> CancellationReason:
    """Get the reason that was given; one that makes no sense has been let through, and counts as none."""
    reason = case.reasons.get(item_request.reason)
    if reason is not None and reason.cancellation_type == item_request.cancellation_type:
        return reason
    return case.unnamed_reasons[item_request.cancellation_type]


def _choose_collection(case: CancellationCase, line: SubmissionLine) -> None:
    """Choose for a client that cannot: the channel's first company, and the next time at which it collects."""
    if line.shipping_company is not None or not settings.RETURN_DEFAULTS:
        return
    line.shipping_company = next(iter(case.companies.values()), None)
    if line.shipping_company is not None and line.pickup_date is None:
        line.pickup_date = find_next_slot(line.shipping_company.calendar, case.shop_time)


def _find_pickup_address(
    case: CancellationCase, command: CancellationCommand, complaints: _Complaints
) -> dict[str, Any] | None:
    """Find where returns are collected: where the customer says, or else where the order was delivered.

    Not at a store, where nobody collects anything.
    """
    order, found = case.order, case.pickup_address
    if command.pickup_address is None:
        is_known = settings.RETURN_DEFAULTS and order.shipping_address and not order.is_store_pickup
        return order.shipping_address if is_known else None
    if found is None:
        complaints.fields["pickup_address"].append(say_unknown(str(command.pickup_address)))
        return None
    here, there = _read_country(order.shipping_address), _read_country(found)
    if here and there and here != there:
        complaints.fields["pickup_address"].append(
            _("Returns are collected only in the country that the order was delivered to.")
        )
        return None
    return found


def _read_country(address: Mapping[str, Any] | None) -> str:
    """Return the ISO code of an address's country; "" where it is not known."""
    country = (address or {}).get("country")
    return str(country.get("code") or "").lower() if isinstance(country, dict) else ""


def _check_item(item_request: ItemRequest, item: OrderItem | None, complaints: _Complaints) -> None:
    if item is None:
        complaints.about_item(item_request, "order_item", say_unknown(item_request.order_item))
    # Nothing left is for the rules to say ("already cancelled").
    elif item_request.quantity is not None and 0 < item.left_quantity < item_request.quantity:
        message = _("Only %(left)s left of this item.") % {"left": item.left_quantity}
        complaints.about_item(item_request, "quantity", message)


def _check_reason(
    item_request: ItemRequest, reason: CancellationReason | None, complaints: _Complaints
) -> None:
    if reason is None or reason.cancellation_type != item_request.cancellation_type:
        if settings.UNKNOWN_REASONS == "review":
            return  # `_get_reason` takes it for none
        is_unknown = reason is None
        problem = (
            say_unknown(item_request.reason)
            if is_unknown
            else _("This reason is for another cancellation type.")
        )
        complaints.about_item(item_request, "reason", problem)
    elif reason.extra_information_needed and not item_request.description.strip():
        complaints.about_item(item_request, "description", _("This reason needs a description."))


def _check_return(item_request: ItemRequest, case: CancellationCase, complaints: _Complaints) -> None:
    is_return = item_request.cancellation_type == "refund"
    if item_request.exchange_preference and not is_return:
        message = _("Only for a return can another size or colour be named.")
        complaints.about_item(item_request, "exchange_preference", message)
    if item_request.shipping_company is not None and item_request.shipping_company not in case.companies:
        complaints.about_item(item_request, "shipping_company", say_unknown(item_request.shipping_company))
    elif item_request.pickup_date is not None and is_return:
        company = case.companies.get(item_request.shipping_company or 0)
        calendar = company.calendar if company else Calendar()
        problem = find_pickup_problem(calendar, item_request.pickup_date, case.shop_time)
        if problem:
            complaints.about_item(item_request, "pickup_date", problem)


def _check_account(item_request: ItemRequest, order: Order, complaints: _Complaints) -> None:
    if bool(item_request.iban) != bool(item_request.holder_name.strip()):
        field = "holder_name" if item_request.iban else "iban"
        complaints.about_item(item_request, field, _("IBAN and account holder belong together."))
    elif item_request.iban and read_payment(order).has_source:
        message = _("This payment is refunded to where it came from; an IBAN is not taken.")
        complaints.about_item(item_request, "iban", message)
