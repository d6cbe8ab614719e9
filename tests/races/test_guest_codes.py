"""Twenty at once: a budget that holds, a code that is used once, and five tries that are five."""

from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from pytest_django import Settings

from aftercart.accounts.models import Session
from aftercart.accounts.models.rate_limits import RateLimit, count_try
from aftercart.actions.account.ask_one_time_code import ask_one_time_code
from aftercart.actions.account.check_one_time_code import check_guest_code
from aftercart.actions.account.get_anonymous import get_anonymous
from aftercart.actions.account.limit_guests import WINDOW, LookUp, limit_guests
from aftercart.actions.account.send_one_time_code import send_one_time_code
from aftercart.lib.clock import get_now
from aftercart.mail.models import Email
from aftercart.orders.errors import GuestOrderNotFound
from aftercart.orders.models import OneTimeCode, Order
from aftercart.orders.selectors import lock_order, save_order
from tests.emails import read_code
from tests.http.browser import Browser
from tests.races.together import interrupted, race, without_lock, without_turns, without_unique
from tests.shop import make_customer, make_order

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 20


@pytest.fixture(autouse=True)
def _unlimited(settings: Settings) -> None:
    settings.GUEST_LOOKUPS = settings.GUEST_LOOKUPS_PER_CLIENT = 10**6


@pytest.fixture(autouse=True)
def _one_minute_into_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    at = get_now().replace(minute=1, second=0, microsecond=0)
    monkeypatch.setattr("aftercart.accounts.models.rate_limits.get_now", lambda: at)


def ask_for(order: Order) -> UUID:
    return ask_one_time_code(number=order.number, email=order.user_email, language="en", client="192.0.2.1")


def list_code_requests() -> list[int]:
    return list(OneTimeCode.objects.filter(settled_at=None).values_list("pk", flat=True))


def make_code(order: Order) -> tuple[UUID, str]:
    asked = ask_for(order)
    send_one_time_code(OneTimeCode.objects.get(uuid=asked).pk)
    return asked, Email.objects.get().secret


def count_emails() -> int:
    """Count the codes that are to be mailed, or were."""
    return Email.objects.filter(kind="guest_code").count()


def test_an_orders_budget_holds_under_twenty_code_requests_at_once() -> None:
    order = make_order(None)
    race(AT_ONCE, lambda _n: ask_for(order))
    pks = list_code_requests()
    assert len(pks) == AT_ONCE

    race(AT_ONCE, lambda n: send_one_time_code(pks[n]))

    assert count_emails() == 3
    assert OneTimeCode.objects.filter(mailed_at__isnull=False).count() == 3
    assert list_code_requests() == []


def test_an_addresss_budget_holds_over_twenty_orders_at_once() -> None:
    orders = [make_order(None) for _ in range(AT_ONCE)]
    for order in orders:
        ask_for(order)
    pks = list_code_requests()

    race(AT_ONCE, lambda n: send_one_time_code(pks[n]))

    assert count_emails() == 5


def test_one_code_request_that_twenty_workers_have_is_mailed_once() -> None:
    order = make_order(None)
    ask_for(order)
    [pk] = list_code_requests()

    race(AT_ONCE, lambda _n: send_one_time_code(pk))

    assert count_emails() == 1


def test_a_code_that_is_typed_twenty_times_at_once_is_good_once() -> None:
    order = make_order(None)
    asked, code = make_code(order)

    outcomes = race(AT_ONCE, lambda _n: check_guest_code(asked, code)[1].pk)

    assert sorted(map(str, outcomes)) == sorted([str(order.pk)] + ["code_wrong"] * (AT_ONCE - 1))


def test_a_code_to_log_in_that_is_sent_twenty_times_at_once_opens_one_session() -> None:
    customer = make_customer()
    client = Browser()
    assert client.post("/users/login/code/", {"email": customer.email}).status_code == 303
    code, key = read_code(), client.cookies["sessionid"].value

    def enter(_n: int) -> str:
        own = Browser()
        own.cookies["sessionid"] = key
        return str(own.post("/users/login/code/", {"code": code}).get("Location"))

    assert race(AT_ONCE, enter).count("/users/orders/") == 1
    assert Session.objects.filter(user=customer).count() == 1


def test_of_twenty_guesses_at_once_five_are_looked_at() -> None:
    order = make_order(None)
    asked, code = make_code(order)
    guesses = [f"{(int(code) + n) % 1_000_000:06}" for n in range(1, AT_ONCE + 1)]

    outcomes = race(AT_ONCE, lambda n: check_guest_code(asked, guesses[n]))

    assert outcomes == ["code_wrong"] * AT_ONCE
    assert OneTimeCode.objects.get().attempts == 5
    assert race(1, lambda _n: check_guest_code(asked, code)) == ["code_wrong"]


def test_twenty_tries_at_once_are_twenty_whatever_process_counts_them() -> None:
    counts = race(AT_ONCE, lambda _n: count_try("test", "the same", WINDOW).count)

    assert sorted(counts) == list(range(1, AT_ONCE + 1))


def test_of_twenty_wrong_addresses_at_once_for_one_number_ten_are_looked_at_wherever_they_come_from(
    settings: Settings,
) -> None:
    settings.GUEST_MISSES_PER_NUMBER = 10
    order = make_order(None)

    def guess(n: int) -> str:
        try:
            get_anonymous(number=order.number, email=f"guest{n}@example.com", client=f"192.0.2.{n}")
        except GuestOrderNotFound:
            return "missed"
        return "found"

    assert sorted(race(AT_ONCE, guess)) == ["missed"] * 10 + ["throttled"] * 10


def test_of_twenty_look_ups_at_once_ten_get_through(settings: Settings) -> None:
    settings.GUEST_LOOKUPS = 10
    """By the number alone: of who are counted twice, each can be the eleventh of something else."""

    def look(n: int) -> str:
        email = f"guest{n}@example.com"
        ask_one_time_code(number="ORD-1", email=email, language="en", client="192.0.2.1")
        return "asked"

    outcomes = race(AT_ONCE, look)

    assert sorted(outcomes) == ["asked"] * django_settings.GUEST_LOOKUPS + ["throttled"] * 10
    assert OneTimeCode.objects.count() == 10


# --- the last mail that an e-mail address, or an order, may get ----------------------------------------------

#: After the mails were counted, and before the next one is written.
COUNTED = "send_one_time_code.hash_code"


def send_all() -> None:
    for pk in list_code_requests():
        send_one_time_code(pk)


def make_last_of_an_address() -> tuple[int, int]:
    """Have an address got four mails of five, and two code requests for two of its orders."""
    for _ in range(4):
        ask_for(make_order(None))
    send_all()
    assert count_emails() == 4
    for _ in range(2):
        ask_for(make_order(None))
    first, second = list_code_requests()
    return first, second


def test_who_counts_an_addresss_mails_second_waits_and_counts_the_last_one() -> None:
    first, second = make_last_of_an_address()

    with interrupted(COUNTED, lambda: send_one_time_code(second)) as other:
        send_one_time_code(first)

    assert (other.had_to_wait, other.outcome) == (True, None)
    assert count_emails() == 5
    assert list_code_requests() == []


def test_without_turns_the_addresss_budget_is_overdrawn() -> None:
    """Two orders, whose locks do not meet."""
    first, second = make_last_of_an_address()

    with (
        without_turns("send_one_time_code._is_within_budget"),
        interrupted(COUNTED, lambda: send_one_time_code(second)) as other,
    ):
        send_one_time_code(first)

    assert (other.had_to_wait, other.outcome) == (False, None)
    assert count_emails() == 6


def make_last_of_an_order() -> tuple[Order, int]:
    """Have an order got two mails of three, and a request for one more."""
    order = make_order(None)
    ask_for(order)
    ask_for(order)
    send_all()
    assert count_emails() == 2
    ask_for(order)
    [pk] = list_code_requests()
    return order, pk


def give_other_address(order: Order) -> None:
    """Correct an order's e-mail, and send a code there: those who wait for the old one, it does not meet."""
    with transaction.atomic():
        locked = lock_order(pk=order.pk)
        locked.user_email = "right@example.com"
        save_order(locked, "user_email")
    asked = ask_for(locked)
    send_one_time_code(OneTimeCode.objects.get(uuid=asked).pk)


def test_who_corrects_an_address_waits_for_the_code_that_is_being_sent() -> None:
    order, pk = make_last_of_an_order()

    with interrupted(COUNTED, lambda: give_other_address(order)) as other:
        send_one_time_code(pk)

    assert (other.had_to_wait, other.outcome) == (True, None)
    assert count_emails() == 3


def test_without_the_lock_the_orders_budget_is_overdrawn() -> None:
    order, pk = make_last_of_an_order()

    with (
        without_lock("send_one_time_code._lock_order"),
        interrupted(COUNTED, lambda: give_other_address(order)) as other,
    ):
        send_one_time_code(pk)

    assert (other.had_to_wait, other.outcome) == (False, None)
    assert count_emails() == 4


# --- one rate limit a window --------------------------------------------------------------------------------------

#: After the number was counted, and before the e-mail address is.
BETWEEN = "limit_guests.count_try"
#: What counting would be without the constraint, which the statement of the rate limits names.
CHECK_THEN_ACT = """
    WITH given AS (SELECT %(key)s::text AS key, %(start)s::timestamptz AS window_start),
    known AS (
        UPDATE accounts_ratelimit old SET count = count + %(step)s FROM given
        WHERE old.key = given.key AND old.window_start = given.window_start RETURNING count
    ),
    fresh AS (
        INSERT INTO accounts_ratelimit (key, window_start, count)
        SELECT key, window_start, %(step)s FROM given WHERE NOT EXISTS (SELECT FROM known) RETURNING count
    )
    SELECT count FROM known UNION ALL SELECT count FROM fresh
"""


def is_of_email(purpose: str, *_args: Any, **_options: Any) -> bool:
    return purpose == "guest.client_email"


def look_up() -> None:
    limit_guests(LookUp("ORD-1", "guest@example.com", "192.0.2.1"))


def list_counts() -> list[int]:
    return sorted(RateLimit.objects.values_list("count", flat=True))


def look_up_twice_at_once() -> bool:
    """Look up in a transaction, and once more before its end; whether that had to wait."""
    with interrupted(BETWEEN, look_up, when=is_of_email) as other, transaction.atomic():
        look_up()
    assert other.outcome is None
    return other.had_to_wait


def test_a_try_that_is_counted_at_the_same_time_waits_and_is_the_second() -> None:
    assert look_up_twice_at_once() is True

    assert list_counts() == [2, 2, 2]


def test_without_the_constraint_two_first_tries_are_each_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aftercart.accounts.models.rate_limits._COUNT", CHECK_THEN_ACT)

    with without_unique("one_count_a_window"):
        assert look_up_twice_at_once() is False
        assert list_counts() == [1, 1, 1, 1, 2]
