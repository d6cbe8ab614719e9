from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.remote.sandbox_process import CHANNEL, SandboxProcess, item_document, order_document, running

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


def states(sandbox: SandboxProcess) -> list[tuple[str, str | None]]:
    """Return status and cancel_status of the order and of each item."""
    return [(row["status"], row["cancel_status"]) for row in (sandbox.order(NUMBER), *sandbox.items(NUMBER))]


def assert_refused(
    sandbox: SandboxProcess, answer: httpx2.Response, code: str, message: str | list[str]
) -> None:
    """Assert the 406, and that the last call is logged as answered so and not applied."""
    assert (answer.status_code, answer.json()) == (406, {"non_field_errors": message, "code": code})
    logged = sandbox.calls(call="order_cancel")[-1]
    assert (logged["answered"], logged["applied"]) == (406, False)


def test_a_cancelled_item_waits_and_so_does_its_order(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    answer = sandbox.cancel(NUMBER, {FIRST: 1})
    assert answer.status_code == 200
    assert answer.json() == sandbox.order(NUMBER)
    assert states(sandbox) == [("400", "waiting"), ("50", "waiting"), ("400", None)]
    assert [row["pk"] for row in sandbox.get("orders/updates/")["results"]] == [500001]
    assert sandbox.get("orders/updates/", modified_date__gt=answer.json()["modified_date"])["count"] == 0


def test_an_order_is_waiting_once_all_its_items_are(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    assert sandbox.cancel(NUMBER, {FIRST: 1}).status_code == 200
    assert sandbox.cancel(NUMBER, {SECOND: 5}).json()["status"] == "50"
    assert states(sandbox) == [("50", "waiting"), ("50", "waiting"), ("50", "waiting")]


def test_a_return_names_its_carriers_or_is_refused(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17, status="550"))
    for companies, complaint in (
        (["yurtici"], "Expected a dictionary of items."),
        ({str(FIRST): None}, "Not a shipping company."),
        ({str(FIRST): True}, "Not a shipping company."),
        ({str(FIRST): " "}, "Not a shipping company."),
    ):
        answer = sandbox.cancel(NUMBER, {FIRST: 6}, shipping_companies=companies)
        assert (answer.status_code, answer.json()["shipping_companies"]) == (400, [complaint])
    assert sandbox.items(NUMBER)[0]["easy_return"] is None


def test_is_all_takes_every_item(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    answer = sandbox.cancel(NUMBER, {}, is_all=True, reasons={str(FIRST): 1, str(SECOND): 1})
    assert (answer.status_code, answer.json()["status"]) == (200, "50")


def test_the_body_of_the_vendors_own_integration_is_enough(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    body = {"cancel_items": [FIRST], "order": 500001, "reasons": {FIRST: 1}, "forced_refund_amount": None}
    assert sandbox.post("orders/500001/cancel/", body).status_code == 200


def test_a_second_cancellation_of_an_item_is_refused(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    sandbox.cancel(NUMBER, {FIRST: 1})
    before = states(sandbox), sandbox.ledger(NUMBER)
    refused = sandbox.cancel(NUMBER, {FIRST: 1, SECOND: 1})
    message = "A cancellation of this order item is already waiting."
    assert_refused(sandbox, refused, "order_cancel_100_1", message)
    assert (states(sandbox), sandbox.ledger(NUMBER)) == before


def test_an_open_request_stands_in_the_way_too(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    body = {"order_item": FIRST, "reason": 1, "cancellation_type": "cancel", "remote_id": 1}
    assert sandbox.post("cancellation_requests/", body).status_code == 201
    assert sandbox.cancel(NUMBER, {FIRST: 1}).json()["code"] == "order_cancel_100_1"
    assert states(sandbox) == [("400", None), ("400", None), ("400", None)]


@pytest.mark.parametrize(
    ("status", "reason"),
    [("500", 1), ("550", 1), ("400", 6), ("200", 6), ("100", 1), ("600", 6), ("100", 6), ("600", 1)],
)
def test_a_status_that_does_not_allow_it_is_refused(
    sandbox: SandboxProcess, status: str, reason: int
) -> None:
    sandbox.load(order_document(17, status=status))
    refused = sandbox.cancel(NUMBER, {FIRST: reason})
    message = ["The status of the order item does not allow this cancellation."]
    assert_refused(sandbox, refused, "order_cancel_100_2", message)
    assert states(sandbox)[1] == (status, None)


def test_is_all_of_a_closed_order_is_refused(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17, status="100"))
    assert sandbox.cancel(NUMBER, {}, is_all=True).json()["code"] == "order_cancel_100_2"


MIXED = order_document(17, item_document(171, status="400"), item_document(172, status="550"))
EVEN_MIXED_ON_DELIVERY = order_document(
    17, item_document(171, status="400"), item_document(172, status="450")
)
CASES: list[tuple[dict[str, Any], dict[int, int], dict[str, Any], str, str | list[str]]] = [
    (
        MIXED,
        {FIRST: 1, SECOND: 6},
        {},
        "order_cancel_100_3",
        "Cancel and refund can not be made in the same cancellation.",
    ),
    (
        order_document(17),
        {FIRST: 1},
        {"is_all": True},
        "order_cancel_100_4",
        ["is_all and cancel_items are overlapping parameters."],
    ),
    (
        order_document(17),
        {FIRST: 1},
        {"reasons": {str(SECOND): 1}},
        "order_cancel_100_5",
        "Every order item to cancel needs a reason.",
    ),
    (
        order_document(17, sandbox={"no_purchase_transaction": True}),
        {FIRST: 1},
        {},
        "order_cancel_100_6",
        ["The order has no purchase transaction."],
    ),
    (
        order_document(17, sandbox={"nothing_refundable": True}),
        {FIRST: 1},
        {},
        "order_cancel_100_7",
        "There is no refundable amount left.",
    ),
    (
        order_document(17, item_document(171, price="0.00")),
        {FIRST: 1},
        {},
        "order_cancel_100_7",
        "There is no refundable amount left.",
    ),
    (
        EVEN_MIXED_ON_DELIVERY | {"sandbox": {"pay_on_delivery": True}},
        {FIRST: 1, SECOND: 1},
        {},
        "order_cancel_100_8",
        ["Items of a pay on delivery order must have the same status to be cancelled together."],
    ),
    (
        EVEN_MIXED_ON_DELIVERY
        | {"payment_option": {"payment_type": {"value": "pay_on_delivery", "label": "…"}}},
        {FIRST: 1, SECOND: 1},
        {},
        "order_cancel_100_8",
        ["Items of a pay on delivery order must have the same status to be cancelled together."],
    ),
]


@pytest.mark.parametrize(("order", "reasons", "fields", "code", "message"), CASES)
def test_each_named_refusal_changes_nothing(
    sandbox: SandboxProcess,
    order: dict[str, Any],
    reasons: dict[int, int],
    fields: dict[str, Any],
    code: str,
    message: str | list[str],
) -> None:
    sandbox.load(order)
    before = states(sandbox), sandbox.ledger(NUMBER)
    assert_refused(sandbox, sandbox.cancel(NUMBER, reasons, **fields), code, message)
    assert (states(sandbox), sandbox.ledger(NUMBER)) == before


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"cancel_items": None}, {"cancel_items": ["This field is required."], "code": "required"}),
        ({"cancel_items": []}, {"cancel_items": ["This list may not be empty."], "code": "empty"}),
        (
            {"cancel_items": 700001},
            {"cancel_items": ["Expected a list of items but got another type."], "code": "not_a_list"},
        ),
        ({"cancel_items": ["x"]}, {"cancel_items": ["A valid integer is required."], "code": "invalid"}),
        (
            {"cancel_items": [9]},
            {"cancel_items": ['Invalid pk "9" - object does not exist.'], "code": "does_not_exist"},
        ),
        (
            {"cancel_items": [FIRST, FIRST]},
            {"cancel_items": ["An order item may not stand here twice."], "code": "invalid"},
        ),
        ({"order": 1}, {"order": ["The order is not the one in the address."], "code": "invalid"}),
        ({"is_all": "perhaps"}, {"is_all": ["Must be a valid boolean."], "code": "invalid"}),
        ({"reasons": [1]}, {"reasons": ["Expected a dictionary of items."], "code": "not_a_dict"}),
        (
            {"reasons": {str(FIRST): 99}},
            {"reasons": ['Invalid pk "99" - object does not exist.'], "code": "does_not_exist"},
        ),
        (
            {"forced_refund_amount": "much"},
            {"forced_refund_amount": ["A valid number is required."], "code": "invalid"},
        ),
        (
            {"forced_refund_amount": "49.91"},
            {"forced_refund_amount": ["Ensure this value is between 0.00 and 49.90."], "code": "invalid"},
        ),
    ],
)
def test_a_malformed_body_names_its_field(
    sandbox: SandboxProcess, fields: dict[str, Any], error: dict[str, Any]
) -> None:
    sandbox.load(order_document(17))
    answer = sandbox.cancel(NUMBER, {FIRST: 1}, **fields)
    assert (answer.status_code, answer.json()) == (400, error)
    assert states(sandbox) == [("400", None), ("400", None), ("400", None)]


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[1]", b'"text"', b"NaN", b'{"order": "\\ud800"}', b"[" * 99_999]
)
def test_a_body_that_is_no_json_object_is_400(sandbox: SandboxProcess, body: bytes) -> None:
    sandbox.load(order_document(17))
    answer = sandbox.client.post(f"{CHANNEL}/orders/500001/cancel/", content=body)
    assert answer.status_code == 400
    assert sandbox.calls(limit=1)[0]["answered"] == 400


def test_an_unknown_order_is_404(sandbox: SandboxProcess) -> None:
    answer = sandbox.post("orders/500001/cancel/", {})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found.", "code": "not_found"})


def test_an_approved_cancellation_is_canceled_and_refunded(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    sandbox.cancel(NUMBER, {FIRST: 1})
    decided = sandbox.control("decide", {"decision": "approve", "order": NUMBER})
    assert decided == {"items": [FIRST], "requests": []}
    assert states(sandbox) == [("400", "approved"), ("100", "approved"), ("400", None)]
    assert sandbox.items(NUMBER)[0]["refund_amount"] == "49.90"
    assert sandbox.order(NUMBER)["refund_amount"] == "49.90"
    assert sandbox.cancel(NUMBER, {FIRST: 1}).json()["code"] == "order_cancel_100_2"


def test_a_refund_of_everything_ends_as_refunded_with_its_shipping(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17, status="550"))
    sandbox.cancel(NUMBER, {FIRST: 6, SECOND: 7}, is_cargo_refund=True)
    assert sandbox.order(NUMBER)["shipping_refund_amount"] == "0.00"
    sandbox.control("decide", {"decision": "approve", "all": True})
    assert states(sandbox) == [("600", "approved"), ("600", "approved"), ("600", "approved")]
    order = sandbox.order(NUMBER)
    assert (order["refund_amount"], order["shipping_refund_amount"]) == ("109.70", "9.90")


def test_a_rejected_cancellation_goes_back_and_may_be_asked_again(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17, status="450"))
    sandbox.cancel(NUMBER, {FIRST: 1, SECOND: 1})
    sandbox.control("decide", {"decision": "reject", "remote_item": 171, "reason": "Already packed."})
    assert states(sandbox) == [("450", "waiting"), ("450", "rejected"), ("50", "waiting")]
    assert sandbox.cancel(NUMBER, {FIRST: 1}).status_code == 200
    assert [row["cancels_accepted"] for row in sandbox.ledger(NUMBER)] == [2, 1]


def test_a_merged_line_is_cancelled_whole(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17, item_document(171, quantity=3)))
    assert sandbox.cancel(NUMBER, {FIRST: 1}).status_code == 200
    sandbox.control("decide", {"decision": "approve", "item": FIRST})
    assert sandbox.items(NUMBER)[0]["refund_amount"] == "149.70"
    assert [
        (row["unit"], row["cancels_accepted"], row["refunded_amount"]) for row in sandbox.ledger(NUMBER)
    ] == [
        (1, 1, "49.90"),
        (2, 1, "49.90"),
        (3, 1, "49.90"),
    ]


def test_a_forced_refund_is_shared_to_the_cent(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17, *(item_document(key) for key in (171, 172, 173))))
    sandbox.cancel(NUMBER, {FIRST: 1, SECOND: 1, 700003: 1}, forced_refund_amount="100.00")
    sandbox.control("decide", {"decision": "approve", "all": True})
    assert [item["refund_amount"] for item in sandbox.items(NUMBER)] == ["33.33", "33.34", "33.33"]
    assert sandbox.order(NUMBER)["refund_amount"] == "100.00"


def test_an_item_that_is_loaded_as_waiting_can_be_decided(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17, item_document(171, status="50"), item_document(172)))
    assert states(sandbox) == [("400", "waiting"), ("50", "waiting"), ("400", None)]
    sandbox.control("decide", {"decision": "reject", "all": True})
    assert states(sandbox) == [("400", "rejected"), ("400", "rejected"), ("400", None)]
