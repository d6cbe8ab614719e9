"""Django's e-mail backend of a local run: a file for each mail, named by its Message-ID.

Like a mailbox, it keeps one mail of several with the same Message-ID.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedMail
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

_MOST = 200


class FolderBackend(BaseEmailBackend):
    """Writes mails into `EMAIL_FILE_PATH`, whole or not at all."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write each."""
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True)
        for mail in email_messages:
            content = mail.message()
            name = hashlib.sha256(str(content["Message-ID"]).encode()).hexdigest()[:32]
            partial = folder / f"{name}.partial"
            partial.write_bytes(content.as_bytes())
            partial.replace(folder / f"{name}.eml")
        return len(email_messages)


@dataclass(frozen=True, slots=True)
class KeptMail:
    """A mail in the folder."""

    name: str
    at: datetime
    subject: str
    to: str
    text: str
    html: str


def list_mails(folder: Path) -> list[KeptMail]:
    """List the newest mails of a folder, the last one first."""
    if not folder.is_dir():
        return []
    paths = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [_read(path) for path in paths[:_MOST]]


def find_mail(folder: Path, name: str) -> KeptMail | None:
    """Find a mail by its name (hexadecimal digits)."""
    path = folder / f"{name}.eml"
    return _read(path) if path.is_file() else None


def _read(path: Path) -> KeptMail:
    parsed: Any = message_from_bytes(path.read_bytes(), policy=policy.default)
    return KeptMail(
        name=path.stem,
        at=datetime.fromtimestamp(path.stat().st_mtime, tz=timezone.get_default_timezone()),
        subject=str(parsed["Subject"]),
        to=str(parsed["To"]),
        text=_read_body(parsed, "plain"),
        html=_read_body(parsed, "html"),
    )


def _read_body(parsed: ParsedMail, kind: str) -> str:
    part = parsed.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
