"""Logging in and out on a page."""

import re

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from pytest_django import Settings

from tests.browser.fixtures import EMAIL, PASSWORD, make_customer
from tests.http.browser import Browser

pytestmark = pytest.mark.django_db
PATH = "/users/login/"
COOKIES = ("sessionid", "osessionid", "csrftoken")


@pytest.fixture
def strict() -> Client:
    make_customer()
    return Browser(enforce_csrf_checks=True)


def read_token(page: bytes) -> str:
    field = BeautifulSoup(page, "html.parser").select_one("main form [name=csrfmiddlewaretoken]")
    assert field is not None
    return str(field["value"])


def log_in(client: Client, password: str = PASSWORD, email: str = EMAIL, next_path: str = ""):  # type: ignore[no-untyped-def]  # noqa: ANN201 - Django's test response has no public type
    token = read_token(client.get(PATH).content)
    fields = {"email": email, "password": password, "csrfmiddlewaretoken": token, "next": next_path}
    return client.post(PATH, fields)


def test_log_in_sets_the_three_cookies_and_goes_on(strict: Client) -> None:
    answer = log_in(strict, email=EMAIL.upper())
    assert (answer.status_code, answer["Location"]) == (303, "/users/orders/")
    assert all(strict.cookies[name].value for name in COOKIES)
    assert strict.cookies["sessionid"].value == strict.cookies["osessionid"].value
    assert strict.get("/users/orders/").status_code == 200
    assert strict.get(PATH).status_code == 302  # who is logged in needs no log-in page


@pytest.mark.parametrize(
    ("typed", "goes"),
    [
        ("/orders/completed/x/", "/orders/completed/x/"),
        ("https://evil.example.com/", "/users/orders/"),
        ("//evil.example.com/", "/users/orders/"),
        ("/\\evil.example.com", "/users/orders/"),
        ("javascript:alert(1)", "/users/orders/"),
        ("foo", "/users/orders/"),
        ("orders", "/users/orders/"),
        ("?a", "/users/orders/"),
    ],
)
def test_log_in_goes_on_to_pages_of_ours_only(strict: Client, typed: str, goes: str) -> None:
    assert log_in(strict, next_path=typed)["Location"] == goes
    again = strict.get(PATH, {"next": typed})  # who is logged in already goes on at once
    assert (again.status_code, again["Location"]) == (302, goes)


@pytest.mark.parametrize(
    ("email", "password"),
    [(EMAIL, "wrong"), ("nobody@example.com", PASSWORD), (EMAIL, "x\x00"), ("x", "x"), ("", "")],
)
def test_a_miss_is_a_page_with_the_address_kept_and_the_password_not(
    strict: Client, email: str, password: str
) -> None:
    answer = log_in(strict, password, email)
    assert answer.status_code == 400
    page = BeautifulSoup(answer.content, "html.parser")
    assert [field.get("value") for field in page.select("#id_email, #id_password")] == [email or None, None]
    assert strict.get("/users/orders/").status_code == 302


def test_unknown_people_and_wrong_passwords_look_the_same(strict: Client) -> None:
    pages = {
        re.sub(r'(value|content)="[^"]*"', "", log_in(strict, password, email).content.decode())
        for email, password in ((EMAIL, "wrong"), ("nobody@example.com", PASSWORD))
    }
    assert len(pages) == 1
    assert "The e-mail address or password is incorrect." in pages.pop()


def test_without_a_token_nobody_is_logged_in(strict: Client) -> None:
    answer = strict.post(PATH, {"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 403
    assert read_token(answer.content)
    assert "sessionid" not in strict.cookies


def test_too_many_misses_lock_out_even_the_right_password(strict: Client, settings: Settings) -> None:
    for place in range(settings.AXES_FAILURE_LIMIT - 1):
        assert log_in(strict, f"wrong{place}", EMAIL if place % 2 else EMAIL.upper()).status_code == 400
    assert log_in(strict, "wrong").status_code == 429
    answer = log_in(strict)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    assert "in 15 minutes" in answer.content.decode()
    as_json = strict.post(PATH, {"email": EMAIL, "password": PASSWORD}, content_type="application/json")
    assert as_json.status_code == 429
    assert as_json["Retry-After"] == "900"
    sentence = "Too many failed attempts to log in. Please try again in 15 minutes."
    assert as_json.json() == {"non_field_errors": [sentence]}


@pytest.mark.parametrize("path", ["/users/logout/", "/users/logout"])
def test_log_out_asks_then_clears_the_three_cookies(strict: Client, path: str) -> None:
    log_in(strict)
    page = strict.get(path)
    assert page.status_code == 200
    assert strict.get("/users/orders/").status_code == 200  # asking does nothing yet
    answer = strict.post(path, {"csrfmiddlewaretoken": read_token(page.content)})
    assert (answer.status_code, answer["Location"]) == (303, PATH)
    for name in COOKIES:
        assert answer.cookies[name].value == ""
        assert answer.cookies[name]["max-age"] == 0
    assert strict.get("/users/orders/").status_code == 302


def test_the_error_pages_need_no_database(
    strict: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    log_in(strict)
    strict.raise_request_exception = False

    def fail(*_args: object, **_options: object) -> None:
        raise RuntimeError("the database is away")

    monkeypatch.setattr("aftercart.accounts.sessions.SessionStore.load", fail)
    answer = strict.get("/users/orders/")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.content.decode()
    assert settings.DEBUG is False
