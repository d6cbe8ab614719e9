"""The policy, pure: its clauses, which of them are about a case, and which one of these decides.

No query, no clock, no setting. docs/policies.md explains it to those who write the table; a row of the table
(`cancellations/models/policies.py`) is a `Clause` here.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from fnmatch import translate
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any, Final, Literal

import msgspec

from aftercart.orders.facts import Case, CaseKind, ItemFacts, OrderFacts
from aftercart.orders.policy.topics import Basics, Effect, Topic
from aftercart.orders.quotes import ShippingRefund
from aftercart.orders.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One row of a policy. A selector that is empty, or None, fits everything.

    `number` is its place in the version: it names the clause, and the lower one wins between equals. Patterns
    have `*` and `?`, and know no case. `amount_above` is exclusive and `amount_up_to` inclusive, both in the
    order's currency. Without a `code` or a sentence the topic has its own.
    """

    number: int
    topic: Topic
    effect: Effect = Effect.ALLOW
    channel_id: int | None = None
    sku_patterns: tuple[str, ...] = ()
    category_patterns: tuple[str, ...] = ()
    statuses: frozenset[str] = frozenset()
    payment_types: frozenset[str] = frozenset()
    client_types: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    amount_above: Decimal | None = None
    amount_up_to: Decimal | None = None
    currency: str = ""
    cancellation_type: CaseKind | Literal[""] = ""
    window: Window | None = None
    code: str = ""
    message_en: str = ""
    message_tr: str = ""
    fee_fixed: Decimal = Decimal(0)
    fee_percent: Decimal = Decimal(0)
    shipping_refund: ShippingRefund = ShippingRefund.WHEN_NOTHING_REMAINS


@dataclass(frozen=True, slots=True)
class _Selector:
    """A column that narrows a clause: its name, whether it is filled in, whether it fits a case."""

    name: str
    is_set: Callable[[Clause], bool]
    fits: Callable[[Clause, Case], bool]


def _match_any(patterns: tuple[str, ...], texts: Iterable[str]) -> bool:
    matches = _compile(patterns).match
    return any(matches(text.casefold()) for text in texts)


@lru_cache(maxsize=4096)
def _compile(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern.casefold()) for pattern in patterns))


def _is_within(clause: Clause, case: Case) -> bool:
    return (clause.amount_above is None or case.total > clause.amount_above) and (
        clause.amount_up_to is None or case.total <= clause.amount_up_to
    )


#: The selectors, the weightiest first: a clause with the first one beats every clause without it, and so on.
SELECTORS: Final = (
    _Selector("channel", lambda c: c.channel_id is not None, lambda c, x: c.channel_id == x.order.channel_id),
    _Selector("sku", lambda c: bool(c.sku_patterns), lambda c, x: _match_any(c.sku_patterns, [x.sku])),
    _Selector(
        "category",
        lambda c: bool(c.category_patterns),
        lambda c, x: _match_any(c.category_patterns, x.categories),
    ),
    _Selector("status", lambda c: bool(c.statuses), lambda c, x: x.status in c.statuses),
    _Selector(
        "payment", lambda c: bool(c.payment_types), lambda c, x: x.order.payment_type in c.payment_types
    ),
    _Selector("client", lambda c: bool(c.client_types), lambda c, x: x.order.client_type in c.client_types),
    _Selector("country", lambda c: bool(c.countries), lambda c, x: x.order.country in c.countries),
    _Selector("amount", lambda c: (c.amount_above, c.amount_up_to) != (None, None), _is_within),
    _Selector("currency", lambda c: bool(c.currency), lambda c, x: c.currency == x.order.currency),
    _Selector(
        "type", lambda c: bool(c.cancellation_type), lambda c, x: c.cancellation_type == x.cancellation_type
    ),
)
#: Those that an order alone answers, so that a policy can leave out early what is about other orders.
_ORDER_NAMES: Final = frozenset({"channel", "payment", "client", "country", "currency"})
_OF_THE_ORDER: Final = tuple(s for s in SELECTORS if s.name in _ORDER_NAMES)
_OF_THE_ITEM: Final = tuple(s for s in SELECTORS if s.name not in _ORDER_NAMES)
#: A clause that is about an order, with what has to fit an item besides.
_Bound = tuple[Clause, tuple[Callable[[Clause, Case], bool], ...]]

#: Far apart, so that a clause can be put between two others.
_STEP: Final = 10


def make_default_clauses(basics: Basics) -> tuple[Clause, ...]:
    """Write the shipped policy, contract section 3.3, as clauses; the same basics give the same clauses."""
    said: list[tuple[Topic, Mapping[str, Any]]] = [
        (topic, columns) for topic in Topic for columns in topic.declared.default(basics)
    ]
    return tuple(
        Clause(number=place * _STEP, topic=topic, **columns)
        for place, (topic, columns) in enumerate(said, start=1)
    )


def find_mismatch(clause: Clause, case: Case) -> str | None:
    """Find the selector that keeps a clause from being about a case; None if it is about it."""
    return next((s.name for s in SELECTORS if s.is_set(clause) and not s.fits(clause, case)), None)


def measure_specificity(clause: Clause) -> tuple[bool, ...]:
    """Return which selectors a clause has, the weightiest first: the greater tuple is the more specific."""
    return tuple(selector.is_set(clause) for selector in SELECTORS)


@dataclass(frozen=True)
class PolicyBook:
    """One version of the policy. `version` is its number, None for the default that nobody was judged by yet.

    `zone` and `holidays` are the shop's, for windows.
    """

    clauses: tuple[Clause, ...]
    version: int | None = None
    zone: tzinfo = UTC
    holidays: frozenset[date] = frozenset()

    @cached_property
    def fingerprint(self) -> str:
        """A digest of what the clauses say, so that one default is kept once."""
        return sha256(msgspec.json.encode(self.clauses, order="deterministic")).hexdigest()

    @cached_property
    def by_topic(self) -> Mapping[Topic, tuple[Clause, ...]]:
        """The clauses of each topic, the most specific first; between equals the lower number."""
        ranked = sorted(self.clauses, key=lambda c: c.number)
        ranked.sort(key=measure_specificity, reverse=True)  # stable: the numbers' order stays among equals
        return {topic: tuple(c for c in ranked if c.topic is topic) for topic in Topic}


@dataclass(frozen=True)
class Policy:
    """A version of the policy as it stands for one order."""

    book: PolicyBook
    order: OrderFacts
    _kept: dict[Topic, tuple[_Bound, ...]] = field(default_factory=dict, compare=False, repr=False)

    def _list_bound(self, topic: Topic) -> tuple[_Bound, ...]:
        """List the clauses of a topic that can be about this order, and what is still to be asked of each."""
        if topic not in self._kept:
            case = Case(self.order, "cancel", "")
            self._kept[topic] = tuple(
                (clause, tuple(s.fits for s in _OF_THE_ITEM if s.is_set(clause)))
                for clause in self.book.by_topic[topic]
                if all(s.fits(clause, case) for s in _OF_THE_ORDER if s.is_set(clause))
            )
        return self._kept[topic]

    def make_case(
        self,
        kind: CaseKind,
        status: str,
        *,
        sku: str = "",
        categories: tuple[str, ...] = (),
        total: Decimal = Decimal(0),
    ) -> Case:
        """Make a case of this order."""
        return Case(self.order, kind, status, sku, categories, total)

    def make_item_case(self, kind: CaseKind, item: ItemFacts, total: Decimal = Decimal(0)) -> Case:
        """Make the case of one item; `total` is that of the whole request."""
        return self.make_case(kind, item.status, sku=item.sku, categories=item.categories, total=total)

    def decide(self, topic: Topic, case: Case) -> Clause | None:
        """Find the clause that decides a topic: the most specific that is about the case. None: nobody says."""
        for clause, checks in self._list_bound(topic):
            if all(fits(clause, case) for fits in checks):
                return clause
        return None

    def find_end(self, clause: Clause, starts: Mapping[str, datetime | None]) -> datetime | None:
        """Find when a clause's window ends; None without one, or if nobody knows when it began."""
        since = starts.get(clause.window.basis) if clause.window else None
        if clause.window is None or since is None:
            return None
        return clause.window.find_end(since, zone=self.book.zone, holidays=self.book.holidays)

    def is_over(self, clause: Clause, starts: Mapping[str, datetime | None], now: datetime) -> bool:
        """Return whether a clause's window has closed; one whose beginning nobody knows does not close."""
        end = self.find_end(clause, starts)
        return end is not None and now > end


@dataclass(frozen=True, slots=True)
class PolicyTerms:
    """What a policy says of the money and the way of one item, and the clauses that said it.

    `fee_percent` is of the item's refund, `fee_fixed` an amount in `currency`; the fee is their sum.
    """

    currency: str
    fee_fixed: Decimal
    fee_percent: Decimal
    shipping_refund: ShippingRefund
    easy_return: bool
    clauses: Mapping[Topic, int]


def decide_terms(policy: Policy, case: Case) -> PolicyTerms:
    """Decide fee, shipping and easy return for one item's cancellation or return.

    Where nobody says: no fee, shipping back when nothing remains, no easy return.
    """
    topics = (Topic.FEE, Topic.SHIPPING_REFUND, Topic.EASY_RETURN)
    found = {topic: clause for topic in topics if (clause := policy.decide(topic, case))}
    fee, shipping = found.get(Topic.FEE), found.get(Topic.SHIPPING_REFUND)
    return PolicyTerms(
        currency=policy.order.currency,
        fee_fixed=fee.fee_fixed if fee else Decimal(0),
        fee_percent=fee.fee_percent if fee else Decimal(0),
        shipping_refund=shipping.shipping_refund if shipping else ShippingRefund.WHEN_NOTHING_REMAINS,
        easy_return=is_easy_return(policy, case),
        clauses={topic: clause.number for topic, clause in found.items()},
    )


def is_easy_return(policy: Policy, case: Case) -> bool:
    """Return whether a shipping company collects this return."""
    clause = policy.decide(Topic.EASY_RETURN, case)
    return case.cancellation_type == "refund" and clause is not None and clause.effect is Effect.ALLOW


def find_collected(policy: Policy, items: Iterable[ItemFacts]) -> frozenset[int]:
    """Find the items, by id, whose return a shipping company would collect."""
    return frozenset(
        item.order_item for item in items if is_easy_return(policy, policy.make_item_case("refund", item))
    )
