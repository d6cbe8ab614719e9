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

from aftercart.actions import jobs
from aftercart.actions.approve_request import execute_approval
from aftercart.actions.change_address import deliver_address
from aftercart.actions.compare_address import compare_address
from aftercart.actions.deliver_request import deliver_request
from aftercart.actions.recover import recover_jobs, recover_submissions
from aftercart.actions.reject_request import deliver_rejection
from aftercart.actions.send_letter import recover_letters, send_letter
from aftercart.actions.sync_order import sync_if_due
from aftercart.actions.verify_submission import verify_submission
from aftercart.cancellations.models import (
    AddressChange,
    CancellationRequest,
    Submission,
    Withdrawal,
)
from aftercart.mail.models import Letter
from aftercart.omnitron.client import Omnitron
from aftercart.omnitron.exchange import Exchange
from aftercart.omnitron.http import Configuration, HttpOmnitron
from aftercart.orders.models import IdempotencyRecord, Order
from tests.faults.conftest import Street, make_street
from tests.remote.sandbox_process import PASSWORD, USERNAME, SandboxProcess
from tests.shop import Line

#: However long an action grows, its points end somewhere.
_MOST_POINTS = 500
#: Longer than every wait and every grace time.
_LONG_AGO = timedelta(hours=1)

_JOBS: dict[str, Callable[[int, Omnitron], object]] = {
    jobs.VERIFY_SUBMISSION: verify_submission,
    jobs.EXECUTE_APPROVAL: execute_approval,
    jobs.DELIVER_REQUEST: deliver_request,
    jobs.DELIVER_REJECTION: deliver_rejection,
    jobs.DELIVER_ADDRESS: deliver_address,
    jobs.COMPARE_ADDRESS: compare_address,
    jobs.SYNC_ORDER: sync_if_due,
    jobs.SEND_LETTER: lambda pk, _client: send_letter(pk),
}

Action = Callable[[Street, Omnitron], object]


def make_client(sandbox: SandboxProcess) -> HttpOmnitron:
    return HttpOmnitron(
        Configuration(url=sandbox.base_url, username=USERNAME, password=PASSWORD, breaker_failures=10_000)
    )


@contextmanager
def dying_at(deadly: int) -> Iterator[Callable[[], None]]:
    """Die at the n-th point: before a statement, or before or after a commit or a remote call.

    Gives what passes a further point.
    """
    passed = 0

    def pass_one() -> None:
        nonlocal passed
        passed += 1
        if passed == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def run_statement(execute: Any, *args: Any) -> Any:
        pass_one()
        return execute(*args)

    def around(function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            pass_one()
            try:
                return function(*args, **kwargs)
            finally:
                pass_one()

        return call

    with ExitStack() as stack:
        stack.enter_context(connection.execute_wrapper(run_statement))
        commit = around(connection._commit)  # type: ignore[attr-defined]
        stack.enter_context(mock.patch.object(connection, "_commit", commit))
        stack.enter_context(mock.patch.object(Exchange, "call", around(Exchange.call)))
        yield pass_one


def survives(deadly: int, run: Callable[..., object], *args: object, has_own_points: bool = False) -> bool:
    """Run something in a child that dies at a point; tell whether it had fewer points than that.

    What has points of its own gets, last, what passes one.
    """
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with dying_at(deadly) as pass_one:
                run(*args, *([pass_one] if has_own_points else []))
            code = 0
        except BaseException:  # noqa: BLE001 - it is told, and ends here
            traceback.print_exc()
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "the action failed of itself"
    return True


def recover(client: Omnitron) -> None:
    """Do what the worker does, until nothing is left to do; time passes quickly."""
    for _round in range(10):
        Submission.objects.update(created_at=F("created_at") - _LONG_AGO, sent_at=F("sent_at") - _LONG_AGO)
        AddressChange.objects.update(created_at=F("created_at") - _LONG_AGO)
        CancellationRequest.objects.update(making_at=F("making_at") - _LONG_AGO)
        Order.objects.update(
            address_due_at=F("address_due_at") - _LONG_AGO, sync_due_at=F("sync_due_at") - _LONG_AGO
        )
        Letter.objects.update(sending_at=F("sending_at") - _LONG_AGO)
        recover_submissions()
        recover_letters()
        recover_jobs()
        todo = list(ProcrastinateJob.objects.filter(status="todo").order_by("pk"))
        if not todo:
            return
        ProcrastinateJob.objects.filter(pk__in=[job.pk for job in todo])._raw_delete("default")
        for job in todo:
            _JOBS[job.task_name](job.args["pk"], client)
    pytest.fail("recovery does not come to an end")


def _act(action: Action, street: Street) -> None:
    action(street, make_client(street.sandbox))  # a child must not talk on its parent's connections


def kill_at_every_point(
    sandbox: SandboxProcess,
    action: Action,
    *,
    check: Callable[[Street], None],
    lines: tuple[Line, ...] = (),
    before: Action | None = None,
) -> int:
    """Kill an action at each of its points, each time with a shop of its own; tell how many there are."""
    client = make_client(sandbox)
    for deadly in range(1, _MOST_POINTS):
        for model in (Withdrawal, Submission, AddressChange, IdempotencyRecord, Letter):
            model.objects.all().delete()
        ProcrastinateJob.objects.all()._raw_delete("default")
        street = make_street(sandbox, "http://nobody", *lines)
        if before is not None:
            before(street, client)
        if survives(deadly, _act, action, street):
            recover(client)
            check(street)
            return deadly - 1
        recover(client)
        check(street)
    pytest.fail("the action has no end")
