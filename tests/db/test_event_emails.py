"""What becomes of an order is told by e-mail: each event once, with its items, amounts and reasons."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from aftercart.actions.address.change_address import change_address, deliver_address
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.reject_request import reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import AddressChange, CancellationRequest, Submission
from aftercart.mail.models import Email
from aftercart.oms.errors import AnswerUnknown, NotSent
from aftercart.orders.models import Order
from tests.clock import stop_clock
from tests.db.test_outbox import get_email, list_kinds
from tests.shop import Line, Shop, ask, make_address, make_address_command, make_command

pytestmark = pytest.mark.django_db


def finish(shop: Shop) -> None:
    shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
    sync_order(shop.order.pk, shop.fake)


def test_a_direct_cancellation_is_told_once_with_its_items() -> None:
    shop = Shop([Line(quantity=2), Line()])

    cancel_items(shop.command(), shop.fake)

    assert list_kinds() == ["cancellation_sent"]
    assert get_email("cancellation_sent").facts == {
        "what": "cancel",
        "items": [{"name": "Shirt", "quantity": 2}, {"name": "Shirt", "quantity": 1}],
        "currency": "TRY",
        "refund": "300.0000",  # as it was quoted
        "is_paid": True,
        "to": "payment_method",
        "account_end": "",
        "method": "Card",
    }


def test_a_review_promises_an_answer_by_a_day() -> None:
    shop = Shop([Line(invoice_number="INV-1")])

    with stop_clock(datetime(2030, 5, 14, 21, 30, tzinfo=UTC)):
        cancel_items(shop.command(), shop.fake)

    assert list_kinds() == ["request_received"]
    assert get_email("request_received").facts["answer_by"][:16] == "2030-05-17T21:30"


@pytest.mark.parametrize(("applied", "kind"), [(True, "cancellation_confirmed"), (False, "request_received")])
def test_a_lost_answer_is_one_email_once_it_is_known_how_it_ended(
    applied: bool, kind: str, settings: Settings
) -> None:
    settings.VERIFY_GRACE = timedelta(0)
    shop = Shop()
    shop.fake.fail("cancel_items", AnswerUnknown, applied=applied)
    cancel_items(shop.command(), shop.fake)
    assert list_kinds() == []

    verify_submission(Submission.objects.get().pk, shop.fake)

    assert list_kinds() == [kind]


def test_an_answer_that_stays_away_is_reported_once_as_still_to_come() -> None:
    shop = Shop()
    shop.fake.fail("cancel_items", AnswerUnknown, applied=False)
    cancel_items(shop.command(), shop.fake)
    submission = Submission.objects.get()
    for age, kinds in ((9, []), (11, ["cancellation_checking"]), (30, ["cancellation_checking"])):
        sent_at = timezone.now() - timedelta(minutes=age)
        Submission.objects.update(sent_at=sent_at, created_at=sent_at)
        shop.fake.fail("read_order", NotSent)

        verify_submission(submission.pk, shop.fake)

        assert list_kinds() == kinds


def test_decisions_are_told_with_their_reason() -> None:
    shop = Shop([Line(invoice_number="INV-1"), Line(invoice_number="INV-1")])
    cancel_items(shop.command(0), shop.fake)
    cancel_items(shop.command(1), shop.fake)
    first, second = CancellationRequest.objects.order_by("pk")

    approve_request(first.pk, shop.user)
    execute_approval(first.pk, shop.fake)
    reject_request(second.pk, shop.user, "It has left.")

    assert list_kinds()[2:] == ["request_approved", "request_rejected"]
    assert get_email("request_rejected").facts["reason"] == "It has left."


def test_a_completed_submission_is_told_once_with_what_comes_back() -> None:
    shop = Shop([Line(), Line()])
    cancel_items(shop.command(), shop.fake)

    finish(shop)

    assert list_kinds() == ["cancellation_sent", "cancellation_completed"]
    email = get_email("cancellation_completed")
    assert [item["name"] for item in email.facts["items"]] == ["Shirt", "Shirt"]
    assert email.facts["refund"] == "200.0000"


def test_a_second_part_of_a_line_is_told_with_its_own_amount() -> None:
    shop = Shop([Line(quantity=3)], split_units=True)
    for quantity, amount in ((1, "100.0000"), (2, "200.0000")):
        ask_for = ask(shop.items[0], shop.cancel_reason, quantity=quantity)
        request_cancellation(make_command(shop.order, ask_for))
        request = CancellationRequest.objects.order_by("-pk")[0]
        deliver_request(request.pk, shop.fake)
        request.refresh_from_db()
        for pk in request.remote_pks:
            shop.fake.decide_request("approve", pk, "")
        sync_order(shop.order.pk, shop.fake)

        email = Email.objects.filter(kind="cancellation_completed").order_by("-pk")[0]
        assert email.facts["refund"] == amount
        assert email.facts["items"] == [{"name": "Shirt", "quantity": quantity, "amount": amount}]


def test_an_address_change_is_told_when_it_has_ended() -> None:
    shop = Shop()
    address = make_address(shop.user)
    change_address(make_address_command(shop.order, address), shop.fake)
    assert list_kinds() == ["address_changed"]
    assert get_email("address_changed").facts["address"].startswith("Ayşe Yılmaz\nStreet ")

    shop.fake.fail("change_address", NotSent("down", code="unreachable"))
    change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)
    assert list_kinds() == ["address_changed"]
    Order.objects.update(status="500")
    deliver_address(AddressChange.objects.get(state="pending").pk, shop.fake)
    assert list_kinds() == ["address_changed", "address_too_late"]
