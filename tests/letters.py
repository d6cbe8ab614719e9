"""The worker's part in letters, done at once."""

import re

from django.core import mail

from aftercart.actions.send_guest_code import send_guest_code
from aftercart.actions.send_letter import send_letter
from aftercart.mail.outbox import list_waiting


def send_letters() -> None:
    """Send every letter that waits."""
    for pk in list_waiting().order_by("pk").values_list("pk", flat=True):
        send_letter(pk)


def send_code(pk: int) -> str:
    """Decide on one wish for a code, and send it; the code, or "" if none was sent."""
    before = len(mail.outbox)
    send_guest_code(pk)
    send_letters()
    if len(mail.outbox) == before:
        return ""
    found = re.search(r"^\s*(\d{6})\s*$", str(mail.outbox[-1].body), flags=re.MULTILINE)
    assert found is not None
    return found[1]
