"""Write the e-mail with a one-time code, inside the caller's transaction; each code is an e-mail of its own.

The code stands encrypted in the outbox until it has been sent, is sent at most once, and not after it has expired.
"""

import uuid

from aftercart.actions.mail.notify_customer import post
from aftercart.actions.upkeep import jobs
from aftercart.lib.clock import get_now
from aftercart.mail.models import Email
from aftercart.mail.outbox import queue_orderless_email
from aftercart.orders.guests import CODE_LIFE
from aftercart.orders.models import Order


def mail_guest_code(order: Order, code: str, language: str = "") -> None:
    """Write a guest the code for an order. An empty language is the order's."""
    expires_at = get_now() + CODE_LIFE
    post(
        order,
        Email.Kind.GUEST_CODE,
        uuid.uuid4(),
        {},
        language=language[:2],
        secret=code,
        expires_at=expires_at,
    )


def mail_login_code(email: str, code: str, language: str) -> None:
    """Write a customer the code to log in with."""
    pk = queue_orderless_email(
        Email.Kind.LOGIN_CODE,
        uuid.uuid4(),
        recipient=email,
        language=language[:2],
        secret=code,
        expires_at=get_now() + CODE_LIFE,
    )
    jobs.enqueue(jobs.SEND_EMAIL, pk)
