"""Processes that are stopped (SIGSTOP) and go on (SIGCONT): with old beliefs, and nothing is cancelled twice."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.upkeep.recover import recover_submissions
from aftercart.cancellations.models import CancellationRequest, Submission
from aftercart.mail.models import Email
from aftercart.orders.models import TimelineEntry
from tests.faults.conftest import OrderScenario
from tests.faults.points import make_client
from tests.processes import ShopClient, running_web, wait_until
from tests.shop import get_statuses, make_customer

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.usefixtures("scenario")]

_LONG_AGO = timedelta(hours=1)


@pytest.fixture(params=[60.0])
def patient(
    scenario: OrderScenario, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[OrderScenario, Path]]:
    """A web server whose processes can be frozen at a point, and which waits for Omnitron for so many seconds."""
    for name in ("armed", "fired"):
        (tmp_path / name).mkdir()
    more = {
        "AFTERCART_FAILPOINTS": str(tmp_path),
        "OMNITRON_DIALOGUE_SECONDS": str(request.param),
        "OMNITRON_BREAKER_FAILURES": "1000",
    }
    with running_web(scenario.sandbox.base_url, **more) as base_url:
        assert scenario.order.user is not None
        scenario.shop_client = ShopClient(base_url).enter(scenario.order.user)
        scenario.shop_client.client.timeout = 120
        yield scenario, tmp_path


@contextmanager
def frozen_at(point: str, folder: Path, action: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Do an action, whose process is stopped at a point until the end of the block; its outcome is the future's."""
    (folder / "armed" / point).write_text("freeze")

    def act() -> Any:
        try:
            return action()
        finally:
            connection.close()  # nobody else would

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(act)
        [fired] = wait_until(lambda: list((folder / "fired").glob(f"{point}-*")), 60)
        pid = int(fired.name.removeprefix(f"{point}-").split("-")[0])
        wait_until(lambda: is_stopped(pid))
        try:
            yield future
        finally:
            os.kill(pid, signal.SIGCONT)
            future.result(120)


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T"


def give_up(scenario: OrderScenario) -> None:
    """Do what a worker does, once the process has been silent for longer than all graces."""
    submission = Submission.objects.get()
    Submission.objects.update(created_at=F("created_at") - _LONG_AGO, sent_at=F("sent_at") - _LONG_AGO)
    recover_submissions()
    verify_submission(submission.pk, make_client(scenario.sandbox))
    submission.refresh_from_db()
    assert (submission.state, submission.cause) == ("refused", "found_not_applied")


def count_events(event: str) -> int:
    return TimelineEntry.objects.filter(event=event).count()


def test_one_that_wakes_before_its_last_look_sends_nothing(patient: tuple[OrderScenario, Path]) -> None:
    scenario, folder = patient
    with frozen_at("send.marked", folder, scenario.cancel) as answer:
        give_up(scenario)

    assert answer.result().status_code == 200
    assert (scenario.count_posts(), sum(scenario.count_cancelled())) == (0, 0)
    assert CancellationRequest.objects.get().status == "waiting"


def test_one_that_wakes_at_its_system_call_is_seen_and_told(patient: tuple[OrderScenario, Path]) -> None:
    scenario, folder = patient
    with frozen_at("outbound.sending", folder, scenario.cancel) as answer:
        give_up(scenario)

    assert answer.result().status_code == 200
    assert sum(scenario.count_cancelled()) == 1
    assert (Submission.objects.get().state, Submission.objects.get().cause) == ("applied", "arrived_late")
    assert CancellationRequest.objects.get().status == "confirmed"
    assert get_statuses(scenario.order) == ["50", "400"]
    assert count_events("late_success") == 1
    assert Email.objects.filter(kind="cancellation_confirmed").count() == 1


def test_one_that_wakes_after_its_request_was_delivered_is_refused(
    patient: tuple[OrderScenario, Path],
) -> None:
    scenario, folder = patient
    with frozen_at("outbound.sending", folder, scenario.cancel):
        give_up(scenario)
        deliver_request(CancellationRequest.objects.get().pk, make_client(scenario.sandbox))

    assert sum(scenario.count_cancelled()) == 0
    assert CancellationRequest.objects.get().status == "waiting"
    assert Submission.objects.get().state == "refused"


def test_one_that_wakes_after_the_staff_approved_takes_nothing_a_second_time(
    patient: tuple[OrderScenario, Path],
) -> None:
    scenario, folder = patient
    client = make_client(scenario.sandbox)
    with frozen_at("outbound.sending", folder, scenario.cancel):
        give_up(scenario)
        pk = CancellationRequest.objects.get().pk
        approve_request(pk, make_customer())
        execute_approval(pk, client)

    assert sorted(scenario.count_cancelled()) == [0, 1]
    assert CancellationRequest.objects.get().status == "confirmed"
    assert scenario.count_posts() == 2


@pytest.mark.parametrize("patient", [2.0], indirect=True)
def test_one_that_wakes_after_its_deadline_has_its_answer_looked_for_anew(
    patient: tuple[OrderScenario, Path],
) -> None:
    scenario, folder = patient
    with frozen_at("outbound.sending", folder, scenario.cancel):
        give_up(scenario)
        scenario.sandbox.control(
            "faults", {"call": "order_cancel", "kind": "latency", "seconds": 3, "after": True}
        )

    submission = Submission.objects.get()
    assert submission.state in {"unknown", "applied"}
    verify_submission(submission.pk, make_client(scenario.sandbox))
    assert Submission.objects.get().state == "applied"
    assert CancellationRequest.objects.get().status == "confirmed"
    assert sum(scenario.count_cancelled()) == 1
