"""Orders come by themselves: from the sandbox Omnitron, a real process, into an empty database, and stay current."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from aftercart.actions.intake.backfill_orders import backfill_orders
from aftercart.actions.sync.poll_updates import poll_updates
from aftercart.cancellations.models import SyncCursor
from aftercart.oms.connect import get_client
from aftercart.oms.errors import OmsError
from aftercart.orders.models import Order
from tests.import_documents import make_address, make_document, make_item
from tests.remote.sandbox_process import SandboxProcess, running

pytestmark = pytest.mark.django_db

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def sandbox(tmp_path: Path, settings: Settings) -> Iterator[SandboxProcess]:
    settings.OMNITRON_READS_PER_MINUTE = 100_000
    settings.OMNITRON_DIALOGUE_SECONDS = 60.0
    with running(tmp_path / "omnitron.sqlite3") as process:
        settings.OMNITRON_URL = process.base_url
        yield process.log_in()


def make_order(place: int, **changes: Any) -> dict[str, Any]:
    return make_document(
        f"PULL-{place:04}",
        id=5000 + place,
        orderitem_set=[make_item(id=6000 + 2 * place, quantity=2, total_amount="200.00")],
        created_date=f"2026-03-{1 + place % 27:02}T10:00:00Z",
        **changes,
    )


def pull(since: datetime = SINCE) -> tuple[int, dict[str, str]]:
    counts: list[int] = []
    bad = backfill_orders(since, 1, get_client(), progress=counts.append, wait=lambda: None)
    return sum(counts), bad


def test_a_fresh_database_fills_itself_under_the_shops_ids(sandbox: SandboxProcess) -> None:
    sandbox.load(*(make_order(place) for place in range(7)))

    assert pull() == (7, {})

    order = Order.objects.get(number="PULL-0003")
    assert (order.pk, order.user_email, order.status) == (5003, "ayse.kaya@example.com", "400")
    assert order.user is not None
    assert order.user.email == order.user_email
    assert (order.shipping_address or {})["line"] == make_address()["line"]
    [item] = order.items.all()
    assert (item.pk, item.quantity, item.price, item.total_amount) == (6006, 2, 100, 200)
    assert set(order.details) <= {"extra_field", "language_code", "has_gift_box", "is_payable", "client_type"}


def test_units_that_are_items_of_their_own_there_are_one_item_here(sandbox: SandboxProcess) -> None:
    sandbox.load(make_order(1), split_units=True)

    pull()

    [item] = Order.objects.get().items.all()
    assert (item.pk, item.quantity) == (6002, 2)


def test_the_same_pull_again_goes_on_where_it_was(sandbox: SandboxProcess) -> None:
    sandbox.load(*(make_order(place) for place in range(4)))
    pull()
    sandbox.load(make_order(26))
    versions = dict(Order.objects.values_list("pk", "version"))

    count, _bad = pull()

    assert count <= 2  # the last one at the position, perhaps, and the new one
    assert Order.objects.count() == 5
    assert {
        pk: version for pk, version in Order.objects.values_list("pk", "version") if pk in versions
    } == versions


def test_a_pull_that_is_cut_off_loses_nothing(sandbox: SandboxProcess) -> None:
    sandbox.load(*(make_order(place) for place in range(5)))
    sandbox.control("faults", {"call": "order_items", "kind": "status", "status": 500})

    with pytest.raises(OmsError):
        pull()

    sandbox.client.delete("/sandbox/faults/")
    pull()
    assert Order.objects.count() == 5


def test_an_order_that_makes_no_sense_is_told_and_stops_nobody(sandbox: SandboxProcess) -> None:
    sandbox.load(make_order(1), make_order(2, user_email="nobody", billing_address=None), make_order(3))

    count, bad = pull()

    assert (count, set(bad)) == (3, {"PULL-0002"})
    assert "user_email" in bad["PULL-0002"]
    assert set(Order.objects.values_list("number", flat=True)) == {"PULL-0001", "PULL-0003"}


def test_a_new_order_comes_with_the_next_look_at_the_updates(sandbox: SandboxProcess) -> None:
    sandbox.load(make_order(1))
    pull()
    sandbox.load(make_order(2), announce=True)

    poll_updates(1, "orders", get_client())

    assert Order.objects.filter(pk=5002).exists()
    poll_updates(1, "orders", get_client())
    assert Order.objects.count() == 2


def test_an_update_that_could_not_be_read_comes_with_the_next_look(sandbox: SandboxProcess) -> None:
    sandbox.load(make_order(1), make_order(2), announce=True)
    sandbox.control("faults", {"call": "order_items", "kind": "status", "status": 500})

    poll_updates(1, "orders", get_client())
    assert Order.objects.count() < 2
    poll_updates(1, "orders", get_client())

    assert Order.objects.count() == 2


def test_where_orders_are_not_pulled_none_comes(sandbox: SandboxProcess, settings: Settings) -> None:
    settings.OMNITRON_PULL_ORDERS = False
    sandbox.load(make_order(1), announce=True)

    poll_updates(1, "orders", get_client())

    assert not Order.objects.exists()
    assert SyncCursor.objects.get(stream="orders").position is not None


def test_without_calls_left_the_rest_waits(sandbox: SandboxProcess, settings: Settings) -> None:
    settings.OMNITRON_READS_PER_MINUTE = 1
    sandbox.load(*(make_order(place) for place in range(4)), announce=True)

    poll_updates(1, "orders", get_client())
    first = Order.objects.count()
    settings.OMNITRON_READS_PER_MINUTE = 100_000
    poll_updates(1, "orders", get_client())

    assert first < 4
    assert Order.objects.count() == 4


def test_an_order_of_a_guest_is_a_guests(sandbox: SandboxProcess) -> None:
    sandbox.load(make_order(1, user=None))

    pull()

    assert Order.objects.get().user is None
