"""Reading in the background: the lists tell of decisions, single orders are read ever later, within a budget."""

from datetime import datetime, timedelta
from itertools import pairwise
from unittest import mock

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.sync.poll_updates import list_streams_due, poll_updates
from aftercart.actions.sync.sync_order import sync_if_due, sync_order
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import ReadBudget, Submission, SyncCursor
from aftercart.cancellations.models.read_budget import count_calls_left, has_calls_left, spend_calls
from aftercart.cancellations.models.syncing import add_channels
from aftercart.cancellations.selectors import list_orders_to_sync
from aftercart.oms.connect import replace_client
from aftercart.orders.models import Order
from aftercart.worker.tasks import run_sync_orders
from tests.import_documents import make_document, run_import
from tests.shop import Shop, get_statuses
from tests.tables import empty_queue

pytestmark = pytest.mark.django_db


def make_undecided(shop: Shop | None = None) -> Shop:
    """Have a cancellation that Omnitron has taken, and not decided; its first reading is done."""
    shop = Shop(fake=shop.fake) if shop else Shop()
    cancel_items(shop.command(), shop.fake)
    sync_order(shop.order.pk, shop.fake)
    empty_queue()
    return shop


def read_lists(shop: Shop) -> None:
    for stream in ("orders", "requests"):
        poll_updates(1, stream, shop.fake)
    empty_queue()
    Order.objects.update(sync_due_at=None)


def pass_time(*, seconds: float) -> None:
    """Move everything that has a time into the past."""
    past = timedelta(seconds=seconds)
    Order.objects.update(synced_at=F("synced_at") - past)
    Submission.objects.update(created_at=F("created_at") - past)


def list_looks(shop: Shop, *, hours: int, lists_work: bool) -> list[int]:
    """List after how many seconds the order is read, if nothing is ever decided."""
    looks: list[int] = []
    seconds = wait = 0
    while seconds < hours * 3600:
        step = max(20, wait * 4 // 5)  # a quicker reading than the last is found, and is a fault
        pass_time(seconds=step)
        seconds, wait = seconds + step, 0
        SyncCursor.objects.update(polled_at=timezone.now() if lists_work else None)
        if list_orders_to_sync(10) == [shop.order.pk]:
            wait = seconds - sum(looks[-1:])
            looks.append(seconds)
            Order.objects.update(synced_at=timezone.now())
    return looks


def list_waits(looks: list[int]) -> list[int]:
    return [after - before for before, after in pairwise([0, *looks])]


@pytest.mark.slow
def test_an_order_is_read_soon_after_its_submission_then_ever_later_and_hourly_in_the_end() -> None:
    shop = make_undecided()
    read_lists(shop)

    looks = list_looks(shop, hours=5, lists_work=True)

    waits = list_waits(looks)
    # By steps of twenty seconds, while the real clock goes on as well.
    assert waits[0] == 20
    assert all(before <= wait <= 2 * before + 40 for before, wait in pairwise(waits[:-2]))
    assert all(3200 <= wait <= 3620 for wait in waits[-2:])
    assert len(looks) <= 13


def test_where_the_lists_cannot_be_read_orders_are_read_every_five_minutes() -> None:
    shop = make_undecided()
    read_lists(shop)

    looks = list_looks(shop, hours=1, lists_work=False)

    waits = list_waits(looks)
    assert waits[0] == 20
    assert len(waits) > 10
    assert all(260 <= wait <= 320 for wait in waits[6:])


def test_a_second_submission_makes_an_order_young_again() -> None:
    shop = make_undecided()
    read_lists(shop)
    pass_time(seconds=600)
    Order.objects.update(synced_at=timezone.now())
    pass_time(seconds=30)
    SyncCursor.objects.update(polled_at=timezone.now())
    assert list_orders_to_sync(10) == []

    Submission.objects.update(created_at=timezone.now() - timedelta(seconds=40))

    assert list_orders_to_sync(10) == [shop.order.pk]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_fifty_two_undecided_requests_cost_a_handful_of_calls_a_minute_and_decisions_are_seen_at_once() -> (
    None
):
    first = make_undecided()
    shops = [first, *(make_undecided(first) for _ in range(51))]
    fake = first.fake
    read_lists(first)
    pass_time(seconds=300)  # their first readings are behind them
    Order.objects.update(synced_at=timezone.now())
    fake.calls.clear()

    with replace_client(fake):
        for _ in range(3):  # a minute
            pass_time(seconds=20)
            SyncCursor.objects.update(polled_at=F("polled_at") - timedelta(seconds=21))
            for channel_id, stream in list_streams_due():
                poll_updates(channel_id, stream, fake)
            run_sync_orders(timestamp=0)
    assert fake.calls == ["list_order_updates", "list_request_updates"] * 3

    fake.decide_items("approve", *fake.posts[7].body["cancel_items"])
    for stream in ("orders", "requests"):
        poll_updates(1, stream, fake)
    [job] = ProcrastinateJob.objects.filter(task_name=jobs.SYNC_ORDER, status="todo")
    sync_if_due(job.args["pk"], fake)

    assert [get_statuses(shop.order) for shop in shops].count(["100"]) == 1


# --- the budget ------------------------------------------------------------------------------------------------


def count_left() -> float:
    return round(spend_calls(0), 1)


def set_clock_back(*, seconds: float) -> None:
    ReadBudget.objects.update(counted_at=F("counted_at") - timedelta(seconds=seconds))


def test_the_budget_fills_by_the_minute_and_saves_up_little(settings: Settings) -> None:
    settings.OMNITRON_READS_PER_MINUTE = 60

    assert count_left() == 15
    assert [spend_calls(10) >= 5, has_calls_left()] == [True, True]
    spend_calls(25)
    assert (round(count_left()), has_calls_left()) == (-20, False)
    set_clock_back(seconds=10)
    assert (round(count_left()), has_calls_left()) == (-10, False)
    set_clock_back(seconds=3600)
    assert (count_left(), has_calls_left()) == (15, True)


def test_the_budget_is_looked_at_without_being_written() -> None:
    spend_calls(1)

    with CaptureQueriesContext(connection) as queries:
        assert has_calls_left()

    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]
    assert count_calls_left() == pytest.approx(spend_calls(0), abs=1)


@pytest.mark.django_db(transaction=True)
def test_what_the_budget_does_not_allow_is_read_in_later_rounds(settings: Settings) -> None:
    settings.OMNITRON_READS_PER_MINUTE = 24
    first = make_undecided()
    for _ in range(9):
        make_undecided(first)
    read_lists(first)
    ReadBudget.objects.all().delete()
    pass_time(seconds=25)
    began, rounds = timezone.now(), 0
    first.fake.calls.clear()

    with replace_client(first.fake):
        while Order.objects.filter(synced_at__lt=began).exists():
            rounds += 1
            assert rounds < 20
            run_sync_orders(timestamp=0)
            set_clock_back(seconds=20)

    an_order = len(first.fake.calls) / 10
    assert rounds > 10 * an_order / (
        24 / 3 + an_order
    )  # what comes in while a round waits, and one order more
    assert first.fake.calls.count("read_order") == 10


def test_news_beyond_the_budget_are_read_a_little_later_and_not_lost(settings: Settings) -> None:
    settings.OMNITRON_READS_PER_MINUTE = 60
    shop = make_undecided()
    spend_calls(100)
    shop.fake.calls.clear()

    assert sync_if_due(shop.order.pk, shop.fake) is None

    due = Order.objects.get(pk=shop.order.pk).sync_due_at
    [job] = ProcrastinateJob.objects.filter(task_name=jobs.SYNC_ORDER)
    assert shop.fake.calls == []
    assert isinstance(due, datetime)
    assert 8 < (due - timezone.now()).total_seconds() < 13
    assert job.args == {"pk": shop.order.pk}
    set_clock_back(seconds=3600)
    with mock.patch("aftercart.actions.sync.sync_order.is_sync_due", return_value=True):
        sync_if_due(shop.order.pk, shop.fake)
    assert "read_order" in shop.fake.calls


# --- which lists are read --------------------------------------------------------------------------------------


def test_the_lists_of_a_channel_are_read_once_orders_were_imported_for_it() -> None:
    assert list_streams_due() == [(1, "orders"), (1, "requests")]

    run_import(make_document("IMP-7", channel=7))

    assert list_streams_due() == [(1, "orders"), (1, "requests"), (7, "orders"), (7, "requests")]
    add_channels([7, 7])
    assert SyncCursor.objects.filter(channel_id=7).count() == 2


def test_to_know_the_channels_no_order_is_looked_at() -> None:
    with CaptureQueriesContext(connection) as queries:
        list_streams_due()

    assert [query["sql"].count("orders_order") for query in queries] == [0]
