"""Send a guest the one-time code for an order."""

import uuid
from datetime import timedelta

from aftercart.actions.notify_customer import post
from aftercart.lib.clock import get_now
from aftercart.mail.models import Email
from aftercart.orders.models import Order

#: A code that arrives later than this is of no use.
CODE_LIFE = timedelta(minutes=10)


def mail_guest_code(order: Order, code: str, language: str = "") -> None:
    """Write the e-mail with a code, inside the caller's transaction; each code is an e-mail of its own.

    The code stands encrypted in the outbox until it has been sent, is sent at most once, and not after it
    has expired. An empty language is the order's.
    """
    post(
        order,
        Email.Kind.GUEST_CODE,
        uuid.uuid4(),
        {},
        language=language[:2],
        secret=code,
        expires_at=get_now() + CODE_LIFE,
    )
