"""The account pages' calls, as the storefront's client makes them, where Aftercart keeps the accounts."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from aftercart.accounts.models import Address, Session, User
from aftercart.actions.mail.send_email import send_email
from aftercart.mail.models import Email
from aftercart.orders.selectors import make_link
from tests.http.conftest import Api
from tests.shop import PASSWORD, Shop, make_address, make_customer

pytestmark = pytest.mark.django_db

NEW = "another-4711"
PATHS = (
    "/users/profile/", "/users/password/change/", "/users/password/reset/", "/users/reset/MQ/a-b/",
    "/users/login/code/",
    "/users/email-change/", "/users/email-set-primary/a:b:c/", "/users/registration/", "/users/anonymize/",
    "/users/contact-us-subjects/", "/account/basket-offers/", "/account/discount-items/",
)  # fmt: skip


def patch(api: Api, path: str, body: dict[str, Any]) -> Any:
    token = api.client.cookies["csrftoken"].value
    headers = {"accept": "application/json", "x-csrftoken": token}
    return api.client.patch(path, body, content_type="application/json", headers=headers)


def read_link() -> str:
    """Send the e-mail that waits, and read the link in it."""
    send_email(Email.objects.get().pk)
    [sent] = mail.outbox
    found = re.search(r"https?://[^/]+(/users/\S+)", str(sent.body))
    assert found is not None
    return found[1]


def send_form(path: str, body: dict[str, str]) -> int:
    """Send a form by the storefront's proxy, as it sends that of a new password."""
    form = "application/x-www-form-urlencoded"
    answer = Client().post(path, urlencode(body), content_type=form, headers={"accept": "application/json"})
    return int(answer.status_code)


def can_log_in(email: str, password: str) -> bool:
    body = {"email": email, "password": password}
    return Client().post("/users/login/", body, content_type="application/json").status_code == 200


def test_the_profile_is_read_and_changed(api: Api) -> None:
    user = make_customer()
    api.log_in(user)
    body = {
        "first_name": "Ayşe", "last_name": "Kaya", "phone": "05321234567", "gender": "female",
        "date_of_birth": "1990-05-01", "sms_allowed": True, "email_allowed": False, "email": "x@example.com",
        "is_staff": True,
    }  # fmt: skip

    changed = patch(api, "/users/profile/", body)

    assert changed.status_code == 200
    assert api.get("/users/profile/").json() == changed.json() == api.get("/current_user/").json()
    user.refresh_from_db()
    assert (user.first_name, str(user.phone), str(user.date_of_birth)) == (
        "Ayşe",
        "+905321234567",
        "1990-05-01",
    )
    assert (user.email, user.is_staff) == (changed.json()["email"], False)


def test_an_empty_day_of_birth_and_a_bad_phone(api: Api) -> None:
    api.log_in(make_customer())

    assert patch(api, "/users/profile/", {"date_of_birth": "", "gender": None}).status_code == 200
    assert set(patch(api, "/users/profile/", {"phone": "1"}).json()) == {"phone", "code"}


def test_a_new_password_keeps_this_session_and_ends_the_others(api: Api) -> None:
    user = make_customer()
    other = Api().log_in(user)
    api.log_in(user)
    key = api.client.cookies["sessionid"].value

    body = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    answer = api.post("/users/password/change/", body)

    assert answer.status_code == 200
    assert api.get("/current_user/").status_code == 200
    assert api.client.cookies["sessionid"].value == key
    assert other.get("/current_user/").status_code == 401
    assert (can_log_in(user.email, PASSWORD), can_log_in(user.email, NEW)) == (False, True)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"old_password": "wrong"}, "old_password"),
        ({"new_password2": "other-4711"}, "new_password2"),
        ({"new_password1": "12345678", "new_password2": "12345678"}, "new_password1"),
        ({"new_password1": ""}, "new_password1"),
    ],
)
def test_a_password_that_is_not_changed_says_why(api: Api, changes: dict[str, str], field: str) -> None:
    user = make_customer()
    api.log_in(user)
    body = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW, **changes}

    answer = api.post("/users/password/change/", body)

    assert (answer.status_code, set(answer.json())) == (400, {field, "code"})
    assert can_log_in(user.email, PASSWORD)


def test_a_forgotten_password_is_set_by_a_link_that_works_once() -> None:
    user = make_customer()
    api = Api()

    asked = api.post("/users/password/reset/", {"email": user.email.upper()})
    path = read_link()
    form = {"new_password1": NEW, "new_password2": NEW}

    assert (asked.status_code, send_form(path, form)) == (200, 200)
    assert can_log_in(user.email, NEW)
    assert send_form(path, form) == 400
    assert Email.objects.get().secret == ""


def test_an_unknown_address_gets_the_same_answer_and_no_mail(api: Api) -> None:
    known = api.post("/users/password/reset/", {"email": make_customer().email})
    staff = User.objects.create_superuser("boss@example.com", PASSWORD)

    for email in ("nobody@example.com", staff.email):
        answer = api.post("/users/password/reset/", {"email": email})
        assert (answer.status_code, answer.json()) == (200, known.json())
    assert Email.objects.count() == 1


def test_one_address_gets_no_more_than_three_mails(api: Api) -> None:
    email = make_customer().email

    statuses = [api.post("/users/password/reset/", {"email": email}).status_code for _ in range(5)]

    assert statuses == [200, 200, 200, 429, 429]
    assert Email.objects.count() == 3


def test_the_link_opens_a_page_too(api: Api) -> None:
    user = make_customer()
    api.post("/users/password/reset/", {"email": user.email})
    path = read_link()
    browser = Client(headers={"accept": "text/html"})

    assert browser.get(path).status_code == 200
    assert browser.post(path, {"new_password1": NEW, "new_password2": "no"}).status_code == 400
    assert browser.post(path, {"new_password1": NEW, "new_password2": NEW}).status_code == 303
    assert browser.get(path).status_code == 404
    assert can_log_in(user.email, NEW)


def test_the_page_of_a_forgotten_password_mails_the_link() -> None:
    user = make_customer()
    browser = Client(headers={"accept": "text/html"})

    assert browser.get("/users/password/reset/").status_code == 200
    assert browser.post("/users/password/reset/", {"email": user.email}).status_code == 303
    assert Email.objects.get().recipient == user.email


@pytest.mark.parametrize(
    ("language", "subject"),
    [("en", "Set your password at Aftercart"), ("tr", "Aftercart parolanızı belirleyin")],
)
def test_the_page_speaks_the_language_counts_and_tells_nobody_who_has_an_account(
    language: str, subject: str
) -> None:
    known = make_customer().email
    browser = Client(headers={"accept": "text/html", "accept-language": language})

    answers = {}
    for email in (known, "nobody@example.com"):
        done = [browser.post("/users/password/reset/", {"email": email}) for _ in range(4)]
        answers[email] = ([answer.status_code for answer in done], "Retry-After" in done[3])

    assert answers[known] == answers["nobody@example.com"] == ([303] * 3 + [429], True)
    assert Email.objects.count() == 3
    send_email(Email.objects.latest("pk").pk)
    assert (mail.outbox[0].to, str(mail.outbox[0].subject)) == ([known], subject)


def test_an_account_moves_to_an_address_that_was_proved(api: Api) -> None:
    user = make_customer()
    api.log_in(user)
    body = {"email": "new@example.com", "emailConfirm": "new@example.com", "password": PASSWORD}

    asked = api.post("/users/email-change/", body)
    path = read_link()

    assert asked.status_code == 200
    assert api.get("/current_user/").json()["email"] == user.email
    assert api.get(path).status_code == 200
    assert api.get("/current_user/").json()["email"] == "new@example.com"
    assert api.get(path).status_code == 200  # the client asks twice
    told = Email.objects.get(kind="email_moved")
    send_email(told.pk)
    mailed = mail.outbox[-1]
    assert (mailed.to, mailed.subject) == ([user.email], "Your e-mail address at Aftercart was changed")
    assert "new@example.com" not in str(mailed.message())  # whoever reads there now need not learn it
    User.objects.update(email="third@example.com")
    assert api.get(path).status_code == 404


def test_a_new_password_voids_the_link_that_was_to_move_the_account(api: Api) -> None:
    user = make_customer()
    api.log_in(user)
    api.post("/users/email-change/", {"email": "thief@example.com", "password": PASSWORD})
    path = read_link()
    body = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert api.post("/users/password/change/", body).status_code == 200

    assert api.get(path).status_code == 404
    user.refresh_from_db()
    assert user.email != "thief@example.com"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"password": "wrong"}, "password"), ({"emailConfirm": "b@example.com"}, "emailConfirm")],
)
def test_an_account_that_does_not_move_says_why(api: Api, changes: dict[str, str], field: str) -> None:
    api.log_in(make_customer())
    body = {"email": "a@example.com", "emailConfirm": "a@example.com", "password": PASSWORD, **changes}

    answer = api.post("/users/email-change/", body)

    assert (answer.status_code, set(answer.json())) == (400, {field, "code"})
    assert not Email.objects.exists()


def test_an_address_with_an_account_is_not_taken_over_and_not_told_of(api: Api) -> None:
    taken = make_customer()
    api.log_in(make_customer())

    answer = api.post("/users/email-change/", {"email": taken.email, "password": PASSWORD})

    assert answer.status_code == 200
    assert not Email.objects.exists()


def test_who_registers_proves_the_address_first_and_gets_no_session(api: Api) -> None:
    body = {
        "email": "New@example.com", "password": "typed-here-1", "first_name": "Can", "formType": "register",
        "locale": "en", "captchaValidated": "false",
    }  # fmt: skip

    answer = api.post("/users/registration/", body)
    path = read_link()

    assert (answer.status_code, set(answer.json())) == (400, {"non_field_errors"})
    assert not Session.objects.exists()
    assert not can_log_in("new@example.com", "typed-here-1")
    assert send_form(path, {"new_password1": NEW, "new_password2": NEW}) == 200
    assert can_log_in("new@example.com", NEW)
    assert User.objects.get().first_name == "Can"


def test_who_registers_an_address_of_an_import_sees_nothing_of_its_orders(api: Api, shop: Shop) -> None:
    shop.user.set_unusable_password()
    shop.user.save()

    api.post("/users/registration/", {"email": shop.user.email, "password": NEW, "first_name": "Evil"})

    assert not can_log_in(shop.user.email, NEW)
    shop.user.refresh_from_db()
    assert shop.user.first_name == ""


def test_an_anonymized_customer_is_gone_and_the_orders_stay(api: Api, shop: Shop) -> None:
    make_address(shop.user)
    api.log_in(shop.user)
    email = shop.user.email

    answer = patch(api, "/users/anonymize/", {})

    assert answer.status_code == 200
    assert not can_log_in(email, PASSWORD)
    shop.user.refresh_from_db()
    assert shop.user.email.endswith("@anonymized.invalid")
    assert (shop.user.is_active, Address.objects.exists(), Session.objects.exists()) == (False, False, False)
    shop.order.refresh_from_db()
    assert shop.order.user == shop.user


def test_nobody_is_anonymized_while_a_cancellation_is_open(api: Api, shop: Shop) -> None:
    api.log_in(shop.user)
    entry = {"order_item": shop.items[0].pk, "reason": shop.cancel_reason.pk, "cancellation_type": "cancel"}
    api.post("/users/orders/bulk_cancellation_requests/", {"cancel_order_items": [entry]})

    answer = patch(api, "/users/anonymize/", {})

    assert (answer.status_code, set(answer.json())) == (400, {"non_field_errors", "code"})
    assert can_log_in(shop.user.email, PASSWORD)


@pytest.mark.parametrize(
    "path", ["basket-offers", "future-basket-offers", "expired-basket-offers", "discount-items"]
)
def test_there_are_no_coupons_in_any_form_that_the_theme_reads(api: Api, path: str) -> None:
    body = api.log_in(make_customer()).get(f"/account/{path}/").json()

    assert (body["discounts"], body["results"], body["count"]) == ([], [], 0)


@pytest.mark.parametrize("path", PATHS)
def test_accounts_that_are_the_shops_are_not_here(settings: Settings, path: str) -> None:
    settings.AFTERCART_IDENTITY = "commerce"

    assert Client().post(path, {}, content_type="application/json").status_code == 404
    assert Client(headers={"accept": "application/json"}).get(path).status_code == 404


def test_writes_need_the_token(api: Api) -> None:
    api.log_in(make_customer())
    for path in ("/users/password/change/", "/users/email-change/"):
        assert api.client.post(path, {}, content_type="application/json").status_code == 403


def test_a_number_with_a_hash_is_quoted_in_every_link(shop: Shop) -> None:
    shop.order.number = "#1001"
    shop.order.save()
    url = make_link("#1001", purpose="completed")

    assert "#" not in url
    browser = Client(headers={"accept": "application/json"})
    browser.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get(url.partition("8000")[2]).json()["order"]["number"] == "#1001"
    page = Client(headers={"accept": "text/html"})
    page.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    content = page.get(f"/users/orders/{shop.order.pk}/").content.decode()
    assert "/orders/%231001/ways/" in content
    assert "/orders/#" not in content
