from collections.abc import Iterator
from typing import Any

import pytest

from tests.remote.sandbox_process import CHANNEL, SandboxProcess, order_document, running

NUMBER = "ORD-2024-000017"
ADDRESS: dict[str, Any] = {
    "pk": 8,
    "first_name": "Ada",
    "last_name": "Aslan",
    "email": "ada@example.com",
    "phone_number": "+905321234567",
    "title": "Home",
    "line": "New Street 2",
    "postcode": "34000",
    "notes": "",
    "country": 1,
    "city": 34,
    "township": 5,
    "district": None,
    "retail_store": None,
}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running(tmp_path_factory.mktemp("sandbox") / "omnitron.sqlite3") as server:
        yield server


@pytest.fixture
def sandbox(process: SandboxProcess) -> SandboxProcess:
    process.control("reset", {})
    return process.log_in()


def body(**fields: Any) -> dict[str, Any]:
    return {"channel_id": 1, "order": 17, "address": ADDRESS, "order_address_types": ["shipping"]} | fields


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_an_address_change_is_taken_by_the_shops_order_id(sandbox: SandboxProcess, method: str) -> None:
    sandbox.load(order_document(17))
    answer = sandbox.client.request(method, f"{CHANNEL}/orders/change_address/", json=body())
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "order": 500001})
    assert sandbox.order(NUMBER)["shipping_address"] == ADDRESS
    assert sandbox.order(NUMBER)["billing_address"] is None
    assert sandbox.get("orders/updates/")["count"] == 1


def test_the_same_change_again_changes_nothing(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    sandbox.post("orders/change_address/", body())
    before = sandbox.order(NUMBER)
    assert sandbox.post("orders/change_address/", body()).status_code == 200
    assert sandbox.order(NUMBER) == before


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (
            "500",
            "address_change_100_1",
            "The order has been shipped: its address can not be changed any more.",
        ),
        ("100", "address_change_100_2", ["The order is closed: its address can not be changed any more."]),
    ],
)
def test_too_late_is_406_and_changes_nothing(
    sandbox: SandboxProcess, status: str, code: str, message: str | list[str]
) -> None:
    sandbox.load(order_document(17, status=status))
    before = sandbox.order(NUMBER)
    answer = sandbox.post("orders/change_address/", body())
    assert (answer.status_code, answer.json()) == (406, {"non_field_errors": message, "code": code})
    assert sandbox.order(NUMBER) == before


def test_shipping_one_item_makes_it_too_late(sandbox: SandboxProcess) -> None:
    sandbox.load(order_document(17))
    assert sandbox.control("status", {"item": 700002, "status": "500"}) == {
        "order": 500001,
        "items": [700002],
    }
    assert sandbox.post("orders/change_address/", body()).json()["code"] == "address_change_100_1"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"order": 18}, {"order": ['Invalid pk "18" - object does not exist.'], "code": "does_not_exist"}),
        ({"order": None}, {"order": ["This field is required."], "code": "required"}),
        (
            {"channel_id": 2},
            {"channel_id": ["The channel is not the one in the address."], "code": "invalid"},
        ),
        ({"address": "here"}, {"address": ["Expected a dictionary."], "code": "invalid"}),
        (
            {"address": ADDRESS | {"line": ""}},
            {"address": {"line": ["This field is required."]}, "code": "required"},
        ),
        (
            {"order_address_types": ["work"]},
            {"order_address_types": ["A list of shipping and billing."], "code": "invalid"},
        ),
    ],
)
def test_a_malformed_change_names_its_field(
    sandbox: SandboxProcess, fields: dict[str, Any], error: dict[str, Any]
) -> None:
    sandbox.load(order_document(17))
    answer = sandbox.post("orders/change_address/", body(**fields))
    assert (answer.status_code, answer.json()) == (400, error)


def test_the_path_is_an_option(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = tmp_path_factory.mktemp("sandbox") / "omnitron.sqlite3"
    with running(store, "--address-path", "{pk}/addresses") as sandbox:
        sandbox.load(order_document(17))
        assert sandbox.post("orders/500001/addresses/", body()).status_code == 200
        assert sandbox.post("orders/change_address/", body()).status_code == 404
