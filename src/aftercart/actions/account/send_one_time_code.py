"""Send a one-time code: to the address of a guest's order, or of an account, within what each may get.

The code stands encrypted in the outbox until it has been sent, is sent at most once, and not after it has expired.
"""

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.crypto import salted_hmac

from aftercart.accounts.models import User
from aftercart.actions.mail.notify_customer import post, post_orderless
from aftercart.lib.clock import get_now
from aftercart.lib.emails import fold_email
from aftercart.lib.locks import lock_purpose
from aftercart.mail.models import Email
from aftercart.orders.errors import OrderNotFound
from aftercart.orders.guests import CODE_DIGITS, CODE_LIFE
from aftercart.orders.models import OneTimeCode, Order
from aftercart.orders.selectors import find_guest_order, lock_order

#: How many mails one order, and one e-mail address, may get in which time.
ORDER_BUDGET: Final = ((timedelta(minutes=15), 3), (timedelta(days=1), 10))
EMAIL_BUDGET: Final = ((timedelta(minutes=15), 5), (timedelta(days=1), 20))


def send_one_time_code(pk: int) -> None:
    """Decide on one request for a code: mail it, or let it be. Done once, however often it is called.

    The e-mail is written with the code, and the outbox sends it, at most once.
    """
    with transaction.atomic(durable=True):
        asked = OneTimeCode.objects.filter(pk=pk).first()
        if asked is None:
            return  # it has been forgotten: nobody waits for it any more
        order = _lock_order(asked)
        user = None if asked.number else User.objects.list_customers().filter(email=asked.email).first()
        if not OneTimeCode.objects.filter(pk=pk, settled_at=None).update(settled_at=get_now()):
            return
        email = fold_email(order.user_email if order else asked.email)
        if not (order or user) or asked.expires_at <= get_now() or not _is_within_budget(email, order):
            return
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        OneTimeCode.objects.filter(pk=pk).update(
            order=order, user=user, email=email, code_hash=hash_code(asked, code), mailed_at=get_now()
        )
        if order:
            mail_guest_code(order, code, asked.language)
        else:
            options = _describe_code(code, asked.language)
            post_orderless(Email.Kind.LOGIN_CODE, uuid.uuid4(), recipient=email, **options)


def mail_guest_code(order: Order, code: str, language: str) -> None:
    """Write a guest the code for an order, inside the caller's transaction: each is an e-mail of its own."""
    post(order, Email.Kind.GUEST_CODE, uuid.uuid4(), {}, **_describe_code(code, language))


def _describe_code(code: str, language: str) -> dict[str, Any]:
    return {"language": language[:2], "secret": code, "expires_at": get_now() + CODE_LIFE}


def hash_code(asked: OneTimeCode, code: str) -> str:
    """Hash a code, for this request alone, with a key that the database does not hold."""
    return salted_hmac("aftercart.guest_code", f"{asked.uuid}:{code}", algorithm="sha256").hexdigest()


def _lock_order(asked: OneTimeCode) -> Order | None:
    found = find_guest_order(number=asked.number, email=asked.email) if asked.number else None
    if found is None:
        return None
    try:
        return lock_order(pk=found.pk, user=None)
    except OrderNotFound:
        return None


def _is_within_budget(email: str, order: Order | None) -> bool:
    """Return whether one more mail may go; wants the order's lock, and takes turns with its address."""
    lock_purpose(f"aftercart.guest_code.{email}")
    now = get_now()
    return (order is None or _count_ok(now, ORDER_BUDGET, order=order)) and _count_ok(
        now, EMAIL_BUDGET, email=email
    )


def _count_ok(now: datetime, budget: tuple[tuple[timedelta, int], ...], **whose: object) -> bool:
    return all(
        OneTimeCode.objects.filter(mailed_at__gt=now - window, **whose).count() < most
        for window, most in budget
    )
