"""The direct way and its fallback, against an Omnitron in memory."""

from typing import Any

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions import jobs
from aftercart.actions.cancel_items import cancel_items
from aftercart.cancellations.models import CancellationReason, CancellationRequest, Submission, SubmissionLine
from aftercart.omnitron.errors import AnswerUnknown, NotSent, OmnitronError, Refused
from aftercart.orders.errors import CancellationRefused, InputInvalid, KeyReused, OrderNotFound, StillRunning
from aftercart.orders.models import IdempotencyRecord, Order, OrderItem, TimelineEntry
from tests.shop import (
    Line,
    Shop,
    ask,
    get_statuses,
    make_address,
    make_command,
    make_company,
    make_customer,
    make_reason,
)

pytestmark = pytest.mark.django_db


def list_events(order: Order) -> list[str]:
    return [entry.event for entry in TimelineEntry.objects.filter(order=order)]


def list_jobs(task: str) -> list[int]:
    return [job.args["pk"] for job in ProcrastinateJob.objects.filter(task_name=task)]


def assert_nothing_happened(shop: Shop, version: int) -> None:
    shop.order.refresh_from_db()
    assert shop.order.version == version
    assert shop.fake.posts == []
    for model in (Submission, SubmissionLine, CancellationRequest, IdempotencyRecord, TimelineEntry):
        assert model.objects.count() == 0, model.__name__


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
def test_what_was_surely_not_applied_becomes_a_request(call: Any, error: OmnitronError, cause: str) -> None:
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
def test_a_lost_answer_is_held_and_looked_for_and_never_sent_twice(applied: bool) -> None:  # noqa: FBT001
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
    assert Submission.objects.first().cause == "omnitron_in_progress"  # type: ignore[union-attr]


def test_an_item_that_has_been_shipped_at_omnitron_is_not_cancelled_directly() -> None:
    shop = Shop([Line(status="500")])
    OrderItem.objects.update(status="400")

    answer = cancel_items(shop.command(), shop.fake)

    assert answer.status == 200
    assert shop.count_posts() == 0
    assert Submission.objects.first().cause == "omnitron_status"  # type: ignore[union-attr]


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


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (Line(status="100", cancelled_quantity=1), "already_cancelled", "Order already cancelled!"),
        (Line(status="600", cancelled_quantity=1), "already_cancelled", "Order already cancelled!"),
        (Line(status="50"), "cancellation_in_progress", "Order cancellation already in progress."),
        (Line(status="500"), "status_not_allowed", "Order can't be cancelled in this status."),
        (Line(status="550"), "status_not_allowed", "Order can't be cancelled in this status."),
    ],
)
def test_what_the_rules_refuse_leaves_no_trace(line: Line, code: str, message: str) -> None:
    shop = Shop([line])

    with pytest.raises(CancellationRefused) as caught:
        cancel_items(shop.command(), shop.fake)

    assert caught.value.body() == {
        "non_field_errors": [message],
        "code": code,
        "items": [{"order_item": shop.items[0].pk, "code": code, "message": message}],
    }
    assert_nothing_happened(shop, version=1)


def test_one_refused_item_refuses_all_and_each_refusal_is_told() -> None:
    shop = Shop([Line(), Line(status="500"), Line(status="100", cancelled_quantity=1)])

    with pytest.raises(CancellationRefused) as caught:
        cancel_items(shop.command(), shop.fake)

    _fine, shipped, cancelled = shop.items
    assert [(r.order_item, r.code) for r in caught.value.refusals] == [
        (cancelled.pk, "already_cancelled"),
        (shipped.pk, "status_not_allowed"),
    ]
    assert_nothing_happened(shop, version=1)


def test_a_second_cancellation_of_an_item_is_in_progress() -> None:
    shop = Shop()
    cancel_items(shop.command(), shop.fake)

    with pytest.raises(CancellationRefused, match="already in progress"):
        cancel_items(shop.command(), shop.fake)

    assert shop.count_posts() == 1


def test_an_invoiced_item_goes_to_review() -> None:
    shop = Shop([Line(invoice_number="INV-1")])

    answer = cancel_items(shop.command(), shop.fake)

    assert (answer.status, shop.fake.calls) == (200, [])
    assert Submission.objects.get().cause == "has_invoice"


def test_part_of_a_line_goes_to_review_with_its_quantity() -> None:
    shop = Shop([Line(quantity=3)])
    command = make_command(shop.order, ask(shop.items[0], shop.cancel_reason, quantity=2))

    answer = cancel_items(command, shop.fake)

    assert (answer.status, shop.fake.calls) == (200, [])
    assert SubmissionLine.objects.get().quantity == 2


def test_more_than_is_left_is_an_input_error() -> None:
    shop = Shop([Line(quantity=3, cancelled_quantity=2)])
    item = shop.items[0]
    command = make_command(shop.order, ask(item, shop.cancel_reason, quantity=2))

    with pytest.raises(InputInvalid) as caught:
        cancel_items(command, shop.fake)

    assert caught.value.body() == {
        "cancel_order_items": [f"Item {item.pk}, quantity: Only 1 left of this item."],
        "code": "invalid",
    }
    assert_nothing_happened(shop, version=1)


def test_cancel_and_refund_together_go_to_review() -> None:
    shop = Shop([Line(), Line(status="550")])
    address = make_address(shop.user)
    company = make_company()
    first, second = shop.items
    command = make_command(
        shop.order,
        ask(first, shop.cancel_reason),
        ask(second, shop.refund_reason, shipping_company=company.pk),
        pickup_address=address.pk,
    )

    answer = cancel_items(command, shop.fake)

    assert answer.status == 200
    assert len(answer.body) == 2
    assert Submission.objects.get().cause == "mixed_types"
    refund = SubmissionLine.objects.get(order_item=second)
    assert (refund.pickup_address or {})["pk"] == address.pk
    assert refund.shipping_company == company


def test_every_complaint_about_the_input_is_told_at_once() -> None:
    shop = Shop([Line(), Line()])
    stranger = Shop()
    needs_words = make_reason("cancel", extra=True)
    first, _second = shop.items
    foreign = stranger.items[0]
    command = make_command(
        shop.order,
        ask(first, needs_words),
        ask(first, shop.cancel_reason, iban="TR330006100519786457841326"),
        ask(foreign, shop.refund_reason),
        pickup_address=99999,
    )

    with pytest.raises(InputInvalid) as caught:
        cancel_items(command, shop.fake)

    assert caught.value.fields == {
        "pickup_address": ['Invalid pk "99999" - object does not exist.'],
        "cancel_order_items": [
            f"Item {first.pk}, description: This reason needs a description.",
            f"Item {first.pk}, order_item: This item is named twice.",
            f"Item {first.pk}, holder_name: IBAN and account holder belong together.",
            f'Item {foreign.pk}, order_item: Invalid pk "{foreign.pk}" - object does not exist.',
            f"Item {foreign.pk}, shipping_company: This field is required.",
        ],
    }
    assert_nothing_happened(shop, version=1)


def test_an_iban_is_taken_only_where_the_payment_cannot_go_back() -> None:
    card = Shop()
    iban = {"iban": "TR330006100519786457841326", "holder_name": "Ayşe Yılmaz"}
    with pytest.raises(InputInvalid, match="refunded to where it came from"):
        cancel_items(make_command(card.order, ask(card.items[0], card.cancel_reason, **iban)), card.fake)

    transfer = Shop(order_fields={"payment_option": {"payment_type": "funds_transfer"}})
    command = make_command(transfer.order, ask(transfer.items[0], transfer.cancel_reason, **iban))
    assert cancel_items(command, transfer.fake).status == 204

    body = transfer.fake.posts[0].body
    item_pk = str(body["cancel_items"][0])
    assert body["ibans"] == {item_pk: iban["iban"]}
    assert body["holder_names"] == {item_pk: "Ayşe Yılmaz"}
    line = SubmissionLine.objects.get(submission__order=transfer.order)
    assert line.iban == iban["iban"]


def test_an_iban_is_encrypted_in_the_database() -> None:
    shop = Shop(order_fields={"payment_option": {"payment_type": "funds_transfer"}})
    iban = {"iban": "TR330006100519786457841326", "holder_name": "Ayşe Yılmaz"}
    cancel_items(make_command(shop.order, ask(shop.items[0], shop.cancel_reason, **iban)), shop.fake)

    with connection.cursor() as cursor:
        cursor.execute("SELECT iban, holder_name FROM cancellations_submissionline")
        stored = cursor.fetchone()

    assert all(text.startswith("gAAAA") for text in stored)


def test_a_foreign_and_an_unknown_order_are_the_same_404() -> None:
    shop = Shop()
    stranger = make_customer()
    foreign = make_command(shop.order, ask(shop.items[0], shop.cancel_reason), user=stranger)
    unknown = make_command(
        shop.order, ask(shop.items[0], shop.cancel_reason), user=stranger, number="ORD-0000"
    )

    bodies = []
    for command in (foreign, unknown):
        with pytest.raises(OrderNotFound) as caught:
            cancel_items(command, shop.fake)
        bodies.append(caught.value.body())

    assert bodies == [{"detail": "Not found.", "code": "not_found"}] * 2
    assert_nothing_happened(shop, version=1)


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


def test_a_repeat_while_the_first_still_runs_is_told_so() -> None:
    shop = Shop()
    seen: list[str] = []

    def repeat() -> None:
        try:
            cancel_items(shop.command(fingerprint="same"), shop.fake)
        except StillRunning as error:
            seen.append(error.code)

    shop.fake.before("cancel_items", repeat)
    answer = cancel_items(shop.command(fingerprint="same"), shop.fake)

    assert (answer.status, seen, shop.count_posts()) == (204, ["still_running"], 1)


def test_further_units_with_the_same_body_are_a_new_submission_once_the_first_is_decided() -> None:
    shop = Shop([Line(quantity=3)])
    item = shop.items[0]

    def submit() -> tuple[int, bool]:
        command = make_command(shop.order, ask(item, shop.cancel_reason, quantity=1), fingerprint="one more")
        answer = cancel_items(command, shop.fake)
        return answer.status, answer.is_replay

    assert submit() == (200, False)
    assert submit() == (200, True)
    SubmissionLine.objects.update(is_open=False)
    item.cancelled_quantity = 1
    item.save()
    assert submit() == (200, False)
    assert Submission.objects.count() == 2


def test_each_write_moves_the_orders_version() -> None:
    shop = Shop()

    cancel_items(shop.command(), shop.fake)

    shop.order.refresh_from_db()
    assert shop.order.version == 4  # prepared, sent, applied
