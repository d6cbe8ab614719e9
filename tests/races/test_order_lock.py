"""The lock on the order, place by place: without it a version is lost, and two documents bear one ETag."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F

from aftercart.actions.account.revoke_links import revoke_links
from aftercart.actions.address import change_address as changing
from aftercart.actions.address import compare_address as checking
from aftercart.actions.cancel import apply_late as arriving
from aftercart.actions.cancel.cancel_items import cancel_items, prepare_submission
from aftercart.actions.cancel.record_submission import Prepared, settle_submission
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.cancel.send_submission import send_submission
from aftercart.actions.cancel.take_back_request import take_back_submission
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.requests import approve_request as approving
from aftercart.actions.requests import reject_spare as sparing
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.override_policy import OverrideCommand, override_policy
from aftercart.actions.requests.reject_request import overrule_rejection, reject_request
from aftercart.actions.returns.change_pickup import PickupCommand, change_pickup
from aftercart.actions.sync import reconcile_before_sending as reconciling
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.withdraw import withdraw_order as withdrawing
from aftercart.actions.withdraw.decide_withdrawal import accept_withdrawal, refuse_withdrawal
from aftercart.actions.withdraw.withdraw_order import WithdrawalCommand
from aftercart.cancellations.models import (
    AddressChange,
    CancellationRequest,
    SpareRequest,
    Submission,
    SubmissionLine,
)
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.oms.errors import AnswerUnknown
from aftercart.oms.messages import RequestDraft
from aftercart.orders.models import OrderItem
from aftercart.orders.timeline import WORKER
from tests.races.together import interrupted_once_locked, without_lock
from tests.shop import Shop, make_address, make_address_command, make_caller, make_company, make_customer

pytestmark = pytest.mark.django_db(transaction=True)

#: An action, and how often it moves the order's version.
Step = tuple[Callable[[], object], int]


def make_request(shop: Shop) -> int:
    request_cancellation(shop.command())
    return CancellationRequest.objects.get().pk


def make_approved(shop: Shop) -> int:
    pk = make_request(shop)
    approving.approve_request(pk, make_customer())
    return pk


def make_change(shop: Shop) -> int:
    pk = changing._prepare(make_address_command(shop.order, make_address(shop.user)))
    assert isinstance(pk, int)
    return pk


def make_prepared(shop: Shop) -> int:
    prepared = prepare_submission(shop.command(), Submission.Origin.DIRECT)
    assert isinstance(prepared, Prepared)
    return int(prepared.submission.pk)


def begin_settling(shop: Shop) -> Step:
    pk = make_prepared(shop)
    Submission.objects.update(state="sent")
    return lambda: settle_submission(pk, Submission.State.APPLIED, WORKER), 1


def begin_sending(shop: Shop) -> Step:
    pk = make_prepared(shop)
    return lambda: send_submission(pk, shop.fake), 2  # marked, settled


def make_given_up(shop: Shop) -> int:
    """Give up a submission that was sent; its request waits."""
    shop.fake.fail("cancel_items", AnswerUnknown)
    cancel_items(shop.command(), shop.fake)
    Submission.objects.update(sent_at=F("sent_at") - timedelta(hours=1))
    submission = Submission.objects.get()
    verify_submission(submission.pk, shop.fake)
    return submission.pk


def begin_noting(shop: Shop) -> Step:
    pk = make_given_up(shop)
    return lambda: arriving.note_late(pk), 1


def begin_adopting(shop: Shop) -> Step:
    pk = make_given_up(shop)
    return lambda: arriving.adopt_late(pk, pk), 1


def begin_holding(shop: Shop) -> Step:
    pk = make_given_up(shop)
    error = AnswerUnknown("Omnitron did not answer in time.", code="timeout")
    return lambda: arriving._hold_late(pk, error), 1


def begin_syncing(shop: Shop) -> Step:
    cancel_items(shop.command(), shop.fake)
    shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
    return lambda: sync_order(shop.order.pk, shop.fake), 1


def begin_overruling(shop: Shop) -> Step:
    pk = make_request(shop)
    deliver_request(pk, shop.fake)
    (remote_pk,) = CancellationRequest.objects.get().remote_pks
    shop.fake.decide_request("approve", remote_pk)
    reject_request(pk, make_customer(), "No.")
    decided = [shop.fake.backoffice.requests[remote_pk].remote]
    return lambda: overrule_rejection(pk, decided), 1


def begin_ending(shop: Shop) -> Step:
    pk = make_change(shop)
    return lambda: changing._end(pk, AddressChange.State.CONFIRMED, WORKER, status_code=200), 1


def begin_sending_again(shop: Shop) -> Step:
    begin_ending(shop)[0]()
    last, order = AddressChange.objects.get(), shop.order
    order.refresh_from_db()
    return lambda: checking._put_right(order, last, last.address["pk"] + 1), 1


def begin_changing(shop: Shop) -> Step:
    command = make_address_command(shop.order, make_address(shop.user))
    return lambda: changing._prepare(command), 1


def begin_approving(shop: Shop) -> Step:
    pk, staff = make_request(shop), make_customer()
    return lambda: approving.approve_request(pk, staff), 1


def begin_executing(shop: Shop) -> Step:
    pk = make_approved(shop)
    return lambda: approving._prepare(CancellationRequest.objects.get(pk=pk), []), 1


def begin_leaving(shop: Shop) -> Step:
    pk = make_approved(shop)
    return lambda: approving._take_back(CancellationRequest.objects.get(pk=pk), []), 1


def begin_delivering(shop: Shop) -> Step:
    pk = make_request(shop)
    return lambda: deliver_request(pk, shop.fake), 1


def begin_finding_something_else(shop: Shop) -> Step:
    request = CancellationRequest.objects.get(pk=make_request(shop))
    [item_pk] = shop.fake.backoffice.items
    draft = RequestDraft(order_item_pk=item_pk, reason_pk=1, remote_id=request.uuid.hex, quantity=2)
    shop.fake.backoffice.create_request(1, draft)
    return lambda: deliver_request(request.pk, shop.fake), 1


def begin_confirming_what_was_found(shop: Shop) -> Step:
    request = CancellationRequest.objects.select_related("line__order_item").get(pk=make_request(shop))
    return lambda: reconciling._confirm_found(request), 1


def begin_rejecting_a_spare(shop: Shop) -> Step:
    request = CancellationRequest.objects.get(pk=make_request(shop))
    spare = SpareRequest.objects.create(request=request, name=request.uuid.hex, remote_pk=1)
    return lambda: sparing._settle(spare.pk, []), 1


def begin_overriding(shop: Shop) -> Step:
    OrderItem.objects.update(status="550", is_final_sale=True)
    item, reason = shop.items[0], shop.refund_reason
    command = OverrideCommand(shop.order.pk, item.pk, reason.pk, "Goodwill.")
    staff = make_customer()
    return lambda: override_policy(command, staff), 1


def begin_withdrawing(shop: Shop) -> Step:
    command = WithdrawalCommand(make_caller(shop.user), shop.order.number, "Ayşe", shop.user.email)
    return lambda: withdrawing._record(command), 2  # the cancellation, the statement


def make_withdrawal(shop: Shop) -> int:
    OrderItem.objects.update(status="550", is_final_sale=True)
    begin_withdrawing(shop)[0]()
    return Withdrawal.objects.get().pk


def begin_accepting_a_withdrawal(shop: Shop) -> Step:
    pk, staff = make_withdrawal(shop), make_customer()
    return lambda: accept_withdrawal(pk, staff), 1


def begin_changing_a_pickup(shop: Shop) -> Step:
    pk = make_request(shop)
    line = SubmissionLine.objects.select_related("submission").get(request=pk)
    company = make_company().pk
    SubmissionLine.objects.update(cancellation_type="refund", shipping_company=company)
    command = PickupCommand(shop.user, shop.order.number, line.submission.uuid, None)
    return lambda: change_pickup(command), 1


def begin_taking_back(shop: Shop) -> Step:
    request = CancellationRequest.objects.select_related("line__submission").get(pk=make_request(shop))
    return lambda: take_back_submission(shop.user, shop.order.number, request.line.submission.uuid), 1


def begin_refusing_a_withdrawal(shop: Shop) -> Step:
    pk, staff = make_withdrawal(shop), make_customer()
    return lambda: refuse_withdrawal(pk, staff, "No."), 1


PLACES: dict[str, Callable[[Shop], Step]] = {
    "apply_late.note_late": begin_noting,
    "apply_late.adopt_late": begin_adopting,
    "apply_late._hold_late": begin_holding,
    "approve_request._prepare": begin_executing,
    "approve_request._take_back": begin_leaving,
    "change_address._prepare": begin_changing,
    "change_pickup.change_pickup": begin_changing_a_pickup,
    "change_address._end": begin_ending,
    "compare_address._put_right": begin_sending_again,
    "decide_withdrawal.accept_withdrawal": begin_accepting_a_withdrawal,
    "decide_withdrawal.refuse_withdrawal": begin_refusing_a_withdrawal,
    "deliver_request._record_known": begin_delivering,
    "find_obstacle.lock_request": begin_approving,
    "read_created._report_foreign": begin_finding_something_else,
    "reconcile_before_sending._confirm_found": begin_confirming_what_was_found,
    "override_policy.override_policy": begin_overriding,
    "reject_request.overrule_rejection": begin_overruling,
    "read_case.lock_named": lambda shop: (lambda: make_prepared(shop), 1),
    "reject_spare._settle": begin_rejecting_a_spare,
    "revoke_links.revoke_links": lambda shop: (lambda: revoke_links(shop.order.number), 1),
    "send_submission._mark_sent": begin_sending,
    "record_submission.settle_submission": begin_settling,
    "sync_order._book": begin_syncing,
    "take_back_request._take_back": begin_taking_back,
    "withdraw_order._record": begin_withdrawing,
}


@pytest.mark.parametrize("place", PLACES)
def test_a_lock_lets_no_version_be_lost(place: str) -> None:
    shop = Shop()
    act, moves = PLACES[place](shop)
    shop.order.refresh_from_db()
    before = shop.order.version

    with interrupted_once_locked(place, lambda: revoke_links(shop.order.number)) as other:
        act()

    shop.order.refresh_from_db()
    assert (other.had_to_wait, other.outcome) == (True, None)
    assert shop.order.version == before + moves + 1


@pytest.mark.parametrize("place", PLACES)
def test_without_the_lock_a_version_is_lost(place: str) -> None:
    shop = Shop()
    act, moves = PLACES[place](shop)
    shop.order.refresh_from_db()
    before = shop.order.version

    with (
        without_lock(place),
        interrupted_once_locked(place, lambda: revoke_links(shop.order.number)) as other,
    ):
        act()

    shop.order.refresh_from_db()
    assert (other.had_to_wait, other.outcome) == (False, None)
    assert shop.order.version == before + moves
