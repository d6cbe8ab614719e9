"""Two tabs withdraw at once: one statement, one receipt; what lock and index each prevent."""

import pytest

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.withdraw.decide_withdrawal import accept_withdrawal, refuse_withdrawal
from aftercart.actions.withdraw.withdraw_order import WithdrawalCommand, map_withdrawal_reason, withdraw_order
from aftercart.cancellations.models import CancellationReason, Submission, SubmissionLine
from aftercart.cancellations.models.withdrawals import Withdrawal, WithdrawalLine
from aftercart.mail.models import Email
from tests.races.together import interrupted, race, without_lock, without_unique
from tests.shop import Line, Shop, get_statuses, make_caller, make_customer

pytestmark = pytest.mark.django_db(transaction=True)


def withdraw(shop: Shop, **named: str) -> tuple[str, bool]:
    command = WithdrawalCommand(make_caller(shop.user, **named), shop.order.number, "Ayşe", shop.user.email)
    done = withdraw_order(command, shop.fake)
    return done.body["uuid"], done.is_replay


@pytest.mark.parametrize("named", [{}, {"fingerprint": "one body"}, {"fingerprint": "one body", "key": "k"}])
@pytest.mark.parametrize("count", [2, 20])
def test_of_many_statements_at_once_one_is_recorded_and_all_get_its_receipt(
    count: int, named: dict[str, str]
) -> None:
    shop = Shop([Line(), Line()])

    outcomes = race(count, lambda _n: withdraw(shop, **named))

    assert len({receipt for receipt, _is_replay in outcomes}) == 1
    assert sorted(is_replay for _receipt, is_replay in outcomes) == [False] + [True] * (count - 1)
    assert Withdrawal.objects.count() == 1
    assert Email.objects.filter(kind="withdrawal_receipt").count() == 1
    assert Submission.objects.count() <= 1


def test_of_many_repeats_of_a_refused_statement_none_is_a_second_one() -> None:
    """Nothing stands against a new statement then: only that it is the same one."""
    shop = make_final_sale()
    first = make_withdrawal(shop, fingerprint="one body")
    refuse_withdrawal(first, make_customer(), "Sealed goods, opened.")

    outcomes = race(20, lambda _n: withdraw(shop, fingerprint="one body"))

    assert outcomes == [(str(Withdrawal.objects.get().uuid), True)] * 20
    assert Email.objects.filter(kind="withdrawal_receipt").count() == 1


# --- two statements, with nothing to be cancelled whose own index would help ---------------------------------

#: Between the look at what can be withdrawn from and the statement.
STEP = "withdraw_order._state"


def make_final_sale() -> Shop:
    return Shop([Line("550", is_final_sale=True)])


def test_a_second_statement_waits_and_is_the_first_one_again() -> None:
    shop = make_final_sale()

    with interrupted(STEP, lambda: withdraw(shop)) as other:
        receipt, is_replay = withdraw(shop)

    assert (is_replay, other.had_to_wait, other.outcome) == (False, True, (receipt, True))
    assert Withdrawal.objects.count() == 1


def test_without_the_lock_the_index_still_lets_only_one_through() -> None:
    shop = make_final_sale()

    with without_lock("withdraw_order._record"), interrupted(STEP, lambda: withdraw(shop)) as other:
        receipt, is_replay = withdraw(shop)

    assert (is_replay, other.had_to_wait, other.outcome) == (True, False, (receipt, False))
    assert Withdrawal.objects.count() == 1


def test_without_the_lock_and_the_index_there_are_two_statements() -> None:
    """The race that both are there for."""
    shop = make_final_sale()

    with (
        without_unique("one_standing_withdrawal_an_item"),
        without_lock("withdraw_order._record"),
        interrupted(STEP, lambda: withdraw(shop)) as other,
    ):
        receipt, is_replay = withdraw(shop)
        assert (is_replay, other.outcome[1]) == (False, False)
        assert receipt != other.outcome[0]
        assert WithdrawalLine.objects.filter(is_standing=True).count() == 2
        assert Email.objects.filter(kind="withdrawal_receipt").count() == 2


# --- two statements about an item whose cancellation is under way --------------------------------------------

#: Between the choice of the cancellation that carries a statement out and its line.
CHOSEN = "aftercart.cancellations.models.withdrawals.WithdrawalLine.save_base"


def make_running() -> Shop:
    shop = Shop()
    assert cancel_items(shop.command(), shop.fake).status == 204
    map_withdrawal_reason("cancel", 1)  # who makes the reason lets the others wait, and that is asked below
    return shop


def test_a_cancellation_under_way_carries_out_one_statement() -> None:
    """Without the lock, and without the index on the item, the one on the cancellation is left."""
    shop = make_running()

    with (
        without_unique("one_standing_withdrawal_an_item"),
        without_lock("withdraw_order._record"),
        interrupted(CHOSEN, lambda: withdraw(shop)) as other,
    ):
        receipt, is_replay = withdraw(shop)  # refused by the index, and once more: then it sees the other
        assert (is_replay, other.outcome) == (True, (receipt, False))
        assert Withdrawal.objects.count() == 1
        assert WithdrawalLine.objects.get().submission_line == SubmissionLine.objects.get()


def test_without_lock_and_indexes_one_cancellation_carries_out_two_statements() -> None:
    """When it is completed, one of the two is accepted and nobody hears of the other."""
    shop = make_running()

    with (
        without_unique(
            "cancellations_withdrawalline_submission_line_id_key", "one_standing_withdrawal_an_item"
        ),
        without_lock("withdraw_order._record"),
        interrupted(CHOSEN, lambda: withdraw(shop)) as other,
    ):
        receipt, is_replay = withdraw(shop)
        assert (is_replay, other.outcome[1]) == (False, False)
        assert receipt != other.outcome[0]
        assert WithdrawalLine.objects.filter(submission_line=SubmissionLine.objects.get()).count() == 2
        shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
        sync_order(shop.order.pk, shop.fake)
        assert sorted(Withdrawal.objects.values_list("state", flat=True)) == ["accepted", "received"]


# --- the reason that stands for a withdrawal -----------------------------------------------------------------

CREATING_THE_REASON = "aftercart.cancellations.models.CancellationReason.save_base"


def list_codes() -> list[str]:
    return list(CancellationReason.objects.exclude(code="").values_list("code", flat=True))


def test_who_needs_the_reason_of_withdrawals_at_once_shares_one() -> None:
    with interrupted(CREATING_THE_REASON, lambda: map_withdrawal_reason("cancel", 7)) as other:
        map_withdrawal_reason("cancel", 7)

    assert (other.had_to_wait, other.outcome) == (False, None)
    assert list_codes() == ["withdrawal"]


def test_without_the_index_there_are_two_reasons_and_nobody_can_withdraw_any_more() -> None:
    shop = Shop()

    with without_unique("one_reason_a_code"):
        with interrupted(CREATING_THE_REASON, lambda: map_withdrawal_reason("cancel", 7)):
            map_withdrawal_reason("cancel", 7)
        assert list_codes() == ["withdrawal", "withdrawal"]
        with pytest.raises(CancellationReason.MultipleObjectsReturned):
            withdraw(shop)


# --- a decision ----------------------------------------------------------------------------------------------


def make_withdrawal(shop: Shop, **named: str) -> int:
    return Withdrawal.objects.get(uuid=withdraw(shop, **named)[0]).pk


def test_of_many_who_accept_and_refuse_one_decides() -> None:
    pk, staff = make_withdrawal(make_final_sale()), make_customer()

    outcomes = race(
        8, lambda n: refuse_withdrawal(pk, staff, "No.") if n % 2 else accept_withdrawal(pk, staff)
    )

    assert sorted(map(str, outcomes)) == ["None"] + ["withdrawal_decided"] * 7
    accepted = None in outcomes[0::2]
    assert Withdrawal.objects.get().state == ("accepted" if accepted else "refused")
    assert Email.objects.filter(kind__in=["withdrawal_accepted", "withdrawal_refused"]).count() == 1


def test_a_cancellation_and_a_withdrawal_at_once_cancel_once() -> None:
    shop = Shop()

    outcomes = race(2, lambda n: cancel_items(shop.command(), shop.fake).status if n else withdraw(shop)[1])

    assert outcomes[0] is False
    assert outcomes[1] in {204, "cancellation_in_progress"}
    assert Withdrawal.objects.count() == 1
    assert Submission.objects.count() == 1
    assert shop.count_posts() <= 1
    assert get_statuses(shop.order) in (["50"], ["400"])
