"""Twenty at once: a budget that holds, a code that is used once, and five tries that are five."""

import threading
from unittest import mock
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.core import mail
from pytest_django import Settings

from aftercart.accounts.tallies import count_try
from aftercart.actions import send_guest_code as sending
from aftercart.actions.ask_guest_code import ask_guest_code
from aftercart.actions.check_guest_code import check_guest_code
from aftercart.actions.limit_guests import WINDOW
from aftercart.actions.send_guest_code import send_guest_code
from aftercart.orders.models import GuestCode, Order
from tests.races.together import race
from tests.shop import make_order

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 20


@pytest.fixture(autouse=True)
def _unlimited(settings: Settings) -> None:
    settings.GUEST_LOOKUPS = settings.GUEST_LOOKUPS_PER_CLIENT = 10**6


def ask_for(order: Order) -> UUID:
    return ask_guest_code(number=order.number, email=order.user_email, language="en", client="192.0.2.1")


def list_wishes() -> list[int]:
    return list(GuestCode.objects.filter(settled_at=None).values_list("pk", flat=True))


def make_code(order: Order) -> tuple[UUID, str]:
    asked = ask_for(order)
    send_guest_code(GuestCode.objects.get(uuid=asked).pk)
    return asked, str(mail.outbox[-1].subject)[:6]


def test_an_orders_budget_holds_under_twenty_wishes_at_once() -> None:
    order = make_order(None)
    race(AT_ONCE, lambda _n: ask_for(order))
    pks = list_wishes()
    assert len(pks) == AT_ONCE

    race(AT_ONCE, lambda n: send_guest_code(pks[n]))

    assert len(mail.outbox) == 3
    assert GuestCode.objects.filter(mailed_at__isnull=False).count() == 3
    assert list_wishes() == []


def test_an_addresss_budget_holds_over_twenty_orders_at_once() -> None:
    orders = [make_order(None) for _ in range(AT_ONCE)]
    for order in orders:
        ask_for(order)
    pks = list_wishes()

    race(AT_ONCE, lambda n: send_guest_code(pks[n]))

    assert len(mail.outbox) == 5


def test_without_taking_turns_the_addresss_budget_is_overdrawn() -> None:
    """What the turns prevent: twenty orders whose locks do not meet, each counting before any has mailed."""
    barrier = threading.Barrier(8)
    orders = [make_order(None) for _ in range(8)]
    for order in orders:
        ask_for(order)
    pks = list_wishes()
    judge = sending._is_within_budget

    def judge_and_wait(order: Order) -> bool:
        verdict = judge(order)
        barrier.wait(10)
        return verdict

    with (
        mock.patch.object(sending, "take_turns"),
        mock.patch.object(sending, "_is_within_budget", judge_and_wait),
    ):
        race(8, lambda n: send_guest_code(pks[n]))

    assert len(mail.outbox) == 8


def test_one_wish_that_twenty_workers_have_is_mailed_once() -> None:
    order = make_order(None)
    ask_for(order)
    [pk] = list_wishes()

    race(AT_ONCE, lambda _n: send_guest_code(pk))

    assert len(mail.outbox) == 1


def test_a_code_that_is_typed_twenty_times_at_once_is_good_once() -> None:
    order = make_order(None)
    asked, code = make_code(order)

    outcomes = race(AT_ONCE, lambda _n: check_guest_code(asked, code)[1].pk)

    assert sorted(map(str, outcomes)) == sorted([str(order.pk)] + ["code_wrong"] * (AT_ONCE - 1))


def test_of_twenty_guesses_at_once_five_are_looked_at() -> None:
    order = make_order(None)
    asked, code = make_code(order)
    guesses = [f"{(int(code) + n) % 1_000_000:06}" for n in range(1, AT_ONCE + 1)]

    outcomes = race(AT_ONCE, lambda n: check_guest_code(asked, guesses[n]))

    assert outcomes == ["code_wrong"] * AT_ONCE
    assert GuestCode.objects.get().attempts == 5
    assert race(1, lambda _n: check_guest_code(asked, code)) == ["code_wrong"]


def test_twenty_tries_at_once_are_twenty_whatever_process_counts_them() -> None:
    counts = race(AT_ONCE, lambda _n: count_try("test", "the same", WINDOW)[0])

    assert sorted(counts) == list(range(1, AT_ONCE + 1))


def test_of_twenty_look_ups_at_once_ten_get_through(settings: Settings) -> None:
    settings.GUEST_LOOKUPS = 10
    order = make_order(None)

    outcomes = race(AT_ONCE, lambda _n: ask_for(order) and "asked")

    assert sorted(outcomes) == ["asked"] * django_settings.GUEST_LOOKUPS + ["throttled"] * 10
    assert GuestCode.objects.count() == 10
