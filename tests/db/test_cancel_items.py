"""The direct way and its fallback, and replays of both, against an Omnitron in memory."""

from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import CancellationReason, CancellationRequest, Submission, SubmissionLine
from aftercart.oms.errors import AnswerUnknown, NotSent, OmsError, Refused
from aftercart.orders.errors import KeyReused, StillRunning
from aftercart.orders.models import Order, OrderItem, TimelineEntry
from tests.shop import Line, Shop, get_statuses

pytestmark = pytest.mark.django_db


def list_events(order: Order) -> list[str]:
    return [entry.event for entry in TimelineEntry.objects.filter(order=order)]


def list_jobs(task: str) -> list[int]:
    return [job.args["pk"] for job in ProcrastinateJob.objects.filter(task_name=task)]


def test_a_cancellation_that_omnitron_takes_is_204_and_its_items_wait() -> None:
    shop = Shop([Line(), Line()])

    answer = cancel_items(shop.command(0), shop.fake)

    assert (answer.status, answer.body) == (204, None)
    assert get_statuses(shop.order) == ["50", "400"]
    shop.order.refresh_from_db()
    assert shop.order.status == "400"
    assert [s.state for s in Submission.objects.all()] == ["applied"]
    assert CancellationRequest.objects.count() == 0
    assert shop.count_posts() == 1
    assert list_events(shop.order) == ["cancellation_submitted", "cancellation_sending", "cancellation_sent"]


def test_an_order_whose_every_item_waits_waits_itself() -> None:
    shop = Shop([Line(), Line()])

    cancel_items(shop.command(), shop.fake)

    shop.order.refresh_from_db()
    assert (shop.order.status, shop.order.status_before) == ("50", "400")


def test_the_body_that_omnitron_gets_is_the_contracts() -> None:
    shop = Shop()

    cancel_items(shop.command(), shop.fake)

    body = shop.fake.posts[0].body
    item_pk = body["cancel_items"][0]
    assert body == {
        "order": body["order"],
        "is_all": False,
        "cancel_items": [item_pk],
        "reasons": {str(item_pk): shop.cancel_reason.remote_pk},
        "forced_refund_amount": None,
        "is_cargo_refund": False,
        "refund_invoice_number": None,
        "ibans": {},
        "holder_names": {},
    }
    shop.order.refresh_from_db()
    assert shop.order.remote_pk == body["order"]
    assert shop.items[0].remote_pks == [item_pk]


def test_an_item_that_is_several_at_omnitron_is_cancelled_with_all_its_units() -> None:
    shop = Shop([Line(quantity=3)], split_units=True)

    answer = cancel_items(shop.command(), shop.fake)

    assert answer.status == 204
    assert len(shop.fake.posts[0].body["cancel_items"]) == 3


@pytest.mark.parametrize(
    ("call", "error", "cause"),
    [
        ("dialogue", NotSent("full", code="bulkhead_full"), "bulkhead_full"),
        ("read_order", NotSent("gone", code="unreachable"), "unreachable"),
        ("find_object_ids", NotSent("slow", code="timeout"), "timeout"),
        ("cancel_items", NotSent("wait", code="throttled", status=429), "throttled"),
        ("cancel_items", Refused("no", code="order_cancel_100_1", status=406), "order_cancel_100_1"),
    ],
)
def test_what_was_surely_not_applied_becomes_a_request(call: Any, error: OmsError, cause: str) -> None:
    shop = Shop()
    shop.fake.fail(call, error)

    answer = cancel_items(shop.command(), shop.fake)

    request = CancellationRequest.objects.get()
    assert answer.status == 200
    assert answer.body == [
        {
            "id": request.pk,
            "uuid": str(request.uuid),
            "order_item": shop.items[0].pk,
            "reason": shop.cancel_reason.pk,
            "description": "",
            "created_date": request.created_date.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
    ]
    submission = Submission.objects.get()
    assert (submission.state, submission.cause) == ("refused", cause)
    assert request.status == "waiting"
    assert get_statuses(shop.order) == ["400"]
    assert list_jobs(jobs.DELIVER_REQUEST) == [request.pk]


@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_answer_is_held_and_looked_for_and_never_sent_twice(applied: bool) -> None:
    shop = Shop()
    shop.fake.fail("cancel_items", AnswerUnknown, applied=applied)

    answer = cancel_items(shop.command(), shop.fake)

    assert answer.status == 200
    assert [r.status for r in CancellationRequest.objects.all()] == ["verifying"]
    submission = Submission.objects.get()
    assert submission.state == "unknown"
    assert list_jobs(jobs.VERIFY_SUBMISSION) == [submission.pk]
    assert list_jobs(jobs.DELIVER_REQUEST) == []
    assert shop.count_posts() == 1
    assert get_statuses(shop.order) == ["400"]


def test_an_item_that_omnitron_is_already_cancelling_is_not_sent() -> None:
    shop = Shop()
    cancel_items(shop.command(), shop.fake)
    # As if somebody at the call centre had cancelled it, which we have not heard of.
    SubmissionLine.objects.update(is_open=False)
    OrderItem.objects.update(status="400", reserved_quantity=0)

    answer = cancel_items(shop.command(), shop.fake)

    assert answer.status == 200
    assert shop.count_posts() == 1
    assert Submission.objects.first().cause == "omnitron_in_progress"  # type: ignore[union-attr]  # none would fail the test


def test_an_item_that_has_been_shipped_at_omnitron_is_not_cancelled_directly() -> None:
    shop = Shop([Line(status="500")])
    OrderItem.objects.update(status="400")

    answer = cancel_items(shop.command(), shop.fake)

    assert answer.status == 200
    assert shop.count_posts() == 0
    assert Submission.objects.first().cause == "omnitron_status"  # type: ignore[union-attr]  # none would fail the test


def test_an_unmapped_reason_finds_its_partner_by_type_and_subject_and_keeps_it() -> None:
    shop = Shop()
    reason = shop.cancel_reason
    reason.remote_pk, reason.subject = None, "changed my mind "
    reason.save()

    answer = cancel_items(shop.command(), shop.fake)

    assert answer.status == 204
    assert CancellationReason.objects.get(pk=reason.pk).remote_pk == 1


def test_a_reason_without_a_partner_sends_nothing() -> None:
    shop = Shop()
    reason = shop.cancel_reason
    reason.remote_pk, reason.subject = None, "no such subject"
    reason.save()

    answer = cancel_items(shop.command(), shop.fake)

    assert (answer.status, shop.count_posts()) == (200, 0)
    assert Submission.objects.get().cause == "reason_unmapped"


def test_the_same_body_again_is_the_same_submission() -> None:
    shop = Shop()
    first = cancel_items(shop.command(fingerprint="same"), shop.fake)
    second = cancel_items(shop.command(fingerprint="same"), shop.fake)

    assert (first.status, first.is_replay) == (204, False)
    assert (second.status, second.body, second.is_replay) == (204, None, True)
    assert shop.count_posts() == 1


def test_a_repeated_fallback_gives_the_same_requests_again() -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    first = cancel_items(shop.command(key="k", fingerprint="same"), shop.fake)
    second = cancel_items(shop.command(key="k", fingerprint="same"), shop.fake)

    assert second.is_replay
    assert (second.status, second.body) == (200, first.body)
    assert CancellationRequest.objects.count() == 1


def test_a_key_used_for_another_body_is_refused() -> None:
    shop = Shop([Line(), Line()])
    cancel_items(shop.command(0, key="k", fingerprint="one"), shop.fake)

    with pytest.raises(KeyReused):
        cancel_items(shop.command(1, key="k", fingerprint="two"), shop.fake)

    assert get_statuses(shop.order) == ["50", "400"]


def test_a_replay_while_the_first_still_runs_is_refused_as_running() -> None:
    shop = Shop()
    seen: list[str] = []

    def replayed() -> None:
        try:
            cancel_items(shop.command(fingerprint="same"), shop.fake)
        except StillRunning as error:
            seen.append(error.code)

    shop.fake.before("cancel_items", replayed)
    answer = cancel_items(shop.command(fingerprint="same"), shop.fake)

    assert (answer.status, seen, shop.count_posts()) == (204, ["still_running"], 1)


def test_each_write_moves_the_orders_version() -> None:
    shop = Shop()

    cancel_items(shop.command(), shop.fake)

    shop.order.refresh_from_db()
    assert shop.order.version == 4  # prepared, sent, applied
