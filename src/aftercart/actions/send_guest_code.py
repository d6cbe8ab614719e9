"""Send a one-time code to the e-mail address of a guest's order, within what one order and one address may get."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.crypto import salted_hmac

from aftercart.actions.mail_guest_code import mail_guest_code
from aftercart.lib.clock import get_now
from aftercart.lib.emails import fold_email
from aftercart.lib.locks import lock_purpose
from aftercart.orders.errors import OrderNotFound
from aftercart.orders.guest_models import GuestCode
from aftercart.orders.guests import CODE_DIGITS
from aftercart.orders.models import Order
from aftercart.orders.selectors import find_guest_order, lock_order

#: How many mails one order, and one e-mail address, may get in which time.
ORDER_BUDGET: Final = ((timedelta(minutes=15), 3), (timedelta(days=1), 10))
EMAIL_BUDGET: Final = ((timedelta(minutes=15), 5), (timedelta(days=1), 20))


def send_guest_code(pk: int) -> None:
    """Decide on one request for a code: mail it, or let it be. Done once, however often it is called.

    The e-mail is written with the code, and the outbox sends it, at most once.
    """
    with transaction.atomic(durable=True):
        asked = GuestCode.objects.filter(pk=pk).first()
        if asked is None:
            return  # it has been forgotten: nobody waits for it any more
        order = _lock_order(asked)
        if not GuestCode.objects.filter(pk=pk, settled_at=None).update(settled_at=get_now()):
            return
        if order is None or asked.expires_at <= get_now() or not _is_within_budget(order):
            return
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        GuestCode.objects.filter(pk=pk).update(
            order=order,
            email=fold_email(order.user_email),
            code_hash=hash_code(asked, code),
            mailed_at=get_now(),
        )
        mail_guest_code(order, code, asked.language)


def hash_code(asked: GuestCode, code: str) -> str:
    """Hash a code, for this request alone, with a key that the database does not hold."""
    return salted_hmac("aftercart.guest_code", f"{asked.uuid}:{code}", algorithm="sha256").hexdigest()


def _lock_order(asked: GuestCode) -> Order | None:
    found = find_guest_order(number=asked.number, email=asked.email)
    if found is None:
        return None
    try:
        return lock_order(pk=found.pk, user=None)
    except OrderNotFound:
        return None


def _is_within_budget(order: Order) -> bool:
    """Return whether one more mail may go; wants the order's lock, and takes turns with its address."""
    email = fold_email(order.user_email)
    lock_purpose(f"aftercart.guest_code.{email}")
    now = get_now()
    return _count_ok(now, ORDER_BUDGET, order=order) and _count_ok(now, EMAIL_BUDGET, email=email)


def _count_ok(now: datetime, budget: tuple[tuple[timedelta, int], ...], **whose: object) -> bool:
    return all(
        GuestCode.objects.filter(mailed_at__gt=now - window, **whose).count() < most
        for window, most in budget
    )
