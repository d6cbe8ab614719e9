"""Withdrawing: recorded whatever the rules say, once, with a receipt, and decided apart from it."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override
from pytest_django import Settings

from aftercart.accounts.models import User
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.commands import Answer
from aftercart.actions.requests.reject_request import reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.withdraw.decide_withdrawal import (
    WithdrawalDecided,
    accept_withdrawal,
    refuse_withdrawal,
)
from aftercart.actions.withdraw.withdraw_order import NothingToWithdraw, WithdrawalCommand, withdraw_order
from aftercart.cancellations.models import CancellationReason, CancellationRequest, RefundQuote, Submission
from aftercart.cancellations.models.withdrawals import Withdrawal, WithdrawalLine, WithdrawalPolicy
from aftercart.cancellations.selectors import list_reasons
from aftercart.cancellations.withdrawal_terms import find_offer
from aftercart.mail.models import Email
from aftercart.oms.errors import NotSent
from aftercart.orders.errors import InputInvalid, OrderNotFound
from aftercart.orders.guests import Guest
from aftercart.orders.models import Order, TimelineEntry
from tests.shop import Line, Shop, get_items, get_statuses, make_caller, make_customer, make_order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reasons() -> None:
    """The two reasons, mapped to Omnitron's as a shop would."""
    for kind, remote_pk in (("cancel", 1), ("refund", 6)):
        CancellationReason.objects.create(
            code="withdrawal",
            cancellation_type=kind,
            subject="Withdrawal from contract",
            is_active=False,
            remote_pk=remote_pk,
        )


@dataclass(frozen=True)
class Withdrawn:
    """An answer, and the statement that it is about."""

    answer: Answer

    @property
    def withdrawal(self) -> Withdrawal:
        return Withdrawal.objects.get(uuid=self.answer.body["uuid"])

    @property
    def is_replay(self) -> bool:
        return self.answer.is_replay


def withdraw(shop: Shop, *positions: int, owner: User | Guest | None = None, **fields: Any) -> Withdrawn:
    """Make a statement; each has a fingerprint of its own unless one is given."""
    command = WithdrawalCommand(
        caller=make_caller(owner or shop.user, fields.pop("key", ""), fields.pop("fingerprint", None)),
        number=shop.order.number,
        name="Ayşe Yılmaz",
        email=shop.user.email,
        items=tuple(shop.items[place].pk for place in positions),
    )
    return Withdrawn(withdraw_order(replace(command, **fields), shop.fake))


def list_kinds() -> list[str]:
    return [email.kind for email in Email.objects.order_by("pk")]


def list_outcomes() -> list[tuple[str, bool]]:
    return [
        (line.obstacle, line.submission_line is not None) for line in WithdrawalLine.objects.order_by("pk")
    ]


def test_a_statement_is_recorded_and_carried_out_at_once() -> None:
    shop = Shop([Line(quantity=2), Line()])

    done = withdraw(shop)

    withdrawal = done.withdrawal
    assert not done.is_replay
    assert (withdrawal.state, withdrawal.name, withdrawal.is_in_time) == ("received", "Ayşe Yılmaz", True)
    assert withdrawal.statement.startswith(f"I hereby withdraw from contract {shop.order.number} of ")
    assert withdrawal.statement.endswith(" for the following items: 2 × Shirt and 1 × Shirt.")
    assert get_statuses(shop.order) == ["50", "50"]
    assert shop.count_posts() == 1
    submission = Submission.objects.get()
    assert (submission.origin, submission.state) == ("withdrawal", "applied")
    assert list_outcomes() == [("", True), ("", True)]
    assert list_kinds() == ["withdrawal_receipt"]
    assert TimelineEntry.objects.filter(event="withdrawal_received").count() == 1


def test_the_receipt_repeats_content_and_time() -> None:
    shop = Shop()

    with override("tr"):
        withdrawal = withdraw(shop).withdrawal

    email = Email.objects.get()
    assert email.language == "tr"
    assert email.facts == {
        "uuid": str(withdrawal.uuid),
        "name": "Ayşe Yılmaz",
        "email": shop.user.email,
        "statement": withdrawal.statement,
        "submitted_at": withdrawal.submitted_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "ordered_at": shop.order.created_date.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "items": [{"name": "Shirt", "quantity": 1}],
    }


def test_another_address_for_the_receipt_does_not_hide_it_from_the_orders_owner() -> None:
    shop = Shop()

    withdraw(shop, email="Elsewhere@example.com")

    recipients = sorted(Email.objects.values_list("recipient", flat=True))
    assert recipients == sorted(["elsewhere@example.com", shop.user.email])


def test_what_was_shipped_and_what_was_not_are_not_mixed() -> None:
    shop = Shop([Line("400"), Line("550"), Line("500")])

    withdraw(shop)

    assert get_statuses(shop.order) == ["50", "50", "50"]
    kinds = [
        sorted({line.cancellation_type for line in submission.lines.all()})
        for submission in Submission.objects.order_by("pk")
    ]
    assert kinds == [["cancel"], ["refund"]]


@pytest.mark.parametrize(
    ("line", "obstacle", "is_in_time"),
    [
        (Line("550", is_final_sale=True), "final_sale", True),
        (Line("550", delivered_at=timezone.now() - timedelta(days=40)), "return_window_closed", False),
    ],
)
def test_what_the_rules_refuse_is_recorded_and_left_to_people(
    line: Line,
    obstacle: str,
    is_in_time: bool,
) -> None:
    shop = Shop([line])

    withdrawal = withdraw(shop).withdrawal

    assert (withdrawal.state, withdrawal.is_in_time) == ("received", is_in_time)
    assert list_outcomes() == [(obstacle, False)]
    assert Submission.objects.count() == 0
    assert shop.fake.posts == []
    assert list_kinds() == ["withdrawal_receipt"]


def test_of_several_items_those_that_can_be_are_cancelled() -> None:
    shop = Shop([Line("550", is_final_sale=True), Line("550")])

    withdraw(shop)

    assert list_outcomes() == [("final_sale", False), ("", True)]
    assert get_statuses(shop.order) == ["550", "50"]


def test_a_cancellation_under_way_carries_the_statement_out() -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    cancel_items(shop.command(), shop.fake)

    withdraw(shop)

    assert list_outcomes() == [("cancellation_in_progress", True)]
    assert Submission.objects.count() == 1


def test_omnitron_away_makes_it_a_request_and_no_less_a_statement() -> None:
    shop = Shop()
    shop.fake.fail("read_order", NotSent("down", code="unreachable"))

    withdraw(shop)

    assert CancellationRequest.objects.get().status == "waiting"
    assert Withdrawal.objects.get().state == "received"
    assert list_kinds() == ["withdrawal_receipt"]


def test_a_reason_that_omnitron_does_not_know_makes_it_a_request() -> None:
    CancellationReason.objects.filter(code="withdrawal").delete()
    shop = Shop()

    withdraw(shop)

    assert CancellationRequest.objects.get().cause == "reason_unmapped"
    reason = CancellationReason.objects.get(code="withdrawal")
    assert reason not in list_reasons()


def test_the_same_statement_again_is_that_one() -> None:
    shop = Shop([Line(), Line()])
    first = withdraw(shop, 0)

    again = withdraw(shop, 0)
    rest = withdraw(shop)

    assert (again.withdrawal, again.is_replay) == (first.withdrawal, True)
    assert not rest.is_replay
    assert [line.order_item_id for line in rest.withdrawal.lines.all()] == [shop.items[1].pk]
    assert withdraw(shop, 0).withdrawal == first.withdrawal
    assert Withdrawal.objects.count() == 2
    assert shop.count_posts() == 2
    assert list_kinds() == ["withdrawal_receipt"] * 2


def test_what_is_not_ours_or_not_there_writes_nothing() -> None:
    shop = Shop()
    stranger = make_order(make_customer())

    with pytest.raises(OrderNotFound):
        withdraw(shop, number=stranger.number)
    with pytest.raises(OrderNotFound):
        withdraw(shop, owner=make_customer())
    with pytest.raises(OrderNotFound):
        withdraw(shop, owner=Guest(shop.order.pk, shop.order.link_version))
    with pytest.raises(InputInvalid):
        withdraw(shop, items=(get_items(stranger)[0].pk,))
    Order.objects.filter(pk=shop.order.pk).update(
        shipping_address={"country": {"code": "us"}}, version=shop.order.version
    )
    with pytest.raises(OrderNotFound):
        withdraw(shop)

    assert Withdrawal.objects.count() == Email.objects.count() == Submission.objects.count() == 0


def test_nothing_left_is_nothing_to_withdraw_from() -> None:
    shop = Shop([Line("100", cancelled_quantity=1)])

    with pytest.raises(NothingToWithdraw):
        withdraw(shop)

    assert Withdrawal.objects.count() == 0


def test_a_guest_withdraws_from_a_guests_order() -> None:
    shop = Shop()
    Order.objects.filter(pk=shop.order.pk).update(user=None, user_email="guest@example.com")

    stale = Guest(shop.order.pk, shop.order.link_version + 1)
    with pytest.raises(OrderNotFound):
        withdraw(shop, owner=stale)
    guest = Guest(shop.order.pk, shop.order.link_version)
    withdrawal = withdraw(shop, owner=guest, email="elsewhere@example.com").withdrawal

    assert withdrawal.user is None
    assert get_statuses(shop.order) == ["50"]
    assert Email.objects.get().recipient == "guest@example.com"


# --- the decision ------------------------------------------------------------------------------------------


def test_omnitron_taking_all_of_it_is_the_acceptance() -> None:
    shop = Shop([Line(), Line()])
    withdraw(shop)
    [first, second] = shop.fake.posts[-1].body["cancel_items"]

    shop.fake.decide_items("approve", first)
    sync_order(shop.order.pk, shop.fake)
    assert Withdrawal.objects.get().state == "received"
    shop.fake.decide_items("approve", second)
    sync_order(shop.order.pk, shop.fake)

    withdrawal = Withdrawal.objects.get()
    assert (withdrawal.state, withdrawal.decided_by) == ("accepted", None)
    # What was done is told by line, as it is done.
    done = ["cancellation_completed"]
    assert list_kinds() == ["withdrawal_receipt", *done, "withdrawal_accepted", *done]


def test_omnitron_rejecting_decides_nothing_about_the_statement() -> None:
    shop = Shop()
    withdraw(shop)

    shop.fake.decide_items("reject", *shop.fake.posts[-1].body["cancel_items"])
    sync_order(shop.order.pk, shop.fake)

    assert get_statuses(shop.order) == ["400"]
    assert Withdrawal.objects.get().state == "received"
    assert list_kinds() == ["withdrawal_receipt"]


def test_accepting_approves_what_waits_to_carry_it_out() -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    withdrawal = withdraw(shop).withdrawal
    staff = make_customer()

    accept_withdrawal(withdrawal.pk, staff)

    withdrawal.refresh_from_db()
    assert (withdrawal.state, withdrawal.decided_by) == ("accepted", staff)
    assert CancellationRequest.objects.get().status == "approved"
    assert list_kinds() == ["withdrawal_receipt", "withdrawal_accepted"]
    [quoted] = RefundQuote.objects.all()
    facts = Email.objects.get(kind="withdrawal_accepted").facts
    assert (facts["refund"], facts["to"]) == (str(quoted.total_amount), quoted.destination)
    with pytest.raises(WithdrawalDecided):
        refuse_withdrawal(withdrawal.pk, staff, "No.")
    assert CancellationRequest.objects.get().status == "approved"


def test_refusing_needs_a_reason_and_rejects_what_waits() -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    withdrawal = withdraw(shop).withdrawal
    staff = make_customer()
    with pytest.raises(InputInvalid):
        refuse_withdrawal(withdrawal.pk, staff, " ")
    assert Withdrawal.objects.get().state == "received"

    refuse_withdrawal(withdrawal.pk, staff, "Made to measure.")

    withdrawal.refresh_from_db()
    assert (withdrawal.state, withdrawal.reason) == ("refused", "Made to measure.")
    assert CancellationRequest.objects.get().status == "rejected"
    assert list_kinds() == ["withdrawal_receipt", "withdrawal_refused"]
    assert Email.objects.get(kind="withdrawal_refused").facts["reason"] == "Made to measure."


def test_after_a_refusal_a_new_statement_can_be_made() -> None:
    shop = Shop([Line("550", is_final_sale=True)])
    first = withdraw(shop).withdrawal
    refuse_withdrawal(first.pk, make_customer(), "Sealed goods, opened.")

    second = withdraw(shop)

    assert not second.is_replay
    assert second.withdrawal != first


def test_a_request_that_is_rejected_in_the_queue_leaves_the_statement_undecided() -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    withdraw(shop)

    reject_request(CancellationRequest.objects.get().pk, make_customer(), "No.")

    assert Withdrawal.objects.get().state == "received"
    assert list_kinds() == ["withdrawal_receipt"]


# --- where it is offered -----------------------------------------------------------------------------------


def is_offered(country: str | None) -> bool:
    address = {"country": {"code": country}} if country else None
    order = make_order(make_customer(), shipping_address=address)
    return find_offer(order, get_items(order), timezone.now()).is_shown


def test_the_settings_say_where_it_is_offered(settings: Settings) -> None:
    settings.WITHDRAWAL_COUNTRIES = frozenset({"de"})
    assert (is_offered("DE"), is_offered("us"), is_offered(None)) == (True, False, True)
    settings.WITHDRAWAL_COUNTRIES = frozenset({"*"})
    assert (is_offered("us"), is_offered(None)) == (True, True)
    settings.WITHDRAWAL_COUNTRIES = frozenset()
    assert (is_offered("de"), is_offered(None)) == (False, False)


def test_a_row_goes_before_the_settings_and_the_most_particular_first() -> None:
    WithdrawalPolicy.objects.create(channel_id=1, is_offered=False)
    assert is_offered("de") is False
    WithdrawalPolicy.objects.create(country="DE")
    assert is_offered("de") is True
    WithdrawalPolicy.objects.create(country="de", channel_id=1, is_offered=False)
    assert is_offered("de") is False
    WithdrawalPolicy.objects.filter(country="de", channel_id=1).delete()
    assert is_offered("de") is True


def test_after_the_period_the_link_is_gone_but_a_statement_is_still_taken() -> None:
    shop = Shop([Line("550", delivered_at=timezone.now() - timedelta(days=40))])

    offer = find_offer(shop.order, shop.items, timezone.now())

    assert (offer.is_shown, offer.is_possible) == (False, True)
