"""Races for one effect on somebody's points: what each index prevents, shown by taking it away."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import transaction

from aftercart.accounts.models import User
from aftercart.actions.account.adjust_points import adjust_points
from aftercart.actions.cancel import credit_points as crediting
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import SubmissionLine
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.loyalty.selectors import get_balance
from aftercart.orders.models import OrderItem
from aftercart.orders.timeline import OMS
from tests.db.test_points import add_points, read_ledger
from tests.races.together import interrupted, race, without_unique
from tests.shop import Shop, make_customer

pytestmark = pytest.mark.django_db(transaction=True)

#: Where the ledger has been read and not yet written to.
STEP = "credit_points._make_entries"


def make_refund() -> Shop:
    shop = Shop()
    cancel_items(replace(shop.command(), fully_refund_as_loyalty_money=True), shop.fake)
    shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
    return shop


def credit_unlocked(shop: Shop) -> None:
    line = SubmissionLine.objects.select_related("order_item").get()
    with transaction.atomic():
        crediting.credit_points(shop.order, line.order_item, OMS, line=line, quantity=1)


def test_of_many_who_book_one_decision_one_credits_its_points() -> None:
    shop = make_refund()

    race(8, lambda _n: sync_order(shop.order.pk, shop.fake))

    assert LoyaltyEntry.objects.count() == 1
    assert get_balance(shop.user, "TRY") == Decimal(100)


def test_without_the_lock_the_index_still_credits_once() -> None:
    shop = make_refund()

    with interrupted(STEP, lambda: credit_unlocked(shop)) as other:
        credit_unlocked(shop)

    assert (other.had_to_wait, other.outcome) == (False, None)
    assert LoyaltyEntry.objects.count() == 1
    assert get_balance(shop.user, "TRY") == Decimal(100)


def test_without_the_lock_and_the_index_one_refund_is_credited_twice() -> None:
    """The race that both are there for."""
    shop = make_refund()

    with without_unique("one_effect_a_line"), interrupted(STEP, lambda: credit_unlocked(shop)):
        credit_unlocked(shop)
        assert get_balance(shop.user, "TRY") == Decimal(200)


# --- an item that Omnitron cancelled by itself ---------------------------------------------------------------


def make_earned() -> Shop:
    """Make an order that earned ten points, and whose only item is gone."""
    shop = Shop()
    add_points(shop.order, earned="10")
    OrderItem.objects.update(status="100", cancelled_quantity=1)
    return shop


def take_back(shop: Shop) -> None:
    with transaction.atomic():
        crediting.credit_points(shop.order, shop.items[0], OMS, line=None, quantity=1)


def test_without_the_lock_the_index_still_takes_points_back_once() -> None:
    shop = make_earned()

    with interrupted(STEP, lambda: take_back(shop)) as other:
        take_back(shop)

    assert (other.had_to_wait, other.outcome) == (False, None)
    assert read_ledger(shop.order) == {"clawed_back": [Decimal(-10)]}
    assert get_balance(shop.user, "TRY") == 0


def test_without_the_lock_and_the_index_the_customer_owes_points() -> None:
    shop = make_earned()

    with without_unique("one_effect_a_reference"), interrupted(STEP, lambda: take_back(shop)):
        take_back(shop)
        assert read_ledger(shop.order) == {"clawed_back": [Decimal(-10), Decimal(-10)]}
        assert get_balance(shop.user, "TRY") == Decimal(-10)


# --- a correction, and a double click ------------------------------------------------------------------------

SAVING_AN_ENTRY = "aftercart.loyalty.models.LoyaltyEntry.save_base"


def adjust(customer: User, staff: User) -> int:
    return adjust_points(customer, "TRY", Decimal(5), note="Goodwill", reference="one form", staff=staff).pk


def test_a_correction_that_is_sent_twice_at_once_is_booked_once() -> None:
    customer, staff = make_customer(), make_customer()

    with interrupted(SAVING_AN_ENTRY, lambda: adjust(customer, staff)) as other:
        pk = adjust(customer, staff)

    assert (other.had_to_wait, other.outcome) == (False, pk)
    assert get_balance(customer, "TRY") == Decimal(5)


def test_without_the_index_a_double_click_gives_twice() -> None:
    customer, staff = make_customer(), make_customer()

    with without_unique("one_correction_a_form"):
        with interrupted(SAVING_AN_ENTRY, lambda: adjust(customer, staff)) as other:
            assert adjust(customer, staff) != other.outcome
        assert get_balance(customer, "TRY") == Decimal(10)
