"""Guests in the API: the storefront's look-up, and the latest order of a session that has been admitted."""

import time
from ipaddress import ip_network
from statistics import median
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from aftercart.lib.links import sign_number
from aftercart.orders.models import Order
from tests.http.conftest import Api
from tests.shop import make_customer, make_order

pytestmark = pytest.mark.django_db
PATH = "/users/orders/anonymous/"
MISS = {
    "non_field_errors": ["There is no order with this number and e-mail address."],
    "code": "order_not_found",
}


@pytest.fixture
def order() -> Order:
    return make_order(None)


def admit(api: Api, order: Order) -> None:
    token = sign_number(order.number, purpose="guest-view", link_version=order.link_version)
    assert api.client.get(f"/orders/guest/{token}/").status_code == 200


def test_number_and_email_give_a_list_of_exactly_one(api: Api, order: Order) -> None:
    for body in (
        {"number": order.number, "email": "guest@example.com"},
        {"order": order.number, "email": " GUEST@example.com "},
    ):
        answer = api.post(PATH, body)
        assert answer.status_code == 200, answer.content
        assert [row["id"] for row in answer.json()] == [order.pk]
    multipart = api.client.post(PATH, {"number": order.number, "email": "guest@example.com"})
    assert [row["number"] for row in multipart.json()] == [order.number]
    form = api.client.post(
        PATH,
        f"email=guest%40example.com&number={order.number}",
        content_type="application/x-www-form-urlencoded;charset=UTF-8",
    )
    assert [row["number"] for row in form.json()] == [order.number]
    assert "guest_orders" not in api.client.session


def test_every_miss_is_told_in_one_wording(api: Api, order: Order) -> None:
    customer = make_customer()
    customers = make_order(customer)

    answers = [
        api.post(PATH, {"number": number, "email": email})
        for number, email in (
            (order.number, "somebody@example.com"),
            ("ORD-2026-999999", "guest@example.com"),
            (customers.number, customer.email),
            (order.number[:-1], "guest@example.com"),
            ("%", "guest@example.com"),
        )
    ]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(400, MISS)] * 5
    assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "x",
        {"number": "", "email": ""},
        {"number": {}, "email": []},
        {"number": "\x00", "email": "a@b.co"},
    ],
)
def test_what_makes_no_sense_is_400(api: Api, body: Any) -> None:
    assert api.post(PATH, body).status_code == 400


def test_it_needs_no_token_and_no_session_and_takes_posts_only(api: Api, order: Order) -> None:
    api.log_in(make_customer())
    body = {"number": order.number, "email": "guest@example.com"}

    answer = api.client.post(PATH, body, content_type="application/json")

    assert answer.status_code == 200
    assert api.get(PATH).status_code == 405


def test_it_is_throttled_whether_there_is_such_an_order_or_not(
    api: Api, order: Order, settings: Settings
) -> None:
    settings.GUEST_LOOKUPS = 3
    for number, status in ((order.number, 200), ("ORD-2026-999999", 400)):
        answers = [
            api.post(PATH, {"number": number, "email": email})
            for email in ("guest@example.com", "a@example.com", "b@example.com", "c@example.com")
        ]
        assert [answer.status_code for answer in answers] == [status, 400, 400, 429]
        assert answers[3].json()["code"] == "throttled"
        assert 1 <= int(answers[3]["Retry-After"]) <= 600


@pytest.fixture
def _one_minute_into_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    at = timezone.now().replace(hour=0, minute=1, second=0, microsecond=0)  # of ten minutes and of a day
    monkeypatch.setattr("aftercart.accounts.models.rate_limits.get_now", lambda: at)


def look_up(number: str, email: str, client: str = "192.0.2.1") -> int:
    body = {"number": number, "email": email}
    answer = Client().post(PATH, body, content_type="application/json", REMOTE_ADDR=client)
    return int(answer.status_code)


@pytest.mark.usefixtures("_one_minute_into_a_window")
@pytest.mark.parametrize(
    ("stored", "typed"),
    [("guest@example.com", "gue\u017ft@example.com"), ("guesti@example.com", "guest\u0131@example.com")],
)
def test_letters_that_are_twins_in_sql_are_other_addresses(order: Order, stored: str, typed: str) -> None:
    """Found as one and counted as many, they made every budget as large as there are spellings."""
    assert stored.upper() == typed.upper()
    Order.objects.filter(pk=order.pk).update(user_email=stored)

    assert [look_up(order.number, spelling) for spelling in (typed, typed.upper(), stored)] == [400, 200, 200]


@pytest.mark.usefixtures("_one_minute_into_a_window")
def test_every_spelling_that_finds_an_order_is_counted_as_one(order: Order, settings: Settings) -> None:
    settings.GUEST_LOOKUPS = 2
    spellings = ("guest@example.com", "GUEST@example.com", " Guest@Example.COM ", "guesT@example.com")

    assert [look_up(order.number, spelling) for spelling in spellings] == [200] * 4  # one, sent again
    numbers = ("ORD-2026-900001", "ORD-2026-900002")
    assert [look_up(number, "gUEST@example.com") for number in numbers] == [400, 429]


@pytest.mark.usefixtures("_one_minute_into_a_window")
def test_a_stranger_uses_up_the_strangers_budget_and_not_the_owners(order: Order, settings: Settings) -> None:
    settings.GUEST_LOOKUPS = 3
    stranger = "203.0.113.9"
    misses = [look_up(order.number, f"{n}@example.com", stranger) for n in range(6)]
    assert misses == [400] * 3 + [429] * 3
    assert look_up(order.number, "guest@example.com", stranger) == 429

    assert look_up(order.number, "guest@example.com", "198.51.100.4") == 200


@pytest.mark.usefixtures("_one_minute_into_a_window")
def test_all_addresses_of_one_ipv6_network_are_one_client(order: Order, settings: Settings) -> None:
    settings.GUEST_LOOKUPS = 3

    misses = [look_up(order.number, f"{n}@example.com", f"2001:db8:0:1::{n:x}") for n in range(5)]

    assert misses == [400] * 3 + [429] * 2
    assert look_up(order.number, "guest@example.com", "2001:db8:0:2::1") == 200


@pytest.mark.usefixtures("_one_minute_into_a_window")
def test_many_addresses_together_guess_no_more_than_a_numbers_budget(
    order: Order, settings: Settings
) -> None:
    settings.GUEST_MISSES_PER_NUMBER = 5

    misses = [look_up(order.number, f"{n}@example.com", f"203.0.113.{n}") for n in range(8)]

    assert misses == [400] * 5 + [429] * 3
    assert look_up("ORD-2026-900001", "guest@example.com") == 400  # another number's


@pytest.mark.usefixtures("_one_minute_into_a_window")
def test_who_is_right_uses_up_nothing_of_a_numbers_budget(order: Order, settings: Settings) -> None:
    settings.GUEST_MISSES_PER_NUMBER = 2

    assert [look_up(order.number, "guest@example.com", f"203.0.113.{n}") for n in range(6)] == [200] * 6


@pytest.mark.usefixtures("_one_minute_into_a_window")
def test_a_storefronts_server_brings_all_of_its_guests(order: Order, settings: Settings) -> None:
    settings.GUEST_LOOKUPS = settings.GUEST_LOOKUPS_PER_CLIENT = 3
    settings.SHOP_NETWORKS = (ip_network("10.1.0.0/16"),)

    assert [look_up(f"ORD-2026-90000{n}", "a@example.com", "10.1.2.3") for n in range(6)] == [400] * 6
    assert [look_up(order.number, f"{n}@example.com", "10.1.2.3") for n in range(6)] == [400] * 6
    others = [look_up(f"ORD-2026-90000{n}", f"{n}@example.com", "10.2.0.1") for n in range(5)]
    assert others == [400] * 3 + [429] * 2


@pytest.mark.usefixtures("_one_minute_into_a_window")
def test_a_look_up_that_a_client_sends_again_counts_once(order: Order, settings: Settings) -> None:
    settings.GUEST_LOOKUPS = settings.GUEST_MISSES_PER_NUMBER = 2

    assert [look_up(order.number, "a@example.com") for _ in range(4)] == [400] * 4
    # What is sent on and on is no retry.
    assert [look_up(order.number, "a@example.com") for _ in range(2)] == [400, 429]


def test_time_does_not_tell_which_miss_it_was(api: Api, order: Order, settings: Settings) -> None:
    """As many queries for both; and, taken in turn so that a busy machine slows both, no hash or e-mail more."""
    settings.GUEST_LOOKUPS = settings.GUEST_LOOKUPS_PER_CLIENT = settings.GUEST_MISSES_PER_NUMBER = 10**6
    known = {"number": order.number, "email": "somebody@example.com"}
    unknown = {"number": "ORD-2026-999999", "email": "somebody@example.com"}

    def measure(body: dict[str, str]) -> float:
        begin = time.perf_counter()
        assert api.post(PATH, body).status_code == 400
        return time.perf_counter() - begin

    counts = []
    for body in (known, unknown):
        with CaptureQueriesContext(connection) as queries:
            measure(body)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    for n in range(100):
        for name in ("known", "unknown") if n % 2 else ("unknown", "known"):
            times[name].append(measure(known if name == "known" else unknown))

    one, other = median(times["known"]), median(times["unknown"])
    assert abs(one - other) < 0.25 * min(one, other)


def test_a_guest_sees_the_latest_order_only_and_the_id_is_ignored(api: Api, order: Order) -> None:
    older = make_order(None)
    Order.objects.filter(pk=older.pk).update(created_date="2020-01-01T00:00:00Z")
    make_order(None)  # somebody else's
    assert api.get("/users/orders/").status_code == 401
    admit(api, order)
    admit(api, older)

    page = api.get("/users/orders/").json()

    assert (page["count"], [row["id"] for row in page["results"]]) == (1, [order.pk])
    for pk in (order.pk, older.pk, 999_999):
        assert api.get(f"/users/orders/{pk}/").json()["id"] == order.pk


def test_a_customer_sees_their_own_orders_whatever_links_they_opened(api: Api, order: Order) -> None:
    customer = make_customer()
    own = make_order(customer)
    api.log_in(customer)
    admit(api, order)

    assert [row["id"] for row in api.get("/users/orders/").json()["results"]] == [own.pk]
    assert api.get(f"/users/orders/{order.pk}/").status_code == 404


def test_a_guest_may_write_nothing_by_the_api(api: Api, order: Order) -> None:
    admit(api, order)

    for path in (f"/orders/{order.number}/cancel/", "/orders/change-address/", "/address/"):
        assert api.post(path, {}).status_code == 401
