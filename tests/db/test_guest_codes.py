"""One-time codes: for the order's own address, within a budget, good once, and five times wrong is enough."""

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from aftercart.accounts.models import RateLimit
from aftercart.actions.account.ask_one_time_code import ask_one_time_code
from aftercart.actions.account.check_one_time_code import check_guest_code
from aftercart.actions.account.get_anonymous import get_anonymous
from aftercart.actions.account.revoke_links import revoke_links
from aftercart.actions.account.send_one_time_code import send_one_time_code
from aftercart.actions.upkeep.forget import forget_guests
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.lib.clock import get_now
from aftercart.orders.errors import CodeWrong, GuestOrderNotFound, OrderNotFound, TooManyTries
from aftercart.orders.models import OneTimeCode, Order
from aftercart.orders.selectors import get_order
from tests.emails import send_code
from tests.shop import make_customer, make_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def order() -> Order:
    return make_order(None)


@pytest.fixture(autouse=True)
def _one_minute_into_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    at = get_now().replace(minute=1, second=0, microsecond=0)
    monkeypatch.setattr("aftercart.accounts.models.rate_limits.get_now", lambda: at)


@pytest.fixture(autouse=True)
def _generous(settings: Settings) -> None:
    settings.GUEST_LOOKUPS = 1000


def ask_for(number: str, email: str = "guest@example.com", language: str = "en") -> UUID:
    return ask_one_time_code(number=number, email=email, language=language, client="192.0.2.1")


def work(asked: UUID) -> str:
    """Do the worker's job; the code that was mailed, or ""."""
    return send_code(OneTimeCode.objects.get(uuid=asked).pk)


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_a_code_is_mailed_to_the_orders_address_and_opens_that_order(order: Order) -> None:
    asked = ask_for(order.number, "GUEST@example.com")

    code = work(asked)

    assert mail.outbox[0].to == ["guest@example.com"]
    assert order.number in str(mail.outbox[0].subject)
    guest, found = check_guest_code(asked, code)
    assert (found.pk, guest.order) == (order.pk, order.pk)
    assert get_order(guest).pk == order.pk


def test_the_code_stands_nowhere_in_the_database(order: Order) -> None:
    code = work(ask_for(order.number))

    row = OneTimeCode.objects.get()
    assert (row.number, row.email) == (order.number, order.user_email)
    assert re.fullmatch("[0-9a-f]{64}", row.code_hash)
    assert row.code_hash not in {
        hashlib.sha256(text.encode()).hexdigest() for text in (code, f"{row.uuid}:{code}")
    }


def test_nobody_is_mailed_for_a_miss_and_its_page_takes_no_code(order: Order) -> None:
    customer = make_customer()
    customers = make_order(customer)

    for number, email in (
        (order.number, "somebody@example.com"),
        ("ORD-2026-999999", "guest@example.com"),
        (customers.number, customer.email),
    ):
        asked = ask_for(number, email)
        assert work(asked) == ""
        for code in ("000000", "123456"):
            with pytest.raises(CodeWrong):
                check_guest_code(asked, code)
    assert mail.outbox == []


def test_a_code_is_good_once(order: Order) -> None:
    asked = ask_for(order.number)
    code = work(asked)
    check_guest_code(asked, code)

    with pytest.raises(CodeWrong):
        check_guest_code(asked, code)


def test_after_five_wrong_tries_the_right_code_is_wrong_too(order: Order) -> None:
    asked = ask_for(order.number)
    code = work(asked)
    for _try in range(5):
        with pytest.raises(CodeWrong):
            check_guest_code(asked, other_than(code))

    with pytest.raises(CodeWrong):
        check_guest_code(asked, code)

    assert OneTimeCode.objects.get(uuid=asked).used_at is None


def test_a_fifth_try_may_be_right(order: Order) -> None:
    asked = ask_for(order.number)
    code = work(asked)
    for _try in range(4):
        with pytest.raises(CodeWrong):
            check_guest_code(asked, other_than(code))

    assert check_guest_code(asked, code)[1].pk == order.pk


def test_a_code_lives_ten_minutes(order: Order) -> None:
    asked = ask_for(order.number)
    code = work(asked)
    row = OneTimeCode.objects.get(uuid=asked)
    assert row.expires_at - row.created_at == timedelta(minutes=10)
    OneTimeCode.objects.update(expires_at=row.created_at)

    with pytest.raises(CodeWrong):
        check_guest_code(asked, code)


def test_a_code_is_for_the_browser_that_asked(order: Order) -> None:
    mine, theirs = ask_for(order.number), ask_for(order.number)
    code = work(mine)
    work(theirs)

    with pytest.raises(CodeWrong):
        check_guest_code(theirs, code)
    with pytest.raises(CodeWrong):
        check_guest_code(uuid4(), code)
    assert check_guest_code(mine, code)[1].pk == order.pk


def test_who_has_proved_an_order_loses_it_with_its_links_or_to_a_customer(order: Order) -> None:
    asked = ask_for(order.number)
    guest, _found = check_guest_code(asked, work(asked))

    revoke_links(order.number)

    with pytest.raises(OrderNotFound):
        get_order(guest)
    asked = ask_for(order.number)
    code = work(asked)
    Order.objects.filter(pk=order.pk).update(user=make_customer())
    with pytest.raises(CodeWrong):
        check_guest_code(asked, code)


def test_an_order_gets_three_mails_in_a_quarter_of_an_hour_and_ten_a_day(order: Order) -> None:
    assert [bool(work(ask_for(order.number))) for _ask in range(5)] == [True] * 3 + [False] * 2

    for _round in range(4):
        OneTimeCode.objects.filter(mailed_at__isnull=False).update(mailed_at=get_now() - timedelta(hours=1))
        for _ask in range(3):
            work(ask_for(order.number))

    assert len(mail.outbox) == 10


def test_an_address_gets_five_mails_however_many_orders_it_has() -> None:
    orders = [make_order(None) for _ in range(8)]

    sent = [bool(work(ask_for(order.number))) for order in orders]

    assert sent == [True] * 5 + [False] * 3


def test_a_mail_is_sent_once_however_often_the_job_runs(order: Order) -> None:
    asked = ask_for(order.number)
    work(asked)

    assert work(asked) == ""
    assert len(mail.outbox) == 1


def test_a_job_whose_code_request_has_been_forgotten_does_nothing(order: Order) -> None:
    pk = OneTimeCode.objects.get(uuid=ask_for(order.number)).pk
    OneTimeCode.objects.all().delete()

    send_one_time_code(pk)

    assert mail.outbox == []


def test_a_code_request_that_lost_its_job_gets_it_again(order: Order) -> None:
    ask_for(order.number)
    ProcrastinateJob.objects.all()._raw_delete("default")

    assert recover_jobs() == 1
    assert recover_jobs() == 0


def test_the_mail_speaks_the_language_of_the_page(order: Order) -> None:
    work(ask_for(order.number, language="en"))

    assert str(mail.outbox[0].subject) == f"Your code for order {order.number}"


def count_statements(action: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as context, suppress(CodeWrong, GuestOrderNotFound):
        action()
    return [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in context.captured_queries]


def test_the_same_statements_run_for_every_miss_and_for_every_code_request(order: Order) -> None:
    customers = make_order(make_customer())
    pairs = (
        (order.number, "somebody@example.com"),
        ("ORD-2026-999999", "guest@example.com"),
        (customers.number, customers.user_email),
    )
    looked_up = [
        count_statements(partial(get_anonymous, number=n, email=e, client="192.0.2.1")) for n, e in pairs
    ]
    assert looked_up[0] == looked_up[1] == looked_up[2]
    asked = [
        count_statements(partial(ask_for, n, e)) for n, e in ((order.number, "guest@example.com"), *pairs)
    ]
    assert asked[0] == asked[1] == asked[2] == asked[3]
    hit, miss = ask_for(order.number), ask_for("ORD-2026-999999")
    code = work(hit)
    work(miss)
    assert count_statements(lambda: check_guest_code(hit, other_than(code))) == count_statements(
        lambda: check_guest_code(miss, other_than(code))
    )


def test_who_looks_too_often_has_to_wait_whether_there_is_such_an_order_or_not(
    order: Order, settings: Settings
) -> None:
    settings.GUEST_LOOKUPS = 3
    for number in (order.number, "ORD-2026-999999"):
        RateLimit.objects.all().delete()
        outcomes = []
        for n in range(5):
            try:
                ask_for(number, f"{n}@example.com")
                outcomes.append("asked")
            except TooManyTries as error:
                outcomes.append(error.headers()["Retry-After"])
        assert outcomes == ["asked"] * 3 + ["540"] * 2
    assert OneTimeCode.objects.count() == 6


def test_one_network_address_may_look_more_often_than_one_order_may_be_looked_for(
    settings: Settings,
) -> None:
    settings.GUEST_LOOKUPS_PER_CLIENT = 4
    for n in range(4):
        ask_for(f"ORD-{n}", f"{n}@example.com")

    with pytest.raises(TooManyTries):
        ask_for("ORD-5", "5@example.com")


def test_what_no_limit_looks_at_any_more_is_forgotten(order: Order) -> None:
    ask_for(order.number)
    OneTimeCode.objects.update(created_at=get_now() - timedelta(hours=49))
    RateLimit.objects.update(window_start=get_now() - timedelta(hours=49))
    ask_for(order.number)

    assert forget_guests() == 4
    assert (OneTimeCode.objects.count(), RateLimit.objects.count()) == (1, 3)
