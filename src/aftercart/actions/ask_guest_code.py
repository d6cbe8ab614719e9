"""Ask for a one-time code by an order's number and its e-mail address."""

import secrets
from uuid import UUID

from django.db import transaction

from aftercart.actions import jobs
from aftercart.actions.limit_guests import LookUp, limit_guests
from aftercart.lib.clock import get_now
from aftercart.lib.emails import fold_email
from aftercart.orders.guest_models import GuestCode
from aftercart.orders.guests import CODE_LIFE


def ask_guest_code(*, number: str, email: str, language: str, client: str) -> UUID:
    """Record the request and leave the rest to the worker; the id with which the code can be typed.

    The same statements run whether there is such an order or not: nothing that the caller can see or measure
    depends on it. Raises `TooManyTries`.
    """
    limit_guests(LookUp(number, email, client))
    now = get_now()
    with transaction.atomic(durable=True):
        asked = GuestCode.objects.create(
            number=number,
            email=fold_email(email),
            language=language,
            # Nobody knows a code for this; the worker puts one in if there is an order.
            code_hash=secrets.token_hex(32),
            created_at=now,
            expires_at=now + CODE_LIFE,
        )
        jobs.enqueue(jobs.SEND_GUEST_CODE, asked.pk)
    return asked.uuid
