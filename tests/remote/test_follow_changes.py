"""What others change at Omnitron arrives here; and what Omnitron leaves out, the shop has."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from aftercart.actions.intake.backfill_orders import backfill_orders
from aftercart.actions.sync.poll_updates import poll_updates
from aftercart.actions.sync.sync_order import sync_if_due
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import AddressChange
from aftercart.commerce.client import CommerceUnavailable
from aftercart.commerce.connect import replace_commerce
from aftercart.oms.connect import get_client
from aftercart.orders.models import Order, TimelineEntry
from tests.commerce import FakeCommerce
from tests.import_documents import make_address, make_document, make_item
from tests.remote.commerce_process import running_commerce
from tests.remote.sandbox_process import SandboxProcess, running

pytestmark = pytest.mark.django_db
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
TRACKING = {
    "tracking_number": "1Z999",
    "tracking_url": "https://ups.example/1Z999",
    "shipping_company": "ups",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running(tmp_path_factory.mktemp("follow") / "omnitron.sqlite3") as process:
        yield process


@pytest.fixture
def sandbox(server: SandboxProcess, settings: Settings) -> SandboxProcess:
    settings.OMNITRON_READS_PER_MINUTE = 100_000
    settings.OMNITRON_DIALOGUE_SECONDS = 60.0
    settings.OMNITRON_URL = server.base_url
    server.control("reset", {})
    return server


def make_order(*items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return make_document(
        "F-1",
        id=5001,
        orderitem_set=list(items) or [make_item(id=6001)],
        created_date="2026-03-01T10:00:00Z",
        **changes,
    )


def pull() -> None:
    bad = backfill_orders(SINCE, 1, get_client(), progress=lambda _count: None, wait=lambda: None)
    assert bad == {}


def look() -> Order:
    """Read the list of updates, do the jobs that come of it, and return the order."""
    poll_updates(1, "orders", get_client())
    rows = ProcrastinateJob.objects.filter(task_name=jobs.SYNC_ORDER)
    for job in list(rows):
        sync_if_due(job.args["pk"], get_client())
    rows._raw_delete("default")
    return Order.objects.get()


def change(sandbox: SandboxProcess, document: dict[str, Any]) -> Order:
    """Have somebody change the order at Omnitron, and look."""
    sandbox.load(document, replace=True)
    return look()


def test_tracking_and_invoice_arrive_with_the_next_look(sandbox: SandboxProcess) -> None:
    sandbox.load(make_order())
    pull()
    before = look()

    order = change(sandbox, make_order(make_item(id=6001, **TRACKING, invoice_number="INV-7"), **TRACKING))

    item = order.items.get()
    assert order.version > before.version
    assert {name: order.details[name] for name in TRACKING} == TRACKING
    assert {name: item.details[name] for name in TRACKING} == TRACKING
    assert item.invoice_number == "INV-7"
    assert look().version == order.version  # the same again changes nothing


def test_shipping_and_delivery_arrive(sandbox: SandboxProcess) -> None:
    sandbox.load(make_order())
    pull()

    sandbox.control("status", {"order": "F-1", "status": "500"})
    shipped = look()
    sandbox.control("status", {"order": "F-1", "status": "550"})

    assert shipped.items.get().status == "500"
    assert (look().status, look().items.get().status) == ("550", "550")


def test_an_address_that_somebody_else_changed_is_ours_too(sandbox: SandboxProcess) -> None:
    sandbox.load(make_order())
    pull()

    order = change(sandbox, make_order(shipping_address=make_address(pk=90, line="Bağdat Caddesi 1")))

    address = order.shipping_address or {}
    assert (address["pk"], address["line"], address["township"]["name"]) == (
        90,
        "Bağdat Caddesi 1",
        "Kadıköy",
    )
    entry = TimelineEntry.objects.get(event="order_followed")
    assert (entry.actor, entry.data) == ("omnitron", {"fields": ["shipping_address"]})


def test_an_address_that_is_only_written_otherwise_is_the_same(sandbox: SandboxProcess) -> None:
    sandbox.load(make_order())
    pull()
    change(
        sandbox,
        make_order(shipping_address=make_address(phone_number="+90 (532) 123 4567", line="MODA CADDESI 14")),
    )

    assert not TimelineEntry.objects.filter(event="order_followed").exists()


def test_while_the_customers_own_change_is_on_its_way_none_is_followed(sandbox: SandboxProcess) -> None:
    sandbox.load(make_order())
    pull()
    order = Order.objects.get()
    AddressChange.objects.create(order=order, user=order.user, address={"pk": 5})

    after = change(sandbox, make_order(shipping_address=make_address(pk=90, line="Bağdat Caddesi 1")))

    assert after.shipping_address == order.shipping_address


def test_an_item_that_was_added_there_is_added_here_with_the_amounts(sandbox: SandboxProcess) -> None:
    sandbox.load(make_order())
    pull()
    added = make_item(id=6002, price="50.00", quantity=2, product={"pk": 9, "sku": "SKU-9", "name": "Tabak"})

    order = change(sandbox, make_order(make_item(id=6001), added, amount="200.00"))

    assert [(item.pk, item.sku, item.quantity, item.price) for item in order.items.order_by("pk")] == [
        (6001, "SKU-1", 1, 100),
        (6002, "SKU-9", 2, 50),
    ]
    assert order.amount == 200


def test_a_cancellation_by_somebody_else_arrives(sandbox: SandboxProcess) -> None:
    sandbox.load(make_order())
    pull()
    [item] = sandbox.items("F-1")
    sandbox.cancel("F-1", {item["pk"]: 1})
    sandbox.control("decide", {"decision": "approve", "all": True})

    assert look().items.get().status == "100"


# --- the shop completes ------------------------------------------------------------------------------------

PRODUCT = {
    "pk": 1,
    "sku": "SKU-1",
    "name": "Kupa",
    "image": "https://cdn.example/1.jpg",
    "absolute_url": "/kupa/",
}


def test_what_omnitron_leaves_out_is_completed_from_the_shop(
    sandbox: SandboxProcess, settings: Settings
) -> None:
    sandbox.load(make_order())
    settings.COMMERCE_TOKEN, settings.COMMERCE_SECONDS = "sandbox-shop", 30.0
    with running_commerce() as shop:
        settings.COMMERCE_URL = shop.base_url
        own = make_order(
            make_item(id=6001, product=PRODUCT, status="550"), segment="vip", status="550", surprise=7
        )
        shop.load_orders(own)
        pull()

    order = Order.objects.get()
    item = order.items.get()
    assert item.product == PRODUCT
    assert (order.details["segment"], order.status, item.status) == ("vip", "400", "400")
    assert order.details["unknown"] == {"surprise": 7}


def test_a_wrong_token_or_a_shop_that_is_down_ends_a_backfill_which_goes_on_later(
    sandbox: SandboxProcess, settings: Settings
) -> None:
    sandbox.load(make_order())
    settings.COMMERCE_SECONDS = 30.0
    with running_commerce() as shop:
        settings.COMMERCE_URL = shop.base_url
        settings.COMMERCE_TOKEN = "wrong"
        with pytest.raises(CommerceUnavailable, match="token_refused"):
            pull()
        settings.COMMERCE_TOKEN = "sandbox-shop"
        shop.fail("down")
        with pytest.raises(CommerceUnavailable):
            pull()
        shop.recover()
        pull()

    assert Order.objects.count() == 1


def test_a_new_order_does_not_wait_for_the_shop_unless_it_makes_no_sense_without(
    sandbox: SandboxProcess, settings: Settings
) -> None:
    settings.COMMERCE_TOKEN, settings.COMMERCE_URL = "t", "http://shop.invalid"
    shop = FakeCommerce()
    shop.is_away = True
    nobody = make_order(user_email="", billing_address=None) | {"number": "F-2", "id": 5002}
    sandbox.load(make_order(), nobody | {"orderitem_set": [make_item(id=6002)]}, announce=True)

    with replace_commerce(shop):
        poll_updates(1, "orders", get_client())
        assert [order.number for order in Order.objects.all()] == ["F-1"]
        shop.is_away = False
        shop.orders["F-2"] = {"number": "F-2", "user_email": "veli@example.com"}
        poll_updates(1, "orders", get_client())

    assert Order.objects.get(number="F-2").user_email == "veli@example.com"
