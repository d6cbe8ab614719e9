"""A worker whose connection breaks around a job's end records it later; one that was beaten to a job looks again."""

import asyncio
from typing import Any
from unittest import mock

import pytest
from procrastinate.connector import BaseAsyncConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from psycopg.errors import RaiseException

from aftercart.worker.keeper import JobKeeper

_JOB = Job(id=7, worker_id=3, queue="default", lock=None, queueing_lock=None, task_name="t")
_END: dict[str, Any] = {"job_id": 7, "worker_id": 3, "status": "succeeded", "delete_job": True}


def make_error(cause: Exception) -> ConnectorException:
    error = ConnectorException("broken")
    error.__cause__ = cause
    return error


def finish(*outcomes: Exception | None) -> mock.AsyncMock:
    """Finish a job over a connection on which each try ends like this; what was asked of it."""
    connector = mock.Mock(spec=BaseAsyncConnector)
    query = connector.execute_query_async = mock.AsyncMock(side_effect=outcomes)
    with mock.patch("aftercart.worker.keeper.asyncio.sleep", mock.AsyncMock()):
        asyncio.run(JobKeeper(connector).finish_job(_JOB, Status.SUCCEEDED, True))
    return query


def test_the_end_of_a_job_is_recorded_once_the_connection_is_back() -> None:
    broken = make_error(OSError())

    query = finish(broken, broken, None)

    assert query.await_args_list == [mock.call(mock.ANY, **_END)] * 3


def test_what_an_unanswered_try_has_recorded_is_not_recorded_again() -> None:
    query = finish(make_error(OSError()), make_error(RaiseException("Job was not found")))

    assert query.await_count == 2


def test_a_database_that_stays_away_is_an_error_at_last() -> None:
    with pytest.raises(ConnectorException):
        finish(*[make_error(OSError())] * 5)


def test_a_job_that_another_worker_has_just_begun_is_none_for_this_one() -> None:
    connector = mock.Mock(spec=BaseAsyncConnector)
    taken = UniqueViolation(constraint_name="procrastinate_jobs_lock_idx_v1", queueing_lock=None)
    connector.execute_query_one_async = mock.AsyncMock(side_effect=taken)

    assert asyncio.run(JobKeeper(connector).fetch_job(None, 1)) is None
