import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.processes import wait_until
from tests.remote.sandbox_process import CHANNEL, SandboxProcess, order_document, running

NUMBER = "ORD-2024-000017"
FIRST = 700001


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running(tmp_path_factory.mktemp("sandbox") / "omnitron.sqlite3") as server:
        yield server


@pytest.fixture
def sandbox(process: SandboxProcess) -> SandboxProcess:
    process.control("reset", {})
    return process.log_in()


@pytest.fixture
def cancelling(sandbox: SandboxProcess) -> SandboxProcess:
    """A sandbox with one order, whose first item `cancel` cancels."""
    sandbox.load(order_document(17))
    return sandbox


def cancel(sandbox: SandboxProcess, timeout: float = 60) -> httpx2.Response:
    body = {"order": 500001, "cancel_items": [FIRST], "reasons": {str(FIRST): 1}}
    return sandbox.client.post(f"{CHANNEL}/orders/500001/cancel/", json=body, timeout=timeout)


def outcome(sandbox: SandboxProcess) -> tuple[Any, bool, int]:
    """Return what the log says of the last cancellation, and how often the unit was really cancelled."""
    call = sandbox.calls(call="order_cancel")[-1]
    assert call["fault"] == 1
    return call["answered"], call["applied"], sandbox.ledger(NUMBER)[0]["cancels_accepted"]


def add(sandbox: SandboxProcess, kind: str, **fields: Any) -> Any:
    return sandbox.control("faults", {"call": "order_cancel", "kind": kind, **fields})


def test_drop_before_applies_nothing(cancelling: SandboxProcess) -> None:
    add(cancelling, "drop_before")
    with pytest.raises(httpx2.RemoteProtocolError):
        cancel(cancelling)
    assert outcome(cancelling) == ("dropped", False, 0)
    assert cancel(cancelling).status_code == 200


def test_drop_after_applies_and_says_nothing(cancelling: SandboxProcess) -> None:
    add(cancelling, "drop_after")
    with pytest.raises(httpx2.RemoteProtocolError):
        cancel(cancelling)
    assert outcome(cancelling) == ("dropped", True, 1)
    assert cancelling.items(NUMBER)[0]["cancel_status"] == "waiting"
    assert cancel(cancelling).json()["code"] == "order_cancel_100_1"


def test_status_answers_a_gateways_page_and_applies_nothing(cancelling: SandboxProcess) -> None:
    add(cancelling, "status", status=503)
    answer = cancel(cancelling)
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert "<h1>503 Service Unavailable</h1>" in answer.text
    assert outcome(cancelling) == (503, False, 0)


def test_status_answers_what_it_is_told(cancelling: SandboxProcess) -> None:
    add(cancelling, "status", status=429, body={"detail": "Slow down."}, headers={"Retry-After": "7"})
    answer = cancel(cancelling)
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (
        429,
        {"detail": "Slow down."},
        "7",
    )
    assert answer.headers["Content-Type"] == "application/json"


def test_status_after_applies_and_answers_a_gateways_page(cancelling: SandboxProcess) -> None:
    add(cancelling, "status_after")
    answer = cancel(cancelling)
    assert (answer.status_code, "<h1>502 Bad Gateway</h1>" in answer.text) == (502, True)
    assert outcome(cancelling) == (502, True, 1)


def test_latency_works_late(cancelling: SandboxProcess) -> None:
    add(cancelling, "latency", seconds=0.2)
    start = time.monotonic()
    assert cancel(cancelling).status_code == 200
    assert time.monotonic() - start >= 0.2
    assert outcome(cancelling) == (200, True, 1)


def wait_for_outcome(sandbox: SandboxProcess, expected: tuple[Any, bool, int]) -> None:
    """Wait until a call, which its client no longer waits for, has come to this."""
    wait_until(lambda: sandbox.calls(call="order_cancel") and outcome(sandbox) == expected)


def test_latency_applies_although_the_client_gave_up(cancelling: SandboxProcess) -> None:
    add(cancelling, "latency", seconds=0.3)
    with pytest.raises(httpx2.ReadTimeout):
        cancel(cancelling, timeout=0.1)
    wait_for_outcome(cancelling, (200, True, 1))


def test_latency_after_has_applied_before_the_client_gives_up(cancelling: SandboxProcess) -> None:
    add(cancelling, "latency", seconds=30, after=True)
    with pytest.raises(httpx2.ReadTimeout):
        cancel(cancelling, timeout=0.2)
    wait_for_outcome(cancelling, (200, True, 1))


def test_hang_never_answers_and_applies_nothing(cancelling: SandboxProcess) -> None:
    add(cancelling, "hang")
    with pytest.raises(httpx2.ReadTimeout):
        cancel(cancelling, timeout=0.2)
    wait_for_outcome(cancelling, ("hung", False, 0))
    assert cancel(cancelling).status_code == 200


def test_hundreds_that_hang_hold_nobody_up(cancelling: SandboxProcess) -> None:
    add(cancelling, "hang", call="order_read", times=-1)
    target = urlsplit(cancelling.base_url)
    assert target.hostname
    assert target.port
    request = f"GET {CHANNEL}/orders/500001/ HTTP/1.1\r\nHost: {target.netloc}\r\n\r\n".encode()
    hanging = [socket.create_connection((target.hostname, target.port)) for _ in range(300)]
    try:
        for connection in hanging:
            connection.sendall(request)
        assert cancel(cancelling).status_code == 200
        assert cancelling.get("orders/")["count"] == 1
    finally:
        for connection in hanging:
            connection.close()


def test_trickle_sends_the_whole_answer_slowly(cancelling: SandboxProcess) -> None:
    add(cancelling, "trickle", seconds=0.3)
    start = time.monotonic()
    answer = cancel(cancelling)
    assert time.monotonic() - start >= 0.28
    assert answer.json() == cancelling.order(NUMBER)
    assert outcome(cancelling) == (200, True, 1)


def test_malformed_applies_and_answers_what_no_parser_takes(cancelling: SandboxProcess) -> None:
    add(cancelling, "malformed")
    answer = cancel(cancelling)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert outcome(cancelling) == (200, True, 1)


def statuses(sandbox: SandboxProcess, times: int) -> list[int]:
    return [sandbox.client.get(f"{CHANNEL}/orders/").status_code for _ in range(times)]


def test_a_fault_strikes_after_skipping_and_as_often_as_it_may(sandbox: SandboxProcess) -> None:
    sandbox.control("faults", {"call": "orders_list", "kind": "status", "skip": 1, "times": 2})
    assert statuses(sandbox, 5) == [200, 502, 502, 200, 200]
    row = sandbox.client.get("/sandbox/faults/").json()["results"][0]
    assert (row["used"], row["left"]) == (2, 0)


def test_faults_strike_in_the_order_they_were_added(sandbox: SandboxProcess) -> None:
    kinds = [
        {"call": call, "kind": "status", "status": status}
        for call, status in (("orders_list", 500), ("*", 503))
    ]
    assert [row["id"] for row in sandbox.control("faults", kinds)] == [1, 2]
    assert statuses(sandbox, 3) == [500, 503, 200]


def test_a_fault_for_ever_ends_when_it_is_cleared(sandbox: SandboxProcess) -> None:
    fault = sandbox.control("faults", {"call": "*", "kind": "status", "status": 500, "times": -1})
    assert statuses(sandbox, 3) == [500, 500, 500]
    answer = sandbox.client.delete("/sandbox/faults/", params={"id": fault["id"]})
    assert answer.json() == {"deleted": 1}
    assert statuses(sandbox, 1) == [200]


def test_a_seed_fails_the_same_calls_again(sandbox: SandboxProcess) -> None:
    fault = {"call": "orders_list", "kind": "status", "times": -1, "probability": 0.5, "seed": 7}
    sandbox.control("faults", fault)
    first = statuses(sandbox, 40)
    assert 8 <= first.count(502) <= 32
    sandbox.client.delete("/sandbox/faults/")
    sandbox.control("faults", fault)
    assert statuses(sandbox, 40) == first


def test_a_fault_strikes_before_the_token_is_looked_at(sandbox: SandboxProcess) -> None:
    sandbox.control("expire_tokens", {})
    sandbox.control("faults", {"call": "login", "kind": "status", "status": 502})
    answer = sandbox.client.post("/api/v1/auth/login/", json={"username": "aftercart", "password": "sandbox"})
    assert answer.status_code == 502


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"call": "orders", "kind": "hang"}, "call"),
        ({"call": "unknown", "kind": "hang"}, "call"),
        ({"kind": "explode"}, "kind"),
        ({}, "kind"),
        ({"kind": "hang", "colour": "blue"}, "colour"),
        ({"kind": "hang", "times": "often"}, "times"),
        ({"kind": "hang", "times": True}, "times"),
        ({"kind": "hang", "times": -2}, "non_field_errors"),
        ({"kind": "status", "status": 99}, "non_field_errors"),
        ({"kind": "hang", "probability": 1.5}, "probability"),
        ({"kind": "latency", "seconds": -1}, "seconds"),
        (["hang"], "non_field_errors"),
    ],
)
def test_an_unknown_fault_is_refused(sandbox: SandboxProcess, fault: Any, field: str) -> None:
    answer = sandbox.client.post("/sandbox/faults/", json=fault)
    assert (answer.status_code, list(answer.json())) == (400, [field, "code"])
    assert sandbox.client.get("/sandbox/faults/").json()["count"] == 0


def test_parallel_cancellations_of_one_item_are_accepted_once(cancelling: SandboxProcess) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: cancel(cancelling).status_code, range(16)))
    assert sorted(answers) == [200] + [406] * 15
    assert cancelling.ledger(NUMBER)[0]["cancels_accepted"] == 1
