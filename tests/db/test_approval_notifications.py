"""An approval is told when it is true, and what it was about stays where the customer asked for it."""

from datetime import timedelta

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from pytest_django import Settings

from aftercart.accounts.models import User
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.mail.send_email import send_email
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import CancellationRequest, Submission, SubmissionLine
from aftercart.mail.models import Email, LineNotice
from aftercart.oms.errors import AnswerUnknown, NotSent, OmsError, Refused
from tests.db.test_outbox import get_email, list_kinds
from tests.shop import Line, Shop, get_request, request_units

pytestmark = pytest.mark.django_db


@pytest.fixture
def approver() -> User:
    return User.objects.create_user("approver@example.com", is_staff=True, language="tr")


def review(shop: Shop) -> CancellationRequest:
    """Have the items of a shop wait for a decision, in Omnitron's queue too."""
    cancel_items(shop.command(), shop.fake)
    for request in CancellationRequest.objects.all():
        deliver_request(request.pk, shop.fake)
    return CancellationRequest.objects.order_by("pk")[0]


def approve(shop: Shop, request: CancellationRequest, approver: User) -> None:
    approve_request(request.pk, approver)
    execute_approval(request.pk, shop.fake)


def test_the_customer_is_not_told_of_an_approval_before_omnitron_has_taken_it(approver: User) -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    request = review(shop)

    approve_request(request.pk, approver)
    assert list_kinds() == ["request_received"]

    execute_approval(request.pk, shop.fake)
    assert list_kinds() == ["request_received", "request_approved"]


@pytest.mark.parametrize(
    "error", [Refused("Too late.", code="illegal_move"), NotSent("down", code="unreachable")]
)
def test_an_approval_that_omnitron_does_not_take_is_told_to_its_approver_and_to_nobody_else(
    error: OmsError, approver: User, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    request = review(shop)
    shop.fake.fail("cancel_items", error)

    approve(shop, request, approver)

    assert (get_request().status, get_request().decided_by) == ("waiting", None)
    assert list_kinds() == ["request_received", "approval_bounced"]
    email = get_email("approval_bounced")
    assert (email.recipient, email.language) == ("approver@example.com", "tr")
    send_email(email.pk)
    [mail] = mailoutbox
    assert f"/backoffice/cancellations/cancellationrequest/{request.pk}/change/" in mail.body
    assert f"#{request.pk}" in mail.subject
    assert "/users/orders/" not in mail.body
    assert "/orders/guest/" not in mail.body


def test_of_two_approvals_that_bounce_each_is_told(approver: User) -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    request = review(shop)
    for _time in range(2):
        shop.fake.fail("cancel_items", Refused("Too late.", code="illegal_move"))
        approve(shop, request, approver)

    assert list_kinds() == ["request_received", "approval_bounced", "approval_bounced"]


@pytest.mark.parametrize(("applied", "kinds"), [(True, ["request_approved"]), (False, ["approval_bounced"])])
def test_while_the_answer_is_unknown_nobody_is_told(
    applied: bool,
    kinds: list[str],
    approver: User,
    settings: Settings,
) -> None:
    settings.VERIFY_GRACE = timedelta(0)
    shop = Shop([Line(invoice_number="INV-1")])
    request = review(shop)
    shop.fake.fail("cancel_items", AnswerUnknown, applied=applied)

    approve(shop, request, approver)
    assert (get_request().status, list_kinds()) == ("verifying", ["request_received"])

    verify_submission(Submission.objects.get(origin="approval").pk, shop.fake)
    assert list_kinds() == ["request_received", *kinds]


def test_an_approval_leaves_the_line_with_what_the_customer_asked_for(approver: User) -> None:
    shop = Shop([Line(invoice_number="INV-1"), Line(invoice_number="INV-1")])
    request = review(shop)
    asked = Submission.objects.get()
    shop.fake.fail("cancel_items", Refused("Too late.", code="illegal_move"))
    approve(shop, request, approver)
    approve(shop, request, approver)

    lines = list(asked.lines.order_by("pk"))
    assert [line.order_item_id for line in lines] == [item.pk for item in shop.items]
    asked.refresh_from_db()
    assert (asked.state, asked.cause) == ("refused", "has_invoice")
    first, second = request.approvals.order_by("pk")
    assert (first.state, first.cause, first.cause_detail) == ("refused", "illegal_move", "Too late.")
    assert (second.state, second.user) == ("applied", approver)
    assert [list(attempt.list_carried()) for attempt in (first, second)] == [[lines[0]], [lines[0]]]
    assert [line.carrier for line in lines] == [second, asked]
    assert SubmissionLine.objects.filter(submission__origin="approval").count() == 0


def test_while_an_approval_is_under_way_its_item_is_reserved(approver: User) -> None:
    shop = Shop()
    request = request_units(shop)
    shop.fake.before("cancel_items", lambda: reserve_again(shop))

    approve(shop, request, approver)

    assert get_request().status == "confirmed"


def reserve_again(shop: Shop) -> None:
    line = SubmissionLine.objects.get()
    with pytest.raises(IntegrityError, match="one_open_line_an_item"), transaction.atomic():
        SubmissionLine.objects.create(
            submission=line.submission,
            order_item=shop.items[0],
            reason=line.reason,
            cancellation_type="cancel",
            quantity=1,
        )


# --- two requests of one submission, decided in two ways -----------------------------------------------------


def decide_there(shop: Shop, request: CancellationRequest) -> None:
    request.refresh_from_db()
    shop.fake.decide_request("approve", request.remote_pks[0], "")
    sync_order(shop.order.pk, shop.fake)


def decide_here(shop: Shop, request: CancellationRequest, approver: User) -> None:
    approve(shop, request, approver)
    shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
    sync_order(shop.order.pk, shop.fake)


def list_notified() -> list[tuple[str, list[int]]]:
    """List the e-mails about what was completed, with the lines that each is about."""
    emails = Email.objects.filter(kind="cancellation_completed").order_by("pk")
    return [
        (email.facts["refund"], list(email.notices.order_by("line").values_list("line", flat=True)))
        for email in emails
    ]


@pytest.mark.parametrize("order", ["there first", "here first", "both before anything is read"])
def test_of_two_requests_decided_in_two_ways_each_is_told_once(order: str, approver: User) -> None:
    shop = Shop([Line(invoice_number="I", price="100.00"), Line(invoice_number="I", price="70.00")])
    review(shop)
    there, here = CancellationRequest.objects.order_by("pk")

    if order == "there first":
        decide_there(shop, there)
        decide_here(shop, here, approver)
    elif order == "here first":
        decide_here(shop, here, approver)
        decide_there(shop, there)
    else:
        approve(shop, here, approver)
        shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
        decide_there(shop, there)
    sync_order(shop.order.pk, shop.fake)

    amounts = {there.line_id: "100.0000", here.line_id: "70.0000"}
    kinds = list_notified()
    assert sorted(pk for _amount, pks in kinds for pk in pks) == sorted(amounts)
    if order == "both before anything is read":
        assert kinds == [("170.0000", sorted(amounts))]
    else:
        first, second = (there, here) if order == "there first" else (here, there)
        assert kinds == [(amounts[request.line_id], [request.line_id]) for request in (first, second)]
    assert LineNotice.objects.filter(outcome="completed").count() == 2
    assert Email.objects.filter(kind="request_approved").count() == 1


def test_a_line_that_was_rejected_is_told_apart_from_the_one_that_was_done(approver: User) -> None:
    shop = Shop([Line(invoice_number="I"), Line(invoice_number="I")])
    review(shop)
    first, second = CancellationRequest.objects.order_by("pk")
    shop.fake.decide_request("reject", first.remote_pks[0], "No.")
    sync_order(shop.order.pk, shop.fake)
    decide_here(shop, second, approver)

    assert list_notified() == [("100.0000", [second.line_id])]
    notices = set(LineNotice.objects.values_list("line", "outcome"))
    assert notices == {
        (first.line_id, "rejected"),
        (second.line_id, "approved"),
        (second.line_id, "completed"),
    }
