"""The cancellation rules of contract section 3.3: pure verdicts over facts; no query, no clock, no setting.

Rules 1 and 2 are fixed; what the others say is the policy's (orders/policy/clauses.py), topic by topic
(orders/policy/topics.py). The page shows, and the
document's `is_cancellable` / `is_refundable` say, the same verdict that the action enforces.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from aftercart.orders.facts import KINDS, CancellationKind, ItemFacts, RequestedUnits
from aftercart.orders.policy.clauses import Clause, Policy
from aftercart.orders.policy.topics import ITEM_TOPICS, Effect, ItemCase, Rule, Speaks, Topic
from aftercart.orders.policy.words import get_code, say_sentence
from aftercart.orders.status import FINAL, Status


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
    for topic, rule in ITEM_TOPICS.items():
        declared = topic.declared
        for each in open_ones:
            if not declared.is_there(each):
                continue
            clause = policy.decide(topic, each.case)
            effect = clause.effect if clause else declared.unsaid
            if effect is not Effect.ALLOW and is_due(topic, clause, each, policy, now):
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
        case = policy.make_item_case(requested.cancellation_type, item, total)
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


def is_due(topic: Topic, clause: Clause | None, judged: ItemCase, policy: Policy, now: datetime) -> bool:
    """Return whether a topic speaks by now, if its clause does not allow: one about time, by its window."""
    declared = topic.declared
    if not declared.is_there(judged) or declared.speaks is None:
        return declared.is_there(judged)
    if clause is None or clause.window is None:
        return False
    return policy.is_over(clause, judged.starts, now) is (declared.speaks is Speaks.AFTER)


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
        for topic in ITEM_TOPICS
        if topic.declared.speaks and (clause := policy.decide(topic, each.case)) is not None
    )
    return min((end for end in ends if end is not None and end >= now), default=None)
