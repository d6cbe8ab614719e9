"""On whose behalf each entry of the timeline is written: a table of scenes, and no event without one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from django.utils import timezone

from aftercart.accounts.models import User
from aftercart.actions.account.revoke_links import revoke_links
from aftercart.actions.address.change_address import change_address, deliver_address
from aftercart.actions.address.compare_address import compare_address
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.take_back_request import take_back_submission
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.override_policy import override_policy
from aftercart.actions.requests.reject_request import deliver_rejection, reject_request
from aftercart.actions.returns.change_pickup import PickupCommand, change_pickup
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep.recover import recover_submissions
from aftercart.actions.withdraw.decide_withdrawal import accept_withdrawal, refuse_withdrawal
from aftercart.cancellations.models import AddressChange, CancellationReason, Submission, Withdrawal
from aftercart.oms.errors import AnswerUnknown, NotSent, Refused
from aftercart.orders.errors import AddressChangeRefused
from aftercart.orders.models import Order, TimelineEntry
from aftercart.orders.timeline import EVENTS, Actor, record_event
from aftercart.orders.timeline import OMS as THE_OMS
from tests.db.test_compare_address import arrive
from tests.db.test_easy_return import ReturnShop, tomorrow
from tests.db.test_override_policy import FINAL_SALE
from tests.db.test_override_policy import ask as ask_against_policy
from tests.db.test_points import add_points
from tests.db.test_withdraw_order import withdraw
from tests.import_documents import LATER, make_document, run_import
from tests.shop import (
    Shop,
    get_request,
    make_address,
    make_address_command,
    request_units,
)

pytestmark = pytest.mark.django_db
_DEAD = timedelta(days=2)


def make_staff() -> User:
    return User.objects.create_user("staff@example.com", is_staff=True)


def cancel_directly() -> None:
    shop = Shop()
    add_points(shop.order, earned="5")
    cancel_items(shop.command(), shop.fake)
    shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
    sync_order(shop.order.pk, shop.fake)


def lose_an_answer(*, applied: bool) -> Shop:
    shop = Shop()
    shop.fake.fail("cancel_items", AnswerUnknown, applied=applied)
    cancel_items(shop.command(), shop.fake)
    Submission.objects.update(sent_at=timezone.now() - _DEAD)
    return shop


def find_what_was_lost() -> None:
    shop = lose_an_answer(applied=True)
    verify_submission(Submission.objects.get().pk, shop.fake)


def give_up_what_was_lost() -> None:
    shop = lose_an_answer(applied=False)
    verify_submission(Submission.objects.get().pk, shop.fake)


def look_in_vain() -> None:
    shop = lose_an_answer(applied=True)
    shop.fake.fail("read_order", NotSent)
    verify_submission(Submission.objects.get().pk, shop.fake)


def die_before_sending() -> None:
    shop = Shop()
    Submission.objects.create(
        order=shop.order, user=shop.user, origin="direct", created_at=timezone.now() - _DEAD
    )
    recover_submissions()


def approve() -> None:
    shop = Shop()
    approve_request(request_units(shop).pk, make_staff())
    execute_approval(get_request().pk, shop.fake)


def approve_what_is_refused() -> None:
    shop = Shop()
    approve_request(request_units(shop).pk, make_staff())
    shop.fake.fail("cancel_items", Refused)
    execute_approval(get_request().pk, shop.fake)


def approve_without_an_answer() -> None:
    shop = Shop()
    approve_request(request_units(shop).pk, make_staff())
    shop.fake.fail("cancel_items", AnswerUnknown, applied=True)
    execute_approval(get_request().pk, shop.fake)
    verify_submission(Submission.objects.get(origin="approval").pk, shop.fake)


def approve_what_is_decided_there() -> None:
    shop = Shop()
    request = request_units(shop)
    approve_request(request.pk, make_staff())
    shop.fake.decide_request("approve", request.remote_pks[0], "")
    execute_approval(request.pk, shop.fake)


def take_back() -> None:
    shop = Shop()
    request_units(shop)
    take_back_submission(shop.user, shop.order.number, Submission.objects.get().uuid)


def reject() -> None:
    reject_request(request_units(Shop()).pk, make_staff(), "No.")


def reject_what_is_done_there() -> None:
    shop = Shop()
    request = request_units(shop)
    reject_request(request.pk, make_staff(), "No.")
    shop.fake.decide_request("approve", request.remote_pks[0], "")
    deliver_rejection(request.pk, shop.fake)


def have_omnitron_reject() -> None:
    shop = Shop()
    shop.fake.decide_request("reject", request_units(shop).remote_pks[0], "No.")
    sync_order(shop.order.pk, shop.fake)


def override() -> None:
    shop = Shop([FINAL_SALE])
    override_policy(ask_against_policy(shop), make_staff())


def be_shipped() -> None:
    shop = Shop()
    for record in shop.fake.backoffice.items.values():
        record.remote = replace(record.remote, status="500")
    sync_order(shop.order.pk, shop.fake)


def give_back() -> None:
    shop = ReturnShop()
    shop.give_back(is_request=True)
    deliver_request(get_request().pk, shop.fake)
    shop.fake.decide_request("approve", get_request().remote_pks[0], "")
    sync_order(shop.order.pk, shop.fake)


def change_the_pickup_and_cancel_it() -> None:
    shop = ReturnShop()
    shop.give_back()
    for pickup in (tomorrow(), None):
        change_pickup(PickupCommand(shop.user, shop.order.number, shop.line.submission.uuid, pickup))


def withdraw_first() -> tuple[Shop, int]:
    shop = Shop()
    CancellationReason.objects.update(code="withdrawal")
    withdraw(shop, 0)
    return shop, Withdrawal.objects.get().pk


def withdraw_and_be_accepted() -> None:
    accept_withdrawal(withdraw_first()[1], make_staff())


def withdraw_and_be_refused() -> None:
    refuse_withdrawal(withdraw_first()[1], make_staff(), "Too late.")


def withdraw_and_be_done() -> None:
    shop, _pk = withdraw_first()
    shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
    sync_order(shop.order.pk, shop.fake)


def change(shop: Shop, error: Any = None) -> None:
    if error is not None:
        shop.fake.fail("change_address", error)
    change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)


def move_and_be_refused() -> None:
    with pytest.raises(AddressChangeRefused):
        change(Shop(), Refused("No.", code="no"))


def move_twice() -> None:
    shop = Shop()
    change(shop, AnswerUnknown("?", code="timeout"))
    older = AddressChange.objects.get().address["pk"]
    change(shop)
    arrive(shop, older)
    compare_address(shop.order.pk, shop.fake)


def move_too_late() -> None:
    shop = Shop()
    change(shop, AnswerUnknown("?", code="timeout"))
    Order.objects.update(status="500")
    deliver_address(AddressChange.objects.get().pk, shop.fake)
    arrive(shop, AddressChange.objects.get().address["pk"])
    compare_address(shop.order.pk, shop.fake)


def be_imported() -> None:
    run_import(make_document())
    run_import(make_document(modified_date=LATER, status="450"))


C, S, W, OMS, IMP = "customer", "staff", "worker", "omnitron", "import"
_ASKED = [("cancellation_submitted", C), ("cancellation_sending", C)]
_REQUESTED = [("cancellation_submitted", C), ("requests_opened", C), ("request_delivered", W)]
_APPROVED = [*_REQUESTED, ("request_approved", S), ("request_withdrawn", S), ("cancellation_sending", S)]
_WITHDRAWN = [("withdrawal_received", C), *_ASKED, ("cancellation_sent", C)]

#: What is done, and which entries it leaves, by whom.
SCENARIOS: Final[list[tuple[Callable[[], object], list[tuple[str, str]]]]] = [
    (
        cancel_directly,
        [*_ASKED, ("cancellation_sent", C), ("cancellation_completed", OMS), ("points_booked", OMS)],
    ),
    (find_what_was_lost, [*_ASKED, ("answer_unknown", C), ("cancellation_sent", W)]),
    (give_up_what_was_lost, [*_ASKED, ("answer_unknown", C), ("requests_opened", W)]),
    (look_in_vain, [*_ASKED, ("answer_unknown", C), ("verification_needs_staff", W)]),
    (die_before_sending, [("requests_opened", W)]),
    (approve, [*_APPROVED, ("cancellation_sent", S)]),
    (approve_what_is_refused, [*_APPROVED, ("requests_opened", S)]),
    (approve_without_an_answer, [*_APPROVED, ("answer_unknown", S), ("cancellation_sent", W)]),
    (approve_what_is_decided_there, [*_REQUESTED, ("request_approved", S), ("request_decided_there", OMS)]),
    (take_back, [*_REQUESTED, ("request_taken_back", C)]),
    (reject, [*_REQUESTED, ("cancellation_rejected", S)]),
    (
        reject_what_is_done_there,
        [
            *_REQUESTED,
            ("cancellation_rejected", S),
            ("rejection_overruled", OMS),
            ("cancellation_completed", OMS),
        ],
    ),
    (have_omnitron_reject, [*_REQUESTED, ("cancellation_rejected", OMS)]),
    (override, [("policy_overridden", S), ("requests_opened", S)]),
    (be_shipped, [("status_changed", OMS)]),
    (give_back, [*_REQUESTED, ("return_code_issued", OMS), ("cancellation_completed", OMS)]),
    (
        change_the_pickup_and_cancel_it,
        [*_ASKED, ("cancellation_sent", C), ("pickup_changed", C), ("pickup_cancelled", C)],
    ),
    (withdraw_and_be_accepted, [*_WITHDRAWN, ("withdrawal_accepted", S)]),
    (withdraw_and_be_refused, [*_WITHDRAWN, ("withdrawal_refused", S)]),
    (withdraw_and_be_done, [*_WITHDRAWN, ("cancellation_completed", OMS), ("withdrawal_accepted", OMS)]),
    (move_and_be_refused, [("address_change_submitted", C), ("address_change_refused", C)]),
    (
        move_twice,
        [
            ("address_change_submitted", C),
            ("address_change_submitted", C),
            ("address_change_confirmed", C),
            ("address_change_overtaken", OMS),
        ],
    ),
    (
        move_too_late,
        [("address_change_submitted", C), ("address_change_too_late", W), ("address_change_found", OMS)],
    ),
    (lambda: revoke_links(Shop().order.number), [("links_revoked", S)]),
    (be_imported, [("order_imported", IMP), ("order_updated", IMP)]),
]


#: What comes of a process that stood still, of a restored backup, or of a document there has tests of its own.
UNSHOWN: Final = frozenset(
    {"second_request_settled", "late_request_settled", "request_found_done", "order_followed"}
)
SHOWN_ELSEWHERE: Final = frozenset({"late_sending", "late_success"}) | UNSHOWN


@pytest.mark.parametrize(("act", "entries"), SCENARIOS)
def test_each_entry_names_on_whose_behalf_it_happened(
    act: Callable[[], object], entries: list[tuple[str, str]]
) -> None:
    act()

    written = list(TimelineEntry.objects.order_by("id").values_list("event", "actor", "user__is_staff"))
    assert [row[:2] for row in written] == entries
    # Nobody but staff speaks for staff, and nobody but a customer for a customer.
    assert {(actor, is_staff) for _event, actor, is_staff in written if is_staff is not None} <= {
        (C, False),
        (S, True),
    }


def test_an_event_without_a_scenario_is_none() -> None:
    shown = {entry for _act, entries in SCENARIOS for entry in entries}

    assert {event for event, _actor in shown} | SHOWN_ELSEWHERE == set(EVENTS)
    others = (Path(__file__).parent / "test_late_arrivals.py").read_text(encoding="utf-8")
    assert [event for event in SHOWN_ELSEWHERE - UNSHOWN if event not in others] == []
    assert all(actor in EVENTS[event].actors for event, actor in shown)


@pytest.mark.parametrize(
    ("event", "actor"), [("something_new", THE_OMS), ("request_approved", Actor.customer(None))]
)
def test_an_entry_that_nobody_declared_is_warned_of_and_kept(event: str, actor: Actor) -> None:
    order = Shop().order

    with pytest.warns(RuntimeWarning, match=event):
        record_event(order, event, actor)

    assert [entry.event for entry in TimelineEntry.objects.all()] == [event]
