"""Kill the process at every point of an action: each SQL statement, each commit, each remote call.

The action runs in a forked child, which dies at its n-th point, for every n that there is. Then the recovery
that a worker would do runs, with the rows' clocks moved on, and the books must agree with the sandbox's
ledger: nothing cancelled twice, nothing forgotten, nothing left under way.
"""

from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from aftercart.actions.address.change_address import change_address, deliver_address
from aftercart.actions.address.compare_address import compare_address
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.commands import Caller
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.override_policy import OverrideCommand, override_policy
from aftercart.actions.requests.reject_request import deliver_rejection, reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.withdraw.withdraw_order import WithdrawalCommand, withdraw_order
from aftercart.cancellations.models import (
    AddressChange,
    CancellationReason,
    CancellationRequest,
    Submission,
)
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.oms.port import OmsClient
from tests.faults.checks import check_books, check_completed_there, check_points
from tests.faults.conftest import OrderScenario
from tests.faults.points import Action, kill_at_every_point, recover
from tests.remote.sandbox_process import SandboxProcess
from tests.shop import Line, ask, make_address, make_address_command, make_command, make_reason

pytestmark = pytest.mark.django_db(transaction=True)


def cancel(scenario: OrderScenario, client: OmsClient) -> None:
    cancel_items(make_command(scenario.order, ask(scenario.items[0], scenario.reason)), client)


def lose_an_answer(scenario: OrderScenario, client: OmsClient) -> None:
    scenario.sandbox.control("faults", {"call": "order_cancel", "kind": "drop_after"})
    cancel(scenario, client)


def withdraw(scenario: OrderScenario, client: OmsClient) -> None:
    assert scenario.order.user is not None
    caller = Caller(scenario.order.user, "withdrawal")
    command = WithdrawalCommand(caller, scenario.order.number, "Ayşe Yılmaz", scenario.order.user_email)
    withdraw_order(command, client)


def know_the_reason(_scenario: OrderScenario, _client: OmsClient) -> None:
    for kind, remote_pk in (("cancel", 1), ("refund", 6)):
        CancellationReason.objects.filter(code="withdrawal", cancellation_type=kind).delete()
        CancellationReason.objects.create(
            code="withdrawal",
            cancellation_type=kind,
            subject="Withdrawal",
            is_active=False,
            remote_pk=remote_pk,
        )


def move(scenario: OrderScenario, client: OmsClient) -> None:
    assert scenario.order.user is not None
    change_address(make_address_command(scenario.order, make_address(scenario.order.user)), client)


def move_and_lose_the_answer(scenario: OrderScenario, client: OmsClient) -> None:
    scenario.sandbox.client.delete("/sandbox/faults/")  # what an earlier process died before it met
    scenario.sandbox.control("faults", {"call": "address_change", "kind": "drop_after"})
    move(scenario, client)


def bring_it_home(scenario: OrderScenario, client: OmsClient) -> None:
    """Do what the worker does about an address change whose answer was lost."""
    deliver_address(AddressChange.objects.get().pk, client)
    compare_address(scenario.order.pk, client)


def request_and_deliver(scenario: OrderScenario, client: OmsClient) -> None:
    cancel(scenario, client)
    recover(client)


def approve(scenario: OrderScenario, client: OmsClient) -> None:
    request = CancellationRequest.objects.get()
    assert scenario.order.user is not None
    approve_request(request.pk, scenario.order.user)
    execute_approval(request.pk, client)


def reject(scenario: OrderScenario, client: OmsClient) -> None:
    request = CancellationRequest.objects.get()
    assert scenario.order.user is not None
    reject_request(request.pk, scenario.order.user, "No.")
    deliver_rejection(request.pk, client)


def request_and_have_it_completed(scenario: OrderScenario, client: OmsClient) -> None:
    """Have Omnitron complete a request; nobody here knows yet."""
    request_and_deliver(scenario, client)
    scenario.sandbox.control("decide", {"order": scenario.order.number, "decision": "approve"})


def verify(_scenario: OrderScenario, client: OmsClient) -> None:
    verify_submission(Submission.objects.get().pk, client)


def deliver(_scenario: OrderScenario, client: OmsClient) -> None:
    deliver_request(CancellationRequest.objects.get().pk, client)


def refund_as_points(scenario: OrderScenario, client: OmsClient) -> None:
    """Have a cancellation, to be refunded as points, approved at Omnitron; nobody here knows yet."""
    for kind, amount in (("spent", -30), ("earned", 5)):
        LoyaltyEntry.objects.create(
            user=scenario.order.user, order=scenario.order, currency="TRY", kind=kind, amount=amount
        )
    command = make_command(scenario.order, ask(scenario.items[0], scenario.reason))
    cancel_items(replace(command, fully_refund_as_loyalty_money=True), client)
    scenario.sandbox.control("decide", {"order": scenario.order.number, "decision": "approve"})


def book(scenario: OrderScenario, client: OmsClient) -> None:
    sync_order(scenario.order.pk, client)


def override(scenario: OrderScenario, _client: OmsClient) -> None:
    assert scenario.order.user is not None
    command = OverrideCommand(
        scenario.order.pk, scenario.items[0].pk, make_reason("refund").pk, why="A goodwill return."
    )
    override_policy(command, scenario.order.user)


INVOICED = (Line(invoice_number="INV-1"), Line())
FINAL_SALE = (Line(status="550", is_final_sale=True), Line(status="550"))


@pytest.mark.thorough
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("action", "options", "fewest"),
    [
        pytest.param(cancel, {}, 39, id="cancel directly"),
        pytest.param(cancel, {"lines": INVOICED}, 30, id="cancel by review"),
        pytest.param(lose_an_answer, {}, 45, id="cancel, the answer lost"),
        pytest.param(verify, {"before": lose_an_answer}, 21, id="verify"),
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
            for decision, fewest in ((approve, 24), (reject, 66))
        ),
        pytest.param(override, {"lines": FINAL_SALE}, 36, id="override the policy"),
        pytest.param(move, {}, 34, id="change the address"),
        pytest.param(move_and_lose_the_answer, {}, 26, id="change the address, the answer lost"),
        pytest.param(bring_it_home, {"before": move_and_lose_the_answer}, 27, id="deliver the address"),
        pytest.param(
            book, {"before": refund_as_points, "lines": (Line(),), "check": check_points}, 44, id="points"
        ),
        pytest.param(withdraw, {"before": know_the_reason}, 57, id="withdraw"),
    ],
)
def test_wherever_a_process_dies_nothing_is_lost_and_nothing_happens_twice(
    sandbox: SandboxProcess, action: Action, options: dict[str, Any], fewest: int
) -> None:
    sandbox.control("reset", {})

    points = kill_at_every_point(sandbox, action, **{"check": check_books, **options})

    print(f"{points} points")  # noqa: T201 - shown with -s, or when it fails
    assert points >= fewest, "points are missing: what is no longer watched?"


def test_without_the_mark_before_the_post_the_books_do_not_agree(sandbox: SandboxProcess) -> None:
    """The check can fail: this is what "call, then write" does, once the last look before the call is gone, too."""
    sandbox.control("reset", {})

    with (
        mock.patch("aftercart.actions.cancel.send_submission._mark_sent", return_value=None),
        mock.patch("aftercart.actions.cancel.send_submission._is_still_ours", return_value=True),
        pytest.raises(AssertionError, match="refused"),
    ):
        kill_at_every_point(sandbox, cancel, check=check_books, has_turns=False)
