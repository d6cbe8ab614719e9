"""Once a day all recent open orders are compared: within the budget, and each difference is kept once."""

from datetime import timedelta

import pytest
from django.db.models import F
from pytest_django import Settings

from aftercart.actions.sync.reconcile_orders import reconcile_orders
from aftercart.cancellations.models import (
    Difference,
    ReadBudget,
)
from aftercart.cancellations.models.read_budget import spend_calls
from aftercart.oms.errors import NotSent
from aftercart.orders.models import OrderItem
from tests.db.test_updates import cancel_and_approve
from tests.shop import Line, Shop, get_statuses, load_into

pytestmark = pytest.mark.django_db


def test_reconciling_gives_way_to_other_reading_and_keeps_within_the_budget(settings: Settings) -> None:
    """The bucket holds what comes in a quarter of a minute: two calls; an order takes more."""
    settings.OMNITRON_READS_PER_MINUTE = 8
    shops = [Shop() for _ in range(3)]
    fake = shops[0].fake
    for other in shops[1:]:
        load_into(fake, other.order)
    left: list[float] = []
    renewed: list[int] = []

    def pause(seconds: float) -> None:
        """Let so much time pass that two calls have come in."""
        assert seconds <= 1
        assert len(renewed) == len(left) + 1  # the lease is renewed before each pause
        left.append(spend_calls(0))
        ReadBudget.objects.update(counted_at=F("counted_at") - timedelta(seconds=15))

    counts = reconcile_orders(
        fake, lambda: renewed.append(1) if len(renewed) == len(left) else None, pause=pause
    )

    assert counts == {"compared": 3, "different": 0, "unread": 0}
    calls = len(fake.calls)
    assert calls > 3 * 2
    assert max(left) < 1
    assert len(left) == pytest.approx((calls - 4) / 2, abs=3)


def test_reconciling_settles_what_it_can_and_reports_the_rest_once() -> None:
    shop = Shop([Line(status="400"), Line(status="450")])
    OrderItem.objects.filter(pk=shop.items[0].pk).update(
        status="500"
    )  # Omnitron is behind us: no legal way back

    first = reconcile_orders(shop.fake)
    second = reconcile_orders(shop.fake)

    assert first == second == {"compared": 1, "different": 1, "unread": 0}
    difference = Difference.objects.get()
    assert (difference.what, difference.ours, difference.theirs) == ("status", "500", "400")
    assert difference.item == shop.items[0]

    OrderItem.objects.filter(pk=shop.items[0].pk).update(status="400")
    assert reconcile_orders(shop.fake)["different"] == 0
    assert Difference.objects.get().resolved_at is not None


def test_reconciling_brings_in_what_we_never_heard_of() -> None:
    shop = Shop()
    cancel_and_approve(shop)

    assert reconcile_orders(shop.fake) == {"compared": 1, "different": 0, "unread": 0}
    assert get_statuses(shop.order) == ["100"]


def test_an_order_that_omnitron_does_not_know_is_a_difference() -> None:
    shop = Shop()
    shop.order.number = "UNKNOWN-THERE"
    shop.order.save(update_fields=["number"])

    assert reconcile_orders(shop.fake)["different"] == 1
    assert [d.what for d in Difference.objects.all()] == ["order unknown at Omnitron"]


def test_an_outage_ends_the_reconciliation_and_reports_nothing() -> None:
    shop = Shop()
    shop.fake.fail("read_order", NotSent("down", code="unreachable"), times=5)

    assert reconcile_orders(shop.fake) == {"compared": 0, "different": 0, "unread": 1}
    assert Difference.objects.count() == 0
