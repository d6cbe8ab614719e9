"""The outbox: one e-mail an event, sent once, tried again, given up, never kept longer than need be."""

import smtplib
import uuid
from datetime import timedelta
from unittest import mock

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from aftercart.actions.account.mail_order_link import mail_order_link
from aftercart.actions.account.opt_out import opt_out
from aftercart.actions.account.send_one_time_code import mail_guest_code
from aftercart.actions.mail.notify_customer import post
from aftercart.actions.mail.resend_email import EmailNotStuck, resend_email
from aftercart.actions.mail.send_email import MOST_TRIES, forget_emails, recover_emails, send_email
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.mail.models import Email
from aftercart.mail.outbox import measure_outbox, queue_email
from aftercart.orders.models import Order
from tests.shop import Shop, make_customer, make_order

pytestmark = pytest.mark.django_db
Mailbox = list[EmailMultiAlternatives]


def get_email(kind: str) -> Email:
    return Email.objects.get(kind=kind)


def list_kinds() -> list[str]:
    return [email.kind for email in Email.objects.order_by("pk")]


def write(order: Order | None = None) -> Email:
    with transaction.atomic():
        post(order or make_order(None), Email.Kind.ORDER_LINK, uuid.uuid4(), {})
    return Email.objects.order_by("-pk")[0]


def count_jobs() -> int:
    return ProcrastinateJob.objects.filter(task_name=jobs.SEND_EMAIL, status="todo").count()


def failing(error: Exception) -> "mock._patch[mock.MagicMock]":
    return mock.patch.object(EmailMultiAlternatives, "send", side_effect=error)


def unreachable() -> "mock._patch[mock.MagicMock]":
    error = ConnectionRefusedError("nobody there")
    return mock.patch("django.core.mail.backends.locmem.EmailBackend.open", side_effect=error)


def test_an_email_is_written_with_its_event_or_not_at_all() -> None:
    order = make_order(None)

    with transaction.atomic():
        post(order, Email.Kind.ORDER_LINK, uuid.uuid4(), {})
        transaction.set_rollback(True)

    assert Email.objects.count() == 0
    assert count_jobs() == 0


@pytest.mark.django_db(transaction=True)
def test_an_email_outside_of_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError):
        queue_email(make_order(None), Email.Kind.ORDER_LINK, uuid.uuid4(), {})


def test_an_event_that_is_reported_twice_has_one_email_and_one_job() -> None:
    order, subject = make_order(None), uuid.uuid4()

    for _time in range(2):
        with transaction.atomic():
            post(order, Email.Kind.CANCELLATION_SENT, subject, {})

    assert Email.objects.count() == 1
    assert count_jobs() == 1


def test_an_email_is_in_the_language_that_its_customer_has_chosen() -> None:
    user = make_customer()
    user.language = "en"
    user.save()
    assert write(make_order(user, details={"language_code": "tr-tr"})).language == "en"


def test_an_email_is_sent_once_in_the_orders_language(mailoutbox: Mailbox) -> None:
    order = make_order(None, details={"language_code": "tr-tr"})
    email = write(order)

    send_email(email.pk)
    send_email(email.pk)

    email.refresh_from_db()
    assert (email.state, email.attempts, email.language) == ("sent", 1, "tr")
    [mail] = mailoutbox
    assert mail.to == ["guest@example.com"]
    assert mail.extra_headers["Message-ID"] == email.message_id
    assert "List-Unsubscribe" not in mail.extra_headers
    assert mail.alternatives[0].mimetype == "text/html"  # type: ignore[attr-defined]  # Django makes it so since 5.2
    assert f"/orders/guest/{order.number}:" in mail.body


def test_a_customers_link_wants_log_in(mailoutbox: Mailbox, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://shop.example.com"
    shop = Shop()

    send_email(write(shop.order).pk)

    assert f"https://shop.example.com/users/orders/{shop.order.pk}/\n" in mailoutbox[0].body


def test_a_mail_server_that_is_away_is_tried_again_later() -> None:
    email = write()
    ProcrastinateJob.objects.all()._raw_delete("default")

    with unreachable():
        send_email(email.pk)

    email.refresh_from_db()
    assert (email.state, email.attempts) == ("prepared", 1)
    assert email.error == "ConnectionRefusedError: nobody there"
    assert count_jobs() == 1
    send_email(email.pk)
    email.refresh_from_db()
    assert (email.state, email.attempts, email.error) == ("sent", 2, "")


@pytest.mark.parametrize(
    ("error", "state", "is_manual"),
    [
        (smtplib.SMTPDataError(451, b"later"), "prepared", False),
        (smtplib.SMTPDataError(554, b"spam"), "failed", True),
        (smtplib.SMTPSenderRefused(421, b"busy", "x"), "prepared", False),
        (smtplib.SMTPRecipientsRefused({"guest@example.com": (450, b"greylisted")}), "prepared", False),
        (smtplib.SMTPRecipientsRefused({"guest@example.com": (550, b"no such user")}), "failed", True),
        (smtplib.SMTPServerDisconnected("gone"), "unknown", False),
        (TimeoutError("slow"), "unknown", False),
        (KeyError("a fault of ours"), "failed", True),
    ],
)
def test_what_the_mail_server_says_decides(error: Exception, state: str, is_manual: bool) -> None:
    email = write()

    with failing(error):
        send_email(email.pk)

    email.refresh_from_db()
    assert (email.state, email.manual_since is not None) == (state, is_manual)
    assert measure_outbox().manual == is_manual


def test_what_has_failed_for_a_day_is_laid_before_people_and_can_be_sent_again(mailoutbox: Mailbox) -> None:
    email = write()
    Email.objects.update(attempts=MOST_TRIES - 1)

    with unreachable():
        send_email(email.pk)
    email.refresh_from_db()
    assert (email.state, email.manual_since is not None) == ("failed", True)
    send_email(email.pk)
    assert mailoutbox == []

    resend_email(email.pk)
    send_email(email.pk)
    email.refresh_from_db()
    assert (email.state, email.attempts, email.manual_since) == ("sent", 1, None)
    assert len(mailoutbox) == 1
    with pytest.raises(EmailNotStuck):
        resend_email(email.pk)


def test_an_email_left_by_a_dead_process_is_sent_again_under_its_message_id(mailoutbox: Mailbox) -> None:
    email = write()
    Email.objects.update(state="sending", attempts=1, sending_at=timezone.now() - timedelta(minutes=4))
    assert recover_emails() == 0

    Email.objects.update(sending_at=F("sending_at") - timedelta(minutes=2))
    ProcrastinateJob.objects.all()._raw_delete("default")
    assert recover_emails() == 1
    assert count_jobs() == 1
    send_email(email.pk)

    email.refresh_from_db()
    assert email.state == "sent"
    assert mailoutbox[0].extra_headers["Message-ID"] == email.message_id


def test_whoever_was_taken_for_dead_and_lives_neither_undoes_nor_repeats() -> None:
    email = write()

    def be_slow(*_args: object) -> int:
        Email.objects.update(sending_at=timezone.now() - timedelta(hours=1))
        recover_emails()
        raise smtplib.SMTPDataError(554, b"no")

    with mock.patch.object(EmailMultiAlternatives, "send", be_slow):
        send_email(email.pk)

    email.refresh_from_db()
    assert (email.state, email.manual_since) == ("unknown", None)


def write_code(order: Order) -> Email:
    with transaction.atomic():
        mail_guest_code(order, "481516", "tr")
    return get_email("guest_code")


def test_a_code_is_encrypted_until_it_is_sent_and_then_forgotten(mailoutbox: Mailbox) -> None:
    email = write_code(make_order(None))
    raw = Email.objects.extra(select={"raw": "secret"}).values_list("raw", flat=True)[0]
    assert email.secret == "481516"
    assert "481516" not in raw
    assert "481516" not in str(email.facts)

    send_email(email.pk)

    email.refresh_from_db()
    assert (email.state, email.secret, email.language) == ("sent", "", "tr")
    assert "481516" in mailoutbox[0].body


def test_a_code_that_may_have_arrived_is_not_sent_again() -> None:
    email = write_code(make_order(None))

    with failing(smtplib.SMTPServerDisconnected("gone")):
        send_email(email.pk)

    email.refresh_from_db()
    assert (email.state, email.secret, email.manual_since) == ("unknown", "", None)
    ProcrastinateJob.objects.all()._raw_delete("default")
    assert recover_jobs() == 0


def test_a_code_that_certainly_did_not_leave_is_tried_again_while_it_is_good(mailoutbox: Mailbox) -> None:
    email = write_code(make_order(None))
    with unreachable():
        send_email(email.pk)
    email.refresh_from_db()
    assert (email.state, email.secret) == ("prepared", "481516")

    Email.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    send_email(email.pk)

    email.refresh_from_db()
    assert (email.state, email.secret) == ("failed", "")
    assert mailoutbox == []


def test_reminders_can_be_stopped_and_links_come_all_the_same(mailoutbox: Mailbox) -> None:
    order = make_order(None)
    mail_order_link(order.number, is_reminder=True)
    send_email(get_email("order_link_reminder").pk)
    headers = mailoutbox[0].extra_headers
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/mail/opt-out/guest@example.com:" in headers["List-Unsubscribe"]

    opt_out("Guest@example.com")
    opt_out("guest@example.com")
    mail_order_link(order.number, is_reminder=True)
    mail_order_link(order.number)

    assert list_kinds() == ["order_link_reminder", "order_link"]


def test_emails_are_deleted_after_their_time_but_not_what_people_should_look_at() -> None:
    sent, stuck, waiting = write(), write(), write()
    Email.objects.update(created_at=timezone.now() - timedelta(days=181))
    Email.objects.filter(pk=sent.pk).update(state="sent")
    Email.objects.filter(pk=stuck.pk).update(state="failed", manual_since=timezone.now())

    assert forget_emails(timedelta(days=180)) == 1
    assert set(Email.objects.values_list("pk", flat=True)) == {stuck.pk, waiting.pk}
