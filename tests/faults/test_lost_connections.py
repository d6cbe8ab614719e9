"""A worker that loses its connections to the database gets new ones, all of them."""

import pytest
from django.db import connection

from tests.faults.conftest import OrderScenario
from tests.processes import running_worker, wait_until

pytestmark = pytest.mark.timeout(180)

_LAST_ENQUEUED = """
    SELECT coalesce(max(defer_timestamp), 0) FROM procrastinate_periodic_defers
    WHERE task_name = 'aftercart.take_over_jobs'
"""
_END_CONNECTIONS = """
    SELECT extract(epoch FROM now())::int, count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name = 'worker-to-cut-off'
"""


def _read(query: str) -> tuple[int, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row: tuple[int, ...] = cursor.fetchone()
        return row


def test_periodic_jobs_go_on_after_every_connection_was_lost(scenario: OrderScenario) -> None:
    with running_worker(scenario.sandbox.base_url, PGAPPNAME="worker-to-cut-off"):
        wait_until(lambda: _read(_LAST_ENQUEUED) > (0,), 60)
        lost_at, count = _read(_END_CONNECTIONS)
        assert count > 1
        # The first may have been on its way; the second was enqueued by a worker that has begun anew.
        wait_until(lambda: _read(_LAST_ENQUEUED) > (lost_at + 10,), 60)
