"""What the database refuses, whatever the code does: each check constraint has the last word."""

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.cancellations.models import Delivery, Installation, PolicyRule, PolicyVersion, SubmissionLine
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.models import DiscountItem, IdempotencyRecord, Order, OrderItem
from tests.shop import Line, Shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("model", "constraint", "values"),
    [
        (OrderItem, "never_more_cancelled_than_bought", {"cancelled_quantity": 3}),
        (OrderItem, "never_more_cancelled_than_bought", {"cancelled_quantity": -1}),
        (OrderItem, "never_more_reserved_than_left", {"reserved_quantity": 3}),
        (OrderItem, "never_more_reserved_than_left", {"reserved_quantity": -1}),
        (OrderItem, "never_more_reserved_than_left", {"cancelled_quantity": 1}),
        (Order, "plausible_times_of_an_order", {"created_date": datetime(2999, 1, 1, tzinfo=UTC)}),
        (Order, "plausible_times_of_an_order", {"modified_date": datetime(1, 1, 2, tzinfo=UTC)}),
        (OrderItem, "plausible_times_of_an_item", {"created_date": datetime(1969, 1, 1, tzinfo=UTC)}),
        (OrderItem, "plausible_times_of_an_item", {"modified_date": datetime(2101, 1, 1, tzinfo=UTC)}),
        (OrderItem, "plausible_times_of_an_item", {"shipped_at": datetime(9999, 12, 30, tzinfo=UTC)}),
        (OrderItem, "plausible_times_of_an_item", {"delivered_at": datetime(9999, 12, 30, tzinfo=UTC)}),
        (SubmissionLine, "a_line_has_units", {"quantity": 0}),
        (SubmissionLine, "never_more_completed_than_asked", {"completed_quantity": 3}),
        (SubmissionLine, "never_more_completed_than_asked", {"completed_quantity": -1}),
    ],
)
def test_the_database_refuses_it(model: type[models.Model], constraint: str, values: dict[str, Any]) -> None:
    shop = Shop([Line(quantity=2)])
    request_cancellation(shop.command())
    rows = model._default_manager.all()
    before = list(rows.values())

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        rows.update(**values)

    assert list(rows.values()) == before


def test_a_database_is_of_one_installation() -> None:
    Installation.objects.create(pk=1)

    with pytest.raises(IntegrityError, match="one_installation"), transaction.atomic():
        Installation.objects.create(pk=2)

    assert Installation.objects.count() == 1


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("a_round_ends_before_the_next", {"latest_of": None}),
        ("what_is_sent_has_its_name", {"state": "sent"}),
        ("what_is_sent_has_its_name", {"pending_name": "name"}),
    ],
)
def test_a_delivery_is_what_its_state_says(constraint: str, values: dict[str, Any]) -> None:
    shop = Shop()
    request_cancellation(shop.command())

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Delivery.objects.update(**values)

    assert Delivery.objects.values_list("state", "pending_name").get() == ("created", "")


def make_caller(**whose: Any) -> None:
    IdempotencyRecord.objects.create(fingerprint="body", **whose)


@pytest.mark.parametrize("is_both", [True, False])
def test_a_write_of_nobody_or_of_two_is_refused(*, is_both: bool) -> None:
    shop = Shop()
    whose = {"user": shop.user, "guest_order": shop.order} if is_both else {}

    with (
        pytest.raises(IntegrityError, match="a_write_is_a_users_or_a_guests"),
        transaction.atomic(),
    ):
        make_caller(**whose)

    assert IdempotencyRecord.objects.count() == 0
    make_caller(user=shop.user)
    make_caller(guest_order=shop.order)
    assert IdempotencyRecord.objects.count() == 2


@pytest.mark.parametrize("kind", LoyaltyEntry.Kind)
@pytest.mark.parametrize("amount", [-1, 0, 1])
def test_only_the_sign_of_its_kind_is_taken_into_the_ledger(kind: LoyaltyEntry.Kind, amount: int) -> None:
    giving, taking = {"earned", "returned", "refund_credit"}, {"spent", "clawed_back"}
    is_taken = (amount > 0 and kind not in taking) or (amount < 0 and kind not in giving)
    expected = nullcontext() if is_taken else pytest.raises(IntegrityError, match="the_sign_follows_the_kind")

    with expected, transaction.atomic():
        LoyaltyEntry.objects.create(user=Shop().user, currency="TRY", kind=kind, amount=amount)

    assert LoyaltyEntry.objects.count() == is_taken


@pytest.mark.parametrize("missing", ["effective_from", "published_at"])
def test_a_policy_is_not_published_without_its_times(missing: str) -> None:
    draft = PolicyVersion.objects.create()
    times = {"effective_from": timezone.now(), "published_at": timezone.now()}

    with (
        pytest.raises(IntegrityError, match="what_is_published_has_its_time"),
        transaction.atomic(),
    ):
        PolicyVersion.objects.update(state="published", **{**times, missing: None})

    draft.refresh_from_db()
    assert draft.state == "draft"
    assert PolicyVersion.objects.update(state="published", **times) == 1


WINDOW = {"window_basis": "order", "window_length": 30, "window_unit": "minutes"}


@pytest.mark.parametrize("names", [1, 2])
@pytest.mark.parametrize("first", range(3))
def test_a_part_of_a_window_is_refused(first: int, names: int) -> None:
    version = PolicyVersion.objects.create()
    rule = PolicyRule.objects.create(version=version, number=1, topic="direct_window")
    given = [*WINDOW.items(), *WINDOW.items()][first : first + names]

    with pytest.raises(IntegrityError, match="a_window_is_whole"), transaction.atomic():
        PolicyRule.objects.update(**dict(given))

    rule.refresh_from_db()
    assert (rule.window_basis, rule.window_length, rule.window_unit) == ("", None, "")
    assert PolicyRule.objects.update(**WINDOW) == 1


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (OrderItem, {"cancelled_quantity": 2, "reserved_quantity": 0}),
        (OrderItem, {"cancelled_quantity": 1, "reserved_quantity": 1}),
        (SubmissionLine, {"quantity": 1}),
        (SubmissionLine, {"completed_quantity": 2}),
    ],
)
def test_what_is_just_possible_is_taken(model: type[models.Model], values: dict[str, Any]) -> None:
    shop = Shop([Line(quantity=2)])
    request_cancellation(shop.command())

    assert model._default_manager.update(**values) == 1


def test_a_discount_outside_the_calendar_is_refused() -> None:
    shop = Shop()

    with pytest.raises(IntegrityError, match="plausible_times_of_a_discount"), transaction.atomic():
        DiscountItem.objects.create(order=shop.order, modified_date=datetime(9999, 1, 1, tzinfo=UTC))

    assert DiscountItem.objects.count() == 0
