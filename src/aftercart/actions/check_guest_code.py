"""Check a one-time code that a guest has typed."""

from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare

from aftercart.actions.send_guest_code import hash_code
from aftercart.lib.clock import get_now
from aftercart.orders.errors import CodeWrong
from aftercart.orders.guest_models import GuestCode
from aftercart.orders.guests import CODE_ATTEMPTS, Guest
from aftercart.orders.models import Order


def check_guest_code(asked: UUID, code: str) -> tuple[Guest, Order]:
    """Use a code up, and tell who has proved to be the guest of which order.

    Raises `CodeWrong`: wrong, too old, used, tried too often, or for an order that does not exist; nobody can
    tell which. A try is committed before the code is looked at, so that no two of many at once share it.
    """
    with transaction.atomic(durable=True):
        open_codes = GuestCode.objects.filter(uuid=asked, used_at=None, expires_at__gt=get_now())
        is_counted = open_codes.filter(attempts__lt=CODE_ATTEMPTS).update(attempts=F("attempts") + 1)
    row = GuestCode.objects.filter(uuid=asked).first()
    if row is None or not constant_time_compare(row.code_hash, hash_code(row, code)) or not is_counted:
        raise CodeWrong
    with transaction.atomic(durable=True):
        if not GuestCode.objects.filter(pk=row.pk, used_at=None).update(used_at=get_now()):
            raise CodeWrong
    order = Order.objects.filter(guest_codes=row, user=None).first()
    if order is None:
        raise CodeWrong  # it has become a customer's meanwhile
    return Guest(order.pk, order.link_version, has_code=True), order
