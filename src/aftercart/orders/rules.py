"""The cancellation rules of contract section 3.3: pure verdicts over facts; no query, no clock, no setting.

The page shows, and the document's `is_cancellable` / `is_refundable` say, the same verdict that the action
enforces.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Literal

from django.utils.translation import gettext as _

from aftercart.orders.status import FINAL, Status

CancellationKind = Literal["cancel", "refund"]


class Effect(StrEnum):
    """What a finding does: refuse the whole submission, or leave it to the back office."""

    REFUSE = "refuse"
    REVIEW = "review"


class Rule(IntEnum):
    """The rules by their number in the contract, which is the order in which they speak."""

    ALREADY_CANCELLED = 1
    IN_PROGRESS = 2
    STATUS = 3
    INVOICE = 4
    DIRECT_WINDOW = 5
    RETURN_WINDOW = 6
    APPROVAL = 7
    SHAPE = 8


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What the rules know of an item. `unit_amount` is its price a unit; quantities are units."""

    order_item: int
    status: str
    left_quantity: int
    is_in_progress: bool
    has_invoice: bool
    is_final_sale: bool
    unit_amount: Decimal
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of one item; no quantity means all that is left."""

    order_item: int
    cancellation_type: CancellationKind
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What a shop decides. A window or a limit that is None does not apply."""

    cancel_statuses: frozenset[str]
    refund_statuses: frozenset[str]
    invoice_needs_review: bool = True
    direct_window: timedelta | None = None
    return_window: timedelta | None = None
    review_above_amount: Decimal | None = None
    review_types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that speaks about one item: stable code, sentence in the caller's language, effect."""

    order_item: int
    rule: Rule
    code: str
    message: str
    effect: Effect


def judge(
    asks: Sequence[Ask],
    items: Mapping[int, ItemFacts],
    *,
    placed_at: datetime,
    policy: Policy,
    now: datetime,
) -> tuple[Finding, ...]:
    """Judge one submission: every rule that speaks, about every item, in the order of the rules.

    No finding means: cancel directly. A finding with `Effect.REFUSE` means: refuse all of it.
    `items` must hold each asked item.
    """
    findings = [finding for ask in asks for finding in _judge_item(ask, items[ask.order_item], policy, now)]
    findings += _judge_together(asks, items, placed_at=placed_at, policy=policy, now=now)
    return tuple(sorted(findings, key=lambda finding: finding.rule))


def list_refusals(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Keep the findings that refuse."""
    return tuple(finding for finding in findings if finding.effect is Effect.REFUSE)


def is_allowed(
    kind: CancellationKind, item: ItemFacts, *, placed_at: datetime, policy: Policy, now: datetime
) -> bool:
    """Tell whether nothing refuses to cancel, or return, all that is left of one item."""
    asks = [Ask(item.order_item, kind)]
    findings = judge(asks, {item.order_item: item}, placed_at=placed_at, policy=policy, now=now)
    return not list_refusals(findings)


def _judge_item(ask: Ask, item: ItemFacts, policy: Policy, now: datetime) -> list[Finding]:
    def finding(rule: Rule, code: str, message: str, effect: Effect = Effect.REFUSE) -> Finding:
        return Finding(item.order_item, rule, code, message, effect)

    if item.status in FINAL or item.left_quantity == 0:
        return [finding(Rule.ALREADY_CANCELLED, "already_cancelled", _("Order already cancelled!"))]
    if item.is_in_progress or item.status == Status.CANCELLATION_WAITING:
        message = _("Order cancellation already in progress.")
        return [finding(Rule.IN_PROGRESS, "cancellation_in_progress", message)]
    findings = []
    is_refund = ask.cancellation_type == "refund"
    if item.status not in (policy.refund_statuses if is_refund else policy.cancel_statuses):
        message = _("Order can't be cancelled in this status.")
        findings.append(finding(Rule.STATUS, "status_not_allowed", message))
    if policy.invoice_needs_review and item.has_invoice and not is_refund:
        message = _("An invoice has been issued for this item, so our team has to check it.")
        findings.append(finding(Rule.INVOICE, "has_invoice", message, Effect.REVIEW))
    if is_refund and item.is_final_sale:
        message = _("This item is a final sale and can't be returned.")
        findings.append(finding(Rule.RETURN_WINDOW, "final_sale", message))
    if is_refund and _is_over(item.delivered_at, policy.return_window, now):
        message = _("The time for returning this item is over.")
        findings.append(finding(Rule.RETURN_WINDOW, "return_window_closed", message))
    if ask.cancellation_type in policy.review_types:
        message = _("Our team checks every request of this kind.")
        findings.append(finding(Rule.APPROVAL, "type_needs_approval", message, Effect.REVIEW))
    if ask.quantity is not None and ask.quantity < item.left_quantity:
        message = _("Cancelling a part of a line has to be done by our team.")
        findings.append(finding(Rule.SHAPE, "partial_line", message, Effect.REVIEW))
    return findings


def _judge_together(
    asks: Sequence[Ask],
    items: Mapping[int, ItemFacts],
    *,
    placed_at: datetime,
    policy: Policy,
    now: datetime,
) -> list[Finding]:
    """Judge what only the submission as a whole shows; each finding is said of every item it is about."""

    def about_all(rule: Rule, code: str, message: str, asks: Sequence[Ask] = asks) -> list[Finding]:
        return [Finding(ask.order_item, rule, code, message, Effect.REVIEW) for ask in asks]

    findings = []
    cancels = [ask for ask in asks if ask.cancellation_type == "cancel"]
    if cancels and _is_over(placed_at, policy.direct_window, now):
        message = _("The time for cancelling directly is over, so our team has to check it.")
        findings += about_all(Rule.DIRECT_WINDOW, "direct_window_passed", message, cancels)
    total = sum(
        (
            items[ask.order_item].unit_amount * (ask.quantity or items[ask.order_item].left_quantity)
            for ask in asks
        ),
        Decimal(0),
    )
    if policy.review_above_amount is not None and total > policy.review_above_amount:
        message = _("Our team checks requests of this amount.")
        findings += about_all(Rule.APPROVAL, "amount_needs_approval", message)
    if len({ask.cancellation_type for ask in asks}) > 1:
        message = _("Cancellations and returns in one request have to be done by our team.")
        findings += about_all(Rule.SHAPE, "mixed_types", message)
    return findings


def _is_over(since: datetime | None, window: timedelta | None, now: datetime) -> bool:
    return since is not None and window is not None and now > since + window
