"""Requests bear a name at Omnitron that no other request ever had; what bears it is adopted only if it is the same."""

from typing import Any

import pytest

from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.sync.reconcile_orders import reconcile_order
from aftercart.cancellations.models import Delivery, Difference
from aftercart.mail.models import Email
from aftercart.oms.errors import NotSent, Refused
from aftercart.oms.messages import RequestDraft
from tests.shop import Line, Shop, get_request, make_customer, request_units

pytestmark = pytest.mark.django_db


def make_elsewhere(shop: Shop, remote_id: str, **changes: Any) -> int:
    """Let Omnitron have a request under a name, of the first item unless told otherwise."""
    first = min(shop.fake.backoffice.items)
    fields = {"order_item_pk": first, "reason_pk": 1, "quantity": 1} | changes
    return shop.fake.backoffice.create_request(1, RequestDraft(remote_id=remote_id, **fields)).pk


def test_after_a_restored_backup_a_new_request_does_not_adopt_an_old_one_of_the_same_id() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    item = min(shop.fake.backoffice.items)
    old = make_elsewhere(shop, str(request.pk))
    shop.fake.decide_request("approve", old)
    shop.fake.backoffice.edit(shop.fake.backoffice.items[item], status="400")

    deliver_request(request.pk, shop.fake)

    [made] = [pk for pk in shop.fake.backoffice.requests if pk != old]
    assert get_request().remote_pks == [made]
    assert (get_request().status, shop.count_posts("create_request")) == ("waiting", 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"order_item_pk": 700_002},
        {"cancellation_type": "refund", "reason_pk": 6, "order_item_pk": 700_003},
        {"quantity": 2},
    ],
)
def test_something_else_under_its_name_is_not_adopted_but_reported(
    changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    shop = Shop([Line(), Line(), Line(status="550")])
    request = request_units(shop, delivered=False)
    other = make_elsewhere(shop, request.uuid.hex, **changes)

    deliver_request(request.pk, shop.fake)

    request.refresh_from_db()
    assert (request.status, request.is_undeliverable, request.remote_pks) == ("waiting", True, [])
    assert shop.count_posts("create_request") == 0
    difference = Difference.objects.get()
    assert difference.what == "request name taken"
    assert f"#{other}: " in difference.theirs
    assert "something else under the name of request" in caplog.text
    assert Email.objects.filter(kind="cancellation_completed").count() == 0


def test_an_approval_does_not_reject_something_else_under_its_name() -> None:
    shop = Shop([Line(), Line()])
    request = request_units(shop, delivered=False)
    other = make_elsewhere(shop, request.uuid.hex, order_item_pk=700_002)
    approve_request(request.pk, make_customer())

    execute_approval(request.pk, shop.fake)

    assert shop.fake.backoffice.requests[other].remote.status == "waiting"
    assert (get_request().status, shop.count_posts("reject_request")) == ("confirmed", 0)
    assert Difference.objects.get().what == "request name taken"


def test_one_that_was_named_by_an_earlier_version_is_found_by_that_name() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    made = make_elsewhere(shop, str(request.pk))
    Delivery.objects.update(attempts=1, name=str(request.pk))  # its answer was lost

    deliver_request(request.pk, shop.fake)

    assert (get_request().delivery.name, get_request().remote_pks) == (str(request.pk), [made])
    assert shop.count_posts("create_request") == 0


def test_the_next_round_of_an_old_one_is_named_by_its_uuid() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    Delivery.objects.update(name=str(request.pk))
    deliver_request(request.pk, shop.fake)
    approve_request(request.pk, make_customer())
    shop.fake.fail("cancel_items", Refused)
    execute_approval(request.pk, shop.fake)

    deliver_request(request.pk, shop.fake)

    names = [post.body["remote_id"] for post in shop.fake.posts if post.call == "create_request"]
    assert names == [str(request.pk), f"{request.uuid.hex}r1"]


def test_each_unit_of_a_line_has_a_name_of_its_own() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    shop.fake.fail("find_requests", NotSent)
    request = request_units(shop, delivered=False)
    deliver_request(request.pk, shop.fake)  # which fails before anything is made

    deliver_request(request.pk, shop.fake)

    names = [post.body["remote_id"] for post in shop.fake.posts if post.call == "create_request"]
    assert names == [request.uuid.hex, f"{request.uuid.hex}-1"]


def test_no_comparison_resolves_what_a_person_has_to() -> None:
    shop = Shop([Line(), Line()])
    request = request_units(shop, delivered=False)
    make_elsewhere(shop, request.uuid.hex, order_item_pk=700_002)
    deliver_request(request.pk, shop.fake)

    reconcile_order(shop.order.pk, shop.fake)

    assert Difference.objects.get().resolved_at is None
