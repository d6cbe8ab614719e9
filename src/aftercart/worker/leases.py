"""Leases in rows, by the database's clock: a holder that is frozen or cut off loses its lease, and finds so out.

A session's advisory lock would be held for as long as its connection lives, which a stopped process does not end.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, OperationalError, connection

from aftercart.actions.upkeep.do_apart import LeaseLost
from aftercart.lib.database import is_locked

#: How long a lease is held without being renewed: a frozen holder costs the others so much, and a round's pause.
LIFE_SECONDS: Final = 15.0

_TAKE = """
    INSERT INTO worker_lease AS held (name, token, expires_at)
    VALUES (%s, 1, clock_timestamp() + make_interval(secs => %s))
    ON CONFLICT (name) DO UPDATE SET token = held.token + 1, expires_at = excluded.expires_at
    WHERE held.expires_at <= clock_timestamp()
    RETURNING token
"""
_RENEW = """
    UPDATE worker_lease SET expires_at = clock_timestamp() + make_interval(secs => %s)
    WHERE name = %s AND token = %s
"""


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease that this process holds, or has held."""

    name: str
    token: int

    def renew(self) -> None:
        """Hold it for another while. Raises `LeaseLost` when somebody else has taken it meanwhile.

        In a transaction, nobody else takes it before that ends: what is written there is fenced.
        """
        if not self._expire_in(LIFE_SECONDS):
            raise LeaseLost(self.name)

    def release(self) -> None:
        """Let others have it, if it is still held."""
        self._expire_in(0.0)

    def _expire_in(self, seconds: float) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(_RENEW, [seconds, self.name, self.token])
            return bool(cursor.rowcount)


def try_lease(name: str) -> HeldLease | None:
    """Take a lease, unless somebody else holds it: one statement, so that of many who try one gets it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [name, LIFE_SECONDS])
            row = cursor.fetchone()
    except OperationalError as error:
        if not is_locked(error):
            raise
        return None  # its holder is writing under it, or was frozen while it did
    return None if row is None else HeldLease(name, row[0])


@contextmanager
def take_lease(name: str) -> Iterator[HeldLease | None]:
    """Hold a lease for a round of work; None while somebody else does. Renew it before each piece of the round.

    Losing it ends the round quietly: whoever has it now does the rest.
    """
    lease = try_lease(name)
    try:
        with suppress(LeaseLost):
            yield lease
    finally:
        if lease is not None:
            with suppress(DatabaseError):  # it ends by itself
                lease.release()
