"""The one door of log-ins, of customers and staff alike: counted before they are checked, and few checked at once.

django-axes keeps the failures of one e-mail address from one network address, and locks that pair out. It counts a
guess after it was checked; so each guess is reserved here first, by a statement that many at once cannot share.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from functools import cache
from typing import Any, Final, Literal

from axes.backends import AxesBackend, AxesStandaloneBackend
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from aftercart.accounts.models import User
from aftercart.accounts.models.rate_limits import Try, count_try
from aftercart.accounts.networks import get_client_address, is_shops_own, name_network
from aftercart.lib.emails import fold_email

#: Log-ins of one network address, those that succeed included, in terms of the failures that it may have.
SUCCESSES_SHARE: Final = 30
#: In which as many guesses at one pair are looked at as django-axes allows in all: long enough for it to have kept the
#: first of them, short enough that whom an operator lets in again gets in.
_PAIR_WINDOW: Final = timedelta(minutes=1)
#: How long a log-in waits for a place to be checked at, and how soon it is worth another try without one.
_PATIENCE: Final = 1.0
_BUSY_SECONDS: Final = 2


class LogInRefused(Exception):
    """The password was not looked at; worth another try after so many seconds."""

    def __init__(self, reason: Literal["locked_out", "busy"], seconds: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds


#: The user whom the session that is being asked has read with its row.
_OF_SESSION: ContextVar[User | None] = ContextVar("user_of_session", default=None)


@contextmanager
def known_by_session(user: User | None) -> Iterator[None]:
    """Have who is asked for in a block be this user, if it is them: they need not be read once more."""
    token = _OF_SESSION.set(user)
    try:
        yield
    finally:
        _OF_SESSION.reset(token)


class GuardedBackend(AxesBackend):  # type: ignore[misc] # django-axes is untyped
    """Checks a password, unless there were too many tries, or too many are being checked."""

    def get_user(self, user_id: Any) -> Any:
        """Return a session's user, if they may still log in."""
        user = _OF_SESSION.get()
        if user is None or str(user.pk) != str(user_id):
            return super().get_user(user_id)
        return user if self.user_can_authenticate(user) else None

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **fields: Any,
    ) -> Any:
        """Return the user. Raises `PermissionDenied` for every miss, so that no other backend hashes again.

        Raises `LogInRefused`. An unknown user costs one hash, like a known one.
        """
        if request is None or username is None or password is None:
            raise PermissionDenied
        _refuse_if_full()
        tries = _reserve(get_client_address(request), fold_email(username))
        AxesStandaloneBackend.authenticate(self, request, username=username, password=password)
        try:
            with _hash_slot():
                user = ModelBackend.authenticate(
                    self, request, username=username, password=password, **fields
                )
        except LogInRefused:
            for done in tries:
                done.give_back()
            raise
        if not isinstance(user, User):
            raise PermissionDenied
        *by_client, by_pair = tries
        for done in by_client[:1]:
            done.give_back()
        by_pair.forget_all()
        return user


def _reserve(address: str, email: str) -> list[Try]:
    """Count one try: by network address (failures, then all), and by that and the e-mail address.

    Raises `LogInRefused` at the first that is used up. The shop's own servers, which bring all of its customers, have
    no count of their own.
    """
    window, client = settings.AXES_COOLOFF_TIME, name_network(address)
    failures = settings.LOGIN_ATTEMPTS_PER_CLIENT
    tries = []
    if not is_shops_own(address):
        for purpose, most in (("client", failures), ("all_of_client", failures * SUCCESSES_SHARE)):
            done = count_try(f"login.{purpose}", client, window)
            if done.count > most:
                raise LogInRefused("locked_out", done.seconds)
            tries.append(done)
    pair = count_try("login.pair", f"{client}\n{email}", _PAIR_WINDOW)
    if pair.count > settings.AXES_FAILURE_LIMIT:
        raise LogInRefused("locked_out", int(window.total_seconds()))
    return [*tries, pair]


def _refuse_if_full() -> None:
    """Look whether there is a place, before anything is counted: a flood is refused without asking the database.

    Raises `LogInRefused`. It keeps no place: somebody who is locked out takes none.
    """
    room, _slots = _make_slots(settings.LOGIN_HASHES)
    if not room.acquire(blocking=False):
        raise LogInRefused("busy", _BUSY_SECONDS)
    room.release()


@contextmanager
def _hash_slot() -> Iterator[None]:
    """Hold one of the places at which this process checks passwords; wait for it a moment, if few wait already.

    Raises `LogInRefused`. A check takes a quarter of a second of a processor: without a bound, a flood of them leaves
    nothing to anybody.
    """
    room, slots = _make_slots(settings.LOGIN_HASHES)
    if not room.acquire(blocking=False):
        raise LogInRefused("busy", _BUSY_SECONDS)
    try:
        if not slots.acquire(timeout=_PATIENCE):
            raise LogInRefused("busy", _BUSY_SECONDS)
        try:
            yield
        finally:
            slots.release()
    finally:
        room.release()


@cache
def _make_slots(size: int) -> tuple[threading.BoundedSemaphore, threading.BoundedSemaphore]:
    """Make the process's places, and the room before them, which holds as many again."""
    return threading.BoundedSemaphore(size * 2), threading.BoundedSemaphore(size)
