"""The worker's part in e-mails, done at once."""

import re
from typing import Any

from django.core import mail
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.account.send_one_time_code import send_one_time_code
from aftercart.actions.mail.send_email import send_email
from aftercart.mail.outbox import list_waiting
from aftercart.orders.models import Order


def send_emails() -> None:
    """Send every e-mail that waits."""
    for pk in list_waiting().order_by("pk").values_list("pk", flat=True):
        send_email(pk)


def send_code(pk: int) -> str:
    """Decide on one request for a code, and send it; the code, or "" if none was sent."""
    before = len(mail.outbox)
    send_one_time_code(pk)
    send_emails()
    # Other e-mails of the order may have waited with it.
    bodies = [str(sent.body) for sent in mail.outbox[before:]]
    codes = [code for body in bodies for code in re.findall(r"^\s*(\d{6})\s*$", body, flags=re.MULTILINE)]
    return codes[-1] if codes else ""


def read_code() -> str:
    """Do the worker's jobs, and read the code of the last mail; "" without one."""
    jobs = ProcrastinateJob.objects.filter(task_name="aftercart.send_guest_code").order_by("pk")
    return [send_code(job.args["pk"]) for job in jobs][-1]


def prove(client: Client, order: Order) -> Any:
    """Prove a guest's order to be one's own: ask for a code, and type it."""
    asked = client.post("/orders/guest/", {"number": order.number, "email": order.user_email})
    assert asked.status_code == 303
    proved = client.post("/orders/guest/code/", {"code": read_code()})
    assert proved.status_code == 303
    return proved
