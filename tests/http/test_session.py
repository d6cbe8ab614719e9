import re
from urllib.parse import unquote

import pytest
from django.test import Client
from pytest_django import Settings

from aftercart.accounts.models import Session
from tests.http.browser import Browser
from tests.http.conftest import Api
from tests.shop import PASSWORD, Shop, make_customer

pytestmark = pytest.mark.django_db
NOT_AUTHENTICATED = {
    "detail": "Authentication credentials were not provided.",
    "code": "not_authenticated",
}


def test_log_in_gives_the_key_and_sets_all_three_cookies(api: Api) -> None:
    user = make_customer()

    body = {"email": user.email.upper(), "password": PASSWORD, "formType": "login"}
    answer = api.post("/users/login/", body)

    cookies = answer.cookies
    assert answer.status_code == 200
    assert answer.json() == {"key": cookies["osessionid"].value}
    assert cookies["sessionid"].value == cookies["osessionid"].value
    assert re.fullmatch(r"\w+", cookies["osessionid"].value)
    for name in ("sessionid", "osessionid"):
        assert cookies[name]["httponly"]
        assert cookies[name]["samesite"] == "Lax"
        assert not cookies[name]["secure"]  # a local run
    assert not cookies["csrftoken"]["httponly"]
    assert Session.objects.get().user == user


@pytest.mark.parametrize(
    "body",
    [{"email": "nobody@example.com", "password": PASSWORD}, {"email": "known@example.com", "password": "x"}],
)
def test_every_failed_log_in_is_told_in_one_wording(api: Api, body: dict[str, str]) -> None:
    make_customer("known@example.com")

    answer = api.post("/users/login/", body)

    assert answer.status_code == 400
    assert answer.json() == {"non_field_errors": ["Unable to log in with provided credentials."]}


def test_repeated_failures_lock_out_with_a_retry_after(api: Api, settings: Settings) -> None:
    user = make_customer()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = api.post("/users/login/", {"email": user.email, "password": "wrong"})

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert api.post("/users/login/", {"email": user.email, "password": PASSWORD}).status_code == 429
    body = {"email": make_customer().email, "password": PASSWORD}
    assert Api().post("/users/login/", body).status_code == 200


@pytest.mark.parametrize("name", ["sessionid", "osessionid"])
def test_either_cookie_alone_is_the_session(api: Api, name: str) -> None:
    user = make_customer()
    key = api.log_in(user).client.cookies["sessionid"].value
    client = Browser()
    client.cookies[name] = key

    answer = client.get("/current_user/", headers={"content-type": "application/json"})

    assert answer.status_code == 200
    assert (answer.json()["pk"], answer.json()["email"]) == (user.pk, user.email)


def test_two_cookies_that_differ_are_nobody(api: Api) -> None:
    first = api.log_in(make_customer()).client.cookies["sessionid"].value
    second = Api().log_in(make_customer()).client.cookies["sessionid"].value
    client = Browser()
    client.cookies["sessionid"], client.cookies["osessionid"] = first, second

    answer = client.get("/current_user/?format=json")

    assert (answer.status_code, answer.json()) == (401, NOT_AUTHENTICATED)
    assert Session.objects.count() == 2


def test_the_current_user_is_what_the_storefront_reads(api: Api) -> None:
    api.log_in(make_customer())

    assert set(api.get("/current_user/").json()) >= {
        "pk", "first_name", "last_name", "email", "phone", "email_allowed", "sms_allowed", "date_joined",
        "last_login", "date_of_birth", "hashed_email", "gender",
    }  # fmt: skip


def test_the_csrf_token_comes_as_json_and_as_a_cookie() -> None:
    answer = Browser().get("/csrf_token/")

    assert answer.status_code == 200
    assert len(answer.json()["csrf_token"]) == 64
    assert "csrftoken" in answer.cookies


def test_log_out_ends_the_session_and_clears_all_three_cookies(api: Api) -> None:
    api.log_in(make_customer())

    answer = api.post("/users/logout/", {})

    assert answer.status_code == 200
    for name in ("sessionid", "osessionid", "csrftoken"):
        assert (answer.cookies[name].value, answer.cookies[name]["max-age"]) == ("", 0), name
    assert Session.objects.count() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": "application/json", "sec-fetch-site": "cross-site"},
        {"accept": "application/json", "sec-fetch-site": "same-site"},
        {"accept": "application/json", "referer": "https://evil.example/page"},
        {"accept": "application/json", "origin": "null"},
        {"accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"},
        {"x-requested-with": "XMLHttpRequest", "sec-fetch-site": "cross-site"},
        {"accept": "application/json", "referer": "https://[::1"},
    ],
)
def test_a_get_that_another_sites_page_can_cause_logs_nobody_out(headers: dict[str, str]) -> None:
    client = Client()
    client.force_login(make_customer(), backend="django.contrib.auth.backends.ModelBackend")

    answer = client.get("/users/logout/?format=json", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert Session.objects.count() == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": "*/*"},
        {"accept": "application/json"},
        {"accept": "application/json", "referer": "http://testserver/users/orders/"},
        {"accept": "application/json", "referer": "https://shop.example.com/account"},
        {"accept": "*/*", "x-requested-with": "XMLHttpRequest", "sec-fetch-site": "same-origin"},
    ],
)
def test_a_get_of_ours_logs_out(headers: dict[str, str], settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://shop.example.com"]
    client = Client()
    client.force_login(make_customer(), backend="django.contrib.auth.backends.ModelBackend")

    assert client.get("/users/logout/?format=json", headers=headers).status_code == 200
    assert Session.objects.count() == 0


def test_private_json_is_kept_in_no_cache_but_the_browsers_own_and_asked_for_again(
    api: Api, shop: Shop
) -> None:
    api.log_in(shop.user)

    for path in ("/users/orders/", "/current_user/", "/address/"):
        assert api.get(path)["Cache-Control"] == "private, no-store"
    # An order has an ETag, by which a browser may ask whether what it keeps still holds.
    assert api.get(f"/users/orders/{shop.order.pk}/")["Cache-Control"] == "private, no-cache"


def test_a_log_out_without_a_token_is_refused_with_a_page_that_has_one() -> None:
    client = Browser(enforce_csrf_checks=True)
    client.force_login(make_customer(), backend="django.contrib.auth.backends.ModelBackend")

    refused = client.post("/users/logout")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', refused.content.decode())
    assert refused.status_code == 403
    assert token is not None
    client.cookies["csrftoken"] = token[1]
    done = client.post("/users/logout", {"csrfmiddlewaretoken": token[1]})

    assert done.status_code in {200, 302, 303}
    assert Session.objects.count() == 0


@pytest.mark.parametrize("headers", [{}, {"x-csrftoken": "wrong"}, {"x-csrftoken": "a" * 64}])
def test_a_write_without_the_right_csrf_token_is_403(api: Api, shop: Shop, headers: dict[str, str]) -> None:
    api.log_in(shop.user)

    answer = api.client.post(
        f"/orders/{shop.order.number}/cancel/", {}, content_type="application/json", headers=headers
    )

    assert answer.status_code == 403
    assert answer.json() == {
        "detail": "CSRF Failed: CSRF token missing or incorrect.",
        "code": "csrf_failed",
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/orders/completed/x:y:z/?format=json"),
        ("post", "/orders/ORD-1/cancel/"),
        ("post", "/orders/change-address/"),
        ("get", "/users/orders/?format=json"),
        ("get", "/users/orders/1/?format=json"),
        ("get", "/users/orders/cancellation_reasons/"),
        ("post", "/users/orders/cancellation_requests/"),
        ("post", "/users/orders/bulk_cancellation_requests/"),
        ("get", "/current_user/"),
    ],
)
def test_who_is_not_logged_in_gets_401_as_json(api: Api, method: str, path: str) -> None:
    answer = api.get(path) if method == "get" else api.post(path, {})

    assert (answer.status_code, answer.json()) == (401, NOT_AUTHENTICATED)


@pytest.mark.parametrize(
    "path", ["/orders/completed/x:y:z/", "/users/orders/", "/users/orders/1/", "/orders/ORD-1/cancel/"]
)
def test_who_is_not_logged_in_is_sent_to_the_log_in_page(client: Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 302
    assert unquote(answer.headers["Location"]) == f"/users/login/?next={path}"


@pytest.mark.parametrize("path", ["/users/orders/", "/current_user/", "/csrf_token/", "/users/login/"])
def test_an_unknown_format_is_404(api: Api, path: str) -> None:
    api.log_in(make_customer())

    assert api.get(f"{path}?format=xml").status_code == 404


@pytest.mark.parametrize(
    "path", ["/orders/completed/x:y:z/", "/users/orders/", "/users/orders/1/", "/account/points/"]
)
@pytest.mark.parametrize("accept", ["*/*", "", "application/xml", "text/*"])
@pytest.mark.django_db
def test_a_program_is_never_redirected_to_the_log_in(path: str, accept: str) -> None:
    answer = Client().get(path, headers={"accept": accept} if accept else {})

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Session")
    assert answer.json() == {
        "detail": "Authentication credentials were not provided.",
        "code": "not_authenticated",
    }
    assert "Location" not in answer.headers


@pytest.mark.parametrize(("accept", "status"), [("*/*", 404), ("application/json", 404), ("text/html", 301)])
@pytest.mark.django_db
def test_only_a_browser_is_redirected_to_the_missing_slash(accept: str, status: int) -> None:
    assert Client().get("/users/orders/1013", headers={"accept": accept}).status_code == status
