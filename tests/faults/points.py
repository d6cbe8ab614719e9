"""Die at each point of an action: each SQL statement, each commit, each remote call; then recover as a worker does."""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.db.models import F
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.address.change_address import deliver_address
from aftercart.actions.address.compare_address import compare_address
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.mail.send_email import recover_emails, send_email
from aftercart.actions.requests.approve_request import execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.reject_request import deliver_rejection
from aftercart.actions.requests.reject_spare import reject_spare
from aftercart.actions.sync.sync_order import sync_if_due
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.recover import recover_jobs, recover_submissions
from aftercart.cancellations.models import (
    AddressChange,
    Delivery,
    Submission,
)
from aftercart.mail.models import Email
from aftercart.omnitron.exchange import Exchange
from aftercart.omnitron.http import Configuration, HttpOmnitron
from aftercart.oms.port import OmsClient
from aftercart.orders.models import Order
from tests.faults.conftest import OrderScenario, make_scenario
from tests.remote.sandbox_process import PASSWORD, USERNAME, SandboxProcess
from tests.shop import Line
from tests.strength import find_turn, is_deep
from tests.tables import empty_tables

#: However long an action grows, its points end somewhere.
_MOST_POINTS = 500
#: A quick run kills at every n-th of them.
_QUICK_STEP = 8
#: Longer than every wait and every grace time.
_LONG_AGO = timedelta(hours=1)

_JOBS: dict[str, Callable[[int, OmsClient], object]] = {
    jobs.VERIFY_SUBMISSION: verify_submission,
    jobs.EXECUTE_APPROVAL: execute_approval,
    jobs.DELIVER_REQUEST: deliver_request,
    jobs.DELIVER_REJECTION: deliver_rejection,
    jobs.REJECT_SPARE: reject_spare,
    jobs.DELIVER_ADDRESS: deliver_address,
    jobs.COMPARE_ADDRESS: compare_address,
    jobs.SYNC_ORDER: sync_if_due,
    jobs.SEND_EMAIL: lambda pk, _client: send_email(pk),
}

Action = Callable[[OrderScenario, OmsClient], object]


def make_client(sandbox: SandboxProcess) -> HttpOmnitron:
    return HttpOmnitron(
        Configuration(url=sandbox.base_url, username=USERNAME, password=PASSWORD, breaker_failures=10_000)
    )


class Points:
    """The points of an action: before each statement, and before and after each commit and each remote call.

    Whoever dies within a transaction leaves the same, wherever in it that is: nothing of it. So a quick run dies
    at the first statement of each, and a deep one (`thoroughly`) at all of them.
    """

    def __init__(self, deadly: int, *, thoroughly: bool) -> None:
        self._deadly, self._thoroughly = deadly, thoroughly
        self._deadly_passed = 0
        self._is_within = False
        #: All of them, also where nobody dies.
        self.passed = 0

    def pass_one(self, *, is_deadly: bool = True) -> None:
        """Pass a point, or die at it."""
        self.passed += 1
        self._deadly_passed += is_deadly
        if is_deadly and self._deadly_passed == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def run_statement(self, execute: Any, *args: Any) -> Any:
        """Pass the point before a statement, for `execute_wrapper`."""
        is_first = not (connection.in_atomic_block and self._is_within)
        self._is_within = connection.in_atomic_block
        self.pass_one(is_deadly=is_first or self._thoroughly)
        return execute(*args)

    def around(self, function: Any) -> Any:
        """Pass a point before and after a commit or a remote call."""

        def call(*args: Any, **kwargs: Any) -> Any:
            self.pass_one()
            try:
                return function(*args, **kwargs)
            finally:
                self.pass_one()

        return call

    def end(self, function: Any) -> Any:
        """Have what comes after the end of a transaction not belong to it."""

        def call(*args: Any, **kwargs: Any) -> Any:
            self._is_within = False
            return function(*args, **kwargs)

        return call


@contextmanager
def dying_at(deadly: int, *, thoroughly: bool) -> Iterator[Points]:
    """Die at the n-th point."""
    points = Points(deadly, thoroughly=thoroughly)
    with ExitStack() as stack:
        stack.enter_context(connection.execute_wrapper(points.run_statement))
        commit, rollback = connection._commit, connection._rollback  # type: ignore[attr-defined]  # only PostgreSQL's connection has it
        stack.enter_context(mock.patch.object(connection, "_commit", points.end(points.around(commit))))
        stack.enter_context(mock.patch.object(connection, "_rollback", points.end(rollback)))
        stack.enter_context(mock.patch.object(Exchange, "call", points.around(Exchange.call)))
        yield points


def survive(
    deadly: int,
    run: Callable[..., object],
    *args: object,
    has_own_points: bool = False,
    thoroughly: bool = True,
) -> int | None:
    """Run something in a child that dies at a point; return how many it has if it had fewer, else None.

    What has points of its own gets, last, what passes one.
    """
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # only PostgreSQL's connection has it
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with dying_at(deadly, thoroughly=thoroughly) as points:
                run(*args, *([points.pass_one] if has_own_points else []))
            os.write(writer, str(points.passed).encode())
            code = 0
        except BaseException:  # noqa: BLE001 - it is told, and ends here
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writer)
    status = os.waitpid(child, 0)[1]
    with open(reader, "rb") as said:  # noqa: PTH123 - a file descriptor has no path
        passed = said.read()
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return None
    assert os.WEXITSTATUS(status) == 0, "the action failed of itself"
    return int(passed)


def recover(client: OmsClient) -> None:
    """Do what the worker does, until nothing is left to do; time passes quickly."""
    for _round in range(10):
        Submission.objects.update(created_at=F("created_at") - _LONG_AGO, sent_at=F("sent_at") - _LONG_AGO)
        AddressChange.objects.update(created_at=F("created_at") - _LONG_AGO)
        Delivery.objects.update(sent_at=F("sent_at") - _LONG_AGO)
        Order.objects.update(
            address_due_at=F("address_due_at") - _LONG_AGO, sync_due_at=F("sync_due_at") - _LONG_AGO
        )
        Email.objects.update(sending_at=F("sending_at") - _LONG_AGO)
        recover_submissions()
        recover_emails()
        recover_jobs()
        todo = list(ProcrastinateJob.objects.filter(status="todo").order_by("pk"))
        if not todo:
            return
        ProcrastinateJob.objects.filter(pk__in=[job.pk for job in todo])._raw_delete("default")
        for job in todo:
            _JOBS[job.task_name](job.args["pk"], client)
    pytest.fail("recovery does not come to an end")


def _act(action: Action, scenario: OrderScenario) -> None:
    action(scenario, make_client(scenario.sandbox))  # a child must not send on its parent's connections


def kill_at_every_point(
    sandbox: SandboxProcess,
    action: Action,
    *,
    check: Callable[[OrderScenario], None],
    lines: tuple[Line, ...] = (),
    before: Action | None = None,
    has_turns: bool = True,
) -> int:
    """Kill an action at each of its points, each time with a shop of its own; return how many there are.

    A quick run takes every eighth point, unless it has no turns; a commit chooses which.
    """
    client = make_client(sandbox)
    step = _QUICK_STEP if has_turns and not is_deep() else 1
    for deadly in range(1 + find_turn() % step, _MOST_POINTS, step):
        empty_tables()
        scenario = make_scenario(sandbox, "http://nobody", *lines)
        if before is not None:
            before(scenario, client)
        points = survive(deadly, _act, action, scenario, thoroughly=is_deep())
        recover(client)
        check(scenario)
        if points is not None:
            return points
    pytest.fail("the action has no end")
