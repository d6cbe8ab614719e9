"""After an outage, what had been put off for minutes is done within seconds: by a real worker."""

from datetime import timedelta

import pytest

from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import CancellationRequest
from tests.faults.conftest import OrderScenario
from tests.processes import running_worker, wait_until
from tests.shop import ask, make_command
from tests.tables import empty_queue

pytestmark = pytest.mark.timeout(180)


def test_a_request_put_off_for_ten_minutes_is_delivered_as_soon_as_omnitron_is_back(
    scenario: OrderScenario,
) -> None:
    scenario.sandbox.control("faults", {"call": "*", "kind": "status", "status": 503, "times": -1})
    request_cancellation(make_command(scenario.order, ask(scenario.items[0], scenario.reason)))
    request = CancellationRequest.objects.get()
    empty_queue()
    jobs.enqueue(jobs.DELIVER_REQUEST, request.pk, wait=timedelta(minutes=10))

    with running_worker(scenario.sandbox.base_url, OMNITRON_POLL_SECONDS="1", OMNITRON_BREAKER_SECONDS="1"):
        wait_until(lambda: scenario.sandbox.calls(limit=3), 60)
        request.refresh_from_db()
        assert (request.delivery.state, request.delivery.attempts) == ("created", 0)
        scenario.sandbox.client.delete("/sandbox/faults/").raise_for_status()
        wait_until(lambda: CancellationRequest.objects.get().is_delivered, 40)
