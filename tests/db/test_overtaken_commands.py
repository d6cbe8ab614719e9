"""A command whose line a newer submission carries by now: behaviours that the specification's checker found.

Each of them needs three submissions, one after the other, and a process that stands still (docs/spec/Submission.tla).
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F

from aftercart.actions.cancel.apply_late import adopt_late, note_late, settle_unknown
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import Submission
from aftercart.oms.errors import AnswerUnknown, NotSent
from aftercart.orders.timeline import WORKER
from tests.db.test_late_arrivals import approve, arrive, count_events, count_taken, make_shop
from tests.shop import Shop, get_request, make_customer

pytestmark = pytest.mark.django_db


def list_states() -> list[str]:
    return list(Submission.objects.filter(origin="approval").order_by("pk").values_list("state", flat=True))


def bounce(shop: Shop) -> Submission:
    """Let another approval be given up before it is sent; the first command may still arrive."""
    shop.fake.fail("read_order_items", NotSent)
    approve(shop)
    return Submission.objects.latest("pk")


def test_what_no_longer_carries_the_line_adopts_nothing() -> None:
    shop = make_shop()
    first = Submission.objects.latest("pk")
    second = bounce(shop)

    def wake() -> None:
        shop.fake.before("read_order_items", None)
        arrive(shop)
        adopt_late(second.pk, first.pk)

    approve_again(shop, wake)

    assert (count_taken(shop), shop.count_posts()) == (1, 1)
    assert list_states() == ["refused", "refused", "applied"]
    assert (get_request().status, count_events("late_success")) == ("confirmed", 1)


def approve_again(shop: Shop, wake: Callable[[], None]) -> None:
    approve_request(get_request().pk, make_customer())
    shop.fake.before("read_order_items", wake)
    execute_approval(get_request().pk, shop.fake)


def test_what_leaves_late_and_no_longer_carries_the_line_is_left_to_what_does() -> None:
    shop = make_shop()
    first = Submission.objects.latest("pk")
    bounce(shop)
    settle_unknown(first.pk, WORKER, AnswerUnknown("No answer.", code="timeout"))
    assert list_states() == ["refused", "refused"]
    assert get_request().status == "waiting"

    arrive(shop)
    sync_order(shop.order.pk, shop.fake)
    [named] = shop.fake.posts[0].body["cancel_items"]
    shop.fake.decide_items("approve", named)
    sync_order(shop.order.pk, shop.fake)

    assert list_states() == ["refused", "applied"]
    assert (shop.items[0].cancelled_quantity, get_request().status) == (1, "completed")


def test_a_success_that_the_next_command_was_refused_for_is_not_forgotten() -> None:
    shop = make_shop()
    first = Submission.objects.latest("pk")

    def wake() -> None:
        shop.fake.before("cancel_items", None)
        arrive(shop)
        note_late(first.pk)

    shop.fake.before("cancel_items", wake)
    approve(shop)
    assert list_states() == ["refused", "refused"]
    Submission.objects.update(sent_at=F("sent_at") - timedelta(seconds=61))

    approve(shop)

    assert (count_taken(shop), shop.count_posts()) == (1, 2)
    assert list_states() == ["refused", "refused", "applied"]
    assert (get_request().status, get_request().cause) == ("confirmed", "arrived_late")
