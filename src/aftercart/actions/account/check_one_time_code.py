"""Check a one-time code that somebody has typed: a guest, or a customer who logs in."""

from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare

from aftercart.accounts.models import User
from aftercart.actions.account.send_one_time_code import hash_code
from aftercart.lib.clock import get_now
from aftercart.orders.errors import CodeWrong
from aftercart.orders.guests import CODE_ATTEMPTS, Guest
from aftercart.orders.models import OneTimeCode, Order


def check_guest_code(asked: UUID, code: str) -> tuple[Guest, Order]:
    """Use a code up, and return who has proved to be the guest of which order. Raises `CodeWrong`."""
    row = _use_code(asked, code)
    order = Order.objects.filter(guest_codes=row, user=None).first()
    if order is None:
        raise CodeWrong  # it has become a customer's meanwhile, or the code was to log in with
    return Guest(order.pk, order.link_version, has_code=True), order


def check_login_code(asked: UUID, code: str) -> User:
    """Use a code up, and return whose account it opens. Raises `CodeWrong`."""
    row = _use_code(asked, code)
    user = User.objects.list_customers().filter(login_codes=row, email=row.email).first()
    if user is None:
        raise CodeWrong  # it was barred or has moved meanwhile, or the code was a guest's
    return user


def _use_code(asked: UUID, code: str) -> OneTimeCode:
    """Use a code up.

    Raises `CodeWrong`: wrong, too old, used, tried too often, or for what does not exist; nobody can tell which. A try
    is committed before the code is looked at, so that no two of many at once share it.
    """
    with transaction.atomic(durable=True):
        open_codes = OneTimeCode.objects.filter(uuid=asked, used_at=None, expires_at__gt=get_now())
        is_counted = open_codes.filter(attempts__lt=CODE_ATTEMPTS).update(attempts=F("attempts") + 1)
    row = OneTimeCode.objects.filter(uuid=asked).first()
    if row is None or not constant_time_compare(row.code_hash, hash_code(row, code)) or not is_counted:
        raise CodeWrong
    with transaction.atomic(durable=True):
        if not OneTimeCode.objects.filter(pk=row.pk, used_at=None).update(used_at=get_now()):
            raise CodeWrong
    return row
