"""Why the policy says what it says: every clause that was looked at, and what became of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aftercart.orders.policies import Clause, Policy, PolicyTerms, decide_terms, find_mismatch
from aftercart.orders.rules import (
    TOPICS,
    Ask,
    Effect,
    Finding,
    ItemFacts,
    Judged,
    find_fixed,
    gather_cases,
    is_concerned,
    judge,
)


@dataclass(frozen=True, slots=True)
class Look:
    """One clause, looked at for one item.

    `mismatch` is the selector that does not fit, or None. Of those that fit the first `decides`; it `speaks`
    if what its topic is about is there, too. `ends_at` is when its window closes, if it has one that is open
    to tell.
    """

    clause: Clause
    mismatch: str | None
    decides: bool
    speaks: bool
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class ItemExplanation:
    """What was asked of one item, what came of it, and each look on the way, in the order of deciding."""

    ask: Ask
    item: ItemFacts
    findings: tuple[Finding, ...]
    looks: tuple[Look, ...]
    terms: PolicyTerms

    @property
    def effect(self) -> Effect:
        """The verdict about this item alone: the strictest of its findings."""
        effects = {finding.effect for finding in self.findings}
        return next((e for e in (Effect.REFUSE, Effect.REVIEW) if e in effects), Effect.ALLOW)


def explain(
    asks: Sequence[Ask],
    items: Mapping[int, ItemFacts],
    *,
    placed_at: datetime,
    policy: Policy,
    now: datetime,
) -> tuple[ItemExplanation, ...]:
    """Explain what `judge` says of the same: item by item, in the order of the asks."""
    findings = judge(asks, items, placed_at=placed_at, policy=policy, now=now)
    return tuple(
        ItemExplanation(
            ask=judged.ask,
            item=judged.item,
            findings=tuple(f for f in findings if f.order_item == judged.item.order_item),
            looks=() if find_fixed(judged.item) else _look_at_all(judged, policy, now),
            terms=decide_terms(policy, judged.case),
        )
        for judged in gather_cases(asks, items, placed_at=placed_at, policy=policy)
    )


def _look_at_all(judged: Judged, policy: Policy, now: datetime) -> tuple[Look, ...]:
    looks = []
    for topic in TOPICS:
        deciding = policy.decide(topic, judged.case)
        for clause in policy.book.by_topic[topic]:
            decides = clause is deciding
            looks.append(
                Look(
                    clause=clause,
                    mismatch=find_mismatch(clause, judged.case),
                    decides=decides,
                    speaks=decides
                    and clause.effect is not Effect.ALLOW
                    and is_concerned(topic, judged, clause, policy, now),
                    ends_at=policy.find_end(clause, judged.starts),
                )
            )
    return tuple(looks)
