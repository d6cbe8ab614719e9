import re

import pytest
from axes.models import AccessAttempt
from django.test import Client
from pytest_django import Settings

from aftercart.accounts.models import Session
from tests.shop import make_customer

pytestmark = pytest.mark.django_db

JUNK = ("junk", "192.0.2.7:http", "[::1", "1.2.3.4.5", "''", "\x7f", "1" * 5000)


@pytest.fixture
def proxied(settings: Settings) -> Settings:
    settings.TRUSTED_PROXY = True
    return settings


def fail_to_log_in(email: str, forwarded: str) -> int:
    body = {"email": email, "password": "wrong"}
    answer = Client(headers={"X-Forwarded-For": forwarded}).post(
        "/users/login/", body, content_type="application/json"
    )
    return answer.status_code


def test_a_lockout_belongs_to_the_address_that_the_proxy_saw(proxied: Settings) -> None:
    email = make_customer().email
    for made_up in range(proxied.AXES_FAILURE_LIMIT):
        fail_to_log_in(email, f"203.0.113.{made_up}, 192.0.2.7:{4000 + made_up}")

    assert {row.ip_address for row in AccessAttempt.objects.all()} == {"192.0.2.7"}
    assert fail_to_log_in(email, "198.51.100.1, 192.0.2.7") == 429
    assert fail_to_log_in(email, "192.0.2.7, 198.51.100.1") == 400


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize("junk", JUNK)
def test_junk_counts_as_the_connections_own_address(junk: str) -> None:
    assert fail_to_log_in(make_customer().email, junk) == 400
    assert AccessAttempt.objects.get().ip_address == "127.0.0.1"


def log_out(session: Session, token: str, **headers: str) -> int:
    """Log out as the storefront's server does in its second step: a form, with cookies, and nothing a browser adds."""
    cookies = f"csrftoken={token}; osessionid={session.session_key}"
    browser = Client(enforce_csrf_checks=True, headers={"Cookie": cookies, **headers})
    return browser.post("/users/logout", {"csrfmiddlewaretoken": token}, secure=True).status_code


@pytest.fixture
def session() -> Session:
    browser = Client()
    browser.force_login(make_customer(), backend="django.contrib.auth.backends.ModelBackend")
    return Session.objects.get()


def test_the_storefronts_server_logs_out_behind_tls(session: Session) -> None:
    cookies = f"osessionid={session.session_key}"
    first = Client(enforce_csrf_checks=True, headers={"Cookie": cookies}).post("/users/logout", secure=True)
    found = re.search(r"name=['|\"]csrfmiddlewaretoken['|\"] value=['|\"](\w+)", first.content.decode())

    assert (first.status_code, found is not None) == (403, True)
    assert found is not None
    assert log_out(session, found[1]) == 303
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Referer": "https://evil.example/"}, {"Origin": "null"}],
)
def test_another_sites_page_logs_nobody_out_behind_tls(session: Session, headers: dict[str, str]) -> None:
    assert log_out(session, "a" * 32, **headers) == 403
    assert Session.objects.exists()


def test_a_log_out_needs_the_token_of_its_cookie(session: Session) -> None:
    cookies = f"csrftoken={'a' * 32}; osessionid={session.session_key}"
    browser = Client(enforce_csrf_checks=True, headers={"Cookie": cookies})

    answer = browser.post("/users/logout", {"csrfmiddlewaretoken": "b" * 32}, secure=True)
    assert answer.status_code == 403
    assert Session.objects.exists()


def test_without_a_trusted_proxy_nothing_of_it_counts() -> None:
    answer = Client().get(
        "/users/login/",
        headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Request-ID": "mine"},
    )

    assert answer.status_code == 200
    assert not answer.wsgi_request.is_secure()
    assert answer.wsgi_request.get_host() == "testserver"
    assert answer.headers["X-Request-ID"] != "mine"


@pytest.mark.usefixtures("proxied")
def test_the_proxys_request_id_is_taken_over_where_it_is_well_formed() -> None:
    def resolve(given: str) -> str:
        return Client(headers={"X-Request-ID": given}).get("/users/login/").headers["X-Request-ID"]

    assert resolve("edge-1/2026:a.b=c") == "edge-1/2026:a.b=c"
    for bad in ("", " ", "two words", "a" * 200, "-begins", "ü", "a\x1b[31m"):
        made = resolve(bad)
        assert len(made) == 32
        assert made != resolve(bad)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_by_address_are_answered(path: str) -> None:
    answer = Client(headers={"Host": "10.1.2.3:8000"}).get(path)

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.headers["X-Request-ID"]


def test_a_refusal_bears_no_id_but_the_proxys(proxied: Settings) -> None:
    assert "X-Request-ID" not in Client().get("/nowhere/").headers
    assert Client(headers={"X-Request-ID": "edge-1"}).get("/nowhere/").headers["X-Request-ID"] == "edge-1"
    proxied.TRUSTED_PROXY = False
    assert "X-Request-ID" not in Client(headers={"X-Request-ID": "edge-1"}).get("/nowhere/").headers


def test_other_pages_are_not() -> None:
    assert Client(headers={"Host": "10.1.2.3:8000"}).get("/users/login/").status_code == 400
