"""Decisions come back: polled with a cursor, told by a webhook, compared once a day."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db.models import F
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.sync.plan_sync import plan_sync
from aftercart.actions.sync.poll_updates import list_streams_due, poll_updates
from aftercart.actions.sync.receive_events import receive_events
from aftercart.actions.sync.reconcile_orders import reconcile_orders
from aftercart.actions.sync.sync_order import sync_if_due, sync_or_postpone, sync_order
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import (
    CancellationRequest,
    Submission,
    SubmissionLine,
    SyncCursor,
)
from aftercart.cancellations.selectors import list_orders_to_sync
from aftercart.oms.errors import AnswerUnknown, NotSent, OmsError, Refused
from aftercart.oms.port import Dialogue
from aftercart.orders.models import Order, OrderItem, TimelineEntry
from tests.shop import Line, Shop, ask, get_statuses, make_command

pytestmark = pytest.mark.django_db


def take_jobs() -> list[int]:
    """Take the sync jobs that are there."""
    rows = ProcrastinateJob.objects.filter(task_name=jobs.SYNC_ORDER).order_by("pk")
    pks = [job.args["pk"] for job in rows]
    rows._raw_delete("default")
    return pks


def cancel_and_approve(shop: Shop) -> None:
    cancel_items(shop.command(), shop.fake)
    shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
    take_jobs()


def test_what_changed_is_synced_once_and_the_cursor_remembers() -> None:
    shop = Shop()
    cancel_and_approve(shop)

    assert poll_updates(1, "orders", shop.fake) == 1
    assert take_jobs() == [shop.order.pk]
    cursor = SyncCursor.objects.get()
    assert cursor.position is not None

    assert poll_updates(1, "orders", shop.fake) == 0
    assert take_jobs() == []
    assert SyncCursor.objects.get().position == cursor.position


def test_a_later_change_is_found_from_the_cursor_on() -> None:
    shop = Shop([Line(), Line()])
    cancel_items(shop.command(0), shop.fake)
    poll_updates(1, "orders", shop.fake)
    take_jobs()

    cancel_items(shop.command(1), shop.fake)
    take_jobs()

    assert poll_updates(1, "orders", shop.fake) == 1


def test_a_clock_that_was_ahead_there_hides_no_later_change() -> None:
    shop = Shop([Line(), Line()])
    ahead = timezone.now() + timedelta(minutes=10)
    with mock.patch.object(shop.fake.backoffice, "now", return_value=ahead):
        cancel_items(shop.command(0), shop.fake)
    assert poll_updates(1, "orders", shop.fake) == 1
    take_jobs()
    assert poll_updates(1, "orders", shop.fake) == 0

    cancel_items(shop.command(1), shop.fake)
    take_jobs()

    assert poll_updates(1, "orders", shop.fake) == 1


def test_a_request_decided_there_leads_to_its_order() -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    cancel_items(shop.command(), shop.fake)
    request = CancellationRequest.objects.get()
    deliver_request(request.pk, shop.fake)
    request.refresh_from_db()
    shop.fake.decide_request("approve", request.remote_pks[0], "")
    take_jobs()

    assert poll_updates(1, "requests", shop.fake) == 1
    assert take_jobs() == [shop.order.pk]


def test_orders_that_are_not_ours_are_passed_over() -> None:
    shop = Shop()
    cancel_and_approve(shop)
    shop.order.number = "SOMETHING-ELSE"
    shop.order.save(update_fields=["number"])

    assert poll_updates(1, "orders", shop.fake) == 0
    assert SyncCursor.objects.get().position is not None


def test_a_failure_leaves_the_cursor_where_it_was() -> None:
    shop = Shop()
    cancel_and_approve(shop)
    shop.fake.fail("list_order_updates", NotSent("down", code="unreachable"))

    assert poll_updates(1, "orders", shop.fake) == 0
    assert SyncCursor.objects.get().position is None
    assert poll_updates(1, "orders", shop.fake) == 1


def test_a_failure_on_a_later_page_keeps_what_was_read_before_it() -> None:
    shop = Shop()
    cancel_and_approve(shop)
    down = NotSent("slow", code="throttled", status=429, retry_after=60)

    def read_one_page(dialogue: Dialogue, *_rest: object) -> Iterator[tuple[Any, ...]]:
        yield from dialogue.list_order_updates(channel_id=1, limit=100, since=None)
        raise down

    with mock.patch("aftercart.actions.sync.poll_updates._list_pages", read_one_page):
        assert poll_updates(1, "orders", shop.fake) == 1

    cursor = SyncCursor.objects.get()
    assert (take_jobs(), cursor.polled_at) == ([shop.order.pk], None)
    assert cursor.position is not None
    assert cursor.not_before is not None
    assert list_streams_due() == [(1, "orders"), (1, "requests")]


def test_a_429_is_respected() -> None:
    shop = Shop()
    cancel_and_approve(shop)
    shop.fake.fail("list_order_updates", NotSent("slow", code="throttled", status=429, retry_after=60))
    poll_updates(1, "orders", shop.fake)
    calls = len(shop.fake.calls)

    assert poll_updates(1, "orders", shop.fake) == 0
    assert len(shop.fake.calls) == calls

    SyncCursor.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    assert poll_updates(1, "orders", shop.fake) == 1


def test_a_stream_is_due_again_after_the_poll_interval() -> None:
    shop = Shop()
    assert list_streams_due() == [(1, "orders"), (1, "requests")]
    poll_updates(1, "orders", shop.fake)
    assert list_streams_due() == [(1, "requests")]
    SyncCursor.objects.update(polled_at=timezone.now() - timedelta(seconds=21))
    assert list_streams_due() == [(1, "orders"), (1, "requests")]


def test_events_enqueue_the_orders_that_we_know() -> None:
    shop = Shop()

    assert receive_events([shop.order.number, "UNKNOWN"]) == 1
    assert take_jobs() == [shop.order.pk]


def pass_time(*, seconds: float) -> None:
    Order.objects.update(sync_due_at=F("sync_due_at") - timedelta(seconds=seconds))


def test_news_whose_job_is_lost_are_read_all_the_same() -> None:
    shop = Shop()
    receive_events([shop.order.number])
    take_jobs()

    assert list_orders_to_sync(10) == []
    pass_time(seconds=31)
    assert list_orders_to_sync(10) == [shop.order.pk]
    sync_order(shop.order.pk, shop.fake)
    assert list_orders_to_sync(10) == []


@pytest.mark.parametrize(
    ("error", "refusals", "soonest"),
    [
        (NotSent("down", code="unreachable"), 2, 60),
        (Refused("No.", code="no", status=403), 0, 60),
        (Refused("No.", code="no", status=403), 2, 240),
        (Refused("No.", code="no", status=403), 100, 600),
    ],
)
def test_what_could_not_be_read_is_read_later(error: OmsError, refusals: int, soonest: int) -> None:
    shop = Shop()
    receive_events([shop.order.number])
    take_jobs()
    Order.objects.update(sync_refusals=refusals)
    shop.fake.fail("read_order", error)

    assert sync_or_postpone(shop.order.pk, shop.fake) == error

    job = ProcrastinateJob.objects.get(task_name=jobs.SYNC_ORDER)
    due = Order.objects.get().sync_due_at
    for time in (job.scheduled_at, due):
        assert time is not None
        assert soonest - 2 < (time - timezone.now()).total_seconds() <= soonest * 1.25
    assert list_orders_to_sync(10) == []
    assert sync_or_postpone(shop.order.pk, shop.fake) is None
    order = Order.objects.get()
    assert (order.sync_due_at, order.sync_refusals) == (None, 0)


def test_a_job_that_a_version_without_marks_has_left_reads_its_order() -> None:
    shop = Shop()

    sync_if_due(shop.order.pk, shop.fake)

    assert shop.fake.calls.count("read_order") == 1


def test_a_request_that_omnitron_has_deleted_does_not_keep_its_order_from_being_read() -> None:
    shop = Shop([Line(), Line()])
    cancel_items(shop.command(0), shop.fake)
    request_cancellation(make_command(shop.order, ask(shop.items[1], shop.cancel_reason)))
    deliver_request(CancellationRequest.objects.get().pk, shop.fake)
    shop.fake.backoffice.requests.clear()
    shop.fake.decide_items("approve", *shop.fake.posts[0].body["cancel_items"])

    sync_order(shop.order.pk, shop.fake)

    assert get_statuses(shop.order) == ["100", "400"]
    assert CancellationRequest.objects.get().status == "waiting"
    assert reconcile_orders(shop.fake) == {"compared": 1, "different": 0, "unread": 0}


def test_what_is_cancelled_within_a_second_has_its_order_read_once() -> None:
    shop = Shop([Line(), Line(), Line()])
    began = timezone.now()

    for place in range(3):
        cancel_items(shop.command(place), shop.fake)

    [job] = ProcrastinateJob.objects.filter(task_name=jobs.SYNC_ORDER)
    due = Order.objects.get().sync_due_at
    assert due is not None
    assert timedelta(seconds=1) <= due - began <= timezone.now() - began + timedelta(seconds=1)
    assert job.scheduled_at is not None
    assert job.scheduled_at >= due  # else it would be read before some of it was done


def test_what_is_cancelled_after_the_mark_has_come_has_its_order_read_again() -> None:
    shop = Shop([Line(), Line()])
    cancel_items(shop.command(0), shop.fake)
    pass_time(seconds=2)

    cancel_items(shop.command(1), shop.fake)

    assert take_jobs() == [shop.order.pk, shop.order.pk]


def test_what_is_cancelled_does_not_wait_for_a_reading_that_was_put_off_for_longer() -> None:
    shop = Shop()
    Order.objects.update(sync_due_at=timezone.now() + timedelta(minutes=10))

    cancel_items(shop.command(), shop.fake)

    [job] = ProcrastinateJob.objects.filter(task_name=jobs.SYNC_ORDER)
    due = Order.objects.get().sync_due_at
    assert due is not None
    assert due <= timezone.now() + timedelta(seconds=1)
    assert job.args["pk"] == shop.order.pk


def test_an_order_that_cannot_be_read_is_put_off_once_however_many_jobs_there_are() -> None:
    shop = Shop()
    for _time in range(3):
        receive_events([shop.order.number])
    shop.fake.fail("read_order", Refused("No.", code="no", status=404), times=3)

    for pk in take_jobs():
        sync_if_due(pk, shop.fake)

    assert take_jobs() == [shop.order.pk]
    assert shop.fake.calls.count("read_order") == 1


def test_an_order_that_cannot_be_read_does_not_take_the_turn_of_others() -> None:
    shop, other = Shop(), Shop()
    for each in (shop, other):
        cancel_items(each.command(), each.fake)
        sync_order(each.order.pk, each.fake)
    Order.objects.update(synced_at=F("synced_at") - timedelta(seconds=30))  # their next looks have come
    assert list_orders_to_sync(1) == [shop.order.pk]
    shop.fake.fail("read_order", NotSent("down", code="unreachable"))

    sync_or_postpone(shop.order.pk, shop.fake)

    assert list_orders_to_sync(1) == [other.order.pk]


def test_news_that_come_while_an_order_is_read_are_read_as_well() -> None:
    shop = Shop()
    cancel_and_approve(shop)
    shop.fake.before("read_order", lambda: plan_sync(shop.order.pk))

    sync_order(shop.order.pk, shop.fake)

    assert get_statuses(shop.order) == ["100"]
    pass_time(seconds=31)
    assert list_orders_to_sync(10) == [shop.order.pk]


def test_a_lost_answer_that_cannot_be_looked_for_is_laid_before_the_staff_and_still_looked_for(
    settings: Settings,
) -> None:
    shop = Shop()
    shop.fake.fail("cancel_items", AnswerUnknown, applied=True)
    cancel_items(shop.command(), shop.fake)
    submission = Submission.objects.get()
    Submission.objects.update(sent_at=timezone.now() - settings.VERIFY_GIVE_UP - timedelta(minutes=1))

    def verify(**failure: Any) -> Submission:
        if failure:
            shop.fake.fail("read_order", NotSent("down", code="unreachable"))
        verify_submission(submission.pk, shop.fake)
        submission.refresh_from_db()
        return submission

    assert verify(fails=True).manual_since is not None
    since = verify(fails=True).manual_since
    assert TimelineEntry.objects.filter(event="verification_needs_staff").count() == 1
    assert since is not None
    assert (verify().state, verify().manual_since) == ("applied", None)


def test_what_was_read_before_a_write_is_not_booked_after_it() -> None:
    """A rejection from before must not end a cancellation that was sent while Omnitron was being read."""
    shop = Shop()
    cancel_items(shop.command(), shop.fake)
    shop.fake.decide_items("reject", *shop.fake.posts[-1].body["cancel_items"])
    sync_order(shop.order.pk, shop.fake)
    take_jobs()
    again = [shop.command()]

    def cancel_meanwhile() -> None:
        if again:
            cancel_items(again.pop(), shop.fake)
            take_jobs()

    OrderItem.objects.update(remote_pks=[])
    shop.fake.before("find_object_ids", cancel_meanwhile)  # the order has been read, its items not yet
    sync_order(shop.order.pk, shop.fake)

    assert get_statuses(shop.order) == ["50"]
    assert SubmissionLine.objects.filter(is_open=True).count() == 1
    assert take_jobs() == [shop.order.pk]


def test_a_line_of_which_one_unit_is_cancelled_goes_on_with_the_others() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    item = shop.items[0]
    request_cancellation(make_command(shop.order, ask(item, shop.cancel_reason, quantity=1)))
    request = CancellationRequest.objects.get()
    deliver_request(request.pk, shop.fake)
    request.refresh_from_db()
    shop.fake.decide_request("approve", request.remote_pks[0], "")

    for _again in range(2):
        sync_order(shop.order.pk, shop.fake)
        item.refresh_from_db()
        assert (item.status, item.cancelled_quantity) == ("400", 1)
