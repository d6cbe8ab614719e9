"""Two who decide at once: the staff among themselves, Omnitron and the customer, two answers of Omnitron."""

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.requests.approve_request import approve_request
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.reject_request import overrule_rejection, reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import CancellationRequest, Submission, SubmissionLine
from aftercart.oms.errors import AnswerUnknown
from aftercart.oms.messages import RemoteRequest
from aftercart.orders.models import TimelineEntry
from tests.races.together import attempt, interrupted, race, without_lock
from tests.shop import Line, Shop, get_statuses, make_customer

pytestmark = pytest.mark.django_db(transaction=True)


def make_request(shop: Shop) -> CancellationRequest:
    request_cancellation(shop.command())
    return CancellationRequest.objects.get()


def count_events(event: str) -> int:
    return TimelineEntry.objects.filter(event=event).count()


# --- approve and reject --------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [4, 40])
def test_of_many_who_approve_and_reject_one_decides(count: int) -> None:
    shop, staff = Shop(), make_customer()
    pk = make_request(shop).pk

    outcomes = race(
        count, lambda n: reject_request(pk, staff, "No.") if n % 2 else approve_request(pk, staff)
    )

    assert sorted(map(str, outcomes)) == ["None"] + ["request_decided"] * (count - 1)
    approved = None in outcomes[0::2]
    assert CancellationRequest.objects.get().status == ("approved" if approved else "rejected")
    assert [count_events("request_approved"), count_events("cancellation_rejected")] == [
        approved,
        not approved,
    ]


def test_who_approves_during_a_rejection_waits_and_is_told_that_it_is_decided() -> None:
    shop, staff = Shop(), make_customer()
    pk = make_request(shop).pk

    with interrupted("reject_request.reject_line", lambda: approve_request(pk, staff)) as approval:
        reject_request(pk, staff, "No.")

    assert (approval.had_to_wait, approval.outcome) == (True, "request_decided")
    assert CancellationRequest.objects.get().status == "rejected"
    assert count_events("request_approved") == 0


def test_without_the_lock_one_request_is_approved_and_rejected() -> None:
    shop, staff = Shop(), make_customer()
    pk = make_request(shop).pk

    with (
        without_lock("reject_request.reject_request"),
        interrupted("reject_request.reject_line", lambda: approve_request(pk, staff)) as approval,
    ):
        assert attempt(lambda: reject_request(pk, staff, "No.")) is None

    assert (approval.had_to_wait, approval.outcome) == (False, None)
    assert CancellationRequest.objects.get().status == "rejected"
    assert [count_events("request_approved"), count_events("cancellation_rejected")] == [1, 1]
    lock = jobs.name_lock(jobs.EXECUTE_APPROVAL, pk)
    assert ProcrastinateJob.objects.filter(task_name=jobs.EXECUTE_APPROVAL, lock=lock).count() == 1


# --- two answers for one order -------------------------------------------------------------------------------


def test_two_items_cancelled_at_once_leave_their_order_waiting() -> None:
    shop = Shop([Line(), Line()])

    with interrupted(
        "record_submission._notify_applied", lambda: cancel_items(shop.command(1), shop.fake).status
    ) as other:
        assert cancel_items(shop.command(0), shop.fake).status == 204

    shop.order.refresh_from_db()
    assert (other.had_to_wait, other.outcome) == (True, 204)
    assert (get_statuses(shop.order), shop.order.status) == (["50", "50"], "50")


def test_without_the_lock_each_sees_only_its_own_item() -> None:
    """The order then looks as if half of it were still to come."""
    shop = Shop([Line(), Line()])

    with (
        without_lock("record_submission.settle_submission"),
        interrupted(
            "record_submission._notify_applied", lambda: cancel_items(shop.command(1), shop.fake).status
        ) as other,
    ):
        assert cancel_items(shop.command(0), shop.fake).status == 204

    shop.order.refresh_from_db()
    assert (other.had_to_wait, other.outcome) == (False, 204)
    assert (get_statuses(shop.order), shop.order.status) == (["50", "50"], "400")


# --- Omnitron's answer, and a sync that reads at the same time -----------------------------------------------


@pytest.mark.parametrize("count", [4, 40])
def test_many_who_verify_and_sync_at_once_settle_once(count: int) -> None:
    shop = Shop()
    shop.fake.fail("cancel_items", AnswerUnknown, applied=True)
    assert cancel_items(shop.command(), shop.fake).status == 200
    submission = Submission.objects.get()

    def look(n: int) -> None:
        if n % 2:
            sync_order(shop.order.pk, shop.fake)
        else:
            verify_submission(submission.pk, shop.fake)

    assert race(count, look) == [None] * count

    submission.refresh_from_db()
    assert (submission.state, submission.cause) == ("applied", "found_applied")
    assert count_events("cancellation_sent") == 1
    assert CancellationRequest.objects.get().status == "confirmed"
    assert shop.count_posts() == 1


def make_rejected_before() -> Shop:
    """Omnitron rejected a first cancellation, and still says so of the item."""
    shop = Shop()
    cancel_items(shop.command(), shop.fake)
    shop.fake.decide_items("reject", *shop.fake.posts[-1].body["cancel_items"])
    sync_order(shop.order.pk, shop.fake)
    assert get_statuses(shop.order) == ["400"]
    SubmissionLine.objects.all().delete()  # only the new one is looked at below
    return shop


def test_a_sync_books_no_old_answer_over_a_new_cancellation() -> None:
    shop = make_rejected_before()

    with interrupted(
        "sync_order._list_open_lines", lambda: cancel_items(shop.command(), shop.fake).status
    ) as other:
        sync_order(shop.order.pk, shop.fake)

    assert (other.had_to_wait, other.outcome) == (True, 204)
    line = SubmissionLine.objects.get()
    assert (line.is_open, line.outcome) == (True, "")
    assert get_statuses(shop.order) == ["50"]


def test_without_the_lock_a_sync_ends_a_cancellation_that_omnitron_is_working_on() -> None:
    shop = make_rejected_before()

    with (
        without_lock("sync_order._book"),
        interrupted(
            "sync_order._list_open_lines", lambda: cancel_items(shop.command(), shop.fake).status
        ) as other,
    ):
        sync_order(shop.order.pk, shop.fake)

    assert (other.had_to_wait, other.outcome) == (False, 204)
    line = SubmissionLine.objects.get()
    assert (line.is_open, line.outcome) == (False, "rejected")
    assert get_statuses(shop.order) == ["400"]
    assert [record.remote.status for record in shop.fake.backoffice.items.values()] == ["50"]


# --- a rejection put right, and the customer's next try ------------------------------------------------------


def make_overruled(shop: Shop) -> tuple[int, list[RemoteRequest]]:
    """Our staff rejected what Omnitron had already done."""
    request = make_request(shop)
    deliver_request(request.pk, shop.fake)
    (remote_pk,) = CancellationRequest.objects.get().remote_pks
    shop.fake.decide_request("approve", remote_pk)
    reject_request(request.pk, make_customer(), "No.")
    return request.pk, [shop.fake.backoffice.requests[remote_pk].remote]


def test_what_omnitron_has_done_is_not_asked_for_again_while_it_is_booked() -> None:
    shop = Shop()
    pk, decided = make_overruled(shop)

    with interrupted(
        "reject_request.record_event", lambda: request_cancellation(shop.command()).status
    ) as other:
        overrule_rejection(pk, decided)

    assert (other.had_to_wait, other.outcome) == (True, "already_cancelled")
    assert SubmissionLine.objects.filter(is_open=True).count() == 0
    assert get_statuses(shop.order) == ["100"]


def test_without_the_lock_units_that_are_gone_are_asked_for_again() -> None:
    shop = Shop()
    pk, decided = make_overruled(shop)

    with (
        without_lock("reject_request.overrule_rejection"),
        interrupted(
            "reject_request.record_event", lambda: request_cancellation(shop.command()).status
        ) as other,
    ):
        overrule_rejection(pk, decided)

    assert (other.had_to_wait, other.outcome) == (False, 201)
    assert SubmissionLine.objects.filter(is_open=True).count() == 1
    assert get_statuses(shop.order) == ["100"]
