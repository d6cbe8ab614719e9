import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup

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


def read_cpu_seconds(pid: int) -> float:
    """Read the processor's time of a process: a busy machine takes longer, but no more of it."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        pytest.skip("NO /proc: the time of the sandbox's process was not measured")
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_five_hundred_orders_load_in_two_seconds(sandbox: SandboxProcess) -> None:
    orders = [order_document(key) for key in range(1, 501)]
    before = read_cpu_seconds(sandbox.process.pid)
    assert sandbox.load(*orders) == {"loaded": 500, "replaced": 0, "kept": 0, "items": 1000}
    assert read_cpu_seconds(sandbox.process.pid) - before < 2


def test_loading_again_keeps_what_is_there(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    sandbox.cancel(NUMBER, {FIRST: 1})
    again = sandbox.load(order_document(17, amount="1.00"))
    assert again == {"loaded": 0, "replaced": 0, "kept": 1, "items": 0}
    assert (sandbox.order(NUMBER)["amount"], sandbox.items(NUMBER)[0]["status"]) == ("109.70", "50")


def test_replacing_keeps_the_keys_and_counts_as_a_change(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    shipped = order_document(
        17, item_document(172, status="500"), item_document(173, status="500"), status="500"
    )
    counts = sandbox.load(shipped, replace=True)
    assert counts == {"loaded": 0, "replaced": 1, "kept": 0, "items": 2}
    assert sandbox.get("orders/updates/")["results"][0]["status"] == "500"
    assert [(item["pk"], item["status"]) for item in sandbox.items(NUMBER)] == [
        (SECOND, "500"),
        (700003, "500"),
    ]
    assert (
        sandbox.get("integration_actions/", content_type_name="orderitem", remote_id__exact=171)["count"] == 0
    )


def test_split_units_splits_every_line(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17, item_document(171, quantity=2), item_document(172)), split_units=True)
    assert [item["quantity"] for item in sandbox.items(NUMBER)] == [1, 1, 1]
    assert [(row["remote_id"], row["unit"]) for row in sandbox.ledger(NUMBER)] == [
        ("171", 1),
        ("171", 2),
        ("172", 1),
    ]


@pytest.mark.parametrize(
    ("order", "place"),
    [
        ({"number": "N"}, "orders[0].id"),
        ({"id": 1}, "orders[0].number"),
        (order_document(17, status="401"), "orders[0].status"),
        (order_document(17, {"id": 1}), "orders[0].orderitem_set[0].price"),
        (order_document(17, item_document(1, quantity=0)), "orders[0].orderitem_set[0].quantity"),
        (
            order_document(17, item_document(1, product={"pk": 10**30})),
            "orders[0].orderitem_set[0].product",
        ),
        (order_document(17, item_document(1, product={"sku": []})), "orders[0].orderitem_set[0].product"),
        (order_document(17, cancel_status=[]), "orders[0].cancel_status"),
        (order_document(17, sandbox={"sold_out": True}), "orders[0].sandbox"),
        (order_document(17, created_date="soon"), "orders[0].created_date"),
        ("order", "orders[0].non_field_errors"),
    ],
)
def test_a_malformed_document_is_named_and_nothing_is_loaded(
    sandbox: SandboxProcess, order: Any, place: str
) -> None:
    answer = sandbox.client.post("/sandbox/orders/", json={"channel_id": 1, "orders": [order]})
    assert (answer.status_code, list(answer.json())) == (400, [place, "code"])
    assert sandbox.client.get("/sandbox/health/").json()["orders"] == 0


@pytest.mark.parametrize("status", ["400", "approved", {"value": "400", "label": "Approved"}])
def test_a_status_may_be_a_number_a_name_or_a_choice(sandbox: SandboxProcess, status: Any) -> None:
    sandbox.load(order_document(17, item_document(171) | {"status": status}) | {"status": status})
    assert (sandbox.order(NUMBER)["status"], sandbox.items(NUMBER)[0]["status"]) == ("400", "400")


@pytest.mark.parametrize(
    ("target", "decided"),
    [
        ({"all": True}, {"items": [FIRST, SECOND], "requests": [300001]}),
        ({"order": NUMBER}, {"items": [FIRST, SECOND], "requests": []}),
        ({"item": SECOND}, {"items": [SECOND], "requests": []}),
        ({"remote_item": "172"}, {"items": [SECOND], "requests": []}),
        ({"request": 300001}, {"items": [], "requests": [300001]}),
        ({"item": 700003}, {"items": [], "requests": [300001]}),
    ],
)
def test_a_decision_reaches_exactly_what_it_names(
    sandbox: SandboxProcess, target: dict[str, Any], decided: dict[str, list[int]]
) -> None:
    sandbox.load(order_document(17), order_document(18))
    sandbox.cancel(NUMBER, {FIRST: 1, SECOND: 1})
    request = {"order_item": 700003, "reason": 1, "cancellation_type": "cancel"}
    sandbox.post("cancellation_requests/", request)
    assert sandbox.control("decide", {"decision": "approve", **target}) == decided
    pending = sandbox.client.get("/sandbox/decide/").json()
    assert [row["pk"] for row in pending["items"]] == [
        pk for pk in (FIRST, SECOND) if pk not in decided["items"]
    ]
    assert len(pending["requests"]) == 1 - len(decided["requests"])
    assert sandbox.control("decide", {"decision": "approve", **target}) == {"items": [], "requests": []}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"decision": "perhaps", "all": True}, 400),
        ({"decision": "approve"}, 400),
        ({"decision": "approve", "all": True, "item": 1}, 400),
        ({"decision": "approve", "order": "N"}, 404),
        ({"decision": "approve", "item": 1}, 404),
        ({"decision": "approve", "request": 1}, 404),
        ({"auto": {"after_seconds": "soon"}}, 400),
        ({"auto": {"decision": "confirm"}}, 400),
    ],
)
def test_an_unclear_decision_is_refused(sandbox: SandboxProcess, body: dict[str, Any], status: int) -> None:
    assert sandbox.client.post("/sandbox/decide/", json=body).status_code == status


def wait_for_status(sandbox: SandboxProcess, status: str) -> None:
    deadline = time.monotonic() + 60
    while sandbox.items(NUMBER)[0]["status"] != status:
        assert time.monotonic() < deadline, f"the item never became {status}"
        time.sleep(0.02)


def test_it_can_decide_by_itself_after_a_while(sandbox: SandboxProcess) -> None:
    auto = {"after_seconds": 3600, "decision": "reject"}
    assert sandbox.control("decide", {"auto": auto}) == {"auto": auto}
    sandbox.load(order_document(17))
    sandbox.cancel(NUMBER, {FIRST: 1})
    sandbox.control("clock", {"offset_seconds": 3601})
    wait_for_status(sandbox, "400")
    assert sandbox.items(NUMBER)[0]["cancel_status"] == "rejected"
    assert sandbox.control("decide", {"auto": None}) == {"auto": None}


def test_the_ledger_keeps_both_of_two_cancellations(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    for decision in ("reject", "approve"):
        sandbox.cancel(NUMBER, {FIRST: 1})
        sandbox.control("decide", {"decision": decision, "all": True})
    assert sandbox.ledger(NUMBER)[0] == {
        "order_number": NUMBER,
        "order_pk": 500001,
        "item_pk": FIRST,
        "remote_id": "171",
        "unit": 1,
        "cancels_accepted": 2,
        "cancels_rejected": 1,
        "requests_accepted": 0,
        "requests_rejected": 0,
        "cancelled": 1,
        "refunded_amount": "49.90",
    }
    sandbox.load(order_document(17), replace=True)
    assert sandbox.ledger(NUMBER)[0]["cancels_accepted"] == 2


def test_shipping_moves_the_open_items_only(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    sandbox.cancel(NUMBER, {FIRST: 1})
    assert sandbox.control("status", {"order": NUMBER, "status": "shipped"}) == {
        "order": 500001,
        "items": [SECOND],
    }
    assert sandbox.order(NUMBER)["status"] == "500"
    assert [item["status"] for item in sandbox.items(NUMBER)] == ["50", "500"]


def test_every_call_is_logged_in_order(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    sandbox.cancel(NUMBER, {FIRST: 1})
    sandbox.client.get("/api/v1/nowhere/")
    calls = sandbox.calls()
    assert [
        (call["n"], call["call"], call["method"], call["answered"], call["applied"]) for call in calls
    ] == [
        (1, "login", "POST", 200, True),
        (2, "orders_list", "GET", 200, False),
        (3, "order_cancel", "POST", 200, True),
        (4, "unknown", "GET", 404, False),
    ]
    assert calls[1]["query"] == {"number": NUMBER}
    assert calls[2]["body"]["reasons"] == {str(FIRST): 1}
    assert calls[2]["path"] == "/api/v1/channel/1/orders/500001/cancel/"
    assert [call["n"] for call in sandbox.calls(order=NUMBER)] == [2, 3]
    assert [call["n"] for call in sandbox.calls(order=500001, call="order_cancel")] == [3]
    assert [call["n"] for call in sandbox.calls(after=2)] == [3, 4]
    assert [call["n"] for call in sandbox.calls(limit=2)] == [3, 4]


def test_a_reset_forgets_everything(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    sandbox.cancel(NUMBER, {FIRST: 1})
    sandbox.control("faults", {"kind": "hang"})
    sandbox.control("clock", {"offset_seconds": 99})
    assert sandbox.control("reset", {}) == {"status": "ok", "orders": 0}
    health = sandbox.client.get("/sandbox/health/").json()
    del health["now"]
    assert health == {
        "status": "ok",
        "offset_seconds": 0.0,
        "orders": 0,
        "calls": 0,
        "faults": 0,
        "pending": 0,
    }
    assert sandbox.client.get("/sandbox/ledger/").json() == {"count": 0, "results": []}
    assert sandbox.client.get("/api/v1/active_user/").status_code == 200


def test_a_reset_can_keep_the_orders_as_they_were_loaded(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    before = sandbox.order(NUMBER), sandbox.items(NUMBER)
    sandbox.cancel(NUMBER, {FIRST: 1})
    sandbox.post("cancellation_requests/", {"order_item": SECOND, "reason": 1, "cancellation_type": "cancel"})
    assert sandbox.control("reset", {"keep_orders": True}) == {"status": "ok", "orders": 1}
    assert (sandbox.order(NUMBER), sandbox.items(NUMBER)) == before
    assert sandbox.ledger(NUMBER)[0]["cancels_accepted"] == 0
    assert sandbox.get("cancellation_requests/")["count"] == 0


def test_the_clock_shows_in_every_date(sandbox: SandboxProcess) -> None:
    now = sandbox.control("clock", {"offset_seconds": -86_400 * 365 * 30})["now"]
    sandbox.load(order_document(17))
    sandbox.cancel(NUMBER, {FIRST: 1})
    assert sandbox.order(NUMBER)["modified_date"][:10] == now[:10]
    assert sandbox.client.post("/sandbox/clock/", json={"offset_seconds": "x"}).status_code == 400


def page(sandbox: SandboxProcess, message: str = "") -> BeautifulSoup:
    answer = sandbox.client.get("/sandbox/", params={"message": message})
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    return BeautifulSoup(answer.text, "html.parser")


def test_the_page_decides_with_plain_forms(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    assert "Nothing waits." in page(sandbox).get_text()
    sandbox.cancel(NUMBER, {FIRST: 1})
    row = page(sandbox).select("tr:has(form)")[0]
    assert [cell.get_text() for cell in row.select("td")[:3]] == [
        NUMBER,
        "cancel of 1 \N{MULTIPLICATION SIGN} Linen shirt",
        "waiting",
    ]
    form = {str(field["name"]): str(field.get("value", "")) for field in row.select("input")}
    answer = sandbox.client.post("/sandbox/decide/", data=form | {"decision": "approve"})
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/sandbox/")
    assert sandbox.items(NUMBER)[0]["status"] == "100"
    assert "Nothing waits." in page(sandbox).get_text()


def test_the_page_adds_and_clears_faults(sandbox: SandboxProcess) -> None:
    fault = {
        "call": "order_read",
        "kind": "status",
        "times": "2",
        "skip": "0",
        "seconds": "1.5",
        "status": "503",
    }
    assert sandbox.client.post("/sandbox/faults/", data=fault).status_code == 303
    row = sandbox.client.get("/sandbox/faults/").json()["results"][0]
    assert (row["kind"], row["times"], row["seconds"], row["status"]) == ("status", 2, 1.5, 503)
    assert "order_read" in [cell.get_text() for cell in page(sandbox).select("td")]
    assert sandbox.client.post("/sandbox/faults/", data={"delete": "1"}).status_code == 303
    assert sandbox.client.get("/sandbox/faults/").json()["count"] == 0


def test_what_curl_calls_a_form_is_read_as_the_json_it_is(sandbox: SandboxProcess) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = sandbox.client.post("/sandbox/faults/", content=b'{"kind": "drop_after"}', headers=headers)
    assert (answer.status_code, answer.json()["kind"]) == (201, "drop_after")


def test_the_page_sets_and_ends_automatic_decisions(sandbox: SandboxProcess) -> None:
    form = {"auto": "1", "after_seconds": "60", "decision": "reject"}
    for seconds, auto in (("60", {"after_seconds": 60.0, "decision": "reject"}), ("", None)):
        assert (
            sandbox.client.post("/sandbox/decide/", data=form | {"after_seconds": seconds}).status_code == 303
        )
        assert sandbox.client.get("/sandbox/decide/").json()["auto"] == auto


def test_the_page_tells_what_it_did_not_do(sandbox: SandboxProcess) -> None:
    answer = sandbox.client.post("/sandbox/faults/", data={"kind": "status", "times": "often"})
    assert answer.status_code == 303
    (message,) = parse_qs(urlsplit(answer.headers["Location"]).query)["message"]
    assert message.startswith("Not done (400):")


def test_the_page_escapes_what_clients_send(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17, number="<b>17</b>"))
    sandbox.post(
        "cancellation_requests/",
        {
            "order_item": FIRST,
            "reason": 1,
            "cancellation_type": "cancel",
            "description": "<script>alert(1)</script>",
        },
    )
    sandbox.client.get("/api/v1/<i>/")
    shown = page(sandbox, "<u>done</u>")
    assert not shown.select("script, b, i, u")
    assert "<script>alert(1)</script>" in shown.get_text()
    assert "<u>done</u>" in shown.get_text()


def test_the_page_asks_no_other_host_for_anything(sandbox: SandboxProcess) -> None:
    shown = page(sandbox)
    targets = [
        tag.get("src") or tag.get("href") or tag.get("action")
        for tag in shown.select("[src], [href], [action]")
    ]
    assert all(str(target).startswith(("/sandbox/", "#", "data:")) for target in targets)


def test_the_root_leads_to_the_page(sandbox: SandboxProcess) -> None:
    answer = sandbox.client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sandbox/")


def test_another_sites_page_can_not_work_the_controls(sandbox: SandboxProcess) -> None:
    for origin in ("https://example.com", "null"):
        answer = sandbox.client.post("/sandbox/reset/", json={}, headers={"Origin": origin})
        assert answer.status_code == 403
    answer = sandbox.client.post("/sandbox/reset/", json={}, headers={"Origin": sandbox.base_url})
    assert answer.status_code == 200


def test_an_unknown_control_or_method_is_json_too(sandbox: SandboxProcess) -> None:
    assert sandbox.client.get("/sandbox/nothing/").json() == {"detail": "Not found.", "code": "not_found"}
    answer = sandbox.client.get("/sandbox/reset/")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
