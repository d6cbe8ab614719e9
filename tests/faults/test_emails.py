"""Kill the process at every point of sending an e-mail: none is lost, and nobody reads one twice.

The e-mails go into a folder, which, like a mailbox, keeps one of several with the same Message-ID. A log beside
it counts how often each was handed over.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from aftercart.actions.account.send_one_time_code import mail_guest_code
from aftercart.actions.mail.notify_customer import post
from aftercart.actions.mail.send_email import recover_emails, send_email
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.mail.folder import FolderBackend, list_mails
from aftercart.mail.models import Email
from tests.faults.points import survive
from tests.shop import make_order

pytestmark = pytest.mark.django_db(transaction=True)

_MOST_POINTS = 100


class Mailbox:
    """The folder, and how often anything was handed over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "handed-over.log"

    def empty(self) -> None:
        for path in self.folder.glob("*"):
            path.unlink()

    def count_handed_over(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0

    def keeping(self, backend: FolderBackend, mails: list[EmailMessage]) -> int:
        count = FolderBackend.send_messages(backend, mails)
        with self.log.open("a") as log:
            log.write("once\n")
        return count


@pytest.fixture
def mailbox(settings: Settings, tmp_path: Path) -> Mailbox:
    settings.EMAIL_BACKEND = "aftercart.mail.folder.FolderBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    return Mailbox(tmp_path)


def send_watched(email_pk: int, mailbox: Mailbox, pass_one: Callable[[], None]) -> None:
    """Send an e-mail with points of its own before and after the handing over, and what the mailbox counts amid."""

    def hand_over(backend: FolderBackend, mails: list[EmailMessage]) -> int:
        pass_one()
        count = mailbox.keeping(backend, mails)
        pass_one()
        return count

    with mock.patch("aftercart.mail.delivery.get_connection", return_value=Backend(hand_over)):
        send_email(email_pk)


class Backend(FolderBackend):
    """The folder, watched."""

    def __init__(self, hand_over: Callable[[FolderBackend, list[EmailMessage]], int]) -> None:
        super().__init__()
        self._hand_over = hand_over

    def send_messages(self, email_messages: list[EmailMessage]) -> int:  # type: ignore[override]  # narrower than its base, which returns None too
        return self._hand_over(self, email_messages)


def recover(mailbox: Mailbox) -> None:
    """Do what the worker does; time passes quickly."""
    for _round in range(5):
        Email.objects.update(sending_at=F("sending_at") - timedelta(hours=1))
        recover_emails()
        recover_jobs()
        todo = list(ProcrastinateJob.objects.filter(status="todo", task_name=jobs.SEND_EMAIL))
        if not todo:
            return
        ProcrastinateJob.objects.all()._raw_delete("default")
        with mock.patch("aftercart.mail.delivery.get_connection", return_value=Backend(mailbox.keeping)):
            for job in todo:
                send_email(job.args["pk"])
    pytest.fail("it does not come to an end")


def kill_at_every_point(mailbox: Mailbox, write: Callable[[], None], check: Callable[[], None]) -> int:
    for deadly in range(1, _MOST_POINTS):
        Email.objects.all().delete()
        ProcrastinateJob.objects.all()._raw_delete("default")
        mailbox.empty()
        with transaction.atomic():
            write()
        points = survive(deadly, send_watched, Email.objects.get().pk, mailbox, has_own_points=True)
        recover(mailbox)
        check()
        if points is not None:
            return points
    pytest.fail("sending has no end")


def write_receipt() -> None:
    post(make_order(None), Email.Kind.WITHDRAWAL_RECEIPT, uuid.uuid4(), {"name": "Ayşe"})


def write_code() -> None:
    mail_guest_code(make_order(None), "481516", "en")


@pytest.mark.timeout(900)
def test_wherever_a_process_dies_an_email_arrives_once(mailbox: Mailbox) -> None:
    handed_over = []

    def check() -> None:
        assert Email.objects.get().state == "sent"
        assert len(list_mails(mailbox.folder)) == 1
        handed_over.append(mailbox.count_handed_over())

    points = kill_at_every_point(mailbox, write_receipt, check)

    assert points >= 5
    # What a mail server without memory makes unavoidable: after it took an e-mail, nobody lived to say so.
    assert set(handed_over) == {1, 2}


@pytest.mark.timeout(900)
def test_wherever_a_process_dies_a_code_is_handed_over_at_most_once_and_never_kept(mailbox: Mailbox) -> None:
    states = set()

    def check() -> None:
        email = Email.objects.get()
        states.add(email.state)
        assert email.secret == ""
        assert mailbox.count_handed_over() <= 1
        if email.state == "sent":
            assert mailbox.count_handed_over() == 1

    kill_at_every_point(mailbox, write_code, check)

    assert states == {"sent", "unknown"}
