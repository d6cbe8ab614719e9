"""The contract of the client, on: the last look before each write, and what tells that an item was touched."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from aftercart.oms.errors import NotSent, Refused
from aftercart.oms.messages import AddressChange, CancelCommand, RemoteOrder
from aftercart.oms.port import Dialogue, Guard
from tests.remote.test_client_contract import ADDRESS, CANCEL, cancel, draft, order, read, sandbox, world
from tests.remote.test_client_worlds import World

__all__ = ["order", "sandbox", "world"]

Caller = Callable[[Dialogue, RemoteOrder, int, Guard], object]

WRITES: dict[str, Caller] = {
    "cancel_items": lambda dialogue, order, _request, guard: dialogue.cancel_items(
        channel_id=1, command=CancelCommand(order.pk, {order.items[0].pk: CANCEL}), guard=guard
    ),
    "create_request": lambda dialogue, order, _request, guard: dialogue.create_request(
        channel_id=1, draft=draft(order, 0), guard=guard
    ),
    "reject_request": lambda dialogue, _order, request, guard: dialogue.reject_request(
        channel_id=1, pk=request, reason="No.", guard=guard
    ),
    "change_address": lambda dialogue, _order, _request, guard: dialogue.change_address(
        body=AddressChange(1, 77, ADDRESS), guard=guard
    ),
}


@pytest.fixture
def request_pk(world: World, order: RemoteOrder) -> int:
    """A request for another item than the writes are about."""
    with world.client.dialogue() as dialogue:
        return dialogue.create_request(channel_id=1, draft=draft(order, 1, remote_id="r-0")).pk


@pytest.mark.parametrize("name", WRITES)
def test_what_somebody_else_has_gone_on_with_does_not_reach_omnitron(
    world: World,
    order: RemoteOrder,
    request_pk: int,
    name: str,
) -> None:
    arrived = len(world.writes())

    with world.client.dialogue() as dialogue, pytest.raises(NotSent) as caught:
        WRITES[name](dialogue, order, request_pk, lambda: False)

    assert (caught.value.code, caught.value.is_outage) == ("claim_lost", False)
    assert len(world.writes()) == arrived


@pytest.mark.parametrize("name", WRITES)
def test_what_is_still_ours_reaches_omnitron_after_one_look(
    world: World,
    order: RemoteOrder,
    request_pk: int,
    name: str,
) -> None:
    looks: list[int] = []
    arrived = len(world.writes())

    def look() -> bool:
        looks.append(len(world.writes()))
        return True

    with world.client.dialogue() as dialogue:
        dialogue.check_login()
        with suppress(Refused):  # the order has been shipped: its address can't be changed, but it was asked
            WRITES[name](dialogue, order, request_pk, look)

    assert looks == [arrived]
    assert len(world.writes()) == arrived + 1


def test_a_rejection_leaves_an_item_as_it_was_but_for_when_it_was_modified(
    world: World,
    order: RemoteOrder,
) -> None:
    pk = order.items[0].pk
    seen = []
    for _round in range(2):
        cancel(world, order, {pk: CANCEL})
        world.decide("reject", item=pk)
        seen.append(read(world).items[0])

    assert (seen[0].status, seen[0].cancel_status) == (seen[1].status, seen[1].cancel_status)
    assert order.items[0].modified_date is not None
    assert seen[0].modified_date is not None
    assert seen[1].modified_date is not None
    assert order.items[0].modified_date < seen[0].modified_date < seen[1].modified_date
