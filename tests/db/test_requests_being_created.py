"""A request whose making was not answered may still come: until its grace is over, its absence tells nothing."""

from dataclasses import replace

import pytest
from django.conf import settings
from django.db.models import F
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import _draft, deliver_request
from aftercart.actions.requests.reject_request import deliver_rejection, reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.cancellations.models import Delivery, SubmissionLine
from aftercart.lib.notes import write_note
from aftercart.oms.errors import AnswerUnknown, NotSent, Refused
from tests.shop import Line, Shop, count_jobs, get_request, make_customer, request_units

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    """A shop with a request of which nobody knows whether Omnitron is making it."""
    shop = Shop()
    request = request_units(shop, delivered=False)
    shop.fake.fail("create_request", AnswerUnknown)
    deliver_request(request.pk, shop.fake)
    assert get_request().delivery.pending_name == request.uuid.hex
    return shop


def pass_the_grace() -> None:
    Delivery.objects.update(sent_at=F("sent_at") - settings.VERIFY_GRACE)


def get_planned() -> str:
    """Name the job that is planned next about a request."""
    tasks = [jobs.DELIVER_REQUEST, jobs.EXECUTE_APPROVAL, jobs.DELIVER_REJECTION]
    job = ProcrastinateJob.objects.filter(task_name__in=tasks).latest("pk")
    assert job.scheduled_at is not None
    assert job.scheduled_at > timezone.now()
    return str(job.task_name)


def test_it_is_not_made_a_second_time_before(shop: Shop) -> None:
    deliver_request(get_request().pk, shop.fake)
    assert (shop.count_posts("create_request"), get_planned()) == (1, jobs.DELIVER_REQUEST)

    pass_the_grace()
    deliver_request(get_request().pk, shop.fake)

    assert shop.count_posts("create_request") == 2
    assert get_request().is_delivered
    assert get_request().delivery.pending_name == ""


def test_what_was_certainly_not_made_is_made_at_once() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    shop.fake.fail("create_request", NotSent)
    deliver_request(request.pk, shop.fake)
    assert get_request().delivery.pending_name == ""

    deliver_request(request.pk, shop.fake)

    assert get_request().is_delivered


def test_of_several_units_the_one_that_may_still_come_is_waited_for() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    request = request_units(shop, delivered=False)
    shop.fake.before("create_request", lambda: lose_the_second(shop))
    deliver_request(request.pk, shop.fake)
    assert get_request().delivery.pending_name == f"{request.uuid.hex}-1"

    deliver_request(request.pk, shop.fake)
    assert shop.count_posts("create_request") == 2
    pass_the_grace()
    deliver_request(request.pk, shop.fake)

    assert (shop.count_posts("create_request"), len(get_request().remote_pks)) == (3, 2)


def lose_the_second(shop: Shop) -> None:
    if shop.fake.backoffice.requests:
        shop.fake.fail("create_request", AnswerUnknown)
        shop.fake.before("create_request", None)


def test_an_approval_waits_for_it(shop: Shop) -> None:
    approve_request(get_request().pk, make_customer())

    execute_approval(get_request().pk, shop.fake)
    assert (shop.count_posts(), get_planned()) == (0, jobs.EXECUTE_APPROVAL)
    assert (get_request().status, get_request().delivery.error) == (
        "approved",
        write_note("still_making"),
    )

    pass_the_grace()
    execute_approval(get_request().pk, shop.fake)
    assert (shop.count_posts(), get_request().status) == (1, "confirmed")


def test_a_rejection_waits_for_it(shop: Shop) -> None:
    reject_request(get_request().pk, make_customer(), "Already packed.")

    deliver_rejection(get_request().pk, shop.fake)
    assert (get_request().notice.state, get_planned()) == ("due", jobs.DELIVER_REJECTION)

    pass_the_grace()
    deliver_rejection(get_request().pk, shop.fake)
    assert get_request().notice.state == "known"


def test_one_that_was_decided_meanwhile_is_not_given_up_before(shop: Shop) -> None:
    [item] = shop.fake.backoffice.items.values()
    item.remote = replace(item.remote, status="100")
    sync_order(shop.order.pk, shop.fake)
    assert get_request().status == "completed"

    deliver_request(get_request().pk, shop.fake)
    assert get_planned() == jobs.DELIVER_REQUEST

    pass_the_grace()
    deliver_request(get_request().pk, shop.fake)
    assert (get_request().is_undeliverable, shop.count_posts("create_request")) == (False, 1)
    drop_jobs()
    recover_jobs()
    assert count_jobs(jobs.DELIVER_REQUEST) == 0


def test_one_that_may_not_be_looked_for_is_looked_for_less_and_less_often(shop: Shop) -> None:
    [item] = shop.fake.backoffice.items.values()
    item.remote = replace(item.remote, status="100")
    sync_order(shop.order.pk, shop.fake)
    shop.fake.fail("find_requests", Refused("Not allowed.", code="no", status=403))

    deliver_request(get_request().pk, shop.fake)

    assert (get_request().is_undeliverable, get_planned()) == (False, jobs.DELIVER_REQUEST)


def test_two_workers_at_one_request_make_it_once() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    shop.fake.before("find_requests", lambda: be_overtaken(shop, request.pk))

    deliver_request(request.pk, shop.fake)

    assert shop.count_posts("create_request") == 1
    assert get_request().is_delivered
    assert (get_request().is_undeliverable, get_request().delivery.error) == (False, "")


def be_overtaken(shop: Shop, pk: int) -> None:
    shop.fake.before("find_requests", None)
    deliver_request(pk, shop.fake)


def test_one_that_is_refused_since_it_is_there_is_found() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    shop.fake.before("create_request", lambda: make_it_elsewhere(shop))

    deliver_request(request.pk, shop.fake)

    assert (get_request().is_undeliverable, len(get_request().remote_pks)) == (False, 1)


def test_a_unit_that_is_refused_since_it_is_there_is_found() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    request = request_units(shop, delivered=False)
    shop.fake.before("create_request", lambda: make_the_second(shop))

    deliver_request(request.pk, shop.fake)

    assert sorted(get_request().remote_pks) == sorted(shop.fake.backoffice.requests)
    assert (len(get_request().remote_pks), get_request().delivery.error) == (2, "")


def make_the_second(shop: Shop) -> None:
    """Let an earlier try of the second unit arrive just before ours."""
    made = [record.remote for record in shop.fake.backoffice.requests.values()]
    if made:
        shop.fake.before("create_request", None)
        [left] = [pk for pk in shop.fake.backoffice.items if pk != made[0].order_item_pk]
        line = SubmissionLine.objects.select_related("reason", "shipping_company").get()
        draft = _draft(line, left, 1, f"{get_request().uuid.hex}-1", quantity=1)
        shop.fake.backoffice.create_request(1, draft)


def test_what_omnitron_said_on_the_way_is_never_told_as_its_reason() -> None:
    shop = Shop([Line(quantity=2)])
    request = request_units(shop, delivered=False)
    shop.fake.before("create_request", lambda: make_it_elsewhere(shop))
    deliver_request(request.pk, shop.fake)
    Delivery.objects.update(error="Something was wrong.")
    shop.fake.decide_request("reject", get_request().remote_pks[0])

    sync_order(shop.order.pk, shop.fake)

    assert (get_request().status, get_request().reject_reason) == ("rejected", "")


def make_it_elsewhere(shop: Shop) -> None:
    """Make the request as the one that is just being made, which is then refused."""
    shop.fake.before("create_request", None)
    before = Delivery.objects.get()
    Delivery.objects.update(state="created", pending_name="")
    deliver_request(before.request_id, shop.fake)
    before.save()


def test_a_delivery_that_comes_while_an_approval_is_being_checked_gives_nothing_up() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    shop.fake.fail("create_request", NotSent)
    deliver_request(request.pk, shop.fake)
    approve_request(request.pk, make_customer())
    shop.fake.fail("cancel_items", AnswerUnknown)
    execute_approval(request.pk, shop.fake)
    calls = len(shop.fake.calls)

    deliver_request(request.pk, shop.fake)  # the next try of the first one, planned long ago

    assert (get_request().status, get_request().is_undeliverable) == ("verifying", False)
    assert len(shop.fake.calls) == calls


def drop_jobs() -> None:
    ProcrastinateJob.objects.all()._raw_delete("default")


def test_an_approval_whose_request_omnitron_does_not_show_is_tried_again_and_says_why() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    approve_request(request.pk, make_customer())
    shop.fake.fail("find_requests", Refused("Not allowed.", code="no", status=403))

    execute_approval(request.pk, shop.fake)

    assert (get_request().status, get_request().delivery.error) == ("approved", "Not allowed.")
    assert (shop.count_posts(), get_planned()) == (0, jobs.EXECUTE_APPROVAL)
    execute_approval(request.pk, shop.fake)
    assert get_request().status == "confirmed"
