"""Ask for a one-time code: as a guest, by an order's number and its e-mail address, or to log in, by that alone."""

import secrets
from uuid import UUID

from django.db import transaction

from aftercart.actions.account.limit_guests import LookUp, limit_guests
from aftercart.actions.account.mail_account_link import limit_account_mail
from aftercart.actions.upkeep import jobs
from aftercart.lib.clock import get_now
from aftercart.lib.emails import fold_email
from aftercart.orders.guests import CODE_LIFE
from aftercart.orders.models import OneTimeCode


def ask_one_time_code(*, email: str, language: str, client: str, number: str = "") -> UUID:
    """Record the request and leave the rest to the worker; the id with which the code can be typed.

    The same statements run whether there is such an order, or such an account (without `number`), or not: nothing that
    the caller can see or measure depends on it. Raises `TooManyTries`.
    """
    if number:
        limit_guests(LookUp(number, email, client))
    else:
        limit_account_mail(email, client)
    now = get_now()
    with transaction.atomic(durable=True):
        asked = OneTimeCode.objects.create(
            number=number,
            email=fold_email(email),
            language=language,
            # Nobody knows a code for this; the worker puts one in if there is whom to send it to.
            code_hash=secrets.token_hex(32),
            created_at=now,
            expires_at=now + CODE_LIFE,
        )
        jobs.enqueue(jobs.SEND_CODE, asked.pk)
    return asked.uuid
