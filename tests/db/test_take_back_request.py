"""A customer takes a request back while it is undecided; who was first, customer, staff or Omnitron, has it."""

import uuid

import pytest

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.take_back_request import (
    NothingToTakeBack,
    take_back_request,
    take_back_submission,
)
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.find_obstacle import RequestDecided
from aftercart.actions.requests.reject_request import deliver_rejection
from aftercart.cancellations.models import CancellationRequest, Submission, SubmissionLine
from aftercart.oms.errors import AnswerUnknown
from aftercart.orders.errors import OrderNotFound, TooManyTries
from aftercart.orders.models import OrderItem, TimelineEntry
from tests.db.test_outbox import list_kinds
from tests.shop import Line, Shop, get_request, make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    """A shop whose order's one item waits for a decision, in Omnitron's queue too."""
    shop = Shop([Line(invoice_number="INV-1")])
    cancel_items(shop.command(), shop.fake)
    deliver_request(get_request().pk, shop.fake)
    return shop


def take_back(shop: Shop) -> None:
    take_back_submission(shop.user, shop.order.number, Submission.objects.get().uuid)


def assert_nothing_changed(status: str) -> None:
    assert get_request().status == status
    assert SubmissionLine.objects.get().is_open
    assert not TimelineEntry.objects.filter(event="request_taken_back").exists()


def test_what_is_taken_back_is_as_it_was_and_omnitrons_queue_is_cleaned(shop: Shop) -> None:
    take_back(shop)

    request, item = get_request(), OrderItem.objects.get()
    assert (request.status, request.cause, request.decided_by) == ("rejected", "taken_back", None)
    assert (item.status, item.reserved_quantity, item.cancelled_quantity) == ("400", 0, 0)
    entry = TimelineEntry.objects.get(event="request_taken_back")
    assert (entry.actor, entry.user) == ("customer", shop.user)
    assert list_kinds() == ["request_received"]  # who took it back need not be told that it was declined

    deliver_rejection(request.pk, shop.fake)

    [pk] = request.remote_pks
    assert shop.fake.backoffice.requests[pk].remote.status == "rejected"


def test_one_request_of_two_is_taken_back_alone() -> None:
    shop = Shop([Line(invoice_number="INV-1"), Line(invoice_number="INV-1")])
    cancel_items(shop.command(), shop.fake)
    first, second = CancellationRequest.objects.order_by("pk")

    assert take_back_request(shop.user, first.pk).status == "rejected"

    second.refresh_from_db()
    assert (second.status, second.line.is_open) == ("waiting", True)

    approve_request(second.pk, make_customer())
    with pytest.raises(NothingToTakeBack):  # what is left of it has been decided
        take_back_submission(shop.user, shop.order.number, Submission.objects.get(origin="direct").uuid)


def test_what_was_taken_back_can_be_asked_for_anew(shop: Shop) -> None:
    take_back(shop)

    cancel_items(shop.command(), shop.fake)

    assert SubmissionLine.objects.filter(is_open=True).count() == 1


def test_who_asks_and_takes_back_in_turns_is_stopped_and_what_was_asked_for_stays() -> None:
    shop = Shop([Line(invoice_number="INV-1"), Line(invoice_number="INV-1")])

    def ask(line: int) -> CancellationRequest:
        cancel_items(shop.command(line), shop.fake)
        return CancellationRequest.objects.latest("pk")

    for _ in range(5):
        take_back_request(shop.user, ask(0).pk)
    stopped = ask(0)
    with pytest.raises(TooManyTries):
        take_back_request(shop.user, stopped.pk)

    stopped.refresh_from_db()
    assert stopped.status == "waiting"
    assert take_back_request(shop.user, ask(1).pk).status == "rejected"  # each item has a count of its own


def test_a_second_click_takes_nothing_back_and_is_no_error(shop: Shop) -> None:
    take_back(shop)
    take_back(shop)
    assert take_back_request(shop.user, get_request().pk).status == "rejected"
    assert TimelineEntry.objects.filter(event="request_taken_back").count() == 1


def test_after_the_staffs_decision_it_is_too_late(shop: Shop) -> None:
    approve_request(get_request().pk, make_customer())
    with pytest.raises(NothingToTakeBack):
        take_back(shop)
    assert_nothing_changed("approved")


def test_after_it_was_taken_back_the_staff_is_too_late(shop: Shop) -> None:
    take_back(shop)
    with pytest.raises(RequestDecided, match="The customer took it back on "):
        approve_request(get_request().pk, make_customer())
    execute_approval(get_request().pk, shop.fake)
    assert [post.call for post in shop.fake.posts] == ["create_request"]


def test_what_is_held_for_an_answer_cannot_be_taken_back() -> None:
    shop = Shop()
    shop.fake.fail("cancel_items", AnswerUnknown, applied=True)
    cancel_items(shop.command(), shop.fake)
    with pytest.raises(NothingToTakeBack):
        take_back(shop)
    assert_nothing_changed("verifying")


def test_nobody_takes_back_what_somebody_else_asked_for(shop: Shop) -> None:
    submission = Submission.objects.get().uuid
    with pytest.raises(OrderNotFound):
        take_back_submission(make_customer(), shop.order.number, submission)
    with pytest.raises(OrderNotFound):
        take_back_request(make_customer(), get_request().pk)
    with pytest.raises(OrderNotFound):
        take_back_request(shop.user, 10**30)
    with pytest.raises(NothingToTakeBack):
        take_back_submission(shop.user, shop.order.number, uuid.uuid4())
    assert_nothing_changed(CancellationRequest.Status.WAITING)
