"""Two clicks make one public statement, and of two members of staff one matches it; what each lock prevents."""

import pytest

from aftercart.actions.withdraw.match_statement import close_statement, match_statement
from aftercart.actions.withdraw.record_statement import StatementCommand, record_statement
from aftercart.actions.withdraw.withdraw_order import WithdrawalCommand, withdraw_order
from aftercart.cancellations.models.public_statements import PublicStatement
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.mail.models import Email
from tests.races.together import interrupted, race, without_lock, without_turns, without_unique
from tests.shop import Line, Shop, make_caller, make_customer

pytestmark = pytest.mark.django_db(transaction=True)

#: Between the look for the same statement and the row.
RECORDING = "record_statement._may_get_another"
#: Between the look at what can be withdrawn from and the withdrawal.
MATCHING = "withdraw_order._state"


def state(number: str = "ORD-1") -> int:
    command = StatementCommand("Ayşe", number, "ayse@example.com", "", "en", "192.0.2.1")
    return record_statement(command).pk


def make_final_sale() -> Shop:
    return Shop([Line("550", is_final_sale=True)])


def match(shop: Shop, pk: int) -> int:
    items = frozenset(shop.order.items.values_list("pk", flat=True))
    return match_statement(pk, shop.order.number, items, make_customer(), shop.fake).pk


def test_of_many_clicks_one_makes_a_statement() -> None:
    outcomes = race(8, lambda _n: state())

    assert outcomes == [PublicStatement.objects.get().pk] * 8
    assert Email.objects.count() == 1


def test_without_the_lock_two_clicks_make_two() -> None:
    with without_turns("record_statement.record_statement"), interrupted(RECORDING, state) as other:
        mine = state()

    assert not other.had_to_wait
    assert mine != other.outcome
    assert PublicStatement.objects.count() == 2


def test_of_many_members_of_staff_one_matches() -> None:
    shop, pk = make_final_sale(), state()

    outcomes = race(8, lambda _n: match(shop, pk))

    withdrawal = Withdrawal.objects.get()
    assert sorted(map(str, outcomes)) == sorted([str(withdrawal.pk)] + ["statement_settled"] * 7)
    assert PublicStatement.objects.get().withdrawal == withdrawal
    assert Email.objects.filter(kind="withdrawal_receipt").count() == 1


def test_of_matching_and_closing_one_happens() -> None:
    shop, pk = make_final_sale(), state()
    staff = make_customer()

    race(8, lambda n: match(shop, pk) if n % 2 else close_statement(pk, staff, "No."))

    is_matched = PublicStatement.objects.get().state == "matched"
    assert Withdrawal.objects.count() == int(is_matched)


def test_without_lock_and_index_a_match_and_its_owner_withdraw_twice() -> None:
    shop, pk = make_final_sale(), state()
    command = WithdrawalCommand(make_caller(shop.user), shop.order.number, "Ayşe", shop.user.email)

    with (
        without_unique("one_standing_withdrawal_an_item"),
        without_lock("match_statement._match"),
        interrupted(MATCHING, lambda: withdraw_order(command, shop.fake)) as other,
    ):
        match(shop, pk)
        assert not other.had_to_wait
        assert Withdrawal.objects.count() == 2


def test_a_match_waits_for_its_owner_and_is_what_they_stated() -> None:
    shop, pk = make_final_sale(), state()
    command = WithdrawalCommand(make_caller(shop.user), shop.order.number, "Ayşe", shop.user.email)

    with interrupted(MATCHING, lambda: match(shop, pk)) as other:
        withdraw_order(command, shop.fake)

    assert (other.had_to_wait, other.outcome) == (True, Withdrawal.objects.get().pk)
