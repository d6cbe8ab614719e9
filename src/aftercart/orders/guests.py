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
    """Somebody who has proved one order to be theirs; void once the order's links are revoked.

    Without `has_code` they have opened a signed link and no more, and are shown what `orders.guest_document`
    allows: whoever a link is forwarded to can open it.
    """

    order: int
    link_version: int
    has_code: bool = False


def admit_by_link(session: SessionBase, guest: Guest, *, expires_at: datetime, now: datetime) -> None:
    """Let a session look at a guest's order, for an hour but never for longer than its link lives.

    Opening a link again takes away nothing that a code has given.
    """
    before = _read_grants(session).get(str(guest.order), {})
    is_same = before.get("link_version") == guest.link_version
    kept = {name: before.get(name, 0) if is_same else 0 for name in ("code_until", "act_until")}
    view_until = min(now + VIEW_LIFE, expires_at).timestamp()
    _grant(session, guest, view_until=max(view_until, kept["code_until"]), **kept)


def admit_by_code(session: SessionBase, guest: Guest, *, now: datetime) -> None:
    """Let a session see all of a guest's order for an hour, and act on it for a quarter of one."""
    until = (now + VIEW_LIFE).timestamp()
    act_until = (now + ACTION_LIFE).timestamp()
    _grant(session, guest, view_until=until, code_until=until, act_until=act_until)


def list_guests(session: SessionBase, *, now: datetime, may_act: bool = False) -> Iterator[Guest]:
    """Yield as whom a session may look (or act), the last admitted first."""
    name, moment = "act_until" if may_act else "view_until", now.timestamp()
    for pk, grant in reversed(_read_grants(session).items()):
        if grant[name] > moment:
            yield Guest(int(pk), int(grant["link_version"]), has_code=grant.get("code_until", 0) > moment)


def _read_grants(session: SessionBase) -> dict[str, dict[str, float]]:
    return dict(session.get(_KEY) or {})


def _grant(session: SessionBase, guest: Guest, **until: float) -> None:
    grants = _read_grants(session)
    grants.pop(str(guest.order), None)
    grants[str(guest.order)] = {"link_version": guest.link_version, **until}
    session[_KEY] = dict(list(grants.items())[-_MOST_ORDERS:])
