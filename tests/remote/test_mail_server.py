"""E-mails against a mail server that speaks SMTP, and breaks off where it hurts most."""

import socketserver
import threading
import uuid
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any, cast

import pytest
from django.db import transaction
from pytest_django import Settings

from aftercart.actions.mail.notify_customer import post
from aftercart.actions.mail.send_email import send_email
from aftercart.mail.models import Email
from tests.shop import make_order

pytestmark = pytest.mark.django_db


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mails; `breaks` names what it does to the next one instead of answering."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Dialogue)
        self.mails: list[bytes] = []
        self.breaks: list[str] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def list_message_ids(self) -> list[str]:
        return [str(message_from_bytes(mail)["Message-ID"]) for mail in self.mails]


class Dialogue(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self) -> None:
        server = cast("MailServer", self.server)
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(":")[0].upper()
            if verb.startswith("RCPT") and "no such user" in server.breaks:
                self.say("550 no such user")
            elif verb.startswith("RCPT") and "greylist" in server.breaks:
                server.breaks.remove("greylist")
                self.say("450 come back later")
            elif verb == "DATA":
                self.say("354 go on")
                server.mails.append(self.read_mail())
                if "hang up after data" in server.breaks:
                    server.breaks.remove("hang up after data")
                    return
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 fine")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def read_mail(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        return b"".join(lines)


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with MailServer() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", made.port
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def email() -> Email:
    with transaction.atomic():
        post(make_order(None), Email.Kind.REQUEST_APPROVED, uuid.uuid4(), {"items": []})
    return Email.objects.get()


def send(email: Email) -> Any:
    send_email(email.pk)
    email.refresh_from_db()
    return email.state


def test_an_email_arrives(server: MailServer, email: Email) -> None:
    assert send(email) == "sent"

    [mail] = server.mails
    parsed = message_from_bytes(mail)
    assert parsed["Message-ID"] == email.message_id
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in parsed.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


def test_an_answer_that_is_lost_leads_to_the_same_mail_again(server: MailServer, email: Email) -> None:
    server.breaks = ["hang up after data"]

    assert send(email) == "unknown"
    assert send(email) == "sent"

    assert server.list_message_ids() == [email.message_id] * 2


def test_a_later_is_later_and_a_no_is_no(server: MailServer, email: Email) -> None:
    server.breaks = ["greylist"]
    assert send(email) == "prepared"

    server.breaks = ["no such user"]
    assert send(email) == "failed"
    assert "no such user" in email.error
    assert server.mails == []


def test_a_server_that_is_away_has_taken_nothing(
    server: MailServer, email: Email, settings: Settings
) -> None:
    settings.EMAIL_PORT = 1
    assert send(email) == "prepared"
    assert server.mails == []
