"""A replay of what still runs, or whose process died, waits for the first answer, and takes no thread for it."""

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Semaphore
from typing import Any

import pytest

from aftercart.cancellations.models import Submission
from aftercart.orders.models import IdempotencyRecord
from tests.faults.conftest import DEADLINE, OrderScenario

pytestmark = pytest.mark.timeout(180)

#: Requests at once: many times the threads of the server.
CROWD = 200


@dataclass(frozen=True, slots=True)
class Got:
    """An answer, as it came."""

    status: int
    headers: dict[str, str]
    body: Any


def is_replay(answer: Got) -> bool:
    return answer.headers.get("idempotency-replayed") == "true"


def submit_all(scenario: OrderScenario, count: int, item_pk: int, sent: Semaphore | None = None) -> list[Got]:
    """Send the same body so many times at once, each over a connection of its own; count in `sent`."""
    item = {"order_item": item_pk, "reason": scenario.reason.pk, "cancellation_type": "cancel"}
    body = json.dumps({"cancel_order_items": [item]})
    cookies = "; ".join(f"{name}={value}" for name, value in scenario.shop_client.client.cookies.items())
    headers = {"Cookie": cookies, "X-CSRFToken": "c" * 32, "Content-Type": "application/json"}
    place = scenario.base_url.removeprefix("http://")

    def submit(_n: int) -> Got:
        connection = http.client.HTTPConnection(place, timeout=60)
        try:
            connection.request("POST", f"/orders/{scenario.order.number}/cancel/", body, headers)
            if sent is not None:
                sent.release()
            answer = connection.getresponse()
            text = answer.read()
            return Got(
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                json.loads(text) if text else None,
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(submit, range(count)))


def test_of_two_hundred_replays_at_once_one_is_made_and_all_get_its_answer(scenario: OrderScenario) -> None:
    scenario.sandbox.control("faults", {"call": "order_cancel", "kind": "latency", "seconds": 0.5})

    answers = submit_all(scenario, CROWD, scenario.items[0].pk)

    first, *others = sorted(answers, key=is_replay)
    assert not is_replay(first)
    assert all(is_replay(answer) for answer in others)
    assert first.status in {200, 204}  # 200 where this machine is so slow that the answer counts as lost
    assert all((answer.status, answer.body) == (first.status, first.body) for answer in others)
    assert not any("x-aftercart-running" in answer.headers for answer in answers)
    assert (Submission.objects.count(), scenario.count_posts()) == (1, 1)
    assert sorted(scenario.count_cancelled()) == [0, 1]


def test_those_who_wait_keep_nobody_else_waiting(scenario: OrderScenario) -> None:
    """With a thread each they would hold all of the server's, several times over."""
    assert scenario.cancel().status_code == 204
    leave_as_died("applied")  # nobody will ever answer it
    with ThreadPoolExecutor(1) as pool:
        sent = Semaphore(0)
        crowd = pool.submit(submit_all, scenario, 100, scenario.items[0].pk, sent)
        assert all(sent.acquire(timeout=30) for _ in range(100))
        reads = [scenario.shop_client.get("/users/orders/").status_code for _ in range(3)]
        are_waiting = not crowd.done()
        answers = crowd.result()

    assert reads == [200] * 3
    assert are_waiting
    assert {answer.status for answer in answers} == {409}


@pytest.mark.parametrize(("state", "outcome"), [("prepared", "refused"), ("sent", "unknown")])
def test_a_replay_of_what_a_dead_process_left_settles_it_without_a_worker(
    scenario: OrderScenario, state: str, outcome: str
) -> None:
    assert scenario.cancel().status_code == 204
    leave_as_died(state)
    began = time.monotonic()

    answer = scenario.cancel()

    took = time.monotonic() - began
    assert (answer.status_code, answer.headers["Idempotency-Replayed"]) == (200, "true")
    assert [row["order_item"] for row in answer.json()] == [scenario.items[0].pk]
    assert took < DEADLINE + 5
    submission = Submission.objects.get()
    assert (submission.state, submission.cause) == (outcome, "process_died")
    assert scenario.count_posts() == 1


def leave_as_died(state: str) -> None:
    """Have the only submission stand as if its process had died a moment ago."""
    Submission.objects.update(state=state, cause="", settled_at=None)
    IdempotencyRecord.objects.update(status_code=None, body=None)


def test_a_replay_that_waits_in_vain_learns_when_to_come_again(scenario: OrderScenario) -> None:
    assert scenario.cancel().status_code == 204
    leave_as_died("applied")  # nobody will ever answer it
    began = time.monotonic()

    answer = scenario.cancel()

    took = time.monotonic() - began
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (
        409, "still_running", "2",
    )  # fmt: skip
    assert "X-Aftercart-Running" not in answer.headers
    assert 9 < took < 20
