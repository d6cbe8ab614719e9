"""Floods of log-ins: guesses count before they are checked, few are checked at once, and nobody else is locked out."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from ipaddress import ip_network
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from aftercart.accounts import backends
from aftercart.accounts.models import RateLimit, User
from aftercart.lib.clock import get_now
from tests.races.together import race
from tests.shop import PASSWORD, make_customer

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 24
PATH = "/users/login/"
HERE, ELSEWHERE = "203.0.113.9", "198.51.100.4"


class CountingHasher(MD5PasswordHasher):
    """Counts how many passwords were hashed, and waits in each until the test lets it go on."""

    hashed = 0
    at_once = most_at_once = 0
    gate = threading.Event()
    lock = threading.Lock()

    def encode(self, password: str, salt: str) -> str:
        cls = CountingHasher
        with cls.lock:
            cls.hashed += 1
            cls.at_once += 1
            cls.most_at_once = max(cls.most_at_once, cls.at_once)
        assert cls.gate.wait(60)
        with cls.lock:
            cls.at_once -= 1
        return super().encode(password, salt)


@pytest.fixture
def hasher(settings: Settings) -> type[CountingHasher]:
    """Count hashes from now on: make customers first."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    settings.LOGIN_HASHES = AT_ONCE
    CountingHasher.hashed = CountingHasher.at_once = CountingHasher.most_at_once = 0
    CountingHasher.gate.set()
    return CountingHasher


@pytest.fixture(autouse=True)
def _one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count all tries of a test in one window, whenever it runs."""
    at = get_now().replace(minute=1, second=0, microsecond=0)
    monkeypatch.setattr("aftercart.accounts.models.rate_limits.get_now", lambda: at)


def log_in(email: str, password: str = "wrong", address: str = HERE) -> Any:
    body = {"email": email, "password": password}
    return Client().post(PATH, body, content_type="application/json", REMOTE_ADDR=address)


def count_statuses(answers: list[Any]) -> Counter[int]:
    return Counter(int(answer.status_code) for answer in answers)


def test_of_24_guesses_at_once_five_are_looked_at(hasher: type[CountingHasher], settings: Settings) -> None:
    customer = make_customer()
    hasher.hashed = 0

    answers = race(AT_ONCE, lambda n: log_in(customer.email, f"guess{n}"))

    assert hasher.hashed == settings.AXES_FAILURE_LIMIT == 5
    statuses = count_statuses(answers)
    assert statuses[429] >= AT_ONCE - 5
    assert statuses[400] + statuses[429] == AT_ONCE
    assert {answer["Retry-After"] for answer in answers if answer.status_code == 429} == {"900"}
    assert log_in(customer.email, PASSWORD).status_code == 429
    assert log_in(customer.email, PASSWORD, ELSEWHERE).status_code == 200
    assert log_in(make_customer().email, PASSWORD).status_code == 200


def test_a_right_password_among_24_guesses_opens_only_if_it_is_among_the_five(
    hasher: type[CountingHasher],
) -> None:
    customer = make_customer()
    hasher.hashed = 0

    answers = [log_in(customer.email, f"guess{n}") for n in range(5)] + [log_in(customer.email, PASSWORD)]

    assert [answer.status_code for answer in answers] == [400] * 4 + [429] * 2
    assert hasher.hashed == 5


def test_a_success_forgets_the_failures_before_it(hasher: type[CountingHasher]) -> None:
    customer = make_customer()
    hasher.hashed = 0

    for _ in range(3):
        assert count_statuses([log_in(customer.email) for _ in range(4)]) == {400: 4}
        assert log_in(customer.email, PASSWORD).status_code == 200

    assert hasher.hashed == 15


def test_one_address_that_sprays_many_accounts_is_stopped_and_nobody_else(
    hasher: type[CountingHasher], settings: Settings
) -> None:
    settings.LOGIN_ATTEMPTS_PER_CLIENT = 10
    customer = make_customer()
    hasher.hashed = 0

    answers = race(AT_ONCE, lambda n: log_in(f"victim{n}@example.com"))

    assert count_statuses(answers) == {400: 10, 429: AT_ONCE - 10}
    assert hasher.hashed == 10
    waits = {int(answer["Retry-After"]) for answer in answers if answer.status_code == 429}
    assert all(1 <= seconds <= 900 for seconds in waits)
    assert log_in(customer.email, PASSWORD).status_code == 429
    assert hasher.hashed == 10
    assert log_in(customer.email, PASSWORD, ELSEWHERE).status_code == 200


def test_who_logs_in_rightly_uses_up_nothing_of_an_addresss_failures(
    hasher: type[CountingHasher], settings: Settings
) -> None:
    settings.LOGIN_ATTEMPTS_PER_CLIENT = 2
    customers = [make_customer() for _ in range(4)]
    assert hasher.gate.is_set()

    assert [log_in(customer.email, PASSWORD).status_code for customer in customers] == [200] * 4


def test_a_flood_of_right_log_ins_from_one_address_ends_too(
    hasher: type[CountingHasher], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LOGIN_ATTEMPTS_PER_CLIENT = 2
    monkeypatch.setattr(backends, "SUCCESSES_SHARE", 3)
    customer = make_customer()
    hasher.hashed = 0

    assert [log_in(customer.email, PASSWORD).status_code for _ in range(8)] == [200] * 6 + [429] * 2
    assert hasher.hashed == 6


def test_the_shops_own_server_has_no_cap_and_yet_guesses_no_more_than_others(
    hasher: type[CountingHasher], settings: Settings
) -> None:
    settings.LOGIN_ATTEMPTS_PER_CLIENT = 3
    settings.SHOP_NETWORKS = (ip_network("10.1.0.0/16"),)
    customer = make_customer()
    hasher.hashed = 0

    sprayed = [log_in(f"victim{n}@example.com", address="10.1.2.3") for n in range(12)]
    guesses = [log_in(customer.email, address="10.1.2.3") for _ in range(7)]

    assert count_statuses(sprayed) == {400: 12}
    assert count_statuses(guesses) == {400: 4, 429: 3}
    assert hasher.hashed == 12 + 5


def test_a_process_checks_few_at_once_and_refuses_the_rest_at_once(
    hasher: type[CountingHasher], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two are checked and two wait; twenty are answered while nothing has been hashed to its end."""
    settings.LOGIN_HASHES = 2
    monkeypatch.setattr(backends, "_PATIENCE", 60)
    hasher.gate.clear()
    with ThreadPoolExecutor(1) as watcher:

        def open_when_the_rest_are_answered() -> int:
            for _ in range(6000):
                if len(refused) == AT_ONCE - 4:
                    break
                threading.Event().wait(0.01)
            finished = hasher.at_once
            hasher.gate.set()
            return finished

        refused: list[Any] = []
        watched = watcher.submit(open_when_the_rest_are_answered)

        def try_once(n: int) -> Any:
            answer = log_in(f"somebody{n}@example.com", address=f"203.0.113.{n}")
            if answer.status_code == 429:
                refused.append(answer)
            return answer

        answers = race(AT_ONCE, try_once)
        wait([watched])

    assert watched.result() == 2
    assert (hasher.hashed, hasher.most_at_once) == (4, 2)
    assert count_statuses(answers) == {400: 4, 429: AT_ONCE - 4}
    assert {answer["Retry-After"] for answer in refused} == {"2"}
    sentence = "Many people are logging in right now. Please try again in a few seconds."
    assert [answer.json() for answer in refused] == [{"non_field_errors": [sentence]}] * (AT_ONCE - 4)
    # Who was not looked at has not failed.
    assert sum(RateLimit.objects.values_list("count", flat=True)) == 3 * 4


@pytest.fixture
def full(hasher: type[CountingHasher], settings: Settings) -> Iterator[None]:
    """Have all places be taken by log-ins that are being checked, or wait for one."""
    settings.LOGIN_HASHES = 1
    room, _slots = backends._make_slots(1)
    assert hasher.gate.is_set()
    assert room.acquire(blocking=False)
    assert room.acquire(blocking=False)
    yield
    room.release(2)


@pytest.mark.parametrize(("path", "name"), [("/users/login/", "email"), ("/backoffice/login/", "username")])
@pytest.mark.usefixtures("full")
def test_while_all_places_are_taken_a_log_in_is_refused_without_asking_the_database(
    hasher: type[CountingHasher], django_assert_num_queries: DjangoAssertNumQueries, path: str, name: str
) -> None:
    customer = make_customer()
    hasher.hashed = 0
    guess = {name: customer.email, "password": PASSWORD}
    with django_assert_num_queries(0):
        page = Client().post(path, guess, REMOTE_ADDR=HERE)
        program = log_in(customer.email, PASSWORD)

    assert [(answer.status_code, answer["Retry-After"]) for answer in (page, program)] == [(429, "2")] * 2
    assert (hasher.hashed, RateLimit.objects.count()) == (0, 0)


def test_who_is_locked_out_costs_no_hash_no_place_and_three_statements_at_most(
    hasher: type[CountingHasher], settings: Settings, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    settings.LOGIN_HASHES = 1
    settings.LOGIN_ATTEMPTS_PER_CLIENT = 3
    for n in range(3):
        log_in(f"victim{n}@example.com")
    hasher.hashed = 0

    with django_assert_max_num_queries(1):
        sprayed = log_in("victim4@example.com")
    settings.LOGIN_ATTEMPTS_PER_CLIENT = 30
    customer = make_customer()
    for _ in range(5):
        log_in(customer.email)
    hasher.hashed = 0
    with django_assert_max_num_queries(3):
        guessed = log_in(customer.email, PASSWORD)

    assert [answer.status_code for answer in (sprayed, guessed)] == [429, 429]
    assert hasher.hashed == 0


def test_known_unknown_barred_and_passwordless_people_cost_one_hash_each(
    hasher: type[CountingHasher],
) -> None:
    make_customer("known@example.com")
    make_customer("barred@example.com")
    User.objects.filter(email="barred@example.com").update(is_active=False)
    User.objects.create_user("imported@example.com")
    costs = {}
    for name in ("known", "unknown", "barred", "imported"):
        hasher.hashed = 0
        assert log_in(f"{name}@example.com").status_code == 400
        costs[name] = hasher.hashed

    assert costs == {"known": 1, "unknown": 1, "barred": 1, "imported": 1}


@pytest.mark.parametrize("path", ["/backoffice/login/", "/users/login/"])
def test_the_pages_are_behind_the_same_door(hasher: type[CountingHasher], path: str) -> None:
    staff = make_customer()
    User.objects.filter(pk=staff.pk).update(is_staff=True)
    hasher.hashed = 0
    name = "username" if path.startswith("/backoffice") else "email"

    def guess(n: int) -> Any:
        return Client().post(path, {name: staff.email, "password": f"guess{n}"}, REMOTE_ADDR=HERE)

    answers = race(AT_ONCE, guess)

    assert hasher.hashed == 5
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= AT_ONCE - 5
    assert {answer["Retry-After"] for answer in refused} == {"900"}
    assert "Too many failed attempts to log in." in refused[0].content.decode()
