"""The locks of the queue: what is done about one request is done one after the other."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.db.models import QuerySet
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import CancellationRequest, Delivery
from aftercart.worker.take_over import take_over_jobs
from tests.races.together import interrupted, race, without_turns
from tests.shop import Shop
from tests.tables import empty_queue

pytestmark = pytest.mark.django_db(transaction=True)


def make_request(shop: Shop) -> int:
    request_cancellation(shop.command())
    empty_queue()
    return CancellationRequest.objects.get().pk


def take_job() -> str | None:
    """Take the next job, as each worker does."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        worker = cursor.fetchone()[0]
        cursor.execute("SELECT task_name FROM procrastinate_fetch_job_v2(NULL, %s)", [worker])
        name: str | None = cursor.fetchone()[0]
    return name


@pytest.mark.parametrize("count", [4, 16])
def test_of_many_workers_one_works_on_a_request(count: int) -> None:
    pk = make_request(Shop())
    jobs.enqueue(jobs.DELIVER_REQUEST, pk)
    jobs.enqueue(jobs.DELIVER_REQUEST, pk)

    outcomes = race(count, lambda _n: take_job())

    assert sorted(map(str, outcomes)) == ["None"] * (count - 1) + [jobs.DELIVER_REQUEST]


def test_a_decision_waits_for_the_delivery_that_is_under_way() -> None:
    pk = make_request(Shop())
    jobs.enqueue(jobs.DELIVER_REQUEST, pk)
    assert take_job() == jobs.DELIVER_REQUEST
    jobs.enqueue(jobs.EXECUTE_APPROVAL, pk)

    assert take_job() is None


def test_what_somebody_waits_for_comes_before_what_has_piled_up() -> None:
    asked = [jobs.SYNC_ORDER, jobs.SEND_EMAIL, jobs.EXECUTE_APPROVAL, jobs.VERIFY_SUBMISSION]
    for pk, task in enumerate(asked):
        jobs.enqueue(task, pk)

    assert [take_job() for _task in asked] == [
        jobs.VERIFY_SUBMISSION,
        jobs.EXECUTE_APPROVAL,
        jobs.SEND_EMAIL,
        jobs.SYNC_ORDER,
    ]


def test_what_is_to_be_done_at_once_does_not_wait_for_a_later_try() -> None:
    pk = make_request(Shop())
    jobs.enqueue(jobs.DELIVER_REQUEST, pk, wait=timedelta(minutes=10))
    jobs.enqueue(jobs.DELIVER_REQUEST, pk)

    assert [take_job(), take_job()] == [jobs.DELIVER_REQUEST, None]


def test_without_the_lock_two_workers_are_at_one_request() -> None:
    pk = make_request(Shop())
    with mock.patch.object(jobs, "name_lock", side_effect=["one", "another"]):
        jobs.enqueue(jobs.DELIVER_REQUEST, pk)
        jobs.enqueue(jobs.DELIVER_REQUEST, pk)

    assert [take_job(), take_job(), take_job()] == [jobs.DELIVER_REQUEST, jobs.DELIVER_REQUEST, None]


def test_a_worker_that_another_has_taken_over_from_makes_nothing() -> None:
    """Both have looked, both have found nothing: the queue takes the first one for dead."""
    shop = Shop()
    pk = make_request(shop)

    with interrupted("deliver_request.failpoint", lambda: deliver_request(pk, shop.fake)):
        deliver_request(pk, shop.fake)

    assert shop.count_posts("create_request") == 1
    assert CancellationRequest.objects.get().remote_pks == [300_001]


def move_anyway(deliveries: QuerySet[Delivery], after: Delivery.State, **fields: Any) -> int:
    """Move deliveries wherever they stand."""
    fields = {name: value for name, value in fields.items() if name not in {"may_stay", "moves"}}
    return deliveries.update(**{"state": after, "pending_name": "", **fields})


def test_without_the_claim_two_workers_ask_omnitron_twice() -> None:
    shop = Shop()
    pk = make_request(shop)
    deliver = "aftercart.actions.requests.deliver_request"

    with (
        mock.patch(f"{deliver}._as_tried", return_value=Delivery.objects.all()),
        mock.patch(f"{deliver}.claim_delivery", move_anyway),
        interrupted("deliver_request.failpoint", lambda: deliver_request(pk, shop.fake)),
    ):
        deliver_request(pk, shop.fake)

    assert shop.count_posts("create_request") == 2


def take_over_and_begin() -> str | None:
    take_over_jobs(20)
    return take_job()


def leave_a_job_behind(shop: Shop) -> None:
    """Have a worker die that has begun a job."""
    jobs.enqueue(jobs.DELIVER_REQUEST, make_request(shop))
    take_job()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")


def test_of_two_who_take_over_a_job_the_second_does_not_put_back_what_has_begun() -> None:
    leave_a_job_behind(Shop())

    with interrupted("aftercart.worker.take_over._put_back", take_over_and_begin) as other:
        take_over_jobs(20)

    assert (other.had_to_wait, other.outcome) == (True, jobs.DELIVER_REQUEST)
    assert ProcrastinateJob.objects.get().status == "doing"


def test_without_turns_a_job_is_put_back_while_somebody_is_at_it() -> None:
    leave_a_job_behind(Shop())

    with (
        without_turns("take_over.take_over_jobs"),
        interrupted("aftercart.worker.take_over._put_back", take_over_and_begin) as other,
    ):
        take_over_jobs(20)

    assert (other.had_to_wait, other.outcome) == (False, jobs.DELIVER_REQUEST)
    assert ProcrastinateJob.objects.get().status == "todo"


def test_one_after_the_other_they_ask_once() -> None:
    shop = Shop()
    pk = make_request(shop)

    deliver_request(pk, shop.fake)
    deliver_request(pk, shop.fake)

    assert shop.count_posts("create_request") == 1
    assert not CancellationRequest.objects.get().is_undeliverable
