"""Processes that are frozen (SIGSTOP) while they hold something: others go on soon, and who wakes does no harm."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from django.db import connection
from django.db.models import Count, F

from aftercart.actions.cancel.cancel_items import prepare_submission
from aftercart.cancellations.models import CancellationRequest, Submission
from aftercart.lib import failpoints
from aftercart.orders.models import TimelineEntry
from tests.faults.conftest import OrderScenario
from tests.processes import ShopClient, running_web, running_worker, wait_until
from tests.shop import Shop, get_statuses
from tests.tables import empty_queue

#: One worker of the test run holds the processes.
pytestmark = pytest.mark.xdist_group("processes")

#: What a frozen holder may cost the others.
LONGEST = 30.0


@pytest.fixture
def points(tmp_path: Path) -> Path:
    for name in ("armed", "fired"):
        (tmp_path / name).mkdir()
    return tmp_path


@contextmanager
def freezing(points: Path, point: failpoints.Point) -> Iterator[list[int]]:
    """Have the first process that comes to a point freeze there; its id is in the list once it has. Wakes it."""
    frozen: list[int] = []
    (points / "armed" / point).write_text("freeze")
    try:
        yield frozen
    finally:
        for pid in find_frozen(points):
            wake(pid)


def wake(pid: int) -> None:
    """Let a process go on, unless it has been replaced meanwhile: the web server's watch kills what is silent."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def find_frozen(points: Path) -> list[int]:
    return [int(path.name.split("-")[1]) for path in (points / "fired").iterdir()]


def test_a_web_process_that_is_frozen_holding_an_order_keeps_nobody_from_it_for_long(
    scenario: OrderScenario, points: Path
) -> None:
    environment = {failpoints.VARIABLE: str(points), "WEB_PROCESSES": "1"}
    with (
        running_web(scenario.sandbox.base_url, **environment) as other,
        ThreadPoolExecutor(1) as pool,
        freezing(points, "prepare.judged"),
    ):
        assert scenario.order.user is not None
        frozen = ShopClient(other).enter(scenario.order.user)
        item = scenario.items[0].pk
        lost = pool.submit(
            frozen.cancel, scenario.order.number, item, scenario.reason.pk, description="frozen"
        )
        [pid] = wait_until(lambda: find_frozen(points))
        began = time.monotonic()

        answers = [scenario.cancel()]
        while answers[-1].status_code == 503:
            answers.append(scenario.cancel())
        took = time.monotonic() - began

        assert [answer.status_code for answer in answers] == [503] * (len(answers) - 1) + [204]
        assert all(answer.headers["Retry-After"] == "2" for answer in answers[:-1])
        assert took < LONGEST
        wake(pid)
        # Its transaction was dead, or the process is: it has answered that it may be tried again, or nothing at all.
        with suppress(httpx2.HTTPError):
            assert lost.result(timeout=40).status_code == 503

    assert scenario.count_posts() == 1
    assert sorted(scenario.count_cancelled()) == [0, 1]
    assert Submission.objects.count() == 1


@pytest.mark.rotating("point")
@pytest.mark.parametrize("point", ["recover.settling", "settle.booked"])
def test_a_worker_that_is_frozen_while_it_recovers_keeps_no_other_from_it_and_wakes_to_nothing(
    scenario: OrderScenario, points: Path, point: failpoints.Point
) -> None:
    shops = [Shop() for _ in range(3)]
    for shop in shops:
        prepare_submission(shop.command(), Submission.Origin.DIRECT)
    Submission.objects.update(created_at=F("created_at") - timedelta(seconds=60))
    empty_queue()
    url = scenario.sandbox.base_url
    with (
        running_worker(url, **{failpoints.VARIABLE: str(points)}),
        freezing(points, point),
    ):
        [pid] = wait_until(lambda: find_frozen(points), 40)
        began = time.monotonic()
        with running_worker(url):
            wait_until(lambda: not Submission.objects.filter(state="prepared").exists(), LONGEST)
            assert time.monotonic() - began < LONGEST
            os.kill(pid, signal.SIGCONT)
            wait_until(lambda: count_heartbeats() == 2, 40)  # it is at work again

    assert [submission.state for submission in Submission.objects.all()] == ["refused"] * 3
    assert CancellationRequest.objects.count() == 3
    events = TimelineEntry.objects.filter(event="requests_opened").values("order")
    assert {row["n"] for row in events.annotate(n=Count("pk"))} == {1}
    assert [get_statuses(shop.order) for shop in shops] == [["400"]] * 3
    assert scenario.count_posts() == 0


def count_heartbeats() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '4 seconds'"
        )
        count: int = cursor.fetchone()[0]
    return count
