"""The main job between real processes, with an Omnitron that misbehaves in every way."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aftercart.cancellations.models import CancellationRequest, Submission
from aftercart.orders.models import OrderItem
from tests.faults.conftest import DEADLINE, OrderScenario
from tests.processes import ShopClient, running_web, running_worker, wait_until
from tests.shop import get_statuses

#: What the customer may wait beyond the deadline: our own work, which takes as long as the machine is busy. What
#: Omnitron does here takes longer by far.
SLACK = 25.0
HTML = {"body": "<html><body>Bad Gateway</body></html>", "content_type": "text/html"}
SLOW = {"kind": "latency", "seconds": 90}


def test_a_cancellation_goes_through_between_real_processes(patient_scenario: OrderScenario) -> None:
    scenario = patient_scenario
    answer = scenario.cancel()

    assert (answer.status_code, answer.content) == (204, b"")
    assert get_statuses(scenario.order) == ["50", "400"]
    assert scenario.count_posts() == 1
    assert sorted(scenario.count_cancelled()) == [0, 1]


@pytest.mark.parametrize(
    ("fault", "state", "request_status", "applied"),
    [
        ({"call": "order_cancel", "kind": "drop_before"}, "unknown", "verifying", 0),
        ({"call": "order_cancel", "kind": "drop_after"}, "unknown", "verifying", 1),
        ({"call": "order_cancel", "kind": "hang"}, "unknown", "verifying", 0),
        ({"call": "order_cancel", **SLOW}, "unknown", "verifying", 0),
        ({"call": "order_cancel", **SLOW, "after": True}, "unknown", "verifying", 1),
        ({"call": "order_cancel", "kind": "trickle", "seconds": 90}, "unknown", "verifying", 1),
        ({"call": "order_cancel", "kind": "malformed"}, "unknown", "verifying", 1),
        ({"call": "order_cancel", "kind": "status", "status": 502}, "unknown", "verifying", 0),
        ({"call": "order_cancel", "kind": "status_after", "status": 502}, "unknown", "verifying", 1),
        ({"call": "order_cancel", "kind": "status", "status": 200, **HTML}, "unknown", "verifying", 0),
        ({"call": "order_cancel", "kind": "status", "status": 406, "body": "{}"}, "refused", "waiting", 0),
        ({"call": "order_cancel", "kind": "status", "status": 429, "body": "{}"}, "refused", "waiting", 0),
        ({"call": "orders_list", "kind": "hang"}, "refused", "waiting", 0),
        ({"call": "orders_list", "kind": "trickle", "seconds": 90}, "refused", "waiting", 0),
        ({"call": "order_items", "kind": "malformed"}, "refused", "waiting", 0),
        ({"call": "integration_actions", "kind": "status", "status": 500}, "refused", "waiting", 0),
    ],
)
def test_whatever_omnitron_does_the_customer_gets_requests_within_the_deadline_and_nothing_is_sent_twice(
    scenario: OrderScenario, fault: dict[str, Any], state: str, request_status: str, applied: int
) -> None:
    scenario.sandbox.control("faults", {"times": -1, **fault})

    began = time.monotonic()
    answer = scenario.cancel()
    took = time.monotonic() - began

    assert answer.status_code == 200
    assert [record["order_item"] for record in answer.json()] == [scenario.items[0].pk]
    assert took < DEADLINE + SLACK
    assert [s.state for s in Submission.objects.all()] == [state]
    assert [r.status for r in CancellationRequest.objects.all()] == [request_status]
    assert get_statuses(scenario.order) == ["400", "400"]
    assert scenario.count_posts() <= 1
    assert sum(scenario.count_cancelled()) == applied

    replayed = scenario.cancel()
    assert (replayed.status_code, replayed.json()) == (200, answer.json())
    assert replayed.headers["Idempotency-Replayed"] == "true"
    assert scenario.count_posts() <= 1


def test_with_omnitron_down_the_customer_gets_requests_at_once(scenario: OrderScenario) -> None:
    with running_web(
        "http://127.0.0.1:9", OMNITRON_DIALOGUE_SECONDS="60"
    ) as base_url:  # nobody listens there
        assert scenario.order.user is not None
        shop_client = ShopClient(base_url).enter(scenario.order.user)
        began = time.monotonic()
        answer = shop_client.cancel(scenario.order.number, scenario.items[0].pk, scenario.reason.pk)
        took = time.monotonic() - began

    assert answer.status_code == 200
    assert took < SLACK
    assert [s.cause for s in Submission.objects.all()] == ["unreachable"]


def test_forty_parallel_cancellations_of_one_item_are_one(patient_scenario: OrderScenario) -> None:
    scenario = patient_scenario
    assert scenario.order.user is not None
    cookies = scenario.shop_client.client.cookies
    item = scenario.items[0].pk

    def submit(n: int) -> Any:
        shop_client = ShopClient(scenario.base_url)
        shop_client.client.cookies.update(cookies)
        # Forty different bodies: no two are repeats of one another.
        return shop_client.cancel(scenario.order.number, item, scenario.reason.pk, description=f"tab {n}")

    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(submit, range(40)))

    codes = sorted(answer.status_code for answer in answers)
    assert codes == [204] + [400] * 39
    assert {answer.json()["code"] for answer in answers if answer.status_code == 400} == {
        "cancellation_in_progress"
    }
    assert scenario.count_posts() == 1
    assert sorted(scenario.count_cancelled()) == [0, 1]


def test_forty_parallel_replays_of_one_body_are_one_submission(patient_scenario: OrderScenario) -> None:
    scenario = patient_scenario
    cookies = scenario.shop_client.client.cookies
    item = scenario.items[0].pk

    def submit(_n: int) -> Any:
        shop_client = ShopClient(scenario.base_url)
        shop_client.client.cookies.update(cookies)
        return shop_client.cancel(scenario.order.number, item, scenario.reason.pk)

    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(submit, range(40)))

    firsts = [a for a in answers if a.status_code == 204 and "Idempotency-Replayed" not in a.headers]
    others = [a for a in answers if a not in firsts]
    assert len(firsts) == 1
    assert {a.status_code for a in others} <= {204, 409}
    assert scenario.count_posts() == 1
    assert Submission.objects.count() == 1


def test_the_worker_finds_a_lost_answer_and_brings_the_decision_back(scenario: OrderScenario) -> None:
    scenario.sandbox.control("faults", {"call": "order_cancel", "kind": "drop_after"})
    assert scenario.cancel().status_code == 200

    with running_worker(scenario.sandbox.base_url):
        wait_until(lambda: [s.state for s in Submission.objects.all()] == ["applied"])
        assert get_statuses(scenario.order) == ["50", "400"]
        scenario.sandbox.control("decide", {"decision": "approve", "all": True})
        wait_until(lambda: get_statuses(scenario.order) == ["100", "400"])

    assert [r.status for r in CancellationRequest.objects.all()] == ["completed"]
    assert scenario.count_posts() == 1
    assert OrderItem.objects.get(pk=scenario.items[0].pk).cancelled_quantity == 1
