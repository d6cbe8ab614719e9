"""The queue's own upkeep: what a dead worker held is taken over, and what is enqueued fails as all else does."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from unittest import mock

import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError, connection
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.contrib.django.utils import connector_params

from aftercart.actions.upkeep import jobs
from aftercart.worker import serve
from aftercart.worker.take_over import take_over_jobs
from aftercart.worker.tasks import run_take_over_jobs
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TASK = "aftercart.recover"


def make_job(status: str, *, worker: int | None = None, lock: str | None = TASK) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs"
            " (queue_name, task_name, lock, queueing_lock, args, status, worker_id)"
            " VALUES ('default', %s, %s, %s, '{}', %s::procrastinate_job_status, %s) RETURNING id",
            [TASK, lock, lock, status, worker],
        )
        pk: int = cursor.fetchone()[0]
    return pk


def make_worker(*, silent_seconds: int = 60) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s) RETURNING id",
            [timezone.now() - timedelta(seconds=silent_seconds)],
        )
        pk: int = cursor.fetchone()[0]
    return pk


def take_over() -> None:
    run_take_over_jobs(0)


def get_statuses() -> dict[int, str]:
    return dict(ProcrastinateJob.objects.values_list("pk", "status"))


def test_the_job_of_a_dead_worker_is_put_back() -> None:
    job = make_job("doing", worker=make_worker())

    take_over()

    assert get_statuses() == {job: "todo"}


@pytest.mark.parametrize(("silent_seconds", "status"), [(15, "doing"), (25, "todo")])
def test_a_worker_is_dead_after_twenty_seconds_of_silence(silent_seconds: int, status: str) -> None:
    job = make_job("doing", worker=make_worker(silent_seconds=silent_seconds))

    take_over()

    assert get_statuses() == {job: status}


def test_a_dead_job_whose_successor_waits_makes_way_for_it() -> None:
    dead = make_job("doing", worker=make_worker())
    waiting = make_job("todo")

    take_over()

    assert get_statuses() == {dead: "failed", waiting: "todo"}


def test_one_that_cannot_be_put_back_keeps_no_other_from_being() -> None:
    worker = make_worker()
    dead, waiting = make_job("doing", worker=worker), make_job("todo")
    other = make_job("doing", worker=worker, lock=None)

    take_over()

    assert get_statuses() == {dead: "failed", waiting: "todo", other: "todo"}


def test_a_job_that_its_worker_has_ended_after_all_is_left_alone() -> None:
    job = make_job("doing", worker=make_worker())
    stalled = async_to_sync(app.job_manager.get_stalled_jobs)(seconds_since_heartbeat=20)
    ProcrastinateJob.objects.all()._raw_delete("default")

    with mock.patch.object(app.job_manager, "get_stalled_jobs", mock.AsyncMock(return_value=stalled)):
        assert take_over_jobs(20) == []

    assert [row.id for row in stalled] == [job]


def test_a_database_that_goes_away_while_work_is_enqueued_is_away_as_anywhere_else() -> None:
    other = connection.copy()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    other.close()

    with pytest.raises(OperationalError):
        jobs.enqueue(jobs.SEND_EMAIL, 1)

    connection.close()
    assert get_statuses() == {}


def test_the_queue_notices_a_closed_connection_without_asking() -> None:
    with asyncio.Runner() as runner:
        queue = runner.run(psycopg.AsyncConnection.connect(**connector_params()))
        runner.run(serve._check_connection(queue))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [queue.info.backend_pid])

        def is_noticed() -> bool:
            with suppress(psycopg.OperationalError):
                runner.run(serve._check_connection(queue))
                return False
            return True

        wait_until(is_noticed)
        assert queue.closed
