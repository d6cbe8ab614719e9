"""How the client in memory can be made to fail; what it does when it does not is in the contract tests."""

import threading

import pytest

from aftercart.oms.errors import AnswerUnknown, NotFound, NotSent, OmsError, Refused
from aftercart.oms.messages import CancelCommand, RemoteOrder
from tests.fake_omnitron import FakeOmnitron


@pytest.fixture
def fake() -> FakeOmnitron:
    return FakeOmnitron()


@pytest.fixture
def order(fake: FakeOmnitron) -> RemoteOrder:
    items = [(701, "400", 1, "19.90"), (702, "400", 1, "5.00")]
    return fake.load_order(channel_id=1, shop_order_id=77, number="ORD-1", items=items)


def cancel(fake: FakeOmnitron, order: RemoteOrder, place: int = 0) -> None:
    with fake.dialogue() as dialogue:
        dialogue.cancel_items(channel_id=1, command=CancelCommand(order.pk, {order.items[place].pk: 1}))


@pytest.mark.parametrize(
    ("kind", "applied", "status", "arrived"),
    [
        (NotSent, False, "400", 0),
        (Refused, False, "400", 1),
        (AnswerUnknown, False, "400", 1),
        (AnswerUnknown, True, "50", 1),
    ],
)
def test_a_write_fails_as_asked_once_and_then_works(
    fake: FakeOmnitron,
    order: RemoteOrder,
    kind: type[OmsError],
    applied: bool,
    status: str,
    arrived: int,
) -> None:
    fake.fail("cancel_items", kind, applied=applied)
    with pytest.raises(kind):
        cancel(fake, order)
    assert fake.get_order(order.pk).items[0].status == status
    assert len(fake.posts) == arrived
    cancel(fake, order, place=1)
    assert fake.get_order(order.pk).items[1].status == "50"
    assert fake.calls == ["cancel_items", "cancel_items"]


def test_failures_queue_up_in_the_order_they_were_asked_for(fake: FakeOmnitron) -> None:
    mine = NotSent("Slow down.", code="throttled", status=429, retry_after=7)
    fake.fail("check_login", NotSent, times=2)
    fake.fail("check_login", mine)
    codes = []
    with fake.dialogue() as dialogue:
        for _ in range(3):
            with pytest.raises(NotSent) as caught:
                dialogue.check_login()
            codes.append(caught.value.code)
        assert caught.value is mine
        dialogue.check_login()
    assert codes == ["unreachable", "unreachable", "throttled"]


def test_a_read_may_find_nothing_though_it_is_there(fake: FakeOmnitron, order: RemoteOrder) -> None:
    fake.fail("read_order", NotFound)
    with fake.dialogue() as dialogue:
        with pytest.raises(NotFound):
            dialogue.read_order(channel_id=1, number="ORD-1")
        assert dialogue.read_order(channel_id=1, number="ORD-1") == order


def test_a_dialogue_may_be_turned_away_at_its_beginning(fake: FakeOmnitron) -> None:
    fake.fail("dialogue", NotSent("Too many.", code="bulkhead_full"))
    with pytest.raises(NotSent), fake.dialogue():
        pass
    with fake.dialogue() as dialogue:
        dialogue.check_login()
    assert fake.calls == ["check_login"]


def test_a_dialogue_without_time_sends_nothing(fake: FakeOmnitron, order: RemoteOrder) -> None:
    with fake.dialogue(0) as dialogue:
        assert dialogue.remaining() == 0
        with pytest.raises(NotSent) as caught:
            dialogue.read_order(channel_id=1, number=order.number)
    assert (caught.value.code, fake.calls) == ("deadline_over", [])


def test_only_a_write_can_end_unknown_and_only_the_unknown_be_applied(fake: FakeOmnitron) -> None:
    with pytest.raises(ValueError, match="only a write"):
        fake.fail("read_order", AnswerUnknown)
    with pytest.raises(ValueError, match="only an unknown answer"):
        fake.fail("cancel_items", NotSent, applied=True)


def test_a_hook_runs_before_its_call_and_may_wait_for_another_thread(
    fake: FakeOmnitron, order: RemoteOrder
) -> None:
    seen: list[str] = []

    def let_another_thread_read() -> None:
        def work() -> None:
            seen.append(fake.get_order(order.pk).items[0].status)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(5)

    fake.before("cancel_items", let_another_thread_read)
    cancel(fake, order)
    fake.before("cancel_items", None)
    cancel(fake, order, place=1)
    assert seen == ["400"]


def test_many_threads_cancelling_one_item_succeed_once(fake: FakeOmnitron, order: RemoteOrder) -> None:
    barrier = threading.Barrier(8)
    outcomes: list[str] = []

    def work() -> None:
        barrier.wait(5)
        try:
            cancel(fake, order)
            outcomes.append("ok")
        except Refused as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert sorted(outcomes) == ["ok"] + ["order_cancel_100_1"] * 7
    assert len(fake.posts) == 8
