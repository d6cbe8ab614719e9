"""The rules of contract section 3.3, row by row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercart.orders.facts import ItemFacts, OrderFacts, RequestedUnits
from aftercart.orders.policy.clauses import Policy, PolicyBook, make_default_clauses
from aftercart.orders.policy.topics import Basics, Effect
from aftercart.orders.rules import is_allowed, judge, list_refusals
from aftercart.orders.status import FINAL, Status

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ITEM = ItemFacts(
    order_item=1,
    status="400",
    left_quantity=1,
    is_in_progress=False,
    has_invoice=False,
    is_final_sale=False,
    unit_amount=Decimal(100),
    delivered_at=None,
)
DELIVERED = replace(ITEM, status="550", delivered_at=NOW - timedelta(days=3))
POLICY = Basics(
    cancel_statuses=frozenset({"200", "300", "350", "400", "450"}),
    refund_statuses=frozenset({"500", "510", "520", "540", "544", "545", "546", "547", "550"}),
    return_window=timedelta(days=14),
)
R, V = Effect.REFUSE, Effect.REVIEW


def bind(basics: Basics) -> Policy:
    return Policy(PolicyBook(make_default_clauses(basics)), OrderFacts(channel_id=1, currency="TRY"))


def find(
    *asks: RequestedUnits, items: list[ItemFacts] | None = None, policy: Basics = POLICY, **placed: Any
) -> Any:
    findings = judge(
        asks,
        {item.order_item: item for item in items or [ITEM]},
        placed_at=placed.get("placed_at", NOW - timedelta(hours=1)),
        policy=bind(policy),
        now=NOW,
    )
    return [(finding.code, finding.effect) for finding in findings]


CANCEL, REFUND = RequestedUnits(1, "cancel"), RequestedUnits(1, "refund")


@pytest.mark.parametrize(
    ("ask", "item", "policy", "found"),
    [
        (CANCEL, ITEM, POLICY, []),
        (REFUND, DELIVERED, POLICY, []),
        (CANCEL, replace(ITEM, status="100"), POLICY, [("already_cancelled", R)]),
        (REFUND, replace(ITEM, status="600"), POLICY, [("already_cancelled", R)]),
        (CANCEL, replace(ITEM, left_quantity=0), POLICY, [("already_cancelled", R)]),
        (CANCEL, replace(ITEM, is_in_progress=True), POLICY, [("cancellation_in_progress", R)]),
        (CANCEL, replace(ITEM, status="50"), POLICY, [("cancellation_in_progress", R)]),
        (CANCEL, replace(ITEM, status="500"), POLICY, [("status_not_allowed", R)]),
        (REFUND, ITEM, POLICY, [("status_not_allowed", R)]),
        (CANCEL, replace(ITEM, has_invoice=True), POLICY, [("has_invoice", V)]),
        (CANCEL, replace(ITEM, has_invoice=True), replace(POLICY, invoice_needs_review=False), []),
        (REFUND, replace(DELIVERED, has_invoice=True), POLICY, []),
        (REFUND, replace(DELIVERED, is_final_sale=True), POLICY, [("final_sale", R)]),
        (CANCEL, replace(ITEM, is_final_sale=True), POLICY, []),
        (
            REFUND,
            replace(DELIVERED, delivered_at=NOW - timedelta(days=14, seconds=1)),
            POLICY,
            [("return_window_closed", R)],
        ),
        (REFUND, replace(DELIVERED, delivered_at=NOW - timedelta(days=14)), POLICY, []),
        (REFUND, replace(DELIVERED, delivered_at=None), POLICY, []),
        (CANCEL, ITEM, replace(POLICY, direct_window=timedelta(minutes=30)), [("direct_window_passed", V)]),
        (CANCEL, ITEM, replace(POLICY, direct_window=timedelta(hours=1)), []),
        (REFUND, DELIVERED, replace(POLICY, direct_window=timedelta(minutes=30)), []),
        (CANCEL, ITEM, replace(POLICY, review_types=frozenset({"cancel"})), [("type_needs_approval", V)]),
        (CANCEL, ITEM, replace(POLICY, review_above_amount=Decimal("99.99")), [("amount_needs_approval", V)]),
        (CANCEL, ITEM, replace(POLICY, review_above_amount=Decimal(100)), []),
        (RequestedUnits(1, "cancel", 2), replace(ITEM, left_quantity=3), POLICY, [("partial_line", V)]),
        (RequestedUnits(1, "cancel", 3), replace(ITEM, left_quantity=3), POLICY, []),
    ],
)
def test_each_rule_has_its_code_and_its_effect(
    ask: RequestedUnits, item: ItemFacts, policy: Basics, found: Any
) -> None:
    assert find(ask, items=[item], policy=policy) == found


def test_cancel_and_refund_together_are_for_review_of_both() -> None:
    second = replace(DELIVERED, order_item=2)

    assert find(CANCEL, RequestedUnits(2, "refund"), items=[ITEM, second]) == [
        ("mixed_types", V),
        ("mixed_types", V),
    ]


def test_the_amount_limit_is_about_the_whole_submission() -> None:
    second = replace(ITEM, order_item=2)
    policy = replace(POLICY, review_above_amount=Decimal(150))

    assert find(CANCEL, RequestedUnits(2, "cancel"), items=[ITEM, second], policy=policy) == [
        ("amount_needs_approval", V),
        ("amount_needs_approval", V),
    ]


def test_rules_speak_in_the_order_of_the_contract() -> None:
    shipped = replace(ITEM, order_item=1, status="500", has_invoice=True)
    cancelled = replace(ITEM, order_item=2, status="100")

    assert find(CANCEL, RequestedUnits(2, "cancel"), items=[shipped, cancelled]) == [
        ("already_cancelled", R),
        ("status_not_allowed", R),
        ("has_invoice", V),
    ]


facts = st.builds(
    ItemFacts,
    order_item=st.integers(1, 3),
    status=st.sampled_from([status.value for status in Status]),
    left_quantity=st.integers(0, 3),
    is_in_progress=st.booleans(),
    has_invoice=st.booleans(),
    is_final_sale=st.booleans(),
    unit_amount=st.decimals(0, 1000, places=2),
    delivered_at=st.none() | st.just(NOW - timedelta(days=30)) | st.just(NOW),
)


@given(
    items=st.lists(facts, min_size=1, max_size=3, unique_by=lambda item: item.order_item),
    kinds=st.lists(st.sampled_from(["cancel", "refund"]), min_size=3, max_size=3),
)
def test_no_item_can_be_both_cancellable_and_refundable_nor_either_when_it_is_over(
    items: list[ItemFacts], kinds: list[Any]
) -> None:
    for item in items:
        allowed = [
            kind
            for kind in ("cancel", "refund")
            if is_allowed(kind, item, placed_at=NOW, policy=bind(POLICY), now=NOW)
        ]
        assert len(allowed) <= 1
        if item.status in FINAL or item.is_in_progress or item.left_quantity == 0:
            assert allowed == []
    asks = [RequestedUnits(item.order_item, kind) for item, kind in zip(items, kinds, strict=False)]
    findings = judge(
        asks, {item.order_item: item for item in items}, placed_at=NOW, policy=bind(POLICY), now=NOW
    )
    refused = {finding.order_item for finding in list_refusals(findings)}
    assert refused == {
        ask.order_item
        for ask, item in zip(asks, items, strict=True)
        if not is_allowed(ask.cancellation_type, item, placed_at=NOW, policy=bind(POLICY), now=NOW)
    }
