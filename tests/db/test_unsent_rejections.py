"""While Omnitron is still to be told of a rejection, nothing it shows of the item answers another request."""

from dataclasses import replace

import pytest

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.reject_request import deliver_rejection, reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import CancellationRequest, Delivery, Submission, SubmissionLine
from aftercart.lib.notes import write_note
from tests.import_documents import make_document, make_item, run_import
from tests.shop import Line, Shop, make_customer, request_units

pytestmark = pytest.mark.django_db


def reject_and_ask_again(shop: Shop) -> tuple[CancellationRequest, CancellationRequest]:
    """Have our staff reject a request that Omnitron has, and the customer ask again before Omnitron is told."""
    first = request_units(shop)
    reject_request(first.pk, make_customer(), "Already packed.")
    assert cancel_items(shop.command(), shop.fake).status == 200
    return first, CancellationRequest.objects.exclude(pk=first.pk).get()


def test_a_new_request_is_not_sent_over_the_one_that_omnitron_may_still_decide() -> None:
    shop = Shop()

    _first, second = reject_and_ask_again(shop)

    assert (second.status, second.cause) == ("waiting", "rejection_untold")
    assert [post.call for post in shop.fake.posts] == ["create_request"]


def test_a_new_request_is_delivered_once_the_rejection_is_told() -> None:
    shop = Shop()
    first, second = reject_and_ask_again(shop)

    deliver_request(second.pk, shop.fake)
    second.refresh_from_db()
    assert (second.remote_pks, second.is_undeliverable) == ([], False)
    assert second.delivery.error == write_note("rejection_untold")

    deliver_rejection(first.pk, shop.fake)
    deliver_request(second.pk, shop.fake)
    second.refresh_from_db()
    statuses = {pk: record.remote.status for pk, record in shop.fake.backoffice.requests.items()}
    assert statuses == {first.remote_pks[0]: "rejected", second.remote_pks[0]: "waiting"}


def test_a_unit_that_is_gone_by_the_overruled_rejection_is_not_gone_by_the_next_request_too() -> None:
    shop = Shop()
    first, second = reject_and_ask_again(shop)
    shop.fake.decide_request("approve", first.remote_pks[0], "")

    sync_order(shop.order.pk, shop.fake)
    assert SubmissionLine.objects.get(request=second).is_open

    deliver_rejection(first.pk, shop.fake)
    sync_order(shop.order.pk, shop.fake)

    lines = SubmissionLine.objects.order_by("pk").values_list("outcome", "completed_quantity")
    assert list(lines) == [("completed", 1), ("rejected", 0)]
    shop.order.refresh_from_db()
    [item] = shop.order.items.all()
    assert (item.status, item.cancelled_quantity, item.refund_amount) == ("100", 1, 100)
    assert shop.order.refund_amount == 100


def test_nor_is_one_of_several() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    first = request_units(shop, 1)
    reject_request(first.pk, make_customer(), "Already packed.")
    assert cancel_items(shop.command(), shop.fake).status == 200  # both units
    left = max(shop.fake.backoffice.items)
    shop.fake.decide_request("approve", first.remote_pks[0], "")
    deliver_rejection(first.pk, shop.fake)
    record = shop.fake.backoffice.items[left]
    record.remote = replace(record.remote, status="100")

    sync_order(shop.order.pk, shop.fake)

    lines = SubmissionLine.objects.order_by("pk").values_list("quantity", "outcome", "completed_quantity")
    assert list(lines) == [(1, "completed", 1), (2, "completed", 1)]


def test_an_import_that_shows_what_omnitron_decided_leaves_it_to_be_booked_once() -> None:
    shop = Shop()
    request = request_units(shop)
    reject_request(request.pk, make_customer(), "Already packed.")
    shop.fake.decide_request("approve", request.remote_pks[0], "")
    amounts = {"status": "100", "refund_amount": "100.00"}
    gone = make_item(id=shop.items[0].pk, cancelled_quantity=1, **amounts)
    changes = {"user_email": shop.user.email, "modified_date": "2030-01-01T10:00:00.000000Z", **amounts}
    result, _bad = run_import(make_document(shop.order.number, orderitem_set=[gone], **changes))
    assert result.updated == 1

    deliver_rejection(request.pk, shop.fake)
    sync_order(shop.order.pk, shop.fake)

    shop.order.refresh_from_db()
    [item] = shop.order.items.all()
    assert (item.status, item.cancelled_quantity, item.refund_amount) == ("100", 1, 100)
    assert (shop.order.status, shop.order.refund_amount) == ("100", 100)


def test_nor_is_what_is_kept_of_an_earlier_round_counted_before_the_rejection_is_told() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    first, second = request_units(shop).remote_pks
    Delivery.objects.update(remote_pks=[second], state="created", attempts=0, round=1, known_at=None)
    shop.fake.decide_request("reject", first, "")
    shop.fake.decide_request("approve", second, "")
    request = CancellationRequest.objects.get()
    reject_request(request.pk, make_customer(), "Already packed.")

    sync_order(shop.order.pk, shop.fake)
    deliver_rejection(request.pk, shop.fake)

    [line] = SubmissionLine.objects.select_related("order_item")
    assert (line.completed_quantity, line.order_item.cancelled_quantity) == (1, 1)


def test_what_was_never_tried_at_omnitron_holds_nothing_up() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    reject_request(request.pk, make_customer(), "Already packed.")

    assert cancel_items(shop.command(), shop.fake).status == 204
    assert Submission.objects.filter(state="applied").count() == 1
