"""Who gets into the back office, and what only a superuser may touch."""

import re

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client

from aftercart.accounts.models import User
from tests.http.backoffice_world import (
    ORDERS,
    QUEUE,
    log_in,
    make_decider,
    make_order,
    make_request,
    make_staff,
)

pytestmark = pytest.mark.django_db
_USERS = "/backoffice/accounts/user/"


def test_the_anonymous_are_sent_to_the_log_in() -> None:
    request = make_request()
    for path in ("/backoffice/", QUEUE, f"{QUEUE}{request.pk}/change/", ORDERS):
        response = Client().get(path)
        assert (response.status_code, response["Location"]) == (302, f"/backoffice/login/?next={path}")

    response = Client().post(f"{QUEUE}{request.pk}/approve/")
    assert response.status_code == 302
    request.refresh_from_db()
    assert request.status == "waiting"


def test_customers_are_sent_to_the_log_in_and_cannot_decide() -> None:
    request = make_request()
    customer = request.line.submission.user
    assert customer is not None
    browser = log_in(customer)

    for path in ("/backoffice/", QUEUE, f"{QUEUE}{request.pk}/change/"):
        response = browser.get(path)
        assert (response.status_code, response["Location"]) == (302, f"/backoffice/login/?next={path}")
    assert browser.post(f"{QUEUE}{request.pk}/approve/").status_code == 302
    request.refresh_from_db()
    assert request.status == "waiting"


def test_staff_log_in_with_their_e_mail_in_any_case() -> None:
    staff = make_decider()
    client = Client()

    response = client.post(
        "/backoffice/login/?next=/backoffice/",
        {"username": staff.email.upper(), "password": "staff-12345", "next": "/backoffice/"},
    )

    assert (response.status_code, response["Location"]) == (302, "/backoffice/")
    assert client.get(QUEUE).status_code == 200


@pytest.mark.parametrize("asked", ["", "?next=/backoffice/orders/order/"])
def test_the_log_in_leads_to_the_back_office_whatever_led_to_it(asked: str) -> None:
    staff = make_decider()
    client = Client()
    page = BeautifulSoup(client.get(f"/backoffice/login/{asked}").content, "html.parser")
    [hidden] = page.select("input[name=next]")
    assert hidden["form"] == page.select_one("form[method=post]")["id"]  # type: ignore[index]  # it is there

    response = client.post(
        f"/backoffice/login/{asked}",
        {"username": staff.email, "password": "staff-12345", "next": hidden["value"]},
    )

    assert response["Location"] == (asked.removeprefix("?next=") or "/backoffice/")


def test_a_customers_password_does_not_open_the_back_office() -> None:
    User.objects.create_user("ayse@example.com", "secret-12345")
    client = Client()

    response = client.post("/backoffice/login/", {"username": "ayse@example.com", "password": "secret-12345"})

    assert response.status_code == 200
    assert "sessionid" not in client.cookies


def test_repeated_failures_lock_the_account_out_and_nobody_else() -> None:
    staff, colleague = make_decider(), make_decider()
    spellings = (staff.email, staff.email.upper())
    client = Client()

    statuses = [
        client.post(
            "/backoffice/login/", {"username": spellings[number % 2], "password": "wrong"}
        ).status_code
        for number in range(settings.AXES_FAILURE_LIMIT)
    ]
    assert statuses == [200] * (settings.AXES_FAILURE_LIMIT - 1) + [429]
    right = client.post("/backoffice/login/", {"username": staff.email, "password": "staff-12345"})
    assert right.status_code == 429
    other = client.post("/backoffice/login/", {"username": colleague.email, "password": "staff-12345"})
    assert other.status_code == 302


def test_staff_see_only_what_they_have_permission_for() -> None:
    order = make_order()
    browser = log_in(make_staff("view_cancellationrequest"))

    assert browser.get(QUEUE).status_code == 200
    assert browser.get(ORDERS).status_code == 403
    assert browser.get(f"{ORDERS}{order.pk}/change/").status_code == 403
    refusal = browser.get(ORDERS).content.decode()
    assert "You do not have access to this page" in refusal
    assert "open for too long" not in refusal
    menu = browser.get("/backoffice/").content.decode()
    assert QUEUE in menu
    assert ORDERS not in menu


def test_no_page_shows_a_password_hash() -> None:
    root = make_staff(is_superuser=True)
    browser = log_in(root)

    for path in (_USERS, f"{_USERS}{root.pk}/change/", f"{_USERS}{root.pk}/password/"):
        page = browser.get(path)
        assert page.status_code == 200
        algorithm, salt, _digest = root.password.split("$", 2)
        assert f"{algorithm}$" not in page.content.decode()
        assert salt not in page.content.decode()


def test_staff_cannot_make_themselves_superusers() -> None:
    staff = make_staff("view_user", "change_user", "add_user", "view_group", "change_group")
    browser = log_in(staff)
    everything = {"email": "root@example.com", "is_staff": "on", "is_superuser": "on", "is_active": "on"}

    assert browser.post(f"{_USERS}{staff.pk}/change/", everything).status_code == 403
    assert browser.post(f"{_USERS}add/", everything).status_code == 403

    customer = make_order().user
    assert customer is not None
    browser.post(f"{_USERS}{customer.pk}/change/", {**everything, "first_name": "Ada"})
    customer.refresh_from_db()
    assert (customer.first_name, customer.is_staff, customer.is_superuser) == ("Ada", False, False)
    assert customer.email != "root@example.com"
    group = Group.objects.create(name="Queue")
    assert browser.post(f"/backoffice/auth/group/{group.pk}/change/", {"name": "Root"}).status_code == 403


def test_only_a_superuser_sets_passwords() -> None:
    customer = make_order().user
    assert customer is not None
    path = f"{_USERS}{customer.pk}/password/"
    words = {"password1": "another-12345", "password2": "another-12345", "usable_password": "true"}

    assert log_in(make_staff("view_user", "change_user")).post(path, words).status_code == 403
    customer.refresh_from_db()
    assert not customer.has_usable_password()

    assert log_in(make_staff(is_superuser=True)).post(path, words).status_code == 302
    customer.refresh_from_db()
    assert customer.check_password("another-12345")


def test_a_superuser_adds_staff_with_an_e_mail_in_lower_case() -> None:
    browser = log_in(make_staff(is_superuser=True))

    response = browser.post(
        f"{_USERS}add/",
        {
            "email": "New.Colleague@Example.com",
            "usable_password": "true",
            "password1": "another-12345",
            "password2": "another-12345",
        },
    )

    assert response.status_code == 302
    assert User.objects.get(email="new.colleague@example.com").check_password("another-12345")


def test_nobody_deletes_a_user() -> None:
    customer = make_order().user
    assert customer is not None

    response = log_in(make_staff(is_superuser=True)).post(f"{_USERS}{customer.pk}/delete/", {"post": "yes"})

    assert response.status_code == 403
    assert User.objects.filter(pk=customer.pk).exists()


def test_the_policy_is_wider_in_the_back_office_only_and_names_no_host() -> None:
    inside = log_in(make_decider()).get("/backoffice/")["Content-Security-Policy"]
    outside = Client().get("/users/login/")["Content-Security-Policy"]

    assert "script-src 'self' 'unsafe-eval';" in f"{inside};"
    assert "style-src 'self' 'unsafe-inline';" in f"{inside};"
    assert "default-src 'none';" in f"{inside};"
    assert "unsafe" not in outside
    assert re.findall(r"https?:|\*|data:", inside) == ["data:"]
