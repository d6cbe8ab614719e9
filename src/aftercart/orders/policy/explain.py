"""Why the policy says what it says: every clause that was looked at, and what became of it. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from aftercart.lib.times import format_time
from aftercart.orders.address_rules import AddressRefusal, judge_address_change
from aftercart.orders.facts import Case, ItemFacts, RequestedUnits
from aftercart.orders.policy.clauses import Clause, Policy, PolicyTerms, decide_terms, find_mismatch
from aftercart.orders.policy.topics import ITEM_TOPICS, Effect, ItemCase, Topic
from aftercart.orders.rules import Finding, find_fixed, gather_cases, is_due, judge


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
class AddressExplanation:
    """Whether an order may be sent elsewhere, why not, and each look on the way."""

    refusal: AddressRefusal | None
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class ItemExplanation:
    """What was asked of one item, what came of it, and each look on the way, in the order of deciding."""

    requested: RequestedUnits
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
    all_requested: Sequence[RequestedUnits],
    items: Mapping[int, ItemFacts],
    *,
    placed_at: datetime,
    policy: Policy,
    now: datetime,
) -> tuple[ItemExplanation, ...]:
    """Explain what `judge` says of the same: item by item, in the order of the asks."""
    findings = judge(all_requested, items, placed_at=placed_at, policy=policy, now=now)
    return tuple(
        ItemExplanation(
            requested=judged.requested,
            item=judged.item,
            findings=tuple(f for f in findings if f.order_item == judged.item.order_item),
            looks=() if find_fixed(judged.item) else _look_at_all(judged, policy, now),
            terms=decide_terms(policy, judged.case),
        )
        for judged in gather_cases(all_requested, items, placed_at=placed_at, policy=policy)
    )


def explain_address(
    *,
    status: str,
    item_statuses: Collection[str],
    is_cancelling: bool,
    is_store_pickup: bool,
    policy: Policy,
) -> AddressExplanation:
    """Explain what `judge_address_change` says; the clauses about the country are looked at for another one."""
    refusal = judge_address_change(
        status=status,
        item_statuses=item_statuses,
        is_cancelling=is_cancelling,
        is_store_pickup=is_store_pickup,
        policy=policy,
    )
    case = policy.make_case("address_change", status)
    looks = [*_look_at(Topic.STATUS, case, policy), *_look_at(Topic.COUNTRY, case, policy)]
    return AddressExplanation(refusal, tuple(looks))


def _look_at_all(judged: ItemCase, policy: Policy, now: datetime) -> tuple[Look, ...]:
    return tuple(
        look for topic in ITEM_TOPICS for look in _look_at(topic, judged.case, policy, judged=judged, now=now)
    )


def _look_at(
    topic: Topic, case: Case, policy: Policy, *, judged: ItemCase | None = None, now: datetime | None = None
) -> list[Look]:
    deciding = policy.decide(topic, case)
    looks = []
    for clause in policy.book.by_topic[topic]:
        decides = clause is deciding
        is_there = judged is None or now is None or is_due(topic, clause, judged, policy, now)
        looks.append(
            Look(
                clause=clause,
                mismatch=find_mismatch(clause, case),
                decides=decides,
                speaks=decides and is_there and clause.effect is not Effect.ALLOW,
                ends_at=policy.find_end(clause, judged.starts) if judged else None,
            )
        )
    return looks


def clause_document(clause: Clause) -> dict[str, Any]:
    """Write a clause as a program may read it: what it says, without what it leaves open."""
    document: dict[str, Any] = {"number": clause.number, "topic": clause.topic.value}
    blank = Clause(number=0, topic=clause.topic)
    for each in fields(clause):
        value = getattr(clause, each.name)
        if each.name == "effect" or (each.name not in document and value != getattr(blank, each.name)):
            document[each.name] = _write(value)
    return document


def look_document(look: Look) -> dict[str, Any]:
    """Write a look as a program may read it."""
    return {
        "clause": clause_document(look.clause),
        "mismatch": look.mismatch,
        "decides": look.decides,
        "speaks": look.speaks,
        "ends_at": format_time(look.ends_at) if look.ends_at else None,
    }


def item_document(explained: ItemExplanation) -> dict[str, Any]:
    """Write what was explained of an item as a program may read it."""
    terms = explained.terms
    return {
        "order_item": explained.item.order_item,
        "sku": explained.item.sku,
        "status": explained.item.status,
        "cancellation_type": explained.requested.cancellation_type,
        "quantity": explained.requested.quantity or explained.item.left_quantity,
        "verdict": explained.effect.value,
        "findings": [
            {
                "rule": finding.rule.value,
                "code": finding.code,
                "message": finding.message,
                "effect": finding.effect.value,
                "clause": finding.clause,
            }
            for finding in explained.findings
        ],
        "terms": {
            "fee_fixed": str(terms.fee_fixed),
            "fee_percent": str(terms.fee_percent),
            "shipping_refund": terms.shipping_refund.value,
            "easy_return": terms.easy_return,
        },
        "looks": [look_document(look) for look in explained.looks],
    }


def address_explanation_document(explained: AddressExplanation) -> dict[str, Any]:
    """Write what was explained of an address change as a program may read it."""
    refusal = explained.refusal
    return {
        "cancellation_type": "address_change",
        "verdict": (Effect.REFUSE if refusal else Effect.ALLOW).value,
        "findings": [{"code": refusal.code, "message": refusal.message, "clause": refusal.clause}]
        if refusal
        else [],
        "looks": [look_document(look) for look in explained.looks],
    }


def _write(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset | tuple):
        return sorted(value) if isinstance(value, frozenset) else list(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if hasattr(value, "basis"):
        return {"basis": value.basis.value, "length": value.length, "unit": value.unit.value}
    return value
