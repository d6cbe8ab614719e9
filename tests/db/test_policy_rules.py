"""The policy's rules: what a row of the table may say, and what is judged by it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from aftercart.actions.address.change_address import change_address, deliver_address
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.policy.draft_policy import draft_policy
from aftercart.cancellations.models import PolicyRule, PolicyVersion, Submission
from aftercart.cancellations.policy.selectors import (
    get_default_book,
    get_policy,
    read_book,
    read_rule,
    write_rules,
)
from aftercart.cancellations.selectors import build_document
from aftercart.oms.errors import AnswerUnknown
from aftercart.orders.errors import AddressChangeRefused, CancellationRefused
from aftercart.orders.facts import OrderFacts
from aftercart.orders.policy.clauses import Clause, PolicyBook, decide_terms
from aftercart.orders.policy.topics import Effect, Topic
from aftercart.orders.quotes import ShippingRefund
from aftercart.orders.selectors import gather_facts, gather_order_facts, list_categories
from aftercart.orders.windows import Basis, Unit, Window
from tests.db.test_policy_versions import REFUSE_ALL, make_staff, publish
from tests.shop import Line, Shop, ask, make_address, make_address_command, make_command, make_company

pytestmark = pytest.mark.django_db


FULL = Clause(
    number=5,
    topic=Topic.RETURN_WINDOW,
    effect=Effect.REFUSE,
    channel_id=3,
    sku_patterns=("A-*", "B?"),
    category_patterns=("*shoes",),
    statuses=frozenset({"550", "540"}),
    payment_types=frozenset({"cash"}),
    client_types=frozenset({"ios"}),
    countries=frozenset({"tr"}),
    amount_above=Decimal("1.0000"),
    amount_up_to=Decimal("2.5000"),
    currency="EUR",
    cancellation_type="refund",
    window=Window(Basis.SHIPMENT, 3, Unit.BUSINESS_DAYS),
    code="own",
    message_en="No.",
    message_tr="Hayır.",
    fee_fixed=Decimal("1.0000"),
    fee_percent=Decimal("2.0000"),
    shipping_refund=ShippingRefund.ALWAYS,
)


def test_a_clause_survives_the_table() -> None:
    version = PolicyVersion.objects.get(pk=draft_policy(make_staff(), PolicyBook((FULL,))))

    assert read_book(version).clauses == (FULL,)
    assert read_rule(version.rules.get()) == FULL


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"topic": "fee", "effect": "refuse"}, "effect"),
        ({"topic": "partial_line", "effect": "allow"}, "effect"),
        ({"topic": "country", "effect": "review"}, "effect"),
        ({"topic": "status", "effect": "review", "cancellation_type": "address_change"}, "effect"),
        ({"topic": "invoice", "effect": "refuse", "cancellation_type": "address_change"}, "topic"),
        ({"topic": "return_window", "effect": "refuse"}, "window_length"),
        (
            {"topic": "return_window", "effect": "refuse", "window_basis": "order", "window_unit": "days"},
            "window_length",
        ),
        (
            {"topic": "status", "window_basis": "order", "window_unit": "days", "window_length": 1},
            "window_length",
        ),
        (
            {
                "topic": "return_window",
                "window_basis": "order",
                "window_unit": "business_days",
                "window_length": 3651,
            },
            "window_length",
        ),
        ({"topic": "approval", "effect": "review", "code": "own"}, "code"),
        (
            {"topic": "approval", "effect": "review", "code": "No!", "message_en": "x", "message_tr": "y"},
            "code",
        ),
        ({"topic": "fee", "fee_fixed": Decimal(1)}, "currency"),
        ({"topic": "fee", "fee_percent": Decimal(101)}, "fee_percent"),
        ({"topic": "fee", "fee_percent": Decimal(-1)}, "fee_percent"),
        ({"topic": "amount", "amount_above": Decimal(2), "amount_up_to": Decimal(2)}, "amount_up_to"),
        ({"topic": "status", "statuses": ["999"]}, "statuses"),
        ({"topic": "status", "currency": "try"}, "currency"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(fields: dict[str, Any], problem: str) -> None:
    version = PolicyVersion.objects.create()
    rule = PolicyRule(**{"version": version, "number": 1, "effect": "allow", **fields})

    with pytest.raises(ValidationError) as caught:
        rule.full_clean()

    assert list(caught.value.message_dict) == [problem]


def test_every_rule_of_the_default_makes_sense() -> None:
    version = PolicyVersion.objects.create()

    for rule in write_rules(version, get_default_book().clauses):
        rule.full_clean()


def test_the_page_the_document_and_the_action_say_the_same() -> None:
    publish(REFUSE_ALL)
    shop = Shop()

    shop.order.refresh_from_db()
    document = build_document(shop.order)
    with pytest.raises(CancellationRefused) as caught:
        cancel_items(shop.command(), shop.fake)

    assert document["is_cancellable"] is document["orderitem_set"][0]["is_cancellable"] is False
    assert caught.value.body() == {
        "non_field_errors": ["We are closed."],
        "code": "closed",
        "items": [{"order_item": shop.items[0].pk, "code": "closed", "message": "We are closed."}],
    }
    assert Submission.objects.count() == 0


def test_a_clause_of_another_channel_is_not_about_this_order() -> None:
    publish(replace(REFUSE_ALL, channel_id=2))
    shop = Shop()

    assert cancel_items(shop.command(), shop.fake).status == 204


def test_facts_come_from_wherever_an_order_tells_them() -> None:
    shop = Shop(
        order_fields={
            "shipping_address": {"country": {"pk": 1, "code": "TR", "name": "Türkiye"}},
            "details": {"client_type": "ios"},
        }
    )

    assert gather_order_facts(shop.order) == OrderFacts(1, "TRY", "credit_card", "ios", "tr")
    assert list_categories({"category": "Shoes"}) == ("Shoes",)
    assert list_categories(
        {"categories": [{"name": "Shoes", "path": "Women > Shoes"}, 7], "attributes": {"category": "Red"}}
    ) == ("Women > Shoes", "Shoes", "7", "Red")
    assert list_categories({"category": None, "attributes": ["?"]}) == ()


def test_easy_return_can_be_off_for_some_items() -> None:
    off = Clause(number=900, topic=Topic.EASY_RETURN, effect=Effect.REFUSE, sku_patterns=("SKU-*",))
    publish(off)
    shop = Shop([Line(status="550")])
    make_company()

    shop.order.refresh_from_db()
    document = build_document(shop.order)
    answer = cancel_items(make_command(shop.order, ask(shop.items[0], shop.refund_reason)), shop.fake)

    assert document["orderitem_set"][0]["available_easy_return_shipping_companies"] == []
    assert answer.status == 204


def test_an_address_is_judged_by_the_policy_too() -> None:
    closed = replace(REFUSE_ALL, cancellation_type="address_change", code="", message_en="", message_tr="")
    publish(closed)
    shop = Shop()
    command = make_address_command(shop.order, make_address(shop.user))

    with pytest.raises(AddressChangeRefused, match="too late"):
        change_address(command, shop.fake)

    assert shop.fake.posts == []
    assert shop.order.address_changes.count() == 0


def test_a_change_that_was_recorded_is_delivered_by_the_policy_that_allowed_it() -> None:
    shop = Shop()
    shop.fake.fail("change_address", AnswerUnknown)
    change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)
    change = shop.order.address_changes.get()
    publish(replace(REFUSE_ALL, cancellation_type="address_change"))

    deliver_address(change.pk, shop.fake)

    change.refresh_from_db()
    assert change.state == "confirmed"
    assert change.policy_version is not None
    assert change.policy_version.is_default


def test_the_terms_of_an_item_are_those_of_its_order_its_kind_and_the_whole_amount() -> None:
    fee = Clause(
        number=900,
        topic=Topic.FEE,
        cancellation_type="refund",
        amount_up_to=Decimal(500),
        fee_fixed=Decimal("39.9"),
        currency="TRY",
    )
    publish(fee)
    shop = Shop([Line(status="550")])
    policy = get_policy(shop.order)
    [item] = gather_facts(shop.order, shop.items, frozenset()).values()

    small = decide_terms(policy, policy.make_item_case("refund", item, Decimal(500)))
    large = decide_terms(policy, policy.make_item_case("refund", item, Decimal("500.01")))
    cancelled = decide_terms(policy, policy.make_item_case("cancel", item, Decimal(1)))

    assert [terms.fee_fixed for terms in (small, large, cancelled)] == [Decimal("39.9"), 0, 0]
    assert (small.clauses[Topic.FEE], small.easy_return, cancelled.easy_return) == (900, True, False)
