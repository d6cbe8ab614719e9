"""Mails of a local run, the way out of reminders, and the outbox in the back office."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from aftercart.actions.mail.notify_customer import post
from aftercart.actions.mail.send_email import send_email
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.mail.compose import make_opt_out_url
from aftercart.mail.folder import list_mails
from aftercart.mail.models import Email, OptOut
from tests.http.backoffice_world import log_in, make_staff
from tests.shop import make_customer, make_order

pytestmark = pytest.mark.django_db
EMAILS = "/backoffice/mail/email/"
WITHDRAWALS = "/backoffice/cancellations/withdrawal/"


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.EMAIL_BACKEND = "aftercart.mail.folder.FolderBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    return tmp_path / "mail"


def write(**facts: Any) -> Email:
    with transaction.atomic():
        post(make_order(None), Email.Kind.REQUEST_REJECTED, uuid.uuid4(), facts)
    return Email.objects.order_by("-pk")[0]


def test_a_local_run_keeps_its_mails_and_shows_them(folder: Path) -> None:
    assert Client().get("/mail/kept/").status_code == 200
    send_email(write(reason="Çok geç.").pk)
    [mail] = list_mails(folder)
    browser = Client()

    listed = browser.get("/mail/kept/").content.decode()
    assert f'href="/mail/kept/{mail.name}/"' in listed
    shown = browser.get(f"/mail/kept/{mail.name}/")
    assert "Çok geç." in shown.content.decode()
    assert "frame-src 'self'" in shown["Content-Security-Policy"]
    body = browser.get(f"/mail/kept/{mail.name}/body/")
    assert "sandbox" in body["Content-Security-Policy"]
    assert body["X-Frame-Options"] == "SAMEORIGIN"
    assert "/mail/kept/" in browser.get("/").content.decode()


@pytest.mark.parametrize("switch", ["IS_LOCAL", "ARE_EMAILS_KEPT_HERE"])
def test_elsewhere_there_are_no_such_pages(folder: Path, settings: Settings, switch: str) -> None:
    send_email(write().pk)
    [mail] = list_mails(folder)
    setattr(settings, switch, False)

    for path in ("/mail/kept/", f"/mail/kept/{mail.name}/", f"/mail/kept/{mail.name}/body/"):
        assert Client().get(path).status_code == 404
    assert "/mail/kept/" not in Client().get("/").content.decode()


def test_a_mail_that_is_not_there_is_404(folder: Path) -> None:
    assert not folder.exists()
    for name in ("0" * 32, "..", "secret_key"):
        assert Client().get(f"/mail/kept/{name}/").status_code == 404


def test_reminders_are_stopped_by_a_person_or_by_a_mail_program(settings: Settings) -> None:
    settings.PUBLIC_URL = ""
    path = make_opt_out_url("ayse@example.com")
    browser = Client(enforce_csrf_checks=True)

    assert browser.get(path).status_code == 200
    assert OptOut.objects.count() == 0  # looking, as a virus scanner does, stops nothing
    answer = browser.post(path, "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded")

    assert answer.status_code == 200
    assert OptOut.objects.get().email == "ayse@example.com"
    forged = path.replace("ayse", "mehmet")
    assert browser.post(forged).status_code == 404
    assert OptOut.objects.count() == 1


# --- the back office ---------------------------------------------------------------------------------------


def test_staff_see_every_email_as_it_will_look() -> None:
    browser = log_in(make_staff("view_email"))

    page = browser.get(f"{EMAILS}previews/").content.decode()
    for kind in Email.Kind.values:
        for language in ("en", "tr"):
            for form in ("html", "text"):
                path = f"{EMAILS}previews/{kind}/{language}/{form}/"
                assert path in page
                answer = browser.get(path)
                assert answer.status_code == 200
            assert "sandbox" in browser.get(f"{EMAILS}previews/{kind}/{language}/html/").headers.get(
                "Content-Security-Policy", ""
            )
    assert browser.get(f"{EMAILS}previews/nothing/en/html/").status_code == 404
    assert browser.get(f"{EMAILS}previews/order_link/de/html/").status_code == 404


def test_previews_and_emails_are_for_those_who_may() -> None:
    email = write()
    browser = log_in(make_staff("view_order"))

    for path in (f"{EMAILS}previews/", f"{EMAILS}previews/order_link/en/html/", EMAILS):
        assert browser.get(path).status_code == 403
    assert browser.post(f"{EMAILS}{email.pk}/resend/").status_code == 403
    assert log_in(make_customer()).get(f"{EMAILS}previews/").status_code == 302


def test_an_email_that_was_given_up_is_sent_again_by_staff() -> None:
    email = write()
    Email.objects.update(state="failed", manual_since=timezone.now(), attempts=30, error="550 no such user")
    browser = log_in(make_staff("view_email", "change_email"))

    assert "550 no such user" in browser.get(f"{EMAILS}{email.pk}/change/").content.decode()
    assert f"#{email.pk}" in browser.get(f"{EMAILS}?state=manual").content.decode()
    assert browser.get(f"{EMAILS}{email.pk}/resend/").status_code == 405
    browser.post(f"{EMAILS}{email.pk}/resend/")

    email.refresh_from_db()
    assert (email.state, email.attempts, email.manual_since) == ("prepared", 0, None)
    browser.post(f"{EMAILS}{email.pk}/resend/")
    assert Email.objects.get().state == "prepared"
    assert browser.post(f"{EMAILS}999999/resend/").status_code == 404


def make_withdrawal() -> Withdrawal:
    order = make_order(make_customer())
    return Withdrawal.objects.create(
        order=order,
        user=order.user,
        name="Ayşe Yılmaz",
        email=order.user_email,
        language="en",
        statement="I hereby withdraw.",
        is_in_time=True,
    )


def test_staff_decide_on_a_withdrawal() -> None:
    accepted, refused = make_withdrawal(), make_withdrawal()
    browser = log_in(make_staff("view_withdrawal", "change_withdrawal"))

    assert "I hereby withdraw." in browser.get(f"{WITHDRAWALS}{accepted.pk}/change/").content.decode()
    browser.post(f"{WITHDRAWALS}{accepted.pk}/accept/")
    assert browser.get(f"{WITHDRAWALS}{refused.pk}/refuse/").status_code == 200
    browser.post(f"{WITHDRAWALS}{refused.pk}/refuse/", {"reason": ""})
    refused.refresh_from_db()
    assert refused.state == "received"
    browser.post(f"{WITHDRAWALS}{refused.pk}/refuse/", {"reason": "Opened."})

    accepted.refresh_from_db()
    refused.refresh_from_db()
    assert (accepted.state, refused.state, refused.reason) == ("accepted", "refused", "Opened.")
    browser.post(f"{WITHDRAWALS}{refused.pk}/accept/")
    refused.refresh_from_db()
    assert refused.state == "refused"
    assert f"#{accepted.pk}" not in browser.get(WITHDRAWALS).content.decode()


def test_who_may_only_look_decides_nothing() -> None:
    withdrawal = make_withdrawal()
    browser = log_in(make_staff("view_withdrawal"))

    assert browser.get(WITHDRAWALS).status_code == 200
    assert browser.post(f"{WITHDRAWALS}{withdrawal.pk}/accept/").status_code == 403
    assert browser.post(f"{WITHDRAWALS}{withdrawal.pk}/refuse/", {"reason": "x"}).status_code == 403
    withdrawal.refresh_from_db()
    assert withdrawal.state == "received"
