"""The contract of the client: the same tests over HTTP to the sandbox, and over the client in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from aftercart.omnitron import documents
from aftercart.oms.errors import AnswerUnknown, NotFound, NotSent, OmsError, Refused
from aftercart.oms.messages import (
    AddressChange,
    CancelCommand,
    RemoteAddress,
    RemoteOrder,
    RequestDraft,
)
from tests.fake_backoffice import Decision
from tests.remote.sandbox_process import SandboxProcess, running
from tests.remote.test_client_worlds import FakeWorld, SandboxWorld, Trouble, World

NUMBER = "ORD-2024-001234"
CANCEL, REFUND = 1, 6
ADDRESS = RemoteAddress(
    pk=11, first_name="Ada", last_name="Oz", email="a@example.com", phone_number="+905550000000",
    title="Home", line="Street 1", postcode="34000", notes=None, country=1, city=2, township=3, district=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running(tmp_path_factory.mktemp("omnitron") / "store.sqlite3") as server:
        yield server


@pytest.fixture(params=["fake", "http"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "fake":
        return FakeWorld()
    server: SandboxProcess = request.getfixturevalue("sandbox")
    server.control("reset", {})
    return SandboxWorld(server)


@pytest.fixture
def order(world: World) -> RemoteOrder:
    """An order of three items: two to be cancelled, one to be refunded."""
    world.load(NUMBER, 77, [(701, "400", 1, "19.90"), (702, "450", 2, "5.00"), (703, "550", 1, "100.00")])
    return read(world)


def read(world: World, number: str = NUMBER) -> RemoteOrder:
    with world.client.dialogue() as dialogue:
        return dialogue.read_order(channel_id=1, number=number)


def cancel(world: World, order: RemoteOrder, reasons: dict[int, int], *, is_all: bool = False) -> None:
    with world.client.dialogue() as dialogue:
        dialogue.cancel_items(channel_id=1, command=CancelCommand(order.pk, reasons, is_all=is_all))


def refused_code(world: World, order: RemoteOrder, reasons: dict[int, int], *, is_all: bool = False) -> str:
    before = read(world)
    with pytest.raises(Refused) as caught:
        cancel(world, order, reasons, is_all=is_all)
    assert read(world) == before, "a refusal changes nothing"
    assert caught.value.messages
    return caught.value.code


def statuses(order: RemoteOrder) -> list[tuple[str, str | None]]:
    return [(item.status, item.cancel_status) for item in order.items]


def draft(order: RemoteOrder, place: int, **changes: Any) -> RequestDraft:
    fields: dict[str, Any] = {
        "reason_pk": CANCEL,
        "remote_id": "r-1",
        "description": "Too big",
        "quantity": 1,
    }
    return RequestDraft(order_item_pk=order.items[place].pk, **fields | changes)


def test_the_login_is_checked(world: World) -> None:
    with world.client.dialogue() as dialogue:
        dialogue.check_login()
        assert 0 < dialogue.remaining() <= 8


def test_an_order_is_read_with_its_items(world: World) -> None:
    world.load(NUMBER, 77, [(701, "400", 1, "19.90"), (702, "450", 2, "5.00")])
    world.load(NUMBER + "5", 78, [(801, "400", 1, "1.00")])
    order = read(world)
    assert (order.number, order.status, order.cancel_status) == (NUMBER, "400", None)
    assert order.amount == Decimal("29.90")
    assert order.refund_amount == Decimal(0)
    assert order.shipping_refund_amount in {
        Decimal(0),
        None,
    }  # who knows of no delivery reports nothing of it
    assert order.modified_date is not None
    assert order.modified_date.tzinfo is not None
    assert [(item.status, item.quantity, item.price) for item in order.items] == [
        ("400", 1, Decimal("19.90")),
        ("450", 2, Decimal("5.00")),
    ]
    assert {item.order_pk for item in order.items} == {order.pk}
    with world.client.dialogue() as dialogue:
        assert dialogue.read_order_items(channel_id=1, order_pk=order.pk) == order.items
        assert dialogue.read_order_items(channel_id=1, order_pk=order.pk + 1000) == ()


@pytest.mark.parametrize(("channel_id", "number"), [(1, "ORD-2024-00123"), (1, ""), (2, NUMBER)])
@pytest.mark.usefixtures("order")
def test_an_order_that_is_not_there_is_not_found(world: World, channel_id: int, number: str) -> None:
    with world.client.dialogue() as dialogue, pytest.raises(NotFound) as caught:
        dialogue.read_order(channel_id=channel_id, number=number)
    assert caught.value.code == "not_found"


def test_an_order_of_more_items_than_a_page_is_read_whole(world: World) -> None:
    world.load(NUMBER, 77, [(key, "400", 1, "1.00") for key in range(1000, 1205)])
    pks = [item.pk for item in read(world).items]
    assert len(pks) == 205
    assert pks == sorted(set(pks))


def test_one_of_our_items_can_be_several_of_theirs(world: World) -> None:
    world.load(NUMBER, 77, [(701, "400", 3, "19.90"), (702, "400", 1, "5.00")], split=True)
    order = read(world)
    with world.client.dialogue() as dialogue:
        items = dialogue.find_object_ids(
            channel_id=1, content_type="orderitem", remote_ids=["701", "702", "70", "701"]
        )
        orders = dialogue.find_object_ids(channel_id=1, content_type="order", remote_ids=["77"])
        elsewhere = dialogue.find_object_ids(channel_id=2, content_type="order", remote_ids=["77"])
    pks = tuple(item.pk for item in order.items)
    assert items == {"701": pks[:3], "702": pks[3:], "70": ()}
    assert orders == {"77": (order.pk,)}
    assert elsewhere == {"77": ()}
    assert [item.quantity for item in order.items] == [1, 1, 1, 1]


def test_a_cancellation_makes_its_items_wait(world: World, order: RemoteOrder) -> None:
    cancel(world, order, {order.items[0].pk: CANCEL, order.items[1].pk: CANCEL})
    after = read(world)
    assert statuses(after) == [("50", "waiting"), ("50", "waiting"), ("550", None)]
    assert after.cancel_status == "waiting"
    command = CancelCommand(order.pk, {order.items[0].pk: CANCEL, order.items[1].pk: CANCEL})
    assert world.writes() == [("cancel_items", documents.write_cancel(command))]


def test_a_whole_order_is_cancelled(world: World) -> None:
    world.load(NUMBER, 77, [(701, "400", 1, "19.90"), (702, "450", 2, "5.00")])
    order = read(world)
    cancel(world, order, {item.pk: CANCEL for item in order.items}, is_all=True)
    after = read(world)
    assert statuses(after) == [("50", "waiting"), ("50", "waiting")]
    assert (after.status, after.cancel_status) == ("50", "waiting")


def test_a_second_cancellation_of_an_item_is_refused(world: World, order: RemoteOrder) -> None:
    cancel(world, order, {order.items[0].pk: CANCEL})
    assert refused_code(world, order, {order.items[0].pk: CANCEL}) == "order_cancel_100_1"
    # All or nothing: the item that could be cancelled is not.
    both = {order.items[1].pk: CANCEL, order.items[0].pk: CANCEL}
    assert refused_code(world, order, both) == "order_cancel_100_1"


def test_a_cancellation_is_refused_by_rule(world: World, order: RemoteOrder) -> None:
    first, _, delivered = (item.pk for item in order.items)
    assert refused_code(world, order, {delivered: CANCEL}) == "order_cancel_100_2"
    assert refused_code(world, order, {first: REFUND}) == "order_cancel_100_2"
    assert refused_code(world, order, {first: CANCEL, delivered: REFUND}) == "order_cancel_100_3"
    assert refused_code(world, order, {first: CANCEL}, is_all=True) == "order_cancel_100_5"
    assert refused_code(world, order, {first: 9999}) == "does_not_exist"
    assert refused_code(world, order, {first + 1000: CANCEL}) == "does_not_exist"
    assert refused_code(world, order, {}) == "empty"


def test_a_cancellation_of_no_order_is_refused_and_not_a_read_of_nothing(
    world: World, order: RemoteOrder
) -> None:
    command = CancelCommand(order.pk + 1000, {order.items[0].pk: CANCEL})
    with world.client.dialogue() as dialogue, pytest.raises(Refused) as caught:
        dialogue.cancel_items(channel_id=1, command=command)
    assert (type(caught.value), caught.value.code, caught.value.status) == (Refused, "not_found", 404)


@pytest.mark.parametrize(
    ("decision", "status", "cancel_status"),
    [("approve", "100", "approved"), ("reject", "400", "rejected"), ("confirm", "50", "confirmed")],
)
def test_a_decision_is_seen_when_the_order_is_read(
    world: World, order: RemoteOrder, decision: Decision, status: str, cancel_status: str
) -> None:
    cancel(world, order, {order.items[0].pk: CANCEL})
    world.decide(decision, item=order.items[0].pk)
    after = read(world)
    assert statuses(after)[0] == (status, cancel_status)
    assert after.items[0].refund_amount == (Decimal("19.90") if decision == "approve" else Decimal(0))


def test_an_approved_refund_ends_as_refunded(world: World, order: RemoteOrder) -> None:
    cancel(world, order, {order.items[2].pk: REFUND})
    world.decide("approve", item=order.items[2].pk)
    after = read(world)
    assert statuses(after)[2] == ("600", "approved")
    assert after.refund_amount == Decimal("100.00")


@pytest.mark.parametrize(
    ("trouble", "error", "status", "arrived"),
    [
        ("never arrives", NotSent, "400", 0),
        ("answer lost", AnswerUnknown, "400", 1),
        ("applied, answer lost", AnswerUnknown, "50", 1),
    ],
)
def test_a_lost_answer_is_unknown_and_reading_back_tells(
    world: World, order: RemoteOrder, trouble: Trouble, error: type[OmsError], status: str, arrived: int
) -> None:
    world.break_cancel(trouble)
    with pytest.raises(error):
        cancel(world, order, {order.items[0].pk: CANCEL})
    assert read(world).items[0].status == status
    assert len(world.writes()) == arrived


def test_reasons_are_listed_by_type(world: World) -> None:
    with world.client.dialogue() as dialogue:
        reasons = dialogue.list_reasons(channel_id=1)
    assert [(reason.pk, reason.cancellation_type) for reason in reasons] == [
        (pk, "cancel" if pk <= 5 else "refund") for pk in range(1, 11)
    ]
    assert reasons[0].subject == "Changed my mind"
    assert all(reason.is_active for reason in reasons)


def test_a_request_is_made_and_found_by_our_id(world: World, order: RemoteOrder) -> None:
    with world.client.dialogue() as dialogue:
        made = dialogue.create_request(channel_id=1, draft=draft(order, 0))
        assert (made.order_item_pk, made.remote_id) == (order.items[0].pk, "r-1")
        assert (made.status, made.cancellation_type) == ("waiting", "cancel")
        assert (made.reject_reason, made.easy_return_code) == (None, None)
        assert dialogue.read_request(channel_id=1, pk=made.pk) == made
        assert dialogue.find_requests(channel_id=1, remote_id="r-1") == (made,)
        assert dialogue.find_requests(channel_id=1, remote_id="r-") == ()
        found = dialogue.find_object_ids(
            channel_id=1, content_type="cancellationrequest", remote_ids=["r-1", "r-2"]
        )
    assert found == {"r-1": (made.pk,), "r-2": ()}
    assert world.writes() == [("create_request", documents.write_draft(draft(order, 0)))]


def test_a_return_that_is_collected_gets_a_code_by_either_way(world: World, order: RemoteOrder) -> None:
    item = order.items[2].pk
    with world.client.dialogue() as dialogue:
        command = CancelCommand(order.pk, {item: REFUND}, shipping_companies={item: "yurtici"})
        dialogue.cancel_items(channel_id=1, command=command)
        direct = dialogue.read_order(channel_id=1, number=NUMBER).items[2]
    assert direct.easy_return_code == f"ER{item}"
    assert direct.easy_return_valid_until is not None
    assert direct.easy_return_valid_until > datetime.now(UTC) + timedelta(days=9)
    assert world.writes()[-1][1]["shipping_companies"] == {str(item): "yurtici"}

    world.decide("reject", item=item)
    wanted = draft(
        order, 2, cancellation_type="refund", reason_pk=REFUND, shipping_company="yurtici", remote_id="r-9"
    )
    with world.client.dialogue() as dialogue:
        made = dialogue.create_request(channel_id=1, draft=wanted)
        assert dialogue.read_request(channel_id=1, pk=made.pk) == made
    assert made.easy_return_code == f"ER{made.pk}"
    assert made.easy_return_valid_until is not None


def test_a_cancellation_gets_no_return_code_whoever_is_named(world: World, order: RemoteOrder) -> None:
    item = order.items[0].pk
    with world.client.dialogue() as dialogue:
        command = CancelCommand(order.pk, {item: CANCEL}, shipping_companies={item: "yurtici"})
        dialogue.cancel_items(channel_id=1, command=command)
    assert read(world).items[0].easy_return_code is None


def test_a_second_request_for_an_item_is_refused(world: World, order: RemoteOrder) -> None:
    with world.client.dialogue() as dialogue:
        made = dialogue.create_request(channel_id=1, draft=draft(order, 0))
        with pytest.raises(Refused) as second:
            dialogue.create_request(channel_id=1, draft=draft(order, 0, remote_id="r-2"))
        assert dialogue.find_requests(channel_id=1, remote_id="r-2") == ()
    assert (second.value.code, second.value.status) == ("cancellation_request_100_1", 406)
    assert refused_code(world, order, {made.order_item_pk: CANCEL}) == "order_cancel_100_1"


def test_a_request_that_the_item_does_not_allow_is_refused(world: World, order: RemoteOrder) -> None:
    cases = [
        (draft(order, 2), "cancellation_request_100_2"),
        (draft(order, 0, reason_pk=REFUND), "invalid"),
        (draft(order, 0, reason_pk=9999), "does_not_exist"),
    ]
    with world.client.dialogue() as dialogue:
        for refused, code in cases:
            with pytest.raises(Refused) as caught:
                dialogue.create_request(channel_id=1, draft=refused)
            assert caught.value.code == code


def test_a_request_that_is_not_there_is_not_found(world: World) -> None:
    with world.client.dialogue() as dialogue:
        with pytest.raises(NotFound) as read_error:
            dialogue.read_request(channel_id=1, pk=1)
        with pytest.raises(Refused) as write_error:
            dialogue.reject_request(channel_id=1, pk=1, reason="Worn")
    assert type(read_error.value) is NotFound
    assert (type(write_error.value), write_error.value.code) == (Refused, "not_found")


def test_a_rejected_request_tells_why_and_cannot_be_rejected_again(world: World, order: RemoteOrder) -> None:
    with world.client.dialogue() as dialogue:
        made = dialogue.create_request(channel_id=1, draft=draft(order, 0))
        dialogue.reject_request(channel_id=1, pk=made.pk, reason="Worn")
        after = dialogue.read_request(channel_id=1, pk=made.pk)
        assert (after.status, after.reject_reason) == ("rejected", "Worn")
        with pytest.raises(Refused) as caught:
            dialogue.reject_request(channel_id=1, pk=made.pk, reason="Worn")
    assert caught.value.code == "cancellation_request_100_3"
    assert read(world).items[0].status == "400"


def test_a_completed_request_ends_its_item(world: World, order: RemoteOrder) -> None:
    with world.client.dialogue() as dialogue:
        made = dialogue.create_request(channel_id=1, draft=draft(order, 0))
    world.decide("confirm", request=made.pk)
    with world.client.dialogue() as dialogue:
        assert dialogue.read_request(channel_id=1, pk=made.pk).status == "confirmed"
    world.decide("approve", request=made.pk)
    with world.client.dialogue() as dialogue:
        assert dialogue.read_request(channel_id=1, pk=made.pk).status == "completed"
    assert statuses(read(world))[0] == ("100", "approved")


def test_an_address_is_changed_until_the_order_has_shipped(world: World) -> None:
    world.load(NUMBER, 77, [(701, "400", 1, "19.90")])
    world.load("ORD-2", 78, [(801, "500", 1, "19.90")])
    with world.client.dialogue() as dialogue:
        assert dialogue.change_address(body=AddressChange(1, 77, ADDRESS)) == 200
        for order_id, code in ((78, "address_change_100_1"), (79, "does_not_exist")):
            with pytest.raises(Refused) as caught:
                dialogue.change_address(body=AddressChange(1, order_id, ADDRESS))
            assert caught.value.code == code
    assert world.writes()[0] == (
        "change_address",
        documents.write_address_change(AddressChange(1, 77, ADDRESS)),
    )


def test_a_token_that_expires_between_two_calls_is_renewed(sandbox: SandboxProcess) -> None:
    sandbox.control("reset", {})
    world = SandboxWorld(sandbox)
    world.load(NUMBER, 77, [(701, "400", 1, "19.90")])
    order = read(world)
    sandbox.control("expire_tokens", {})
    cancel(world, order, {order.items[0].pk: CANCEL})
    calls = [(call["call"], call["answered"]) for call in sandbox.calls()]
    assert calls[-3:] == [("order_cancel", 401), ("login", 200), ("order_cancel", 200)]
    assert read(world).items[0].status == "50"
