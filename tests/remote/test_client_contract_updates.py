"""The contract of the client, on: lists of what has changed."""

from aftercart.oms.messages import (
    RemoteOrder,
    RemoteRequest,
)
from tests.remote.test_client_contract import CANCEL, cancel, draft, order, read, sandbox, world
from tests.remote.test_client_worlds import World

__all__ = ["order", "sandbox", "world"]


def test_updates_show_what_changed_oldest_first_and_page_by_page(world: World) -> None:
    for place in (1, 2, 3, 4):
        world.load(f"ORD-{place}", place, [(place * 100, "400", 1, "19.90")])
    orders = [read(world, f"ORD-{place}") for place in (3, 1, 2)]
    for one in orders:
        cancel(world, one, {one.items[0].pk: CANCEL})
    with world.client.dialogue() as dialogue:
        pages = list(dialogue.list_order_updates(channel_id=1, limit=2))
        assert [[row.number for row in rows] for rows in pages] == [["ORD-3", "ORD-1"], ["ORD-2"]]
        assert [(row.status, row.cancel_status, row.items) for row in pages[0]] == [("50", "waiting", ())] * 2
        since = pages[0][0].modified_date
        rest = list(dialogue.list_order_updates(channel_id=1, limit=10, since=since))
        assert [[row.number for row in rows] for rows in rest] == [["ORD-1", "ORD-2"]]
        last = pages[1][0].modified_date
        assert list(dialogue.list_order_updates(channel_id=1, limit=10, since=last)) == [()]


def test_request_updates_show_decisions(world: World, order: RemoteOrder) -> None:
    def updates() -> list[RemoteRequest]:
        with world.client.dialogue() as dialogue:
            return [row for rows in dialogue.list_request_updates(channel_id=1, limit=50) for row in rows]

    with world.client.dialogue() as dialogue:
        made = [
            dialogue.create_request(channel_id=1, draft=draft(order, at, remote_id=f"r-{at}"))
            for at in (0, 1)
        ]
    assert updates() == []
    world.decide("reject", request=made[1].pk, reason="Worn")
    assert [(row.remote_id, row.status, row.reject_reason) for row in updates()] == [
        ("r-1", "rejected", "Worn")
    ]
