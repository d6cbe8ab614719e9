"""Recovery goes row by row: one that fails or is held keeps no other from being settled, and moves back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone
from procrastinate.contrib.django import app

from aftercart.actions.cancel.cancel_items import cancel_items, prepare_submission
from aftercart.actions.cancel.record_submission import settle_submission
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.upkeep import jobs, recover
from aftercart.actions.upkeep.do_apart import do_apart
from aftercart.actions.upkeep.recover import recover_jobs, recover_submissions
from aftercart.cancellations.models import CancellationRequest, Setback, Submission
from aftercart.cancellations.models.setbacks import record_setback
from aftercart.cancellations.selectors import list_orders_to_sync
from aftercart.oms.connect import replace_client
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order
from aftercart.worker.tasks import IN_DIALOGUE, run_recover, run_sync_orders
from tests.shop import Shop, count_jobs, get_statuses
from tests.tables import empty_queue

SETTLE = "aftercart.actions.cancel.settle_overdue.settle_submission"


def leave_prepared(count: int = 1) -> list[Submission]:
    """Have processes die that had just recorded a submission."""
    for _ in range(count):
        prepare_submission(Shop().command(), Submission.Origin.DIRECT)
    Submission.objects.update(created_at=F("created_at") - timedelta(seconds=20))
    return list(Submission.objects.order_by("pk"))


def list_states() -> list[str]:
    return list(Submission.objects.order_by("pk").values_list("state", flat=True))


@contextmanager
def poisoned(*pks: int) -> Iterator[None]:
    """Have the settling of these submissions fail."""

    def settle(pk: int, *args: Any, **options: Any) -> object:
        if pk in pks:
            raise ValueError("poison")
        return settle_submission(pk, *args, **options)

    with mock.patch(SETTLE, settle):
        yield


def pass_time(*, seconds: float) -> None:
    Setback.objects.update(retry_at=F("retry_at") - timedelta(seconds=seconds))


@pytest.mark.django_db
def test_one_that_cannot_be_settled_stops_none_of_those_behind_it() -> None:
    first, _second, _third = leave_prepared(3)

    with poisoned(first.pk):
        assert recover_submissions() == 2

    assert list_states() == ["prepared", "refused", "refused"]
    setback = Setback.objects.get()
    assert (setback.key, setback.failures) == (f"aftercart.recover_submission:{first.pk}", 1)
    assert setback.error == "ValueError: poison"


@pytest.mark.django_db
def test_those_that_fail_do_not_take_the_turn_of_others_however_many_they_are() -> None:
    first, second, _third = leave_prepared(3)

    with poisoned(first.pk, second.pk), mock.patch.object(recover, "_MOST", 2):
        assert [recover_submissions(), recover_submissions()] == [0, 1]

    assert list_states() == ["prepared", "prepared", "refused"]


@pytest.mark.django_db
def test_what_has_failed_is_tried_again_ever_later_and_settled_once_it_can_be() -> None:
    [submission] = leave_prepared()
    waits = []
    with poisoned(submission.pk):
        for _ in range(8):
            recover_submissions()
            setback = Setback.objects.get()
            waits.append(round((setback.retry_at - timezone.now()).total_seconds(), -1))
            assert recover_submissions() == 0  # not before it is due
            assert Setback.objects.get().failures == setback.failures
            pass_time(seconds=700)

    assert waits == [10, 20, 40, 80, 160, 320, 600, 600]
    assert recover_submissions() == 1
    assert list_states() == ["refused"]


@pytest.mark.django_db
def test_a_clock_that_is_ahead_of_the_databases_gives_up_nothing_that_is_young() -> None:
    prepare_submission(Shop().command(), Submission.Origin.DIRECT)
    ahead = timezone.now() + timedelta(seconds=35)

    with mock.patch("django.utils.timezone.now", return_value=ahead):
        assert recover_submissions() == 0

    assert list_states() == ["prepared"]


@pytest.mark.django_db
def test_a_clock_that_was_behind_when_it_recorded_makes_nothing_old() -> None:
    behind = timezone.now() - timedelta(minutes=5)
    with mock.patch("django.utils.timezone.now", return_value=behind):
        prepare_submission(Shop().command(), Submission.Origin.DIRECT)

    assert recover_submissions() == 0


@pytest.mark.django_db
def test_a_kind_of_work_that_cannot_be_listed_keeps_no_other_kind_from_its_jobs() -> None:
    request_cancellation(Shop().command())
    empty_queue()
    original = jobs.filter_without_job

    def filter_without_job(task: str, *rest: Any) -> Any:
        if task == jobs.VERIFY_SUBMISSION:
            raise ValueError("poison")
        return original(task, *rest)

    with mock.patch.object(jobs, "filter_without_job", filter_without_job):
        assert recover_jobs() == 2

    assert [count_jobs(jobs.DELIVER_REQUEST), count_jobs(jobs.SEND_EMAIL)] == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_an_order_that_somebody_holds_is_left_to_the_next_round_at_once() -> None:
    held, _other = leave_prepared(2)
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SELECT FROM orders_order WHERE id = %s FOR NO KEY UPDATE", [held.order_id])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '60s'")  # waiting would show
        assert recover_submissions() == 1
        assert (list_states(), Setback.objects.count()) == (["prepared", "refused"], 0)
        holder.rollback()
    finally:
        holder.close()
        connection.close()

    assert recover_submissions() == 1
    assert list_states() == ["refused", "refused"]


@pytest.mark.django_db(transaction=True)
def test_the_end_of_the_connection_ends_the_round_and_is_nobodys_setback() -> None:
    with pytest.raises(OperationalError):
        do_apart("work", 1, mock.Mock(side_effect=OperationalError("the connection is lost")))

    assert Setback.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_waits_longer_each_time_before_it_is_made_again() -> None:
    shop = Shop()
    request_cancellation(shop.command())
    empty_queue()
    pk = CancellationRequest.objects.get().pk

    with (
        replace_client(shop.fake),
        mock.patch.dict(IN_DIALOGUE, {jobs.DELIVER_REQUEST: mock.Mock(side_effect=ValueError("poison"))}),
        pytest.raises(ValueError, match="poison"),
    ):
        app.tasks[jobs.DELIVER_REQUEST](pk=pk)

    assert Setback.objects.get().key == f"aftercart.deliver_request:{pk}"
    recover_jobs()
    assert count_jobs(jobs.DELIVER_REQUEST) == 0
    pass_time(seconds=11)
    recover_jobs()
    assert count_jobs(jobs.DELIVER_REQUEST) == 1
    with replace_client(shop.fake):
        app.tasks[jobs.DELIVER_REQUEST](pk=pk)
    assert Setback.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_an_order_that_cannot_be_booked_keeps_no_other_from_being_synced() -> None:
    shop = Shop()
    other = Shop(fake=shop.fake)
    for each in (shop, other):
        cancel_items(each.command(), shop.fake)
        shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])

    def lock(*, pk: int) -> object:
        if pk == shop.order.pk:
            raise ValueError("poison")
        return lock_order(pk=pk)

    with mock.patch("aftercart.actions.sync.sync_order.lock_order", lock), replace_client(shop.fake):
        Order.objects.update(sync_due_at=None)
        run_sync_orders(timestamp=0)

    assert (get_statuses(shop.order), get_statuses(other.order)) == (["50"], ["100"])
    assert list_orders_to_sync(10) == []


@pytest.mark.django_db(transaction=True)
def test_a_round_that_somebody_else_is_at_does_nothing() -> None:
    leave_prepared()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO worker_lease VALUES ('aftercart.recover', 7, now() + interval '1 minute')"
        )

    run_recover(timestamp=0)
    assert list_states() == ["prepared"]

    with connection.cursor() as cursor:
        cursor.execute("UPDATE worker_lease SET expires_at = now()")
    run_recover(timestamp=0)
    assert list_states() == ["refused"]


@pytest.mark.django_db
def test_failures_are_counted_with_what_went_wrong_last() -> None:
    counts = [record_setback("work", 1, ValueError(f"number {n}\0")) for n in range(3)]

    setback = Setback.objects.get()
    assert (counts, setback.failures, setback.error) == ([1, 2, 3], 3, "ValueError: number 2")
    with transaction.atomic():
        assert record_setback("work", 2, ValueError()) == 1
