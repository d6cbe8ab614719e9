"""Kill what brings orders and customers in, at every point and with kill -9: nothing is lost, doubled or let in."""

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from pytest_django import Settings

from aftercart.accounts.models import Session, User
from aftercart.actions.account.enter_from_shop import nobodies
from aftercart.actions.intake import import_orders as import_module
from aftercart.actions.intake.backfill_orders import backfill_orders
from aftercart.actions.intake.read_batches import Batch, read_batch
from aftercart.actions.sync.poll_updates import poll_updates
from aftercart.commerce.connect import replace_commerce
from aftercart.lib.json_lines import BadLine
from aftercart.orders.models import Order, OrderItem, TimelineEntry
from tests.commerce import FakeCommerce
from tests.faults.points import make_client, survive
from tests.import_documents import make_document, make_item, write_line
from tests.processes import running_worker, wait_until
from tests.remote.sandbox_process import SandboxProcess
from tests.shop import make_customer, make_order
from tests.strength import find_turn, is_deep
from tests.tables import empty_tables

pytestmark = [pytest.mark.timeout(1_200), pytest.mark.usefixtures("transactional_db")]

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "k3v0y2q8m1x7c5b9n4z6a8s2d1f7g3h5"
NUMBERS = ["P-1", "P-2"]
_MOST_POINTS = 500


def make_documents(numbers: list[str]) -> list[dict[str, Any]]:
    return [
        make_document(
            number,
            id=5000 + place,
            user_email=f"c{place}@example.com",
            orderitem_set=[make_item(id=6000 + place)],
            created_date=f"2026-03-0{1 + place % 9}T10:00:00Z",
        )
        for place, number in enumerate(numbers)
    ]


@pytest.fixture
def prepared(sandbox: SandboxProcess, settings: Settings) -> SandboxProcess:
    """A sandbox with orders that nobody has here."""
    settings.OMNITRON_READS_PER_MINUTE = 100_000
    sandbox.control("reset", {})
    sandbox.load(*make_documents(NUMBERS), announce=True)
    return sandbox


def kill_everywhere(
    run: Callable[..., object], again: Callable[[], object], check: Callable[[], None]
) -> int:
    """Kill `run` at each of its points in a fresh database, do it again, and check; return how many points it has."""
    step = 1 if is_deep() else 3
    for deadly in range(1 + find_turn() % step, _MOST_POINTS, step):
        empty_tables()
        points = survive(deadly, run, has_own_points=True, thoroughly=is_deep())
        again()
        check()
        if points is not None:
            return points
    pytest.fail("it has no end")


def check_all_there_once() -> None:
    assert sorted(Order.objects.values_list("number", flat=True)) == NUMBERS
    assert sorted(OrderItem.objects.values_list("pk", flat=True)) == [6000, 6001]
    assert sorted(User.objects.values_list("email", flat=True)) == ["c0@example.com", "c1@example.com"]
    assert TimelineEntry.objects.filter(event="order_imported").count() == len(NUMBERS)


def test_a_backfill_that_is_killed_at_any_point_goes_on_and_loses_nothing(prepared: SandboxProcess) -> None:
    def run(_pass_one: Callable[[], None] | None = None) -> None:
        bad = backfill_orders(SINCE, 1, make_client(prepared), progress=lambda _: None, wait=lambda: None)
        assert bad == {}

    assert kill_everywhere(run, run, check_all_there_once) > 20


def test_an_import_that_is_killed_at_any_point_loses_nothing() -> None:
    """Also while it reads a batch and writes the one before: the reader's points are among them."""
    newest = make_document("P-2", id=5001, user_email="c1@example.com", orderitem_set=[make_item(id=6001)])
    newest |= {"modified_date": "2026-12-01T10:00:00Z", "invoice_number": "newest"}
    fillers = [write_line(document) for document in _renumber([f"W-{place}" for place in range(4)])]
    first, second = map(write_line, make_documents(NUMBERS))
    lines = [first, fillers[0], b"{", second, *fillers[1:], write_line(newest)]

    def import_all(read: Callable[..., Batch] = read_batch) -> list[BadLine]:
        bad: list[BadLine] = []
        with mock.patch.object(import_module, "read_batch", read):
            import_module.import_orders(lines, report_bad=bad.append, batch_size=2)
        return bad

    def run(pass_one: Callable[[], None]) -> None:
        def read(*args: Any) -> Batch:
            pass_one()
            try:
                return read_batch(*args)
            finally:
                pass_one()

        import_all(read)

    def check() -> None:
        assert Order.objects.get(number="P-2").invoice_number == "newest"
        Order.objects.filter(number__startswith="W-").delete()
        User.objects.exclude(orders__isnull=False).delete()
        check_all_there_once()

    assert (
        kill_everywhere(
            run, lambda: [row.line for row in import_all()] == [3] or pytest.fail("a report"), check
        )
        > 20
    )


def test_a_look_at_the_updates_that_is_killed_at_any_point_loses_nothing(prepared: SandboxProcess) -> None:
    def run(_pass_one: Callable[[], None] | None = None) -> None:
        poll_updates(1, "orders", make_client(prepared))

    assert kill_everywhere(run, run, check_all_there_once) > 10


def test_a_log_in_by_the_shop_that_is_killed_at_any_point_lets_nobody_else_in(settings: Settings) -> None:
    settings.AFTERCART_IDENTITY = "commerce"
    shop = FakeCommerce()
    shop.log_in(KEY, 77, "ayse@example.com")

    def ask(key: str = KEY) -> Any:
        nobodies.clear()
        client = Client(
            headers={"accept": "application/json", "cookie": f"sessionid={key}; osessionid={key}"}
        )
        return client.get("/users/orders/")

    def run(pass_one: Callable[[], None]) -> None:
        shop.hold = pass_one  # type: ignore[method-assign]  # before and after what is asked of the shop
        ask()

    def check() -> None:
        customer = User.objects.get(commerce_pk=77)
        assert (customer.email, User.objects.count()) == ("ayse@example.com", 1)
        # What is kept names the customer, and nothing by which somebody could be them.
        assert set(Session.objects.values_list("user", flat=True)) == {customer.pk}
        assert not Session.objects.filter(session_key__icontains=KEY[:8]).exists()
        assert ask(KEY[::-1]).status_code == 401
        make_order(customer)
        assert ask().json()["count"] == 1
        make_order(make_customer("b@example.com"))
        assert ask().json()["count"] == 1

    with replace_commerce(shop):
        assert kill_everywhere(run, lambda: ask().status_code, check) > 5


def test_workers_that_are_killed_while_they_pull_lose_no_order(prepared: SandboxProcess) -> None:
    numbers = [f"W-{place:03}" for place in range(40)]
    environment = {"OMNITRON_POLL_SECONDS": "1", "OMNITRON_READS_PER_MINUTE": "100000"}
    loaded = False
    for wanted in (1, 15, 30):  # each is killed once there are so many more
        with running_worker(prepared.base_url, **environment) as worker:
            if not loaded:
                prepared.load(*_renumber(numbers), announce=True)
                loaded = True
            wait_until(lambda wanted=wanted: _count_pulled() >= wanted, 120)  # type: ignore[misc]  # mypy knows no defaults of lambdas
            os.killpg(worker.pid, signal.SIGKILL)
    with running_worker(prepared.base_url, **environment):
        wait_until(lambda: _count_pulled() == len(numbers), 120)

    assert sorted(Order.objects.filter(number__startswith="W-").values_list("number", flat=True)) == numbers
    assert TimelineEntry.objects.filter(order__number__startswith="W-", event="order_imported").count() == 40


def _renumber(numbers: list[str]) -> list[dict[str, Any]]:
    return [
        document | {"id": 7000 + place, "orderitem_set": [make_item(id=8000 + place)]}
        for place, document in enumerate(make_documents(numbers))
    ]


def _count_pulled() -> int:
    return Order.objects.filter(number__startswith="W-").count()


@pytest.mark.deep
def test_a_new_order_is_there_within_half_a_minute(prepared: SandboxProcess) -> None:
    with running_worker(prepared.base_url):
        wait_until(lambda: Order.objects.count() == len(NUMBERS), 120)  # it works
        prepared.load(*_renumber(["W-000"]), announce=True)
        began = time.monotonic()
        wait_until(lambda: _count_pulled() == 1, 60)

    assert time.monotonic() - began < 30
