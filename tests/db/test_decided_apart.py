"""Where Omnitron and our staff decide apart: of some units only, or each of the whole."""

from decimal import Decimal
from unittest import mock

import pytest

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.quote_cancellation import quote_cancellation
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.find_obstacle import RequestObstructed
from aftercart.actions.requests.reject_request import deliver_rejection, reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.cancellations.models import CancellationRequest, Difference, SubmissionLine
from aftercart.mail.models import Email
from aftercart.oms.errors import AnswerUnknown, Refused
from aftercart.orders.models import Order, OrderItem
from tests.shop import Line, Shop, ask, count_jobs, get_request, make_command, make_customer, request_units

pytestmark = pytest.mark.django_db


def get_line() -> SubmissionLine:
    return SubmissionLine.objects.select_related("order_item").get()


def test_a_line_waits_until_all_its_units_are_decided_and_then_keeps_what_was_refused() -> None:
    shop = Shop([Line(quantity=3)], split_units=True)
    request = request_units(shop)
    first, second, third = request.remote_pks
    shop.fake.decide_request("approve", first, "")
    shop.fake.decide_request("reject", second, "Too late.")

    sync_order(shop.order.pk, shop.fake)
    assert get_line().is_open

    shop.fake.decide_request("approve", third, "")
    sync_order(shop.order.pk, shop.fake)

    line = get_line()
    assert (line.is_open, line.outcome, line.completed_quantity) == (False, "completed", 2)
    assert (line.order_item.cancelled_quantity, line.order_item.status) == (2, "400")
    assert (get_request().status, get_request().reject_reason) == ("completed", "Too late.")


def test_a_unit_that_is_completed_while_the_order_is_read_gives_back_its_part() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    first, second = request_units(shop).remote_pks
    shop.fake.decide_request("approve", first, "")

    def decide_the_second() -> None:
        shop.fake.before("read_request", None)
        shop.fake.decide_request("approve", second, "")

    shop.fake.before("read_request", decide_the_second)
    sync_order(shop.order.pk, shop.fake)

    line = get_line()
    assert (line.completed_quantity, line.order_item.refund_amount) == (2, 200)
    assert not Difference.objects.exists()


def test_a_direct_cancellation_of_which_one_unit_is_refused_cancels_the_other() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    cancel_items(shop.command(), shop.fake)
    ours = shop.items[0]
    one, other = sorted(shop.fake.posts[0].body["cancel_items"])
    shop.fake.decide_items("approve", one)

    sync_order(shop.order.pk, shop.fake)
    assert get_line().is_open

    shop.fake.decide_items("reject", other)
    sync_order(shop.order.pk, shop.fake)

    line = get_line()
    ours.refresh_from_db()
    assert (line.outcome, line.completed_quantity) == ("completed", 1)
    assert (ours.cancelled_quantity, ours.status) == (1, "400")


def test_the_delivery_of_what_was_refused_in_part_comes_back_when_the_rest_is_cancelled() -> None:
    order_fields = {"shipping_amount": Decimal("29.90")}
    shop = Shop(
        [Line(price="10.00", quantity=2), Line(price="5.00")], split_units=True, order_fields=order_fields
    )
    Order.objects.update(amount=Decimal("54.90"))
    cancel_items(shop.command(), shop.fake)
    one, refused, other = sorted(shop.fake.posts[0].body["cancel_items"])
    shop.fake.decide_items("approve", one)
    shop.fake.decide_items("reject", refused)
    sync_order(shop.order.pk, shop.fake)

    assert quote_cancellation(shop.command(0)).quote.shipping_refund == Decimal("29.90")
    cancel_items(shop.command(0), shop.fake)
    shop.fake.decide_items("approve", refused)
    shop.fake.decide_items("approve", other)
    sync_order(shop.order.pk, shop.fake)

    shop.order.refresh_from_db()
    assert (shop.order.refund_amount, shop.order.shipping_refund_amount) == (
        Decimal("54.90"),
        Decimal("29.90"),
    )
    assert not Difference.objects.exists()


def test_a_part_of_a_line_that_is_one_item_there_is_never_sent_as_the_whole() -> None:
    shop = Shop([Line(quantity=3)])
    request = request_units(shop, 1)
    sync_order(shop.order.pk, shop.fake)

    with pytest.raises(RequestObstructed) as refused:
        approve_request(request.pk, make_customer())
    assert refused.value.code == "partial_line"

    assert get_request().status == "waiting"
    assert shop.count_posts() == 0


def test_even_approved_before_omnitrons_items_were_known_it_is_not() -> None:
    shop = Shop([Line(quantity=3)])
    request = request_units(shop, 1, delivered=False)
    approve_request(request.pk, make_customer())

    execute_approval(request.pk, shop.fake)

    assert (get_request().status, get_request().cause) == ("waiting", "merged_line")
    assert shop.count_posts() == 0


def test_an_approved_part_of_a_split_line_cancels_as_many_units() -> None:
    shop = Shop([Line(quantity=3)], split_units=True)
    request = request_units(shop, 2)
    approve_request(request.pk, make_customer())

    execute_approval(request.pk, shop.fake)

    posts = [post for post in shop.fake.posts if post.call == "cancel_items"]
    assert [len(post.body["cancel_items"]) for post in posts] == [2]
    assert get_request().status == "confirmed"


def test_what_omnitron_completed_before_our_approval_reached_it_is_not_cancelled_again() -> None:
    shop = Shop([Line(quantity=3)], split_units=True)
    request = request_units(shop, 1)
    approve_request(request.pk, make_customer())
    shop.fake.decide_request("approve", request.remote_pks[0], "")

    execute_approval(request.pk, shop.fake)
    sync_order(shop.order.pk, shop.fake)

    assert shop.count_posts() == 0
    assert (get_request().status, get_line().order_item.cancelled_quantity) == ("completed", 1)


@pytest.mark.parametrize("is_synced_first", [False, True])
def test_what_omnitron_completed_before_our_rejection_reached_it_stands(*, is_synced_first: bool) -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    request = request_units(shop, 1)
    reject_request(request.pk, make_customer(), "Already packed.")
    shop.fake.decide_request("approve", request.remote_pks[0], "")
    if is_synced_first:
        sync_order(shop.order.pk, shop.fake)

    deliver_rejection(request.pk, shop.fake)

    line = get_line()
    assert (line.outcome, line.completed_quantity) == ("completed", 1)
    assert (line.order_item.cancelled_quantity, line.order_item.status) == (1, "400")
    assert (get_request().status, get_request().reject_reason) == ("completed", "")
    events = set(shop.order.timeline.values_list("event", flat=True))
    assert {"cancellation_rejected", "rejection_overruled", "cancellation_completed"} <= events


def test_a_rejection_that_omnitron_overrules_unit_by_unit_counts_each_once() -> None:
    shop = Shop([Line(quantity=3)], split_units=True)
    request = request_units(shop, 2)
    first, second = request.remote_pks
    reject_request(request.pk, make_customer(), "Already packed.")
    shop.fake.decide_request("approve", first, "")
    sync_order(shop.order.pk, shop.fake)
    shop.fake.decide_request("approve", second, "")

    deliver_rejection(request.pk, shop.fake)
    sync_order(shop.order.pk, shop.fake)

    line = get_line()
    assert (line.outcome, line.completed_quantity) == ("completed", 2)
    assert (line.order_item.cancelled_quantity, line.order_item.status) == (2, "400")
    shop.order.refresh_from_db()
    assert (line.order_item.refund_amount, shop.order.refund_amount) == (200, 200)


def test_what_became_of_a_rejection_is_told_when_the_rest_of_its_submission_was_told_before() -> None:
    shop = Shop([Line(), Line()])
    OrderItem.objects.filter(pk=shop.items[1].pk).update(product={"name": "Hat"})
    asks = [ask(item, shop.cancel_reason) for item in shop.items]
    request_cancellation(make_command(shop.order, *asks))
    first, second = CancellationRequest.objects.order_by("pk")
    for request in (first, second):
        deliver_request(request.pk, shop.fake)
        request.refresh_from_db()
    shop.fake.decide_request("approve", first.remote_pks[0], "")
    sync_order(shop.order.pk, shop.fake)
    reject_request(second.pk, make_customer(), "Already packed.")
    assert list_completed() == [["Shirt"]]
    shop.fake.decide_request("approve", second.remote_pks[0], "")

    deliver_rejection(second.pk, shop.fake)

    assert list_completed() == [["Shirt"], ["Hat"]]


def list_completed() -> list[list[str]]:
    """List the items of each e-mail that tells what was done."""
    emails = Email.objects.filter(kind="cancellation_completed").order_by("pk")
    return [[item["name"] for item in email.facts["items"]] for email in emails]


def test_a_rejection_finds_the_request_whose_making_was_never_answered() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    shop.fake.fail("create_request", AnswerUnknown, applied=True)
    deliver_request(request.pk, shop.fake)
    reject_request(request.pk, make_customer(), "Already packed.")

    deliver_rejection(request.pk, shop.fake)

    assert get_request().notice.state == "known"
    [theirs] = shop.fake.backoffice.requests.values()
    assert theirs.remote.status == "rejected"


def test_a_rejection_that_may_not_be_told_is_told_later_and_says_why() -> None:
    shop = Shop()
    request = request_units(shop)
    reject_request(request.pk, make_customer(), "Already packed.")
    for call in ("reject_request", "read_request"):
        shop.fake.fail(call, Refused("You do not have permission.", code="permission_denied", status=403))

    deliver_rejection(request.pk, shop.fake)

    notice = get_request().notice
    assert (notice.state, notice.attempts, notice.error) == ("due", 1, "You do not have permission.")
    assert count_jobs(jobs.DELIVER_REJECTION) == 2
    deliver_rejection(request.pk, shop.fake)
    [theirs] = shop.fake.backoffice.requests.values()
    assert theirs.remote.status == "rejected"


def test_a_rejection_while_the_request_is_on_its_way_follows_it() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    staff = make_customer()

    def reject_meanwhile() -> None:
        shop.fake.before("create_request", None)
        reject_request(request.pk, staff, "Already packed.")
        deliver_rejection(request.pk, shop.fake)  # finds nothing there yet

    shop.fake.before("create_request", reject_meanwhile)
    deliver_request(request.pk, shop.fake)
    deliver_rejection(request.pk, shop.fake)

    [theirs] = shop.fake.backoffice.requests.values()
    assert theirs.remote.status == "rejected"


def test_a_rejection_whose_job_is_gone_gets_another() -> None:
    shop = Shop()
    request = request_units(shop)
    reject_request(request.pk, make_customer(), "Already packed.")
    jobs_before = _drop_jobs()

    assert jobs_before > 0
    recover_jobs()
    assert _list_tasks().count(jobs.DELIVER_REJECTION) == 1


def _drop_jobs() -> int:
    from procrastinate.contrib.django.models import ProcrastinateJob

    return ProcrastinateJob.objects.all()._raw_delete("default")


def _list_tasks() -> list[str]:
    from procrastinate.contrib.django.models import ProcrastinateJob

    return list(ProcrastinateJob.objects.filter(status="todo").values_list("task_name", flat=True))


def test_a_unit_that_omnitrons_queue_refuses_does_not_lose_the_others() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    request = request_units(shop, delivered=False)
    create = Refused("No.", code="no", status=406)
    shop.fake.before("create_request", lambda: _refuse_the_second(shop, create))

    deliver_request(request.pk, shop.fake)
    request = get_request()
    assert (len(request.remote_pks), request.delivery.error, request.is_undeliverable) == (1, "No.", False)

    shop.fake.decide_request("approve", request.remote_pks[0], "")
    sync_order(shop.order.pk, shop.fake)

    line = get_line()
    assert (line.outcome, line.completed_quantity, line.order_item.cancelled_quantity) == ("completed", 1, 1)
    assert get_request().reject_reason == "No."


def _refuse_the_second(shop: Shop, refused: Refused) -> None:
    if shop.fake.backoffice.requests:
        shop.fake.fail("create_request", refused)
        shop.fake.before("create_request", None)


def test_what_was_made_of_a_request_is_noted_even_if_it_is_decided_first() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    shop.fake.fail("create_request", AnswerUnknown, applied=True)
    deliver_request(request.pk, shop.fake)
    [theirs] = shop.fake.backoffice.requests
    shop.fake.decide_request("approve", theirs, "")
    sync_order(shop.order.pk, shop.fake)
    _drop_jobs()

    recover_jobs()
    assert _list_tasks().count(jobs.DELIVER_REQUEST) == 1
    deliver_request(request.pk, shop.fake)

    assert (get_request().status, get_request().remote_pks) == ("completed", [theirs])
    assert len(shop.fake.backoffice.requests) == 1


def test_what_a_dead_worker_made_of_a_request_is_noted_even_if_it_is_decided_first() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    dying = mock.patch(
        "aftercart.actions.requests.deliver_request._record_known", side_effect=KeyboardInterrupt
    )
    with dying, pytest.raises(KeyboardInterrupt):
        deliver_request(request.pk, shop.fake)
    [theirs] = shop.fake.backoffice.requests
    shop.fake.decide_request("approve", theirs, "")
    sync_order(shop.order.pk, shop.fake)
    _drop_jobs()

    recover_jobs()
    assert _list_tasks().count(jobs.DELIVER_REQUEST) == 1
    deliver_request(request.pk, shop.fake)

    assert (get_request().status, get_request().remote_pks) == ("completed", [theirs])
