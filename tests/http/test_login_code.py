"""Logging in by a code: for who has the account's mailbox, and nobody learns who has an account."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from aftercart.accounts.models import Session, User
from aftercart.lib.clock import get_now
from aftercart.mail.models import Email
from aftercart.orders.models import OneTimeCode
from tests.emails import read_code
from tests.http.browser import Browser
from tests.http.forms import read, read_fields
from tests.shop import PASSWORD, make_customer, make_order

pytestmark = pytest.mark.django_db
PATH = "/users/login/code/"
EMAIL = "ayse@example.com"


@pytest.fixture
def customer() -> User:
    return make_customer(EMAIL)


@pytest.fixture(autouse=True)
def _one_minute_into_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    at = get_now().replace(minute=1, second=0, microsecond=0)
    monkeypatch.setattr("aftercart.accounts.models.rate_limits.get_now", lambda: at)


def ask(client: Client, email: str = EMAIL, **fields: str) -> Any:
    """Press the button of the log-in page: an empty password comes with the address."""
    return client.post(PATH, {"email": email, "password": "", **fields})


def type_code(client: Client, code: str, **fields: str) -> Any:
    return client.post(PATH, {"code": code, **fields})


def mask(response: Any, email: str) -> str:
    text = response.content.decode().replace(email, "")
    return re.sub(r'(value|content)="[A-Za-z0-9]{64}"', "", text)


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_the_code_of_an_e_mail_logs_in(customer: User) -> None:
    client = Browser(enforce_csrf_checks=True)
    form = read(client.get("/users/login/")).select_one("#typed")
    assert form is not None
    assert [button.get("formaction") for button in form.select("button")] == [None, PATH]

    asked = client.post(PATH, read_fields(form) | {"email": "Ayse@Example.com"})
    assert (asked.status_code, asked["Location"]) == (303, PATH)
    page = client.get(PATH)
    field = read(page).select_one("#id_code")
    assert field is not None
    assert (field["autocomplete"], field["inputmode"]) == ("one-time-code", "numeric")
    code = read_code()
    assert mail.outbox[0].to == [customer.email]
    assert code in str(mail.outbox[0].subject)
    entered = client.post(
        PATH, read_fields(read(page).select_one("#typed")) | {"code": f"{code[:3]} {code[3:]}"}
    )

    assert (entered.status_code, entered["Location"]) == (303, "/users/orders/")
    assert Session.objects.get(user=customer).session_key == client.cookies["sessionid"].value
    assert client.cookies["osessionid"].value == client.cookies["sessionid"].value
    assert client.get("/users/orders/").status_code == 200


def test_the_session_gets_a_new_key(customer: User) -> None:
    client = Browser()
    ask(client)
    planted = client.cookies["sessionid"].value

    type_code(client, read_code())

    assert Session.objects.get().user == customer
    assert not Session.objects.filter(session_key=planted).exists()


def test_whose_address_it_is_nobody_learns(customer: User) -> None:
    barred, staff = make_customer("barred@example.com"), User.objects.create_superuser("boss@example.com")
    User.objects.filter(pk=barred.pk).update(is_active=False)
    guest = make_order(None).user_email
    seen = []
    for email in (customer.email, "nobody@example.com", barred.email, staff.email, guest):
        client = Browser()
        with CaptureQueriesContext(connection) as context:
            asked = ask(client, email)
        assert (asked.status_code, asked["Location"]) == (303, PATH)
        wrong = type_code(client, "nothing")
        assert wrong.status_code == 400
        pages = (mask(client.get(PATH), email), mask(wrong, email))
        seen.append(
            (pages, [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in context.captured_queries])
        )
        assert bool(read_code()) == (email == customer.email)

    assert [one for one in seen if one != seen[0]] == []
    assert [sent.to for sent in mail.outbox] == [[customer.email]]


def test_an_address_and_a_client_get_so_many_e_mails_whether_there_is_an_account_or_not(
    customer: User,
) -> None:
    for email in (customer.email, "nobody@example.com"):
        answers = [ask(Browser(), email) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [303, 303, 303, 429]
        assert answers[3]["Retry-After"] == "840"
        assert "Too many attempts" in answers[3].content.decode()
    assert OneTimeCode.objects.count() == 6

    answers = [ask(Browser(), f"{n}@example.com") for n in range(25)]
    assert [answer.status_code for answer in answers] == [303] * 24 + [429]


def test_the_code_stands_nowhere_in_plain(customer: User) -> None:
    client = Browser()
    ask(client)
    code = read_code()

    row, email = OneTimeCode.objects.get(), Email.objects.get()
    assert (row.user, row.order, row.number) == (customer, None, "")
    assert re.fullmatch("[0-9a-f]{64}", row.code_hash)
    assert (email.kind, email.state, email.secret, email.facts) == ("login_code", "sent", "", {})
    with connection.cursor() as cursor:
        for table in ("orders_guestcode", "mail_email", "procrastinate_jobs"):
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{code}%"])  # noqa: S608 - names above
            assert cursor.fetchone() == (0,)


def test_a_code_is_good_once_five_times_wrong_is_enough_and_it_lives_ten_minutes(customer: User) -> None:
    used, guessed, old = Browser(), Browser(), Browser()
    codes = []
    for client in (used, guessed, old):
        ask(client)
        codes.append(read_code())
    assert type_code(used, codes[0]).status_code == 303
    used.post("/users/logout/")
    for _ in range(5):
        assert type_code(guessed, other_than(codes[1])).status_code == 400
    OneTimeCode.objects.filter(pk=OneTimeCode.objects.latest("pk").pk).update(expires_at=get_now())

    assert type_code(used, codes[0])["Location"] == "/users/login/"
    assert [type_code(guessed, codes[1]).status_code, type_code(old, codes[2]).status_code] == [400, 400]
    assert not Session.objects.filter(user=customer).exists()
    assert OneTimeCode.objects.filter(used_at=None).count() == 2


def test_a_code_opens_only_in_the_browser_that_asked_for_it(customer: User) -> None:
    mine, theirs = Browser(), Browser()
    ask(mine)
    code = read_code()
    ask(theirs)

    assert type_code(theirs, code).status_code == 400
    assert type_code(mine, code).status_code == 303
    assert Session.objects.filter(user=customer).count() == 1


@pytest.mark.parametrize("changes", [{"is_active": False}, {"is_staff": True}, {"email": "new@example.com"}])
def test_who_was_barred_or_has_moved_meanwhile_is_not_let_in(customer: User, changes: dict[str, Any]) -> None:
    client = Browser()
    ask(client)
    code = read_code()
    User.objects.filter(pk=customer.pk).update(**changes)

    assert type_code(client, code).status_code == 400
    assert not Session.objects.filter(user=customer).exists()


def test_a_guests_code_logs_nobody_in_and_that_of_a_log_in_opens_no_order(customer: User) -> None:
    order = make_order(None)
    client = Browser()
    client.post("/orders/guest/", {"number": order.number, "email": order.user_email})
    guests = read_code()
    session = client.session
    session["login_code"] = {"id": session["guest_code"], "email": EMAIL}
    session.save()
    assert type_code(client, guests).status_code == 400

    ask(client)
    session = client.session
    session["guest_code"] = session["login_code"]["id"]
    session.save()
    assert client.post("/orders/guest/code/", {"code": read_code()}).status_code == 400
    assert not Session.objects.filter(user=customer).exists()


@pytest.mark.parametrize(
    ("typed", "goes"),
    [("/account/points/?page=2", "/account/points/?page=2"), ("https://evil.example/", "/users/orders/")],
)
def test_it_goes_on_to_pages_of_ours_only(customer: User, typed: str, goes: str) -> None:
    client = Browser()
    asked = ask(client, customer.email, next=typed)
    form = read(client.get(asked["Location"])).select_one("#typed")

    entered = client.post(PATH, read_fields(form) | {"code": read_code()})

    assert entered["Location"] == goes


def test_a_form_that_was_kept_goes_along(customer: User) -> None:
    order = make_order(customer)
    client = Browser()
    typed = {"step": "quote", "item-1-description": "It does not fit."}
    fields = read_fields(read(client.post(f"/orders/{order.number}/cancel/", typed)).select_one("#typed"))

    asked = client.post(PATH, fields | {"email": customer.email})
    wrong = client.post(PATH, read_fields(read(asked).select_one("#typed")) | {"code": "x"})
    entered = client.post(PATH, read_fields(read(wrong).select_one("#typed")) | {"code": read_code()})

    assert [asked.status_code, wrong.status_code, entered.status_code] == [200, 400, 200]
    form = read(entered).select_one("#typed")
    assert form is not None
    assert form["action"] == f"/orders/{order.number}/cancel/"
    assert read_fields(form)["item-1-description"] == "It does not fit."


def test_another_code_is_sent_to_the_same_address(customer: User) -> None:
    client = Browser()
    ask(client)
    first = read_code()
    again = read(client.get(PATH)).select("main form")[1]

    assert client.post(PATH, read_fields(again)).status_code == 303
    assert type_code(client, read_code()).status_code == 303
    assert OneTimeCode.objects.filter(user=customer).count() == 2
    assert first


def test_what_is_no_address_is_said_beside_it_and_asks_for_nothing() -> None:
    client = Browser()

    answer = ask(client, "ayse")

    page = read(answer)
    assert answer.status_code == 400
    assert [error["id"] for error in page.select(".wrong")] == ["id_email_error"]
    assert page.select_one("#typed")["action"] == "/users/login/"  # type: ignore[index]  # there is one
    assert not OneTimeCode.objects.exists()


def test_without_its_token_nothing_is_sent(customer: User) -> None:
    client = Browser(enforce_csrf_checks=True)

    assert ask(client, customer.email).status_code == 403
    assert not OneTimeCode.objects.exists()


@pytest.mark.usefixtures("customer")
def test_page_and_e_mail_speak_turkish() -> None:
    client = Browser()
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "tr"
    assert "E-postama kod gönder" in client.get("/users/login/").content.decode()
    ask(client)

    page = client.get(PATH).content.decode()
    code = read_code()

    assert f"{EMAIL} adresine kayıtlı bir hesap varsa" in page
    assert str(mail.outbox[0].subject).startswith(f"{code}: ")
    assert "Giriş kodunuz" in str(mail.outbox[0].body)


@pytest.mark.usefixtures("customer")
def test_who_types_the_right_code_is_locked_out_no_more(settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    client = Browser()
    for _ in range(3):
        client.post("/users/login/", {"email": EMAIL, "password": "wrong"})
    assert client.post("/users/login/", {"email": EMAIL, "password": PASSWORD}).status_code == 429
    ask(client)

    assert type_code(client, read_code()).status_code == 303
    assert client.get("/users/orders/").status_code == 200


def test_a_code_that_waits_past_its_time_is_not_mailed(customer: User) -> None:
    ask(Browser())
    OneTimeCode.objects.update(expires_at=get_now() - timedelta(seconds=1))

    assert read_code() == ""
    assert mail.outbox == []
    assert not Email.objects.filter(recipient=customer.email).exists()
