"""A cancellation that was given up and has arrived all the same: seen, told, and never done a second time."""

from datetime import timedelta
from typing import Literal

import pytest
from django.db.models import F

from aftercart.actions.cancel.apply_late import note_late
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.reject_request import deliver_rejection, reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import CancellationRequest, Difference, Submission, SubmissionLine
from aftercart.lib.notes import write_note
from aftercart.mail.models import Email
from aftercart.oms.errors import AnswerUnknown, Refused
from aftercart.oms.messages import CancelCommand
from aftercart.orders.models import TimelineEntry
from tests.shop import (
    Line,
    Shop,
    ask,
    count_jobs,
    get_request,
    get_statuses,
    make_command,
    make_customer,
    request_units,
)

pytestmark = pytest.mark.django_db


def make_shop() -> Shop:
    """A shop with two units, which are two items at Omnitron; the approval of one was sent, and given up."""
    shop = Shop([Line(quantity=2)], split_units=True)
    request_units(shop, 1, delivered=False)
    first = shop.fake.backoffice.items[min(shop.fake.backoffice.items)]
    shop.fake.backoffice.edit(first, status="50")  # so that it is not the one that is taken by itself
    shop.fake.fail("cancel_items", AnswerUnknown)
    approve(shop)
    shop.fake.backoffice.edit(first, status="400")
    give_up(shop)
    return shop


def approve(shop: Shop) -> None:
    request = CancellationRequest.objects.latest("pk")
    approve_request(request.pk, make_customer())
    execute_approval(request.pk, shop.fake)


def give_up(shop: Shop) -> None:
    submission = Submission.objects.latest("pk")
    Submission.objects.filter(pk=submission.pk).update(sent_at=F("sent_at") - timedelta(seconds=61))
    verify_submission(submission.pk, shop.fake)
    submission.refresh_from_db()
    assert (submission.state, submission.cause) == ("refused", "found_not_applied")


def arrive(shop: Shop) -> None:
    """Let the first cancellation that was sent arrive now."""
    post = next(post for post in shop.fake.posts if post.call == "cancel_items")
    reasons = {int(pk): reason for pk, reason in post.body["reasons"].items()}
    shop.fake.backoffice.cancel(1, CancelCommand(order_pk=post.body["order"], reasons=reasons))


def arrive_once(shop: Shop, call: Literal["create_request", "cancel_items"]) -> None:
    shop.fake.before(call, None)
    arrive(shop)


def count_taken(shop: Shop) -> int:
    return sum(record.remote.status in {"50", "100"} for record in shop.fake.backoffice.items.values())


def count_events(event: str) -> int:
    return TimelineEntry.objects.filter(event=event).count()


def count_emails(kind: str) -> int:
    return Email.objects.filter(kind=kind).count()


def test_a_late_arrival_a_refused_creation_and_an_approval_make_one_for_one() -> None:
    shop = make_shop()
    shop.fake.before("create_request", lambda: arrive_once(shop, "create_request"))
    deliver_request(get_request().pk, shop.fake)  # refused: the item is being cancelled now

    approve(shop)

    assert count_taken(shop) == 1
    assert (get_request().status, get_request().cause) == ("confirmed", "arrived_late")
    assert (shop.count_posts(), count_events("late_success")) == (1, 1)


def test_what_has_arrived_is_not_asked_for_in_omnitrons_queue() -> None:
    shop = make_shop()
    arrive(shop)

    deliver_request(get_request().pk, shop.fake)

    assert (shop.count_posts("create_request"), count_taken(shop)) == (0, 1)
    assert get_request().status == "confirmed"
    submission = Submission.objects.latest("pk")
    assert (submission.state, submission.cause, submission.late_at is not None) == (
        "applied",
        "arrived_late",
        True,
    )


def test_what_may_still_arrive_is_named_again_so_that_omnitron_takes_one_of_the_two() -> None:
    shop = make_shop()
    approve_request(get_request().pk, make_customer())
    shop.fake.before("cancel_items", lambda: arrive_once(shop, "cancel_items"))

    execute_approval(get_request().pk, shop.fake)

    first, second = (post.body["cancel_items"] for post in shop.fake.posts)
    assert (first, count_taken(shop)) == (second, 1)


def test_a_request_in_the_queue_is_for_the_item_that_may_still_arrive() -> None:
    shop = make_shop()

    deliver_request(get_request().pk, shop.fake)

    [named] = shop.fake.posts[0].body["cancel_items"]
    assert shop.fake.posts[-1].body["order_item"] == named
    with pytest.raises(Refused):
        arrive(shop)


def test_a_sync_that_sees_it_books_it_once() -> None:
    shop = make_shop()
    arrive(shop)

    sync_order(shop.order.pk, shop.fake)
    sync_order(shop.order.pk, shop.fake)

    assert (get_request().status, get_statuses(shop.order)) == ("confirmed", ["50"])
    assert count_events("late_success") == 1


def test_when_it_is_completed_one_unit_is_booked() -> None:
    shop = make_shop()
    arrive(shop)
    sync_order(shop.order.pk, shop.fake)
    [named] = shop.fake.posts[0].body["cancel_items"]
    shop.fake.decide_items("approve", named)

    sync_order(shop.order.pk, shop.fake)

    [item] = shop.items
    assert (item.cancelled_quantity, item.status, get_request().status) == (1, "400", "completed")


def test_what_omnitron_has_decided_in_its_queue_is_no_late_arrival() -> None:
    shop = make_shop()
    deliver_request(get_request().pk, shop.fake)
    shop.fake.decide_request("approve", get_request().remote_pks[0])

    sync_order(shop.order.pk, shop.fake)

    assert (get_request().status, count_events("late_success")) == ("completed", 0)


def test_what_it_decides_in_its_queue_while_a_sync_reads_is_no_late_arrival() -> None:
    shop = make_shop()
    deliver_request(get_request().pk, shop.fake)
    [remote_pk] = get_request().remote_pks

    def decide() -> None:
        shop.fake.before("read_order", None)
        shop.fake.decide_request("approve", remote_pk)

    shop.fake.before("read_order", decide)
    sync_order(shop.order.pk, shop.fake)
    sync_order(shop.order.pk, shop.fake)

    assert (get_request().status, count_events("late_success")) == ("completed", 0)


def test_after_it_was_booked_another_unit_can_be_cancelled() -> None:
    shop = make_shop()
    deliver_request(get_request().pk, shop.fake)
    shop.fake.decide_request("approve", get_request().remote_pks[0])
    sync_order(shop.order.pk, shop.fake)

    request_cancellation(make_command(shop.order, ask(shop.items[0], shop.cancel_reason, quantity=1)))
    approve(shop)

    assert (CancellationRequest.objects.latest("pk").status, count_taken(shop)) == ("confirmed", 2)


def test_a_process_that_wakes_with_a_success_that_was_given_up_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = Shop()
    shop.fake.before("cancel_items", lambda: take_for_dead(shop))

    answer = cancel_items(shop.command(), shop.fake)

    assert answer.status == 200
    assert (Submission.objects.get().state, get_request().status) == ("applied", "confirmed")
    assert (count_events("late_success"), count_emails("cancellation_confirmed")) == (1, 1)
    assert "after it had been given up" in caplog.text
    assert get_statuses(shop.order) == ["50"]


def take_for_dead(shop: Shop) -> None:
    """Do what a worker does while a process stands still right at the system call that sends."""
    shop.fake.before("cancel_items", None)
    Submission.objects.update(state="unknown")
    CancellationRequest.objects.bulk_create(
        CancellationRequest(line=line, status="verifying") for line in SubmissionLine.objects.all()
    )
    give_up(shop)


def test_a_process_that_wakes_without_an_answer_has_it_looked_for_anew() -> None:
    shop = Shop()
    shop.fake.before("cancel_items", lambda: take_for_dead(shop))
    shop.fake.fail("cancel_items", AnswerUnknown, applied=True)

    cancel_items(shop.command(), shop.fake)

    assert (Submission.objects.get().state, get_request().status) == ("unknown", "verifying")
    assert count_events("late_sending") == 1
    assert count_jobs(jobs.VERIFY_SUBMISSION) == 1
    verify_submission(Submission.objects.get().pk, shop.fake)
    assert get_request().status == "confirmed"


def test_one_that_was_rejected_meanwhile_is_told_to_the_customer() -> None:
    shop = make_shop()
    reject_request(get_request().pk, make_customer(), "Already packed.")
    deliver_rejection(get_request().pk, shop.fake)
    arrive(shop)

    sync_order(shop.order.pk, shop.fake)

    assert (count_events("late_success"), count_emails("cancellation_late")) == (1, 1)
    assert Difference.objects.count() == 0
    sync_order(shop.order.pk, shop.fake)
    assert count_events("late_success") == 1


def test_if_both_were_applied_a_difference_names_units_and_money() -> None:
    shop = make_shop()
    first = Submission.objects.latest("pk")
    approve_request(get_request().pk, make_customer())
    assert first.command is not None
    [named] = first.command["before"]
    other = next(pk for pk in shop.fake.backoffice.items if str(pk) != named)
    # An Omnitron that took the approval for the other unit.
    Submission.objects.filter(pk=first.pk).update(
        command={**first.command, "before": {str(other): ["400", None, None]}}
    )
    execute_approval(get_request().pk, shop.fake)
    Submission.objects.filter(pk=first.pk).update(command=first.command)
    arrive_at(shop, int(named))

    note_late(first.pk)

    difference = Difference.objects.get()
    assert difference.what == "cancelled twice"
    assert difference.ours.startswith("1 × ")
    assert difference.theirs.startswith("2 × ")
    assert difference.theirs.endswith(": 100.00 TRY too much")
    assert count_emails("cancellation_late") == 1


def arrive_at(shop: Shop, pk: int) -> None:
    order = shop.fake.backoffice.items[pk].remote.order_pk
    shop.fake.backoffice.cancel(1, CancelCommand(order_pk=order, reasons={pk: 1}))


def test_two_that_both_show_are_seen_by_a_sync_when_nobody_woke() -> None:
    shop = make_shop()
    first = Submission.objects.latest("pk")
    approve_request(get_request().pk, make_customer())
    assert first.command is not None
    [named] = first.command["before"]
    other = next(pk for pk in shop.fake.backoffice.items if str(pk) != named)
    Submission.objects.filter(pk=first.pk).update(
        command={**first.command, "before": {str(other): ["400", None, None]}}
    )
    execute_approval(get_request().pk, shop.fake)
    Submission.objects.filter(pk=first.pk).update(command=first.command)
    arrive_at(shop, int(named))

    sync_order(shop.order.pk, shop.fake)

    assert Difference.objects.get().what == "cancelled twice"


def test_nothing_is_sent_while_something_sent_earlier_for_the_item_may_still_arrive() -> None:
    shop = make_shop()
    approve_request(get_request().pk, make_customer())
    Submission.objects.update(sent_at=F("sent_at") + timedelta(seconds=61))  # it has left only just now

    execute_approval(get_request().pk, shop.fake)

    assert (shop.count_posts(), get_request().status, get_request().cause) == (
        1,
        "waiting",
        "earlier_unproven",
    )
    deliver_request(get_request().pk, shop.fake)
    assert shop.count_posts("create_request") == 0
    assert get_request().delivery.error == write_note("earlier_unproven")
    assert not get_request().is_undeliverable
