"""Clauses: whom they are about, which of them decides, and what then is said."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from aftercart.orders.address_rules import judge_address_change, judge_country, may_still_change
from aftercart.orders.facts import ItemFacts, OrderFacts, RequestedUnits
from aftercart.orders.policy.clauses import (
    SELECTORS,
    Clause,
    Policy,
    PolicyBook,
    decide_terms,
    find_mismatch,
    make_default_clauses,
    measure_specificity,
)
from aftercart.orders.policy.explain import clause_document, explain, explain_address, item_document
from aftercart.orders.policy.topics import Basics, Effect, Rule, Topic
from aftercart.orders.quotes import ShippingRefund
from aftercart.orders.rules import Finding, find_window_end, judge
from aftercart.orders.windows import Basis, Unit, Window

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ORDER = OrderFacts(channel_id=2, currency="TRY", payment_type="credit_card", client_type="ios", country="tr")
SHOE = ItemFacts(
    order_item=1,
    status="550",
    left_quantity=1,
    is_in_progress=False,
    has_invoice=False,
    is_final_sale=False,
    unit_amount=Decimal(100),
    delivered_at=NOW - timedelta(days=20),
    shipped_at=NOW - timedelta(days=22),
    sku="SHOE-42-RED",
    categories=("Women > Shoes",),
)
DEFAULT = make_default_clauses(
    Basics(
        cancel_statuses=frozenset({"400"}),
        refund_statuses=frozenset({"550"}),
        address_statuses=frozenset({"400", "450"}),
        return_window=timedelta(days=14),
    )
)
FIFTEEN = Window(Basis.DELIVERY, 15, Unit.DAYS)
THIRTY = Window(Basis.DELIVERY, 30, Unit.DAYS)


def bind(*clauses: Clause, order: OrderFacts = ORDER) -> Policy:
    return Policy(PolicyBook((*DEFAULT, *clauses)), order)


def find(policy: Policy, item: ItemFacts = SHOE, kind: Any = "refund", **ask: Any) -> list[Finding]:
    asks = [RequestedUnits(item.order_item, kind, **ask)]
    return list(judge(asks, {item.order_item: item}, placed_at=NOW, policy=policy, now=NOW))


def say(topic: Topic, effect: Effect, number: int = 900, **said: Any) -> Clause:
    return Clause(number=number, topic=topic, effect=effect, **said)


def window(number: int = 900, length: Window = THIRTY, **said: Any) -> Clause:
    return say(Topic.RETURN_WINDOW, Effect.REFUSE, number, window=length, **said)


def test_the_default_says_what_the_contract_says_and_by_which_clause() -> None:
    (finding,) = find(bind())

    clause = next(c for c in DEFAULT if c.topic is Topic.RETURN_WINDOW)
    assert (finding.code, finding.effect, finding.clause) == (
        "return_window_closed", Effect.REFUSE, clause.number,
    )  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        {"channel_id": 2},
        {"sku_patterns": ("shoe-*",)},
        {"category_patterns": ("*shoes",)},
        {"statuses": frozenset({"550"})},
        {"payment_types": frozenset({"credit_card"})},
        {"client_types": frozenset({"ios"})},
        {"countries": frozenset({"tr"})},
        {"amount_above": Decimal("99.99")},
        {"amount_up_to": Decimal(100)},
        {"currency": "TRY"},
    ],
)
def test_a_narrower_clause_decides_in_place_of_the_wider_one(said: dict[str, Any]) -> None:
    assert find(bind(window(**said, cancellation_type="refund"))) == []
    # What makes it narrower is looked at: for another order, item or amount the default stands.
    foreign = replace(SHOE, sku="HAT", categories=("Hats",), status="550", unit_amount=Decimal("99.99"))
    other = OrderFacts(channel_id=3, currency="EUR", payment_type="cash", client_type="web", country="de")
    if "statuses" not in said and "amount_up_to" not in said:
        codes = [f.code for f in find(bind(window(**said, cancellation_type="refund"), order=other), foreign)]
        assert codes == ["return_window_closed"]


def test_what_the_narrower_clause_allows_the_wider_one_cannot_refuse() -> None:
    allowed = say(Topic.FINAL_SALE, Effect.ALLOW, sku_patterns=("SHOE-*",))
    item = replace(SHOE, is_final_sale=True, delivered_at=NOW)

    assert [f.code for f in find(bind(), item)] == ["final_sale"]
    assert find(bind(allowed), item) == []


def test_the_weightier_selector_wins_over_any_number_of_lighter_ones() -> None:
    channel = window(1, FIFTEEN, channel_id=2)
    rest = window(
        2,
        THIRTY,
        sku_patterns=("*",),
        category_patterns=("*",),
        statuses=frozenset({"550"}),
        payment_types=frozenset({"credit_card"}),
        client_types=frozenset({"ios"}),
        countries=frozenset({"tr"}),
        amount_above=Decimal(0),
        currency="TRY",
        cancellation_type="refund",
    )

    assert [f.clause for f in find(bind(rest, channel))] == [1]
    assert [s.name for s in SELECTORS] == [
        "channel", "sku", "category", "status", "payment", "client", "country", "amount", "currency", "type",
    ]  # fmt: skip


def test_between_equals_the_lower_number_wins() -> None:
    wide, narrow = window(7, THIRTY, sku_patterns=("SHOE-*",)), window(8, FIFTEEN, sku_patterns=("*-RED",))

    assert find(bind(narrow, wide)) == []
    assert [f.clause for f in find(bind(replace(wide, number=9), narrow))] == [8]


def test_a_window_can_begin_with_order_shipment_or_delivery_and_not_without_its_beginning() -> None:
    clause = window(1, Window(Basis.SHIPMENT, 21, Unit.DAYS), channel_id=2)

    assert [f.clause for f in find(bind(clause))] == [1]
    assert find(bind(clause), replace(SHOE, shipped_at=NOW - timedelta(days=21))) == []
    assert find(bind(clause), replace(SHOE, shipped_at=None)) == []
    ordered = window(1, Window(Basis.ORDER, 1, Unit.HOURS), channel_id=2)
    assert find(bind(ordered)) == []  # placed at this moment


def test_a_return_may_have_to_wait_and_is_possible_from_then_on() -> None:
    wait = say(
        Topic.RETURN_WAIT,
        Effect.REFUSE,
        cancellation_type="refund",
        window=Window(Basis.SHIPMENT, 5, Unit.DAYS),
    )
    early = replace(SHOE, status="550", delivered_at=None, shipped_at=NOW - timedelta(days=5))
    policy = bind(wait)

    (finding,) = find(policy, early)
    assert (finding.code, finding.rule, finding.clause) == ("return_too_early", Rule.RETURN_WINDOW, 900)
    assert finding.message == "It is too early to return this item. Please try again in a few days."
    assert find(policy, replace(early, shipped_at=NOW - timedelta(days=5, microseconds=1))) == []
    assert [f.code for f in find(policy, replace(early, shipped_at=None))] == ["return_too_early"]
    assert find(bind(), early) == []
    # A document that was written before says so until then, and not longer.
    assert find_window_end([early], placed_at=NOW, policy=policy, now=NOW) == NOW
    with translation.override("tr"):
        assert find(policy, early)[0].message.startswith("Bu ürünü iade etmek için henüz erken.")


def test_amounts_join_without_a_gap_or_an_overlap() -> None:
    low = say(Topic.AMOUNT, Effect.ALLOW, 1, amount_up_to=Decimal(100))
    high = say(Topic.AMOUNT, Effect.REVIEW, 2, amount_above=Decimal(100), amount_up_to=Decimal(200))
    top = say(Topic.AMOUNT, Effect.REFUSE, 3, amount_above=Decimal(200))
    policy = bind(low, high, top)

    def effects(amount: str) -> list[Effect]:
        return [f.effect for f in find(policy, replace(SHOE, unit_amount=Decimal(amount), delivered_at=NOW))]

    assert effects("100") == []
    assert effects("100.01") == [Effect.REVIEW]
    assert effects("200") == [Effect.REVIEW]
    assert effects("200.01") == [Effect.REFUSE]


def test_a_clause_speaks_in_its_own_words_in_the_callers_language() -> None:
    clause = window(
        1, FIFTEEN, channel_id=2, code="shoes_too_late", message_en="Too late.", message_tr="Çok geç."
    )

    with translation.override("tr"):
        assert [(f.code, f.message) for f in find(bind(clause))] == [("shoes_too_late", "Çok geç.")]
    with translation.override("en"):
        assert [(f.code, f.message) for f in find(bind(clause))] == [("shoes_too_late", "Too late.")]


def test_without_any_clause_nothing_is_allowed_and_nothing_impossible_is_tried() -> None:
    policy = Policy(PolicyBook(()), ORDER)
    two = replace(SHOE, left_quantity=2)

    assert [(f.code, f.effect, f.clause) for f in find(policy, two, quantity=1)] == [
        ("status_not_allowed", Effect.REFUSE, None),
        ("partial_line", Effect.REVIEW, None),
    ]
    assert judge_address_change(
        status="400", item_statuses=["400"], is_cancelling=False, is_store_pickup=False, policy=policy
    )


def test_terms_are_said_by_the_most_specific_clause_each() -> None:
    fee = say(
        Topic.FEE, Effect.ALLOW, 1, cancellation_type="refund", fee_fixed=Decimal("9.90"), currency="TRY"
    )
    shoes = say(Topic.FEE, Effect.ALLOW, 2, category_patterns=("*shoes*",), fee_percent=Decimal(5))
    shipping = say(Topic.SHIPPING_REFUND, Effect.ALLOW, 3, channel_id=2, shipping_refund=ShippingRefund.NEVER)
    off = say(Topic.EASY_RETURN, Effect.REFUSE, 4, sku_patterns=("HAT",))
    policy = bind(fee, shoes, shipping, off)

    def terms(**case: Any) -> tuple[Decimal, Decimal, ShippingRefund, bool]:
        found = decide_terms(policy, policy.make_case("refund", "550", **case))
        return found.fee_fixed, found.fee_percent, found.shipping_refund, found.easy_return

    assert terms(categories=("Shoes",)) == (Decimal(0), Decimal(5), ShippingRefund.NEVER, True)
    assert terms(sku="HAT") == (Decimal("9.90"), Decimal(0), ShippingRefund.NEVER, False)
    cancelled = decide_terms(policy, policy.make_case("cancel", "400"))
    assert (cancelled.fee_fixed, cancelled.easy_return) == (Decimal(0), False)
    assert cancelled.clauses[Topic.SHIPPING_REFUND] == 3


def test_an_address_changes_where_a_clause_allows_it() -> None:
    def refuse(policy: Policy, *statuses: str) -> str | None:
        found = judge_address_change(
            status="400",
            item_statuses=statuses,
            is_cancelling=False,
            is_store_pickup=False,
            policy=policy,
        )
        return found.message if found else None

    late = "It is too late to change this order's address."
    assert refuse(bind(), "400", "450", "100") is None
    assert refuse(bind(), "500") == late
    earlier = say(
        Topic.STATUS,
        Effect.REFUSE,
        channel_id=2,
        statuses=frozenset({"450"}),
        cancellation_type="address_change",
        code="being_packed",
        message_en="It is being packed.",
    )
    assert refuse(bind(earlier), "450") == "It is being packed."
    assert may_still_change("400", bind(earlier))
    assert not may_still_change("450", bind(earlier))
    assert not may_still_change("100", bind(say(Topic.STATUS, Effect.ALLOW, channel_id=2)))


def test_another_country_is_a_clause_too() -> None:
    abroad = say(Topic.COUNTRY, Effect.ALLOW, channel_id=2)

    refusal = judge_country("tr", "de", policy=bind(), status="400")
    assert refusal is not None
    assert refusal.code == "other_country"
    assert judge_country("tr", "de", policy=bind(abroad), status="400") is None
    assert judge_country("", "de", policy=bind(), status="400") is None


def test_an_explanation_names_who_decided_and_why_the_others_did_not() -> None:
    policy = bind(window(900, FIFTEEN, channel_id=2), window(901, THIRTY, sku_patterns=("HAT",)))

    (explained,) = explain([RequestedUnits(1, "refund")], {1: SHOE}, placed_at=NOW, policy=policy, now=NOW)

    default = next(c.number for c in DEFAULT if c.topic is Topic.RETURN_WINDOW)
    looks = {look.clause.number: look for look in explained.looks if look.clause.topic is Topic.RETURN_WINDOW}
    assert [(n, looks[n].decides, looks[n].speaks, looks[n].mismatch) for n in (900, 901, default)] == [
        (900, True, True, None),
        (901, False, False, "sku"),
        (default, False, False, None),
    ]
    assert explained.effect is Effect.REFUSE
    assert [f.clause for f in explained.findings] == [900]
    document = item_document(explained)
    assert document["verdict"] == "refuse"
    assert document["looks"][0]["clause"]["topic"] == "status"
    address = explain_address(
        status="500", item_statuses=["500"], is_cancelling=False, is_store_pickup=False, policy=policy
    )
    assert address.refusal is not None
    assert [look.clause.topic for look in address.looks if look.decides] == [Topic.STATUS, Topic.COUNTRY]


def test_a_clause_as_a_document_says_only_what_it_says() -> None:
    assert clause_document(window(3, FIFTEEN, channel_id=2, amount_above=Decimal("10.50"))) == {
        "number": 3,
        "topic": "return_window",
        "effect": "refuse",
        "channel_id": 2,
        "amount_above": "10.5",
        "window": {"basis": "delivery", "length": 15, "unit": "days"},
    }


def choose(*values: Any) -> Any:
    return st.sampled_from(values)


clauses = st.builds(
    Clause,
    number=st.integers(1, 10_000),
    topic=st.sampled_from(list(Topic)),
    effect=st.sampled_from(list(Effect)),
    channel_id=choose(None, None, 2, 3),
    sku_patterns=choose((), ("SHOE-*",), ("HAT",)),
    category_patterns=choose((), ("*shoes*",)),
    statuses=choose(frozenset(), frozenset({"550"}), frozenset({"400"})),
    payment_types=choose(frozenset(), frozenset({"credit_card"})),
    countries=choose(frozenset(), frozenset({"tr"})),
    amount_above=choose(None, Decimal(50)),
    currency=choose("", "TRY"),
    cancellation_type=choose("", "cancel", "refund"),
    window=choose(None, FIFTEEN, THIRTY),
)
policies = st.lists(clauses, max_size=25, unique_by=lambda clause: clause.number)


@given(said=policies, seed=st.integers(0, 1000), kind=choose("cancel", "refund"), status=choose("400", "550"))
def test_the_verdict_does_not_depend_on_the_order_of_the_clauses(
    said: list[Clause], seed: int, kind: Any, status: str
) -> None:
    shuffled = list(said)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a test's dice
    item = replace(SHOE, status=status, has_invoice=True, is_final_sale=True)

    first, second = (find(Policy(PolicyBook(tuple(s)), ORDER), item, kind) for s in (said, shuffled))

    assert first == second


@given(said=policies)
def test_a_clause_that_decides_is_about_the_case_and_none_that_is_beats_it(said: list[Clause]) -> None:
    policy = Policy(PolicyBook(tuple(said)), ORDER)
    case = policy.make_case("refund", "550", sku=SHOE.sku, categories=SHOE.categories, total=Decimal(100))
    for topic in Topic:
        fitting = [c for c in said if c.topic is topic and find_mismatch(c, case) is None]
        decided = policy.decide(topic, case)
        if decided is None:
            assert fitting == []
        else:
            assert decided in fitting
            rank = (measure_specificity(decided), -decided.number)
            assert all((measure_specificity(c), -c.number) <= rank for c in fitting)


@given(said=policies, status=choose("400", "550"))
def test_an_explanation_never_differs_from_the_verdict(said: list[Clause], status: str) -> None:
    policy = Policy(PolicyBook(tuple(said)), ORDER)
    items = {1: replace(SHOE, status=status, has_invoice=True)}
    asks = [RequestedUnits(1, "refund")]

    findings = judge(asks, items, placed_at=NOW, policy=policy, now=NOW)
    (explained,) = explain(asks, items, placed_at=NOW, policy=policy, now=NOW)

    assert explained.findings == findings
    speaking = {look.clause.number for look in explained.looks if look.speaks}
    assert speaking == {f.clause for f in findings if f.clause is not None}
