"""Find out from the shop whose a session is, and find or make the customer here."""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedLongEnough
from datetime import timedelta
from time import monotonic
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction

from aftercart.accounts.models import User
from aftercart.accounts.shop_sessions import name_remembered
from aftercart.actions.account.limit_tries import limit_client
from aftercart.actions.recognize_replay import once_more_if_raced
from aftercart.commerce.client import CommerceUnavailable, ShopUser
from aftercart.commerce.connect import get_commerce
from aftercart.lib.emails import fold_email
from aftercart.oms.errors import Code

_WINDOW: Final = timedelta(minutes=1)
#: For so long nobody's session stays nobody's: a log-in in the shop gives the cookie another value.
_NOBODY_SECONDS: Final = 20.0
_MOST_NOBODIES: Final = 20_000
#: A domain that no mail can reach (RFC 2606).
_NOWHERE: Final = "invalid"


def enter_from_shop(cookie: str, client: str) -> User | None:
    """Return the customer whose session the shop says it is; None if it is nobody's.

    One question a cookie, however many ask at once. Raises `CommerceUnavailable`, and `TooManyTries` for a network
    address that brings many cookies that nobody knows.
    """
    name = name_remembered(cookie)
    if nobodies.holds(name):
        return None
    return _flights.share(name, lambda: _ask(cookie, name, client))


def _ask(cookie: str, name: str, client: str) -> User | None:
    limit_client("shop.session", client, _WINDOW, settings.COMMERCE_UNKNOWN_PER_MINUTE)
    shop_user = get_commerce().read_user(cookie)
    if shop_user is None:
        nobodies.add(name)
        return None
    return keep_customer(shop_user)


def keep_customer(shop: ShopUser) -> User:
    """Find the customer of an id of the shop's, or the one of its e-mail address who has none yet, or make one.

    Two are never made one: an address that has another customer's id here has moved in the shop since, and that
    customer is given a placeholder until the shop says otherwise. An address that is not verified finds nobody.
    """
    email = fold_email(shop.email) if shop.is_email_verified else f"shop-{shop.pk}@{_NOWHERE}"
    fields = {"email": email, "first_name": shop.first_name, "last_name": shop.last_name}
    known = User.objects.filter(commerce_pk=shop.pk).first()
    if known is not None and all(getattr(known, name) == value for name, value in fields.items()):
        return known
    return _keep(shop, fields)


@once_more_if_raced
def _keep(shop: ShopUser, fields: dict[str, str]) -> User:
    with transaction.atomic():
        mine = User.objects.filter(commerce_pk=shop.pk).first()
        holder = User.objects.filter(email=fields["email"]).first()
        if mine is None and holder is not None and _claim(holder, shop):
            mine = holder
        if holder is not None and holder != mine:
            if holder.is_staff or holder.commerce_pk is None:
                # Nobody of the shop's takes the address of an account that is not the shop's.
                fields = fields | {"email": f"shop-{shop.pk}@{_NOWHERE}"}
            else:
                User.objects.filter(pk=holder.pk).update(email=f"moved-{uuid.uuid4()}@{_NOWHERE}")
        if mine is None:
            mine = User(commerce_pk=shop.pk, **fields)
            mine.set_unusable_password()
            mine.save()
            return mine
        for name, value in fields.items():
            setattr(mine, name, value)
        mine.save(update_fields=list(fields))
        return mine


def _claim(holder: User, shop: ShopUser) -> bool:
    """Let an account that nobody of the shop has be a customer's. Raises `IntegrityError` if another is faster."""
    if holder.is_staff or holder.commerce_pk is not None:
        return False
    free = User.objects.filter(pk=holder.pk, commerce_pk=None, is_staff=False)
    if not free.update(commerce_pk=shop.pk):
        raise IntegrityError("another customer of the shop has this account by now")
    holder.commerce_pk = shop.pk
    return True


class _Nobodies:
    """The cookies that the shop has lately said to be nobody's, in this process; the oldest make room."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: OrderedDict[str, float] = OrderedDict()

    def add(self, name: str) -> None:
        with self._lock:
            self._until[name] = monotonic() + _NOBODY_SECONDS
            while len(self._until) > _MOST_NOBODIES:
                self._until.popitem(last=False)

    def holds(self, name: str) -> bool:
        with self._lock:
            return self._until.get(name, 0.0) > monotonic()

    def clear(self) -> None:
        with self._lock:
            self._until.clear()


class _Flights:
    """Questions under way in this process: who asks the same meanwhile gets the same answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[User | None]] = {}

    def share(self, name: str, ask: Callable[[], User | None]) -> User | None:
        with self._lock:
            flight = self._under_way.get(name)
            is_first = flight is None
            if flight is None:
                flight = self._under_way[name] = Future()
        if not is_first:
            try:
                return flight.result(timeout=settings.COMMERCE_SECONDS)
            except WaitedLongEnough as error:
                raise CommerceUnavailable(Code.TIMEOUT) from error
        try:
            flight.set_result(ask())
        except BaseException as error:
            flight.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._under_way[name]
        return flight.result()


nobodies, _flights = _Nobodies(), _Flights()
