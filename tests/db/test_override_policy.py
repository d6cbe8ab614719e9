"""Staff ask for what the policy refuses: on record, decided like any other request, and not against facts."""

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.accounts.models import User
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.override_policy import OverrideCommand, override_policy
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import (
    CancellationRequest,
    PolicyVersion,
    RefundQuote,
    RefundQuoteLine,
    Submission,
    SubmissionLine,
)
from aftercart.orders.errors import CancellationRefused, InputInvalid, OrderNotFound
from aftercart.orders.models import TimelineEntry
from tests.shop import Line, Shop, get_statuses, make_reason

pytestmark = pytest.mark.django_db
FINAL_SALE = Line(status="550", is_final_sale=True, quantity=3)


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("staff@example.com", is_staff=True)


def ask(shop: Shop, **fields: object) -> OverrideCommand:
    item = shop.items[0]
    command = {
        "order": shop.order.pk,
        "order_item": item.pk,
        "reason": shop.refund_reason.pk,
        "why": "Goodwill.",
    }
    return OverrideCommand(**{**command, **fields})  # type: ignore[arg-type]  # of several types by name


def assert_nothing_happened(shop: Shop, version: int) -> None:
    shop.order.refresh_from_db()
    assert shop.order.version == version
    assert shop.fake.posts == []
    for model in (Submission, SubmissionLine, CancellationRequest, TimelineEntry, ProcrastinateJob):
        assert model.objects.count() == 0, model.__name__


def test_a_refused_return_becomes_a_request_with_the_reason_in_the_timeline(staff: User) -> None:
    shop = Shop([FINAL_SALE])

    pk = override_policy(ask(shop, quantity=2), staff)

    request = CancellationRequest.objects.select_related("line__submission").get(pk=pk)
    submission = request.line.submission
    assert (request.status, request.cause, request.line.quantity) == ("waiting", "policy_overridden", 2)
    assert (submission.origin, submission.state, submission.user) == ("override", "refused", staff)
    version = PolicyVersion.objects.get()
    assert submission.policy_version == version
    first, second = TimelineEntry.objects.filter(order=shop.order)
    assert (first.event, first.actor, first.user, first.cause, first.item) == (
        "policy_overridden", "staff", staff, "Goodwill.", shop.items[0],
    )  # fmt: skip
    number = version.rules.get(topic="final_sale").number
    assert first.data["overridden"] == [["final_sale", number]]
    assert second.event == "requests_opened"
    assert [job.args["pk"] for job in ProcrastinateJob.objects.filter(task_name=jobs.DELIVER_REQUEST)] == [pk]
    assert get_statuses(shop.order) == ["550"]
    shop.order.refresh_from_db()
    assert shop.order.version == 2


def test_the_request_goes_the_way_of_every_other(staff: User) -> None:
    shop = Shop([FINAL_SALE])
    pk = override_policy(ask(shop), staff)

    deliver_request(pk, shop.fake)
    approve_request(pk, staff)
    execute_approval(pk, shop.fake)

    assert CancellationRequest.objects.get(pk=pk).status == "confirmed"
    assert get_statuses(shop.order) == ["50"]
    assert shop.count_posts() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"why": "  "}, "why"),
        ({"reason": 999_999}, "reason"),
        ({"order_item": 999_999}, "order_item"),
        ({"quantity": 4}, "quantity"),
        ({"quantity": 0}, "quantity"),
    ],
)
def test_what_makes_no_sense_changes_nothing(staff: User, fields: dict[str, object], field: str) -> None:
    shop = Shop([FINAL_SALE])

    with pytest.raises(InputInvalid) as caught:
        override_policy(ask(shop, **fields), staff)

    assert list(caught.value.fields) == [field]
    assert_nothing_happened(shop, 1)


def test_what_has_been_shipped_is_not_cancelled_but_returned(staff: User) -> None:
    shop = Shop([FINAL_SALE])

    with pytest.raises(InputInvalid) as caught:
        override_policy(ask(shop, reason=shop.cancel_reason.pk), staff)

    assert list(caught.value.fields) == ["reason"]
    assert_nothing_happened(shop, 1)


def test_what_the_policy_allows_needs_no_override(staff: User) -> None:
    shop = Shop([Line(status="550", delivered_at=timezone.now())])

    with pytest.raises(InputInvalid, match="does not refuse"):
        override_policy(ask(shop), staff)

    assert_nothing_happened(shop, 1)


def test_nobody_overrides_facts(staff: User) -> None:
    shop = Shop([Line(status="100")])

    with pytest.raises(CancellationRefused) as caught:
        override_policy(ask(shop), staff)

    assert caught.value.code == "already_cancelled"
    assert_nothing_happened(shop, 1)


def test_a_second_click_finds_the_first_in_progress(staff: User) -> None:
    shop = Shop([FINAL_SALE])
    override_policy(ask(shop), staff)

    with pytest.raises(CancellationRefused) as caught:
        override_policy(ask(shop), staff)

    assert caught.value.code == "cancellation_in_progress"
    assert CancellationRequest.objects.count() == 1
    with pytest.raises(CancellationRefused):
        cancel_items(shop.command(0), shop.fake)
    assert shop.fake.posts == []


def test_an_unknown_order_is_not_found(staff: User) -> None:
    shop = Shop([FINAL_SALE])

    with pytest.raises(OrderNotFound):
        override_policy(ask(shop, order=999_999), staff)

    assert_nothing_happened(shop, 1)


def test_a_switched_off_reason_is_none(staff: User) -> None:
    shop = Shop([FINAL_SALE])
    reason = make_reason("refund")
    reason.is_active = False
    reason.save()

    with pytest.raises(InputInvalid):
        override_policy(ask(shop, reason=reason.pk), staff)

    assert_nothing_happened(shop, 1)


@pytest.mark.parametrize(("quantity", "refund"), [(None, 300), (2, 200)])
def test_what_staff_ask_for_is_quoted_with_the_units_that_it_reserves(
    staff: User, quantity: int | None, refund: int
) -> None:
    shop = Shop([FINAL_SALE])

    override_policy(ask(shop, quantity=quantity), staff)

    assert RefundQuoteLine.objects.get().refund_amount == refund
    assert RefundQuote.objects.get().total_amount == refund
