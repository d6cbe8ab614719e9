"""What the worker finishes after an answer: lost ones are looked for, what dead processes left is recovered."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.cancel.cancel_items import cancel_items, prepare_submission
from aftercart.actions.cancel.record_submission import settle_submission
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.mail.notify_customer import post
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.recover import recover_jobs, recover_submissions
from aftercart.cancellations.models import CancellationRequest, Submission
from aftercart.mail.models import Email
from aftercart.oms.errors import AnswerUnknown, NotSent
from aftercart.orders.timeline import WORKER
from tests.shop import Shop, count_jobs, get_request, get_statuses
from tests.tables import empty_queue

pytestmark = pytest.mark.django_db


def lose_the_answer(shop: Shop, *, applied: bool) -> Submission:
    shop.fake.fail("cancel_items", AnswerUnknown, applied=applied)
    cancel_items(shop.command(), shop.fake)
    return Submission.objects.latest("pk")


def age(submission: Submission, seconds: int) -> None:
    past = timezone.now() - timedelta(seconds=seconds)
    Submission.objects.filter(pk=submission.pk).update(created_at=past)
    Submission.objects.filter(pk=submission.pk, sent_at__isnull=False).update(sent_at=past)


def test_a_lost_answer_that_was_applied_is_found_by_reading_and_confirmed() -> None:
    shop = Shop()
    submission = lose_the_answer(shop, applied=True)

    verify_submission(submission.pk, shop.fake)

    submission.refresh_from_db()
    assert (submission.state, submission.cause) == ("applied", "found_applied")
    assert get_request().status == "confirmed"
    assert get_statuses(shop.order) == ["50"]
    assert shop.count_posts() == 1


def test_a_lost_answer_that_was_not_applied_is_released_after_the_grace_time_only() -> None:
    shop = Shop()
    submission = lose_the_answer(shop, applied=False)

    verify_submission(submission.pk, shop.fake)
    submission.refresh_from_db()
    assert (submission.state, get_request().status) == ("unknown", "verifying")

    age(submission, 61)
    verify_submission(submission.pk, shop.fake)
    submission.refresh_from_db()
    assert (submission.state, submission.cause) == ("refused", "found_not_applied")
    assert get_request().status == "waiting"
    assert shop.count_posts() == 1
    assert count_jobs(jobs.DELIVER_REQUEST) == 1


def test_a_cancellation_applied_and_rejected_before_we_look_counts_as_applied() -> None:
    shop = Shop()
    submission = lose_the_answer(shop, applied=True)
    [item_pk] = shop.fake.posts[0].body["cancel_items"]
    shop.fake.decide_items("reject", item_pk)

    verify_submission(submission.pk, shop.fake)

    submission.refresh_from_db()
    assert submission.state == "applied"


def test_while_omnitron_cannot_be_read_a_lost_answer_is_looked_for_again() -> None:
    shop = Shop()
    submission = lose_the_answer(shop, applied=True)
    before = count_jobs(jobs.VERIFY_SUBMISSION)
    shop.fake.fail("read_order", NotSent("down", code="unreachable"))

    verify_submission(submission.pk, shop.fake)

    submission.refresh_from_db()
    assert (submission.state, submission.checks) == ("unknown", 1)
    assert count_jobs(jobs.VERIFY_SUBMISSION) == before + 1


@pytest.mark.parametrize(("minutes", "longest"), [(1, 15), (11, 300)])
def test_it_is_looked_for_often_while_it_is_young(minutes: int, longest: int) -> None:
    shop = Shop()
    submission = lose_the_answer(shop, applied=True)
    Submission.objects.update(checks=20)
    age(submission, minutes * 60)
    empty_queue()
    shop.fake.fail("read_order", NotSent("down", code="unreachable"))

    verify_submission(submission.pk, shop.fake)

    [job] = ProcrastinateJob.objects.filter(task_name=jobs.VERIFY_SUBMISSION)
    assert job.scheduled_at is not None
    wait = (job.scheduled_at - timezone.now()).total_seconds()
    assert longest - 2 < wait <= longest * 1.25 + 1


def test_what_was_sent_just_when_its_process_was_taken_for_dead_is_not_given_up() -> None:
    shop = Shop()
    prepare_submission(shop.command(), Submission.Origin.DIRECT)
    submission = Submission.objects.get()
    Submission.objects.update(state="sent", sent_at=timezone.now())

    state = Submission.State
    settle_submission(submission.pk, state.REFUSED, WORKER, cause="process_died", only_from=state.PREPARED)

    submission.refresh_from_db()
    assert (submission.state, CancellationRequest.objects.count()) == ("sent", 0)


def test_a_settled_submission_is_not_verified_again() -> None:
    shop = Shop()
    submission = lose_the_answer(shop, applied=True)
    verify_submission(submission.pk, shop.fake)
    calls = len(shop.fake.calls)

    verify_submission(submission.pk, shop.fake)

    assert len(shop.fake.calls) == calls


def test_what_a_dead_process_left_prepared_was_never_sent_and_becomes_requests() -> None:
    shop = Shop()
    prepare_submission(shop.command(fingerprint="f"), Submission.Origin.DIRECT)
    submission = Submission.objects.get()

    assert recover_submissions() == 0  # it may still be alive
    age(submission, 20)
    assert recover_submissions() == 1

    submission.refresh_from_db()
    assert (submission.state, submission.cause) == ("refused", "process_died")
    assert get_request().status == "waiting"
    assert shop.count_posts() == 0
    replay = cancel_items(shop.command(fingerprint="f"), shop.fake)
    assert (replay.status, replay.is_replay, len(replay.body)) == (200, True, 1)


def test_what_a_dead_process_left_sent_is_unknown_and_looked_for() -> None:
    shop = Shop()
    prepare_submission(shop.command(), Submission.Origin.DIRECT)
    submission = Submission.objects.get()
    Submission.objects.update(state="sent", sent_at=timezone.now(), command={"order": 1, "before": {}})
    age(submission, 20)

    assert recover_submissions() == 1

    submission.refresh_from_db()
    assert (submission.state, get_request().status) == ("unknown", "verifying")
    assert count_jobs(jobs.VERIFY_SUBMISSION) == 1


def test_a_slow_process_that_has_lost_its_submission_does_not_send_it() -> None:
    shop = Shop()

    def take_it_away() -> None:
        age(Submission.objects.get(), 20)
        recover_submissions()

    shop.fake.before("read_order", take_it_away)
    answer = cancel_items(shop.command(), shop.fake)

    assert answer.status == 200
    assert [record["id"] for record in answer.body] == [get_request().pk]
    assert shop.count_posts() == 0


def test_a_success_that_comes_after_the_worker_gave_up_waiting_still_counts() -> None:
    shop = Shop()

    def give_up() -> None:
        age(Submission.objects.get(), 20)
        recover_submissions()

    shop.fake.before("cancel_items", give_up)
    answer = cancel_items(shop.command(), shop.fake)

    assert answer.status == 200
    assert Submission.objects.get().state == "applied"
    assert get_request().status == "confirmed"
    assert get_statuses(shop.order) == ["50"]


def test_rows_whose_job_lives_do_not_hide_the_others() -> None:
    first, second = (lose_the_answer(Shop(), applied=True) for _time in range(2))
    unknown = Submission.objects.filter(state="unknown")
    assert list(jobs.filter_without_job(jobs.VERIFY_SUBMISSION, unknown, 10)) == []

    ProcrastinateJob.objects.exclude(args={"pk": first.pk})._raw_delete("default")

    assert list(jobs.filter_without_job(jobs.VERIFY_SUBMISSION, unknown, 1)) == [second]


def test_a_lost_job_is_enqueued_again_and_a_living_one_is_not() -> None:
    shop = Shop()
    lose_the_answer(shop, applied=True)
    with transaction.atomic():
        post(shop.order, Email.Kind.CANCELLATION_COMPLETED, uuid.uuid4(), {})

    assert recover_jobs() == 0
    ProcrastinateJob.objects.all()._raw_delete("default")
    assert recover_jobs() == 2
    assert count_jobs(jobs.VERIFY_SUBMISSION) == 1
    assert count_jobs(jobs.SEND_EMAIL) == 1
