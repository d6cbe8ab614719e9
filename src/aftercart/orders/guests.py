"""Guests: who may see, and for a short while act on, the order of somebody without an account.

What a guest has proved stands in the session: a signed link lets them look, a one-time code act as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.sessions.backends.base import SessionBase

#: How long a session may look at an order after its link was opened or its code was typed, and act on it.
VIEW_LIFE: Final = timedelta(hours=1)
ACTION_LIFE: Final = timedelta(minutes=15)
#: A code: so many digits, so long, so many tries.
CODE_DIGITS: Final = 6
CODE_LIFE: Final = timedelta(minutes=10)
CODE_ATTEMPTS: Final = 5

_KEY: Final = "guest_orders"
_MOST_ORDERS: Final = 10


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who has proved one order to be theirs; void once the order's links are revoked."""

    order: int
    link_version: int


def admit_guest(session: SessionBase, guest: Guest, *, may_act: bool, now: datetime) -> None:
    """Let a session look at a guest's order from now on, and act on it if a code was typed.

    Opening a link again takes away nothing that a code has given.
    """
    admitted: dict[str, dict[str, float]] = dict(session.get(_KEY) or {})
    before = admitted.pop(str(guest.order), {})
    act_until = (now + ACTION_LIFE).timestamp() if may_act else before.get("act_until", 0)
    if before.get("link_version") != guest.link_version and not may_act:
        act_until = 0
    admitted[str(guest.order)] = {
        "link_version": guest.link_version,
        "view_until": (now + VIEW_LIFE).timestamp(),
        "act_until": act_until,
    }
    session[_KEY] = dict(list(admitted.items())[-_MOST_ORDERS:])


def list_guests(session: SessionBase, *, now: datetime, may_act: bool = False) -> Iterator[Guest]:
    """Yield as whom a session may look (or act), the last admitted first."""
    name = "act_until" if may_act else "view_until"
    for pk, grant in reversed((session.get(_KEY) or {}).items()):
        if grant[name] > now.timestamp():
            yield Guest(int(pk), int(grant["link_version"]))
