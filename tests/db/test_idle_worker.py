"""What a worker asks the database while nothing is to be done."""

from unittest import mock

import pytest
from procrastinate.contrib.django import app

from aftercart.worker import tasks
from tests.fake_omnitron import FakeOmnitron
from tests.statements import recording_statements

pytestmark = pytest.mark.django_db(transaction=True)

#: Of all rounds together, a second. What the queue asks to come to its jobs is not ours, and comes on top of it.
MOST = 1.2
_SECONDS = "* * * * * */"


def test_an_idle_workers_rounds_ask_little() -> None:
    rounds = [
        (int(periodic.cron.removeprefix(_SECONDS)), periodic.task)
        for periodic in app.periodic_registry.periodic_tasks.values()
        if periodic.cron.startswith(_SECONDS)
    ]
    found = {}
    with (
        mock.patch.object(tasks, "get_client", FakeOmnitron),
        mock.patch.object(tasks, "close_old_connections"),
    ):
        for seconds, task in rounds:
            task.func(timestamp=0)  # what is due once in a while is done
            with recording_statements() as statements:
                task.func(timestamp=0)
            found[task.name] = len(statements.executed) / seconds

    assert len(found) == 4
    assert sum(found.values()) <= MOST, found
