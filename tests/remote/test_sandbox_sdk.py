"""The vendor's published SDK, unchanged, against the sandbox: what real integrations are written with."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from omnisdk.exceptions import ValidationError
from omnisdk.omnitron.client import OmnitronApiClient
from omnisdk.omnitron.endpoints import (
    ActiveUserEndpoint,
    ChannelCancellationReasonEndpoint,
    ChannelCancellationRequestEndpoint,
    ChannelIntegrationActionEndpoint,
    ChannelOrderEndpoint,
    ChannelOrderItemEndpoint,
)
from omnisdk.omnitron.models import CancellationRequest

from tests.remote.sandbox_process import (
    PASSWORD,
    USERNAME,
    SandboxProcess,
    item_document,
    order_document,
    running,
)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running(tmp_path_factory.mktemp("sandbox") / "omnitron.sqlite3") as server:
        yield server


@pytest.fixture
def sandbox(process: SandboxProcess) -> SandboxProcess:
    """Thirteen orders; the first has a line of two, split."""
    process.control("reset", {})
    first = order_document(1, item_document(11), item_document(12, quantity=2, split_units=True))
    process.load(first, *(order_document(key) for key in range(2, 14)))
    return process.log_in()


@pytest.fixture
def api(sandbox: SandboxProcess) -> Iterator[Any]:
    client = OmnitronApiClient(f"{sandbox.base_url}/", USERNAME, PASSWORD)
    yield client
    client.session.close()


def everything(endpoint: Any, **params: Any) -> list[Any]:
    """Return all pages, read the way the vendor's integrations read them."""
    rows = list(endpoint.list(params=params))
    for page in endpoint.iterator:
        rows.extend(page)
    return rows


def test_it_logs_in_and_knows_who_it_is(api: Any) -> None:
    assert api.token.startswith("Token ")
    assert ActiveUserEndpoint().list().username == USERNAME
    assert api.validate_token(api.token)


def test_it_learns_that_its_password_is_wrong(sandbox: SandboxProcess) -> None:
    with pytest.raises(ValidationError) as caught:
        OmnitronApiClient(f"{sandbox.base_url}/", USERNAME, "wrong")
    assert caught.value.json["non_field_errors"] == ["Unable to log in with provided credentials."]


def test_it_logs_in_again_by_itself(sandbox: SandboxProcess, api: Any) -> None:
    old = api.token
    sandbox.control("expire_tokens", {})
    assert len(ChannelOrderEndpoint(channel_id=1).list()) == 10
    assert api.token != old


@pytest.mark.usefixtures("api")
def test_it_walks_through_all_pages() -> None:
    numbers = [order.number for order in everything(ChannelOrderEndpoint(channel_id=1), sort="id", limit=5)]
    assert numbers == [f"ORD-2024-{key:06}" for key in range(1, 14)]
    assert len(everything(ChannelCancellationReasonEndpoint(channel_id=1))) == 10


@pytest.mark.usefixtures("api")
def test_it_finds_orders_and_items_by_the_shops_ids() -> None:
    actions = ChannelIntegrationActionEndpoint(channel_id=1)
    query = {"channel": 1, "content_type_model": "order", "remote_id": 1}
    (order,) = everything(actions, **query)
    units = everything(actions, content_type_name="orderitem", remote_id__exact=12)
    assert (order.object_id, order.content_type["model"]) == (500001, "order")
    assert [unit.object_id for unit in units] == [700002, 700003]
    items = everything(ChannelOrderItemEndpoint(channel_id=1), order=order.object_id, sort="id")
    assert [(item.pk, item.status, item.price) for item in items] == [
        (700001, "400", "49.90"),
        (700002, "400", "49.90"),
        (700003, "400", "49.90"),
    ]
    assert ChannelOrderEndpoint(channel_id=1).retrieve(id=500001).number == "ORD-2024-000001"


@pytest.mark.usefixtures("api")
def test_it_cancels_an_order(sandbox: SandboxProcess) -> None:
    cancelling = ChannelOrderEndpoint(channel_id=1, path="500001/cancel", raw=True)
    body = {"order": 500001, "cancel_items": [700002, 700003], "reasons": {700002: 1, 700003: 1}}
    order = cancelling.create(item=body | {"forced_refund_amount": None})
    assert (order["pk"], order["cancel_status"]) == (500001, "waiting")
    with pytest.raises(requests.HTTPError) as caught:
        cancelling.create(item=body)
    assert caught.value.response.status_code == 406
    assert caught.value.args[1]["code"] == "order_cancel_100_1"
    assert [row["cancels_accepted"] for row in sandbox.ledger("ORD-2024-000001")] == [0, 1, 1]
    (updated,) = ChannelOrderEndpoint(channel_id=1, path="updates").list(params={"limit": 100})
    assert updated.pk == 500001


@pytest.mark.usefixtures("api")
def test_it_makes_reads_and_rejects_a_request(sandbox: SandboxProcess) -> None:
    requests_endpoint = ChannelCancellationRequestEndpoint(channel_id=1)
    wanted = CancellationRequest(order_item=700001, reason=1, cancellation_type="cancel", remote_id="77")
    made = requests_endpoint.create(item=wanted)
    assert (made.pk, made.status, made.remote_id) == (300001, "waiting", "77")
    rejecting = ChannelCancellationRequestEndpoint(channel_id=1, path="300001/reject", raw=True)
    assert rejecting.create(item={"reject_reason": "Packed."})["status"] == "rejected"
    (found,) = everything(ChannelCancellationRequestEndpoint(channel_id=1), status="rejected")
    assert (found.pk, found.reject_reason) == (300001, "Packed.")
    assert [row["requests_rejected"] for row in sandbox.ledger("ORD-2024-000001")] == [1, 0, 0]
