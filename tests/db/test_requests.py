"""What becomes of a request: delivered into Omnitron's queue once, decided there or by our staff."""

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.find_obstacle import RequestDecided
from aftercart.actions.requests.reject_request import deliver_rejection, reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.cancellations.models import CancellationRequest, SubmissionLine
from aftercart.mail.models import Email
from aftercart.oms.errors import AnswerUnknown, Refused
from aftercart.orders.errors import CancellationRefused, InputInvalid
from tests.shop import Line, Shop, ask, count_jobs, get_request, get_statuses, make_command, make_customer

pytestmark = pytest.mark.django_db


def open_request(shop: Shop, **fields: object) -> CancellationRequest:
    item = shop.items[0]
    request_cancellation(make_command(shop.order, ask(item, shop.cancel_reason, **fields)))
    return CancellationRequest.objects.latest("pk")


def test_a_request_is_delivered_once_even_if_the_first_answer_was_lost() -> None:
    shop = Shop()
    request = open_request(shop)
    shop.fake.fail("create_request", AnswerUnknown, applied=True)

    deliver_request(request.pk, shop.fake)
    assert not get_request().is_delivered
    deliver_request(request.pk, shop.fake)
    deliver_request(request.pk, shop.fake)

    request.refresh_from_db()
    assert shop.count_posts("create_request") == 1
    assert len(request.remote_pks) == 1
    assert request.is_delivered
    body = shop.fake.posts[0].body
    assert (body["remote_id"], body["quantity"], body["cancellation_type"]) == (request.uuid.hex, 1, "cancel")


def test_a_request_for_part_of_a_split_line_is_delivered_for_as_many_units() -> None:
    shop = Shop([Line(quantity=3)], split_units=True)
    request = open_request(shop, quantity=2)

    deliver_request(request.pk, shop.fake)

    request.refresh_from_db()
    assert [post.body["quantity"] for post in shop.fake.posts] == [1, 1]
    assert len(request.remote_pks) == 2


def test_a_second_part_of_a_split_line_is_delivered_for_the_units_that_are_left() -> None:
    shop = Shop([Line(quantity=3)], split_units=True)
    for quantity in (1, 2):
        request = open_request(shop, quantity=quantity)
        deliver_request(request.pk, shop.fake)
        request.refresh_from_db()
        assert request.is_delivered
        for pk in request.remote_pks:
            shop.fake.decide_request("approve", pk)
        sync_order(shop.order.pk, shop.fake)

    assert (shop.items[0].cancelled_quantity, shop.items[0].reserved_quantity) == (3, 0)
    asked = [post.body["order_item"] for post in shop.fake.posts]
    assert len(set(asked)) == 3


def test_a_part_of_a_merged_line_that_we_approve_is_not_sent_as_the_whole_line() -> None:
    shop = Shop([Line(quantity=3)])
    request = open_request(shop, quantity=1)
    approve_request(request.pk, make_customer())

    execute_approval(request.pk, shop.fake)

    request.refresh_from_db()
    assert (request.status, request.cause) == ("waiting", "merged_line")
    assert shop.count_posts() == 0
    assert (shop.items[0].cancelled_quantity, shop.items[0].reserved_quantity) == (0, 1)
    assert count_jobs(jobs.DELIVER_REQUEST) == 2  # it goes back into Omnitron's queue


def test_a_part_of_a_split_line_that_we_approve_is_sent_for_as_many_units_and_booked() -> None:
    shop = Shop([Line(quantity=3)], split_units=True)
    for quantity in (2, 1):
        request = open_request(shop, quantity=quantity)
        approve_request(request.pk, make_customer())
        execute_approval(request.pk, shop.fake)
        sent = shop.fake.posts[-1].body["cancel_items"]
        assert len(sent) == quantity
        shop.fake.decide_items("approve", *sent)
        sync_order(shop.order.pk, shop.fake)

    item = shop.items[0]
    assert (item.cancelled_quantity, item.reserved_quantity, item.status) == (3, 0, "100")
    assert item.refund_amount == 300


def test_a_request_that_omnitron_refuses_stays_with_us_and_says_why() -> None:
    shop = Shop()
    request = open_request(shop)
    shop.fake.fail("create_request", Refused("No such thing.", code="x", status=406))

    deliver_request(request.pk, shop.fake)

    request.refresh_from_db()
    assert (request.status, request.is_undeliverable, request.delivery.error) == (
        "waiting",
        True,
        "No such thing.",
    )
    ProcrastinateJob.objects.all()._raw_delete("default")
    Email.objects.all().delete()
    assert recover_jobs() == 0


def test_an_approval_by_omnitron_cancels_the_item() -> None:
    shop = Shop([Line(), Line()])
    cancel_items(shop.command(0), shop.fake)
    [item_pk] = shop.fake.posts[0].body["cancel_items"]
    shop.fake.decide_items("approve", item_pk)

    sync_order(shop.order.pk, shop.fake)

    assert get_statuses(shop.order) == ["100", "400"]
    line = SubmissionLine.objects.get()
    assert (line.is_open, line.outcome) == (False, "completed")
    assert shop.items[0].cancelled_quantity == 1
    with pytest.raises(CancellationRefused, match="already cancelled"):
        cancel_items(shop.command(0), shop.fake)


def test_a_rejection_by_omnitron_gives_the_status_before_back_and_frees_the_item() -> None:
    shop = Shop([Line(status="450")])
    cancel_items(shop.command(), shop.fake)
    [item_pk] = shop.fake.posts[0].body["cancel_items"]
    shop.fake.decide_items("reject", item_pk)

    sync_order(shop.order.pk, shop.fake)

    assert get_statuses(shop.order) == ["450"]
    shop.order.refresh_from_db()
    assert shop.order.status == "400"  # the order's own status before
    assert SubmissionLine.objects.get().outcome == "rejected"
    assert cancel_items(shop.command(), shop.fake).status == 204


def test_a_request_that_omnitron_completes_or_rejects_is_so_here() -> None:
    for decision, status, statuses in (("approve", "completed", ["100"]), ("reject", "rejected", ["400"])):
        shop = Shop()
        request_cancellation(shop.command())
        request = CancellationRequest.objects.get(line__order_item=shop.items[0])
        deliver_request(request.pk, shop.fake)
        request.refresh_from_db()
        shop.fake.decide_request(decision, request.remote_pks[0], "Too late.")  # type: ignore[arg-type]  # one of the two there are

        sync_order(shop.order.pk, shop.fake)

        request.refresh_from_db()
        assert (request.status, get_statuses(shop.order)) == (status, statuses)
        assert request.reject_reason == ("Too late." if decision == "reject" else "")


def test_syncing_twice_changes_nothing_more() -> None:
    shop = Shop()
    cancel_items(shop.command(), shop.fake)
    [item_pk] = shop.fake.posts[0].body["cancel_items"]
    shop.fake.decide_items("approve", item_pk)
    sync_order(shop.order.pk, shop.fake)
    shop.order.refresh_from_db()
    version = shop.order.version

    sync_order(shop.order.pk, shop.fake)

    shop.order.refresh_from_db()
    assert shop.order.version == version


def test_an_approved_request_is_sent_to_omnitron_by_the_worker() -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    cancel_items(shop.command(), shop.fake)
    staff = make_customer()

    approve_request(get_request().pk, staff)
    assert (get_request().status, shop.count_posts()) == ("approved", 0)
    execute_approval(get_request().pk, shop.fake)

    assert (get_request().status, shop.count_posts()) == ("confirmed", 1)
    assert get_statuses(shop.order) == ["50"]
    with pytest.raises(RequestDecided):
        approve_request(get_request().pk, staff)


def test_approving_takes_a_delivered_request_out_of_omnitrons_queue_first() -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    cancel_items(shop.command(), shop.fake)
    deliver_request(get_request().pk, shop.fake)

    approve_request(get_request().pk, make_customer())
    sync_order(shop.order.pk, shop.fake)
    execute_approval(get_request().pk, shop.fake)
    execute_approval(get_request().pk, shop.fake)

    assert [post.call for post in shop.fake.posts] == ["create_request", "reject_request", "cancel_items"]
    assert (get_request().status, get_statuses(shop.order)) == ("confirmed", ["50"])


def test_an_approval_that_omnitron_refuses_puts_the_request_back_into_the_queue() -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    cancel_items(shop.command(), shop.fake)
    shop.fake.fail("cancel_items", Refused("No.", code="order_cancel_100_6", status=406))

    approve_request(get_request().pk, make_customer())
    execute_approval(get_request().pk, shop.fake)

    assert (get_request().status, get_request().cause) == ("waiting", "order_cancel_100_6")
    assert get_statuses(shop.order) == ["400"]


def test_a_rejected_request_tells_why_and_omnitron_hears_of_it() -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    cancel_items(shop.command(), shop.fake)
    deliver_request(get_request().pk, shop.fake)
    staff = make_customer()

    with pytest.raises(InputInvalid):
        reject_request(get_request().pk, staff, " ")
    reject_request(get_request().pk, staff, "Already packed.")
    deliver_rejection(get_request().pk, shop.fake)

    request = get_request()
    assert (request.status, request.reject_reason) == ("rejected", "Already packed.")
    assert request.decided_by == staff
    assert shop.fake.posts[-1].call == "reject_request"
    with pytest.raises(RequestDecided):
        reject_request(request.pk, staff, "Again.")
    assert cancel_items(shop.command(), shop.fake).status == 200
