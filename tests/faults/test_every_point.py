"""Kill the process at every point of an action: each SQL statement, each commit, each remote call.

The action runs in a forked child, which dies at its n-th point, for every n that there is. Then the recovery
that a worker would do runs, with the rows' clocks moved on, and the books must agree with the stand-in's
ledger: nothing cancelled twice, nothing forgotten, nothing left under way.
"""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.db.models import F
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions import jobs
from aftercart.actions.approve_request import approve_request, execute_approval
from aftercart.actions.cancel_items import cancel_items
from aftercart.actions.change_address import change_address, deliver_address
from aftercart.actions.compare_address import compare_address
from aftercart.actions.deliver_request import deliver_request
from aftercart.actions.override_policy import OverrideCommand, override_policy
from aftercart.actions.recover import recover_jobs, recover_submissions
from aftercart.actions.reject_request import deliver_rejection, reject_request
from aftercart.actions.send_letter import recover_letters, send_letter
from aftercart.actions.sync_order import sync_order
from aftercart.actions.tell_customer import name_subject
from aftercart.actions.verify_submission import verify_submission
from aftercart.actions.withdraw_order import WithdrawalCommand, withdraw_order
from aftercart.cancellations.models import (
    AddressChange,
    CancellationReason,
    CancellationRequest,
    Submission,
    Withdrawal,
)
from aftercart.cancellations.states import UNDER_WAY
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.mail.models import Letter
from aftercart.omnitron.client import Omnitron
from aftercart.omnitron.exchange import Exchange
from aftercart.omnitron.http import Configuration, HttpOmnitron
from aftercart.orders.models import IdempotencyRecord, Order
from tests.faults.conftest import Street, make_street
from tests.remote.sandbox_process import PASSWORD, USERNAME, SandboxProcess
from tests.shop import Line, ask, get_items, make_address, make_address_command, make_command, make_reason

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.django_db(transaction=True)]

#: However long an action grows, its points end somewhere.
_MOST_POINTS = 500
#: Longer than every wait and every grace time.
_LONG_AGO = timedelta(hours=1)

_JOBS: dict[str, Callable[[int, Omnitron], None]] = {
    jobs.VERIFY_SUBMISSION: verify_submission,
    jobs.EXECUTE_APPROVAL: execute_approval,
    jobs.DELIVER_REQUEST: deliver_request,
    jobs.DELIVER_REJECTION: deliver_rejection,
    jobs.DELIVER_ADDRESS: deliver_address,
    jobs.COMPARE_ADDRESS: compare_address,
    jobs.SYNC_ORDER: sync_order,
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


def survives(action: Action, street: Street, deadly: int) -> bool:
    """Run an action in a child that dies at a point; tell whether it had fewer points than that."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with dying_at(deadly):
                action(street, make_client(street.sandbox))
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
        Order.objects.update(address_due_at=F("address_due_at") - _LONG_AGO)
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


def check_books(street: Street) -> None:
    """Compare our books with the stand-in's."""
    assert Submission.objects.filter(state__in=UNDER_WAY).count() == 0
    assert not CancellationRequest.objects.filter(status="verifying").exists()
    assert not [request for request in CancellationRequest.objects.all() if request.is_approved_here]
    assert AddressChange.objects.filter(state="pending").count() == 0
    assert IdempotencyRecord.objects.filter(status_code=None).count() == 0
    accepted = {
        int(row["remote_id"]): row["cancels_accepted"] for row in street.sandbox.ledger(street.order.number)
    }
    assert max(accepted.values()) <= 1
    for submission in Submission.objects.all():
        for line in submission.lines.all():
            assert accepted[line.order_item_id] == (submission.state == "applied"), submission.state
            if submission.state == "refused" and line.is_open:
                assert line.request.delivered_at is not None
    check_letters()
    check_address(street)
    for item in street.items:
        assert (item.status == "50") == (accepted[item.pk] == 1), item.status


def check_address(street: Street) -> None:
    """Omnitron sends the order where the last change that it took says, and so do we."""
    last = AddressChange.objects.filter(state="confirmed").first()
    if last is None:
        return
    with make_client(street.sandbox).dialogue() as talk:
        remote = talk.read_order(channel_id=street.order.channel_id, number=street.order.number)
    order = Order.objects.get(pk=street.order.pk)
    assert order.shipping_address == last.address
    assert remote.shipping_address_pk == last.address["pk"]
    assert order.address_due_at is None


def check_points(street: Street) -> None:
    """Compare the ledger of points with what was decided: a refund of 100 as points, 30 of them spent before."""
    assert Submission.objects.filter(state__in=UNDER_WAY).count() == 0
    assert [item.status for item in get_items(street.order)] == ["100"]
    entries = LoyaltyEntry.objects.filter(order=street.order).order_by("amount")
    assert [(entry.kind, entry.amount) for entry in entries] == [
        ("spent", Decimal(-30)),
        ("clawed_back", Decimal(-5)),
        ("earned", Decimal(5)),
        ("returned", Decimal(30)),
        ("refund_credit", Decimal(70)),
    ]


def check_completed_there(street: Street) -> None:
    """What Omnitron has completed is completed here, whatever our staff has decided meanwhile."""
    client = make_client(street.sandbox)
    sync_order(street.order.pk, client)
    recover(client)
    first, second = get_items(street.order)
    assert (first.status, first.cancelled_quantity, second.status) == ("100", 1, "400")
    request = CancellationRequest.objects.get()
    assert (request.status, request.line.outcome, request.line.completed_quantity) == (
        "completed", "completed", 1,
    )  # fmt: skip
    assert first.refund_amount == request.line.quoted.refund_amount > 0
    assert [row["cancelled"] for row in street.sandbox.ledger(street.order.number)] == [1, 0]
    assert not Letter.objects.exclude(state="sent").exists()


def check_letters() -> None:
    """Every event has its letter, once, and all of them are sent."""
    assert not Letter.objects.exclude(state="sent").exists()
    kinds = {
        letter.subject: letter.kind for letter in Letter.objects.filter(kind__contains="_").order_by("pk")
    }
    for submission in Submission.objects.filter(origin="direct"):
        told = {"applied": {"cancellation_sent", "cancellation_confirmed"}, "refused": {"request_received"}}
        assert kinds.get(submission.uuid) in told[submission.state]
    for change in AddressChange.objects.filter(state="confirmed"):
        assert kinds[name_subject("address_change", change.pk)] == "address_changed"
    for withdrawal in Withdrawal.objects.all():
        assert Letter.objects.filter(kind="withdrawal_receipt", subject=withdrawal.uuid).count() == 1


def kill_at_every_point(
    sandbox: SandboxProcess,
    action: Action,
    *,
    lines: tuple[Line, ...] = (),
    before: Action | None = None,
    check: Callable[[Street], None] = check_books,
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
        if survives(action, street, deadly):
            recover(client)
            check(street)
            return deadly - 1
        recover(client)
        check(street)
    pytest.fail("the action has no end")


def cancel(street: Street, client: Omnitron) -> None:
    cancel_items(make_command(street.order, ask(street.items[0], street.reason)), client)


def lose_an_answer(street: Street, client: Omnitron) -> None:
    street.sandbox.control("faults", {"call": "order_cancel", "kind": "drop_after"})
    cancel(street, client)


def withdraw(street: Street, client: Omnitron) -> None:
    command = WithdrawalCommand(
        street.order.number, street.order.user, "Ayşe Yılmaz", street.order.user_email
    )
    withdraw_order(command, client)


def know_the_reason(_street: Street, _client: Omnitron) -> None:
    for kind, remote_pk in (("cancel", 1), ("refund", 6)):
        CancellationReason.objects.filter(code="withdrawal", cancellation_type=kind).delete()
        CancellationReason.objects.create(
            code="withdrawal",
            cancellation_type=kind,
            subject="Withdrawal",
            is_active=False,
            remote_pk=remote_pk,
        )


def move(street: Street, client: Omnitron) -> None:
    assert street.order.user is not None
    change_address(make_address_command(street.order, make_address(street.order.user)), client)


def move_and_lose_the_answer(street: Street, client: Omnitron) -> None:
    street.sandbox.client.delete("/sandbox/faults/")  # what an earlier process died before it met
    street.sandbox.control("faults", {"call": "address_change", "kind": "drop_after"})
    move(street, client)


def bring_it_home(street: Street, client: Omnitron) -> None:
    """Do what the worker does about an address change whose answer was lost."""
    deliver_address(AddressChange.objects.get().pk, client)
    compare_address(street.order.pk, client)


def request_and_deliver(street: Street, client: Omnitron) -> None:
    cancel(street, client)
    recover(client)


def approve(street: Street, client: Omnitron) -> None:
    request = CancellationRequest.objects.get()
    assert street.order.user is not None
    approve_request(request.pk, street.order.user)
    execute_approval(request.pk, client)


def reject(street: Street, client: Omnitron) -> None:
    request = CancellationRequest.objects.get()
    assert street.order.user is not None
    reject_request(request.pk, street.order.user, "No.")
    deliver_rejection(request.pk, client)


def request_and_have_it_completed(street: Street, client: Omnitron) -> None:
    """Have Omnitron complete a request; nobody here knows yet."""
    request_and_deliver(street, client)
    street.sandbox.control("decide", {"order": street.order.number, "decision": "approve"})


def verify(_street: Street, client: Omnitron) -> None:
    verify_submission(Submission.objects.get().pk, client)


def deliver(_street: Street, client: Omnitron) -> None:
    deliver_request(CancellationRequest.objects.get().pk, client)


def refund_as_points(street: Street, client: Omnitron) -> None:
    """Have a cancellation, to be refunded as points, approved at Omnitron; nobody here knows yet."""
    for kind, amount in (("spent", -30), ("earned", 5)):
        LoyaltyEntry.objects.create(
            user=street.order.user, order=street.order, currency="TRY", kind=kind, amount=amount
        )
    command = make_command(street.order, ask(street.items[0], street.reason))
    cancel_items(replace(command, fully_refund_as_loyalty_money=True), client)
    street.sandbox.control("decide", {"order": street.order.number, "decision": "approve"})


def book(street: Street, client: Omnitron) -> None:
    sync_order(street.order.pk, client)


def override(street: Street, _client: Omnitron) -> None:
    assert street.order.user is not None
    command = OverrideCommand(
        street.order.pk, street.items[0].pk, make_reason("refund").pk, why="A goodwill return."
    )
    override_policy(command, street.order.user)


INVOICED = (Line(invoice_number="INV-1"), Line())
FINAL_SALE = (Line(status="550", is_final_sale=True), Line(status="550"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("action", "options", "fewest"),
    [
        pytest.param(cancel, {}, 64, id="cancel directly"),
        pytest.param(cancel, {"lines": INVOICED}, 42, id="cancel by review"),
        pytest.param(lose_an_answer, {}, 62, id="cancel, the answer lost"),
        pytest.param(verify, {"before": lose_an_answer}, 31, id="verify"),
        pytest.param(deliver, {"before": cancel, "lines": INVOICED}, 19, id="deliver"),
        pytest.param(approve, {"before": request_and_deliver, "lines": INVOICED}, 68, id="approve"),
        pytest.param(reject, {"before": request_and_deliver, "lines": INVOICED}, 32, id="reject"),
        *(
            pytest.param(
                decision,
                {
                    "before": request_and_have_it_completed,
                    "lines": INVOICED,
                    "check": check_completed_there,
                },
                fewest,
                id=f"{decision.__name__} what Omnitron has completed",
            )
            for decision, fewest in ((approve, 32), (reject, 66))
        ),
        pytest.param(override, {"lines": FINAL_SALE}, 41, id="override the policy"),
        pytest.param(move, {}, 34, id="change the address"),
        pytest.param(move_and_lose_the_answer, {}, 26, id="change the address, the answer lost"),
        pytest.param(bring_it_home, {"before": move_and_lose_the_answer}, 27, id="deliver the address"),
        pytest.param(
            book, {"before": refund_as_points, "lines": (Line(),), "check": check_points}, 44, id="points"
        ),
        pytest.param(withdraw, {"before": know_the_reason}, 73, id="withdraw"),
    ],
)
def test_wherever_a_process_dies_nothing_is_lost_and_nothing_happens_twice(
    sandbox: SandboxProcess, action: Action, options: dict[str, Any], fewest: int
) -> None:
    sandbox.control("reset", {})

    points = kill_at_every_point(sandbox, action, **options)

    print(f"{points} points")  # noqa: T201 - shown with -s, or when it fails
    assert points >= fewest, "points are missing: what is no longer watched?"


def test_without_the_mark_before_the_post_the_books_do_not_agree(sandbox: SandboxProcess) -> None:
    """The check can fail: this is what "call, then write" does."""
    sandbox.control("reset", {})

    with (
        mock.patch("aftercart.actions.send_submission._mark_sent", return_value=None),
        pytest.raises(AssertionError, match="refused"),
    ):
        kill_at_every_point(sandbox, cancel)
