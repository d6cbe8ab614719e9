from collections.abc import Iterator
from typing import Any

import pytest

from tests.remote.sandbox_process import SandboxProcess, item_document, order_document, running

NUMBER = "ORD-2024-000017"
FIRST, SECOND = 700001, 700002


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running(tmp_path_factory.mktemp("sandbox") / "omnitron.sqlite3") as server:
        yield server


@pytest.fixture
def sandbox(process: SandboxProcess) -> SandboxProcess:
    process.control("reset", {})
    return process.log_in()


def body(**fields: Any) -> dict[str, Any]:
    return {
        "order_item": FIRST,
        "reason": 5,
        "remote_id": 900,
        "description": "Moving abroad",
        "cancellation_type": "cancel",
        "quantity": 1,
        "iban": None,
        "holder_name": None,
        "fully_refund_as_loyalty_money": False,
    } | fields


def test_a_request_is_made_waiting_and_mapped_to_our_id(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    answer = sandbox.post("cancellation_requests/", body())
    request = answer.json()
    wanted = body(remote_id="900") | {"pk": 300001, "id": 300001, "status": "waiting", "easy_return": None}
    assert answer.status_code == 201
    assert {name: request[name] for name in wanted} == wanted
    assert request["created_date"] == request["modified_date"]
    query = {"content_type_name": "cancellationrequest", "remote_id__exact": 900}
    assert [row["object_id"] for row in sandbox.get("integration_actions/", **query)["results"]] == [300001]
    assert sandbox.get("cancellation_requests/300001/") == request
    assert sandbox.items(NUMBER)[0]["status"] == "400"


def test_an_open_request_forbids_a_second_for_the_same_item(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    sandbox.post("cancellation_requests/", body())
    for again in (body(), body(remote_id=901)):
        answer = sandbox.post("cancellation_requests/", again)
        message = "There is already an open cancellation request for this order item."
        assert answer.status_code == 406
        assert answer.json() == {"non_field_errors": message, "code": "cancellation_request_100_1"}
    assert sandbox.get("cancellation_requests/")["count"] == 1
    assert [row["requests_accepted"] for row in sandbox.ledger(NUMBER)] == [1, 0]


def test_a_waiting_cancellation_forbids_a_request(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    sandbox.cancel(NUMBER, {FIRST: 1})
    assert sandbox.post("cancellation_requests/", body()).json()["code"] == "cancellation_request_100_1"


def test_nothing_is_idempotent_about_a_remote_id(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    assert sandbox.post("cancellation_requests/", body()).json()["pk"] == 300001
    assert sandbox.post("cancellation_requests/", body(order_item=SECOND)).json()["pk"] == 300002
    sandbox.control("decide", {"decision": "reject", "request": 300001})
    assert sandbox.post("cancellation_requests/", body()).json()["pk"] == 300003
    assert sandbox.get("cancellation_requests/", remote_id__exact=900)["count"] == 3


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [("550", "cancel", 5), ("400", "refund", 6), ("100", "cancel", 5), ("600", "refund", 6)],
)
def test_a_status_that_does_not_allow_it_is_refused(
    sandbox: SandboxProcess, status: str, kind: str, reason: int
) -> None:
    sandbox.load(order_document(17, status=status))
    answer = sandbox.post("cancellation_requests/", body(cancellation_type=kind, reason=reason))
    assert (answer.status_code, answer.json()["code"]) == (406, "cancellation_request_100_2")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"order_item": None}, {"order_item": ["This field is required."], "code": "required"}),
        (
            {"order_item": 9},
            {"order_item": ['Invalid pk "9" - object does not exist.'], "code": "does_not_exist"},
        ),
        ({"reason": 99}, {"reason": ['Invalid pk "99" - object does not exist.'], "code": "does_not_exist"}),
        ({"reason": 6}, {"reason": ["The reason is not of this cancellation type."], "code": "invalid"}),
        (
            {"cancellation_type": "swap"},
            {"cancellation_type": ['"swap" is not a valid choice.'], "code": "invalid_choice"},
        ),
        ({"quantity": 3}, {"quantity": ["Ensure this value is between 1 and 2."], "code": "invalid"}),
        ({"quantity": 0}, {"quantity": ["Ensure this value is between 1 and 2."], "code": "invalid"}),
        ({"description": 7}, {"description": ["Not a valid string."], "code": "invalid"}),
        ({"iban": "TR33"}, {"holder_name": ["iban and holder_name go together."], "code": "invalid"}),
        ({"remote_id": []}, {"remote_id": ["Not a valid string."], "code": "invalid"}),
        (
            {"fully_refund_as_loyalty_money": "maybe"},
            {"fully_refund_as_loyalty_money": ["Must be a valid boolean."], "code": "invalid"},
        ),
    ],
)
def test_a_malformed_request_names_its_field(
    sandbox: SandboxProcess, fields: dict[str, Any], error: dict[str, Any]
) -> None:
    sandbox.load(order_document(17, item_document(171, quantity=2)))
    answer = sandbox.post("cancellation_requests/", body(**fields))
    assert (answer.status_code, answer.json()) == (400, error)
    assert sandbox.get("cancellation_requests/")["count"] == 0


def test_an_approved_request_is_completed_and_its_item_canceled(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    sandbox.post("cancellation_requests/", body())
    sandbox.control("decide", {"decision": "confirm", "request": 300001})
    assert sandbox.get("cancellation_requests/300001/")["status"] == "confirmed"
    decided = sandbox.control("decide", {"decision": "approve", "item": FIRST})
    assert decided == {"items": [], "requests": [300001]}
    request = sandbox.get("cancellation_requests/300001/")
    assert (request["status"], request["refund_amount"]) == ("completed", "49.90")
    item = sandbox.items(NUMBER)[0]
    assert (item["status"], item["cancel_status"], item["refund_amount"]) == ("100", "approved", "49.90")
    assert sandbox.order(NUMBER)["refund_amount"] == "49.90"
    assert [(row["cancelled"], row["refunded_amount"]) for row in sandbox.ledger(NUMBER)] == [
        (1, "49.90"),
        (0, "0.00"),
    ]


def test_part_of_a_line_can_be_requested_and_the_rest_later(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17, item_document(171, quantity=3)))
    sandbox.post("cancellation_requests/", body(quantity=2))
    sandbox.control("decide", {"decision": "approve", "all": True})
    item = sandbox.items(NUMBER)[0]
    assert (item["status"], item["cancelled_quantity"], item["refund_amount"]) == ("400", 2, "99.80")
    assert sandbox.post("cancellation_requests/", body(quantity=None)).json()["quantity"] == 1
    sandbox.control("decide", {"decision": "approve", "all": True})
    assert sandbox.items(NUMBER)[0]["status"] == "100"
    assert [(row["unit"], row["cancelled"]) for row in sandbox.ledger(NUMBER)] == [(1, 1), (2, 1), (3, 1)]


def test_a_rejection_keeps_its_reason_and_leaves_the_item_alone(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    sandbox.post("cancellation_requests/", body())
    answer = sandbox.post("cancellation_requests/300001/reject/", {"reject_reason": "On its way."})
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["reject_reason"]) == ("rejected", "On its way.")
    item = sandbox.items(NUMBER)[0]
    assert (item["status"], item["cancel_status"], item["refund_amount"]) == ("400", "rejected", "0.00")
    again = sandbox.post("cancellation_requests/300001/reject/", {})
    assert (again.status_code, again.json()["code"]) == (406, "cancellation_request_100_3")


def test_updates_list_the_decided_requests_oldest_first(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    for remote_id, item in ((900, FIRST), (901, SECOND)):
        sandbox.post("cancellation_requests/", body(remote_id=remote_id, order_item=item))
    assert sandbox.get("cancellation_requests/updates/")["count"] == 0
    for pk in (300002, 300001):
        sandbox.control("decide", {"decision": "approve", "request": pk})
    rows = sandbox.get("cancellation_requests/updates/")["results"]
    assert [row["pk"] for row in rows] == [300002, 300001]
    since = {"modified_date__gt": rows[0]["modified_date"]}
    assert [row["pk"] for row in sandbox.get("cancellation_requests/updates/", **since)["results"]] == [
        300001
    ]
    assert sandbox.get("cancellation_requests/", status="completed")["count"] == 2
    assert sandbox.get("cancellation_requests/", status="waiting")["count"] == 0


def test_a_return_that_names_a_carrier_gets_a_code(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17, status="550"))
    refund = body(cancellation_type="refund", reason=6, shipping_company=3)
    answer = sandbox.post("cancellation_requests/", refund)
    easy_return = answer.json()["easy_return"]
    assert (easy_return["code"], easy_return["shipping_company"]) == ("ER300001", 3)
    assert easy_return["valid_until"] > answer.json()["created_date"]
    sandbox.control("decide", {"decision": "approve", "remote_item": 171})
    assert sandbox.items(NUMBER)[0]["status"] == "600"
