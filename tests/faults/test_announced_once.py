"""Two requests of one submission, decided in two ways, the process killed at every point in between and amid.

One is approved at Omnitron, the other by our staff. Whichever comes first, and wherever the process dies that books it:
each line is announced exactly once.
"""

from contextlib import suppress

import pytest

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import CancellationRequest, Submission
from aftercart.mail.models import Email, LineNotice
from aftercart.oms.port import OmsClient
from aftercart.orders.errors import ActionError
from aftercart.orders.models import OrderItem
from tests.faults.conftest import OrderScenario
from tests.faults.points import Action, kill_at_every_point, make_client, recover
from tests.remote.sandbox_process import SandboxProcess
from tests.shop import Line, ask, make_command

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ["Hat", "Shirt"]


def request_both(scenario: OrderScenario, client: OmsClient) -> None:
    """Ask for both items in one submission, which our staff is to review, and have Omnitron's queue take both."""
    for item, name in zip(scenario.items, NAMES, strict=True):
        OrderItem.objects.filter(pk=item.pk).update(product={"name": name})
    asks = [ask(item, scenario.reason) for item in scenario.items]
    cancel_items(make_command(scenario.order, *asks), client)
    recover(client)
    assert CancellationRequest.objects.filter(delivery__state="known").count() == 2


def decide_there(scenario: OrderScenario, client: OmsClient) -> None:
    """Have Omnitron approve the first request, and book it."""
    request = CancellationRequest.objects.order_by("pk")[0]
    scenario.sandbox.control("decide", {"request": request.remote_pks[0], "decision": "approve"})
    sync_order(scenario.order.pk, client)


def decide_here(scenario: OrderScenario, client: OmsClient) -> None:
    """Have our staff approve the second request, and Omnitron agree; book it."""
    request = CancellationRequest.objects.order_by("pk")[1]
    assert scenario.order.user is not None
    with suppress(ActionError):  # decided by the process that died
        approve_request(request.pk, scenario.order.user)
    execute_approval(request.pk, client)
    item = request.line.order_item_id
    scenario.sandbox.control("decide", {"remote_item": str(item), "decision": "approve"})
    sync_order(scenario.order.pk, client)


def decide_there_first(scenario: OrderScenario, client: OmsClient) -> None:
    decide_there(scenario, client)
    decide_here(scenario, client)


def decide_here_first(scenario: OrderScenario, client: OmsClient) -> None:
    decide_here(scenario, client)
    decide_there(scenario, client)


def check_announced(scenario: OrderScenario) -> None:
    """Have decided what the dead process left undecided; then look at what the customer was told."""
    client = make_client(scenario.sandbox)
    decide_there(scenario, client)
    decide_here(scenario, client)
    recover(client)

    assert Submission.objects.get(origin="direct").lines.filter(outcome="completed").count() == 2
    emails = Email.objects.filter(kind="cancellation_completed")
    assert sorted(item["name"] for email in emails for item in email.facts["items"]) == NAMES
    assert (
        sorted(notice.line.order_item.product["name"] for email in emails for notice in email.notices.all())
        == NAMES
    )
    assert LineNotice.objects.filter(outcome="completed").count() == 2
    approved = Email.objects.get(kind="request_approved")
    assert [item["name"] for item in approved.facts["items"]] == [NAMES[1]]
    assert not Email.objects.exclude(state="sent").exists()
    assert [row["cancels_accepted"] for row in scenario.sandbox.ledger(scenario.order.number)] == [0, 1]


@pytest.mark.rotating("decide")
@pytest.mark.thorough
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("decide", [decide_there_first, decide_here_first])
def test_each_line_is_announced_once_wherever_the_process_dies_between_two_decisions(
    sandbox: SandboxProcess, decide: Action
) -> None:
    sandbox.control("reset", {})

    points = kill_at_every_point(
        sandbox,
        decide,
        before=request_both,
        check=check_announced,
        lines=(Line(invoice_number="INV-1"), Line(invoice_number="INV-1")),
    )

    assert points >= 100, "points are missing: what is no longer watched?"
