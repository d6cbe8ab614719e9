"""A second request in Omnitron's queue, or one that came after nobody wanted it: found, and rejected at once."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.reject_request import deliver_rejection, reject_request
from aftercart.actions.requests.reject_spare import reject_spare
from aftercart.actions.sync.poll_updates import poll_updates
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.cancellations.models import CancellationRequest, Delivery, Difference, SpareRequest
from aftercart.mail.models import Email
from aftercart.oms.errors import AnswerUnknown, NotSent
from aftercart.oms.messages import RequestDraft
from tests.shop import Line, Shop, count_jobs, get_request, make_customer, request_units

pytestmark = pytest.mark.django_db


def make_twice(shop: Shop) -> int:
    """Let Omnitron take a second creation under the name of the only request, as nothing there forbids."""
    backoffice, [first] = shop.fake.backoffice, get_request().remote_pks
    record = backoffice.requests[first]
    waiting = record.remote
    shop.fake.decide_request("reject", first)
    second = backoffice.create_request(1, record.draft).pk
    record.remote = waiting
    return second


def get_status(shop: Shop, pk: int) -> str:
    return shop.fake.backoffice.requests[pk].remote.status


def list_settled(shop: Shop) -> list[str]:
    """List what the timeline tells of spare requests."""
    entries = shop.order.timeline.filter(event__endswith="_request_settled").order_by("pk")
    return list(entries.values_list("event", flat=True))


def work_off(shop: Shop) -> None:
    for spare in SpareRequest.objects.filter(state="found"):
        reject_spare(spare.pk, shop.fake)


def test_a_second_creation_under_one_name_is_found_by_the_next_who_looks_and_rejected() -> None:
    shop = Shop()
    request = request_units(shop)
    [first] = request.remote_pks
    second = make_twice(shop)
    Delivery.objects.update(state="created", known_at=None, remote_pks=[])  # it has not been recorded yet

    deliver_request(request.pk, shop.fake)
    work_off(shop)

    assert get_request().remote_pks == [first]
    assert (get_status(shop, first), get_status(shop, second)) == ("waiting", "rejected")
    assert SpareRequest.objects.get(remote_pk=second).state == "rejected"
    assert list_settled(shop) == ["second_request_settled"]


def test_a_process_that_wakes_after_another_has_delivered_has_its_creation_rejected(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    request = request_units(shop, 1, delivered=False)
    shop.fake.before("create_request", lambda: stand_still(shop))

    deliver_request(request.pk, shop.fake)
    [spare] = SpareRequest.objects.all()
    work_off(shop)

    [kept] = get_request().remote_pks
    assert spare.remote_pk is not None
    assert (get_status(shop, kept), get_status(shop, spare.remote_pk)) == ("waiting", "rejected")
    assert "had a second request" in caplog.text


def stand_still(shop: Shop) -> None:
    """Let another worker deliver the request, for the other item, while one stands still at its system call."""
    shop.fake.before("create_request", None)
    request = get_request()
    other = max(shop.fake.backoffice.items)
    draft = RequestDraft(other, 1, request.uuid.hex, quantity=1)
    made = shop.fake.backoffice.create_request(1, draft)
    Delivery.objects.update(
        state="known", remote_pks=[made.pk], known_at=timezone.now(), attempts=5, pending_name=""
    )


def test_one_that_left_late_and_was_not_answered_is_looked_for_after_the_grace() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    shop.fake.before("create_request", lambda: go_on_elsewhere(shop))
    shop.fake.fail("create_request", AnswerUnknown, applied=True)

    deliver_request(request.pk, shop.fake)

    [job] = ProcrastinateJob.objects.filter(task_name=jobs.REJECT_SPARE)
    assert job.scheduled_at is not None
    assert job.scheduled_at > timezone.now() + settings.VERIFY_GRACE - timedelta(seconds=10)
    work_off(shop)  # which finds it by its name
    work_off(shop)
    [made] = shop.fake.backoffice.requests
    assert get_status(shop, made) == "rejected"


def go_on_elsewhere(shop: Shop) -> None:
    """Let the staff approve the request while a worker stands still at its system call; it is being checked."""
    shop.fake.before("create_request", None)
    CancellationRequest.objects.update(status="verifying")
    Delivery.objects.update(state="withdrawn", pending_name="")


def test_one_that_comes_under_the_name_of_a_round_that_is_over_is_rejected() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    request = request_units(shop, 1)
    draft = shop.fake.backoffice.requests[request.remote_pks[0]].draft
    approve_request(request.pk, make_customer())
    execute_approval(request.pk, shop.fake)
    late = RequestDraft(max(shop.fake.backoffice.items), 1, draft.remote_id, quantity=1)
    second = shop.fake.backoffice.create_request(1, late).pk

    work_off(shop)
    work_off(shop)

    assert get_status(shop, second) == "rejected"
    assert get_request().status == "confirmed"


def test_a_poll_that_meets_an_unknown_request_of_ours_has_it_rejected() -> None:
    shop = Shop()
    request_units(shop)
    second = make_twice(shop)
    shop.fake.decide_request("confirm", second)
    shop.fake.backoffice.requests[second].remote = shop.fake.backoffice.requests[second].remote

    poll_updates(1, "requests", shop.fake)

    assert SpareRequest.objects.get().remote_pk == second
    assert count_jobs(jobs.REJECT_SPARE) == 1


def test_a_poll_during_a_delivery_leaves_its_request_to_it() -> None:
    shop = Shop()
    request = request_units(shop)
    shop.fake.decide_request("confirm", request.remote_pks[0])
    Delivery.objects.update(state="created", known_at=None, remote_pks=[])

    poll_updates(1, "requests", shop.fake)

    assert not SpareRequest.objects.exists()


def test_if_omnitron_approved_both_a_difference_names_units_and_money() -> None:
    shop = Shop()
    request = request_units(shop)
    second = make_twice(shop)
    shop.fake.decide_request("approve", second)
    shop.fake.decide_request("approve", request.remote_pks[0])
    sync_order(shop.order.pk, shop.fake)
    poll_updates(1, "requests", shop.fake)

    work_off(shop)

    difference = Difference.objects.get(what="cancelled twice")
    assert (difference.ours[:4], difference.theirs[:4]) == ("1 × ", "2 × ")
    assert difference.theirs.endswith(": 100.00 TRY too much")
    assert SpareRequest.objects.get().state == "approved"
    assert Email.objects.filter(kind="cancellation_late").count() == 1


def test_if_omnitron_approved_only_the_second_it_stands_for_the_request() -> None:
    shop = Shop()
    request = request_units(shop)
    [first] = request.remote_pks
    second = make_twice(shop)
    shop.fake.decide_request("approve", second)
    poll_updates(1, "requests", shop.fake)

    work_off(shop)
    work_off(shop)
    sync_order(shop.order.pk, shop.fake)

    assert (get_request().remote_pks, get_request().status) == ([second], "completed")
    assert get_status(shop, first) == "rejected"
    assert Difference.objects.filter(what="cancelled twice").count() == 0


def test_one_that_omnitron_approved_after_our_staff_had_rejected_is_reported_and_told() -> None:
    shop = Shop()
    request = request_units(shop)
    second = make_twice(shop)
    reject_request(request.pk, make_customer(), "Already packed.")
    deliver_rejection(request.pk, shop.fake)
    shop.fake.decide_request("approve", second)
    poll_updates(1, "requests", shop.fake)

    work_off(shop)

    difference = Difference.objects.get(what="cancelled twice")
    assert (difference.ours[:4], difference.theirs[:4]) == ("0 × ", "1 × ")
    assert Email.objects.filter(kind="cancellation_late").count() == 1


def test_while_omnitron_is_away_it_is_tried_again_and_a_lost_job_is_made_anew() -> None:
    shop = Shop()
    request = request_units(shop)
    second = make_twice(shop)
    SpareRequest.objects.create(request=request, name=request.uuid.hex, remote_pk=second)
    shop.fake.fail("read_request", NotSent)

    work_off(shop)
    assert (SpareRequest.objects.get().state, count_jobs(jobs.REJECT_SPARE)) == ("found", 1)
    ProcrastinateJob.objects.all()._raw_delete("default")
    recover_jobs()
    assert count_jobs(jobs.REJECT_SPARE) == 1

    work_off(shop)
    assert get_status(shop, second) == "rejected"


def test_one_that_is_the_only_one_stands_for_its_request_and_is_no_surplus() -> None:
    shop = Shop()
    request = request_units(shop)
    [only] = request.remote_pks
    Delivery.objects.update(
        state="created", known_at=None, remote_pks=[]
    )  # an approval took it out, too late
    SpareRequest.objects.create(request=request, name=request.delivery.name, remote_pk=only)
    shop.fake.decide_request("approve", only)

    work_off(shop)
    deliver_request(request.pk, shop.fake)

    assert get_request().remote_pks == [only]
    assert Difference.objects.filter(what="cancelled twice").count() == 0
    assert list_settled(shop) == ["late_request_settled"]
