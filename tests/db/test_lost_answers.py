"""When a lost answer counts as "not applied": by a reading that began after the grace, of items that nobody touched."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.cancellations.models import Submission
from aftercart.lib.clock import read_clock
from aftercart.oms.errors import AnswerUnknown
from tests.processes import wait_until
from tests.shop import Shop, count_jobs, get_request, get_statuses, make_customer
from tests.tables import empty_queue

pytestmark = pytest.mark.django_db


def lose_the_answer(shop: Shop, *, applied: bool) -> Submission:
    shop.fake.fail("cancel_items", AnswerUnknown, applied=applied)
    cancel_items(shop.command(), shop.fake)
    return Submission.objects.latest("pk")


def pass_the_grace() -> None:
    Submission.objects.update(sent_at=F("sent_at") - timedelta(seconds=61))


def get_item_pk(shop: Shop) -> int:
    [pk] = shop.fake.backoffice.items
    return pk


def test_a_reading_that_began_before_the_grace_ended_decides_nothing(settings: Settings) -> None:
    settings.VERIFY_GRACE = timedelta(seconds=0.5)
    shop = Shop()
    submission = lose_the_answer(shop, applied=False)
    assert submission.sent_at is not None
    grace_ends = submission.sent_at + settings.VERIFY_GRACE
    shop.fake.before("read_order", lambda: wait_until(lambda: read_clock() > grace_ends))

    verify_submission(submission.pk, shop.fake)  # it had begun to read, and stood still until then

    submission.refresh_from_db()
    assert (submission.state, get_request().status) == ("unknown", "verifying")
    assert count_jobs(jobs.DELIVER_REQUEST) == 0
    verify_submission(submission.pk, shop.fake)
    submission.refresh_from_db()
    assert (submission.state, submission.cause) == ("refused", "found_not_applied")


def test_the_last_look_comes_as_soon_as_the_grace_is_over(settings: Settings) -> None:
    settings.VERIFY_GRACE = timedelta(seconds=30)
    shop = Shop()
    submission = lose_the_answer(shop, applied=False)
    empty_queue()
    Submission.objects.update(sent_at=F("sent_at") - timedelta(seconds=27), checks=9)

    verify_submission(submission.pk, shop.fake)

    job = ProcrastinateJob.objects.get(task_name=jobs.VERIFY_SUBMISSION)
    assert timedelta(seconds=1) < job.scheduled_at - timezone.now() < timedelta(seconds=5)


def test_a_host_whose_clock_is_ahead_gives_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    submission = lose_the_answer(shop, applied=False)
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(seconds=90))

    verify_submission(submission.pk, shop.fake)

    submission.refresh_from_db()
    assert (submission.state, get_request().status) == ("unknown", "verifying")


def test_the_moment_of_sending_is_the_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() - timedelta(hours=1))
    before = read_clock()

    submission = lose_the_answer(shop, applied=False)

    assert submission.sent_at is not None
    assert before < submission.created_at < submission.sent_at < read_clock()


def test_one_that_was_rejected_before_the_first_reading_is_not_asked_for_again() -> None:
    shop = Shop()
    cancel_items(shop.command(), shop.fake)
    shop.fake.decide_items("reject", get_item_pk(shop))
    sync_order(shop.order.pk, shop.fake)  # from now on its `cancel_status` is "rejected"
    submission = lose_the_answer(shop, applied=True)
    shop.fake.decide_items("reject", get_item_pk(shop))
    pass_the_grace()

    verify_submission(submission.pk, shop.fake)

    submission.refresh_from_db()
    request = get_request()
    assert (submission.state, submission.cause) == ("refused", "found_changed")
    assert (request.status, request.is_undeliverable) == ("waiting", True)
    assert "found_changed" in request.delivery.error
    recover_jobs()
    assert count_jobs(jobs.DELIVER_REQUEST) == 0
    assert shop.count_posts("create_request") == 0


def test_a_person_can_send_again_what_may_have_been_rejected() -> None:
    shop = Shop()
    submission = lose_the_answer(shop, applied=False)
    item = shop.fake.backoffice.items[get_item_pk(shop)]
    shop.fake.backoffice.edit(item, status="450")  # somebody is packing it
    pass_the_grace()
    verify_submission(submission.pk, shop.fake)
    assert get_request().cause == "found_changed"

    approve_request(get_request().pk, make_customer())
    execute_approval(get_request().pk, shop.fake)

    assert (get_request().status, get_statuses(shop.order)) == ("confirmed", ["50"])
    assert shop.count_posts() == 2


def test_before_the_grace_has_ended_a_change_that_shows_no_cancellation_is_looked_at_again() -> None:
    shop = Shop()
    submission = lose_the_answer(shop, applied=False)
    shop.fake.backoffice.edit(shop.fake.backoffice.items[get_item_pk(shop)], status="450")

    verify_submission(submission.pk, shop.fake)

    submission.refresh_from_db()
    assert (submission.state, get_request().status) == ("unknown", "verifying")


def test_an_item_that_is_gone_from_the_order_proves_nothing() -> None:
    shop = Shop()
    submission = lose_the_answer(shop, applied=False)
    del shop.fake.backoffice.items[get_item_pk(shop)]
    pass_the_grace()

    verify_submission(submission.pk, shop.fake)

    submission.refresh_from_db()
    assert (submission.cause, get_request().is_undeliverable) == ("found_changed", True)


def test_what_an_earlier_version_recorded_is_compared_without_a_date() -> None:
    shop = Shop()
    submission = lose_the_answer(shop, applied=False)
    pk = get_item_pk(shop)
    Submission.objects.update(command={"order": 1, "before": {str(pk): ["400", None]}})
    pass_the_grace()

    verify_submission(submission.pk, shop.fake)

    submission.refresh_from_db()
    assert submission.cause == "found_not_applied"
