"""The cancellation rules of contract section 3.3: pure verdicts over facts; no query, no clock, no setting.

Rules 1 and 2 are fixed; what the others say is the policy's (orders/policies.py). The page shows, and the
document's `is_cancellable` / `is_refundable` say, the same verdict that the action enforces.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Final, Literal

from django.utils.translation import gettext as _

from aftercart.orders.policies import Case, Clause, Effect, Policy, Topic
from aftercart.orders.policy_words import get_code, say_sentence
from aftercart.orders.status import FINAL, Status
from aftercart.orders.windows import Basis

__all__ = ["CancellationKind", "Effect", "Finding", "ItemFacts", "RequestedUnits", "Rule", "judge"]

CancellationKind = Literal["cancel", "refund"]
KINDS: Final[tuple[CancellationKind, ...]] = ("cancel", "refund")


class Rule(IntEnum):
    """The rules by their number in the contract, which is the order in which they speak.

    The last one is ours: the contract's ninth is what Omnitron says.
    """

    ALREADY_CANCELLED = 1
    IN_PROGRESS = 2
    STATUS = 3
    INVOICE = 4
    DIRECT_WINDOW = 5
    RETURN_WINDOW = 6
    APPROVAL = 7
    SHAPE = 8
    PAYMENT = 10


#: The rule of the contract that each topic of the policy fills in, in the order in which they are judged.
TOPICS: Final = {
    Topic.STATUS: Rule.STATUS,
    Topic.INVOICE: Rule.INVOICE,
    Topic.DIRECT_WINDOW: Rule.DIRECT_WINDOW,
    Topic.FINAL_SALE: Rule.RETURN_WINDOW,
    Topic.RETURN_WINDOW: Rule.RETURN_WINDOW,
    Topic.APPROVAL: Rule.APPROVAL,
    Topic.AMOUNT: Rule.APPROVAL,
    Topic.PARTIAL_LINE: Rule.SHAPE,
    Topic.MIXED_TYPES: Rule.SHAPE,
}
#: Those that say something else once a time has passed.
_WINDOWS: Final = (Topic.DIRECT_WINDOW, Topic.RETURN_WINDOW)
#: What holds where no clause is about a case: nothing is allowed by forgetting it, and what Omnitron cannot
#: take directly is not tried.
_UNSAID: Final = {
    Topic.STATUS: Effect.REFUSE,
    Topic.PARTIAL_LINE: Effect.REVIEW,
    Topic.MIXED_TYPES: Effect.REVIEW,
}


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
    shipped_at: datetime | None = None
    sku: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestedUnits:
    """What is asked of one item; no quantity means all that is left."""

    order_item: int
    cancellation_type: CancellationKind
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that speaks about one item: stable code, sentence in the caller's language, effect.

    `clause` is the number of the policy's clause that decided, None where the rule is not the policy's.
    """

    order_item: int
    rule: Rule
    code: str
    message: str
    effect: Effect
    clause: int | None = None


@dataclass(frozen=True, slots=True)
class ItemCase:
    """One item in its submission: what every topic is judged from."""

    requested: RequestedUnits
    item: ItemFacts
    case: Case
    is_mixed: bool
    placed_at: datetime

    @property
    def starts(self) -> dict[str, datetime | None]:
        """When each window of the policy begins."""
        return {
            Basis.ORDER: self.placed_at,
            Basis.SHIPMENT: self.item.shipped_at,
            Basis.DELIVERY: self.item.delivered_at,
        }


def judge(
    all_requested: Sequence[RequestedUnits],
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
    judged = gather_cases(all_requested, items, placed_at=placed_at, policy=policy)
    fixed = [find_fixed(each.item) for each in judged]
    findings = [found for found in fixed if found]
    open_ones = [each for each, found in zip(judged, fixed, strict=True) if found is None]
    for topic, rule in TOPICS.items():
        for each in open_ones:
            if not is_about(topic, each):
                continue
            clause = policy.decide(topic, each.case)
            effect = clause.effect if clause else _UNSAID.get(topic, Effect.ALLOW)
            if effect is not Effect.ALLOW and is_due(topic, each, clause, policy, now):
                findings.append(
                    Finding(
                        each.item.order_item,
                        rule,
                        get_code(topic, clause),
                        say_sentence(topic, clause, each.requested.cancellation_type),
                        effect,
                        clause.number if clause else None,
                    )
                )
    return tuple(sorted(findings, key=lambda finding: finding.rule))


def gather_cases(
    all_requested: Sequence[RequestedUnits],
    items: Mapping[int, ItemFacts],
    *,
    placed_at: datetime,
    policy: Policy,
) -> list[ItemCase]:
    """Put together what each asked item is judged from; the total is that of all of them."""
    total = sum(
        (
            items[requested.order_item].unit_amount
            * (requested.quantity or items[requested.order_item].left_quantity)
            for requested in all_requested
        ),
        Decimal(0),
    )
    is_mixed = len({requested.cancellation_type for requested in all_requested}) > 1
    judged = []
    for requested in all_requested:
        item = items[requested.order_item]
        case = policy.make_case(
            requested.cancellation_type, item.status, sku=item.sku, categories=item.categories, total=total
        )
        judged.append(ItemCase(requested, item, case, is_mixed, placed_at))
    return judged


def find_fixed(item: ItemFacts) -> Finding | None:
    """Find what no policy can change: there is nothing left, or it is being cancelled already."""
    if item.status in FINAL or item.left_quantity == 0:
        message = _("Order already cancelled!")
        return Finding(item.order_item, Rule.ALREADY_CANCELLED, "already_cancelled", message, Effect.REFUSE)
    if item.is_in_progress or item.status == Status.CANCELLATION_WAITING:
        message = _("Order cancellation already in progress.")
        return Finding(item.order_item, Rule.IN_PROGRESS, "cancellation_in_progress", message, Effect.REFUSE)
    return None


def is_about(topic: Topic, judged: ItemCase) -> bool:
    """Return whether what a topic is about is there at all: an invoice, a final sale, a part of a line."""
    if topic is Topic.INVOICE:
        return judged.item.has_invoice
    if topic is Topic.FINAL_SALE:
        return judged.item.is_final_sale
    if topic is Topic.PARTIAL_LINE:
        return judged.requested.quantity is not None and judged.requested.quantity < judged.item.left_quantity
    return judged.is_mixed if topic is Topic.MIXED_TYPES else True


def is_due(topic: Topic, judged: ItemCase, clause: Clause | None, policy: Policy, now: datetime) -> bool:
    """Return whether the clause that decides speaks by now: one about time, once its window has closed."""
    if topic not in _WINDOWS:
        return True
    return clause is not None and policy.is_over(clause, judged.starts, now)


def list_refusals(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Keep the findings that refuse."""
    return tuple(finding for finding in findings if finding.effect is Effect.REFUSE)


def is_allowed(
    kind: CancellationKind, item: ItemFacts, *, placed_at: datetime, policy: Policy, now: datetime
) -> bool:
    """Return whether nothing refuses to cancel, or return, all that is left of one item."""
    all_requested = [RequestedUnits(item.order_item, kind)]
    findings = judge(all_requested, {item.order_item: item}, placed_at=placed_at, policy=policy, now=now)
    return not list_refusals(findings)


def find_return_end(item: ItemFacts, *, placed_at: datetime, policy: Policy) -> datetime | None:
    """Find the last instant at which an item can be returned; None: there is no window, or it has not begun."""
    requested = [RequestedUnits(item.order_item, "refund")]
    [each] = gather_cases(requested, {item.order_item: item}, placed_at=placed_at, policy=policy)
    clause = policy.decide(Topic.RETURN_WINDOW, each.case)
    return None if clause is None else policy.find_end(clause, each.starts)


def find_window_end(
    items: Iterable[ItemFacts], *, placed_at: datetime, policy: Policy, now: datetime
) -> datetime | None:
    """Find the last instant at which what `is_allowed` says of each of these items still holds; None: for good.

    That is the end of the first window to close from now on: nothing else in a verdict moves with time.
    """
    ends = (
        policy.find_end(clause, each.starts)
        for item in items
        if find_fixed(item) is None
        for kind in KINDS
        for each in gather_cases(
            [RequestedUnits(item.order_item, kind)],
            {item.order_item: item},
            placed_at=placed_at,
            policy=policy,
        )
        for topic in _WINDOWS
        if (clause := policy.decide(topic, each.case)) is not None
    )
    return min((end for end in ends if end is not None and end >= now), default=None)
