"""What the worker finishes: lost answers, deliveries, decisions, approvals, what dead processes left."""

from datetime import timedelta

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions import jobs
from aftercart.actions.approve_request import RequestDecided, approve_request, execute_approval
from aftercart.actions.cancel_items import cancel_items
from aftercart.actions.deliver_request import deliver_request
from aftercart.actions.prepare_submission import prepare_submission
from aftercart.actions.recover import recover_jobs, recover_submissions
from aftercart.actions.reject_request import deliver_rejection, reject_request
from aftercart.actions.request_cancellation import request_cancellation
from aftercart.actions.sync_order import sync_order
from aftercart.actions.verify_submission import verify_submission
from aftercart.cancellations.models import CancellationRequest, Submission, SubmissionLine
from aftercart.mail.models import Letter
from aftercart.omnitron.errors import AnswerUnknown, NotSent, Refused
from aftercart.orders.errors import CancellationRefused, InputInvalid
from tests.shop import Line, Shop, ask, get_statuses, make_command, make_customer

pytestmark = pytest.mark.django_db


def get_request() -> CancellationRequest:
    return CancellationRequest.objects.get()


def lose_the_answer(shop: Shop, *, applied: bool) -> Submission:
    shop.fake.fail("cancel_items", AnswerUnknown, applied=applied)
    cancel_items(shop.command(), shop.fake)
    return Submission.objects.get()


def age(submission: Submission, seconds: int) -> None:
    past = timezone.now() - timedelta(seconds=seconds)
    Submission.objects.filter(pk=submission.pk).update(created_at=past)
    Submission.objects.filter(pk=submission.pk, sent_at__isnull=False).update(sent_at=past)


def count_jobs(task: str) -> int:
    return ProcrastinateJob.objects.filter(task_name=task, status="todo").count()


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


def test_a_lost_job_is_enqueued_again_and_a_living_one_is_not() -> None:
    shop = Shop()
    lose_the_answer(shop, applied=True)

    assert recover_jobs() == 0
    ProcrastinateJob.objects.all()._raw_delete("default")
    assert recover_jobs() == 2
    assert count_jobs(jobs.VERIFY_SUBMISSION) == 1
    assert count_jobs(jobs.SEND_LETTER) == 1


def open_request(shop: Shop, **fields: object) -> CancellationRequest:
    item = shop.items[0]
    request_cancellation(make_command(shop.order, ask(item, shop.cancel_reason, **fields)))
    return CancellationRequest.objects.latest("pk")


def test_a_request_is_delivered_once_even_if_the_first_answer_was_lost() -> None:
    shop = Shop()
    request = open_request(shop)
    shop.fake.fail("create_request", AnswerUnknown, applied=True)

    deliver_request(request.pk, shop.fake)
    assert get_request().delivered_at is None
    deliver_request(request.pk, shop.fake)
    deliver_request(request.pk, shop.fake)

    request.refresh_from_db()
    assert shop.count_posts("create_request") == 1
    assert len(request.remote_pks) == 1
    assert request.delivered_at is not None
    body = shop.fake.posts[0].body
    assert (body["remote_id"], body["quantity"], body["cancellation_type"]) == (str(request.pk), 1, "cancel")


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
        assert request.delivered_at is not None
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
    assert (request.status, request.is_undeliverable, request.delivery_error) == (
        "waiting",
        True,
        "No such thing.",
    )
    ProcrastinateJob.objects.all()._raw_delete("default")
    Letter.objects.all().delete()
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
        shop.fake.decide_request(decision, request.remote_pks[0], "Too late.")  # type: ignore[arg-type]

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
