"""How processes connect to PostgreSQL: within limits, so that one that is frozen or cut off holds nobody up for long.

A frozen process cannot give anything back, so it is PostgreSQL that ends what it has begun: a transaction that stands
idle, a statement that takes too long, a connection whose other end is gone. What then wakes finds its transaction dead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import InterfaceError, InternalError, OperationalError, connections

#: `idle_in_transaction_session_timeout` and `transaction_timeout`: PostgreSQL has ended the session itself.
_SESSION_ENDED = frozenset({"25P03", "25P04"})
#: `lock_timeout` and NOWAIT, a deadlock: somebody else is at the row.
_LOCKED = frozenset({"55P03", "40P01"})
#: With `statement_timeout`: it is there, and could not do this one thing.
_NOT_IN_TIME = frozenset({"57014"}) | _LOCKED | _SESSION_ENDED
_MILLISECONDS = 1000
#: Looks at a silent connection before it counts as cut off.
_PROBES = 3
_CONNECT_SECONDS = 5
#: A command that may take long still does not hold its locks for good when it is frozen.
_LONGEST_IDLE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to wait for a lock, to run a statement, to idle in a transaction, to hear nothing from the other end."""

    lock: float
    statement: float
    idle: float
    silence: float


def make_options(limits: Limits, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make the connection's options. What the operator has `given` in the URL goes before ours."""
    interval = max(1, round(limits.silence / (_PROBES + 1)))
    ours = {
        "connect_timeout": _CONNECT_SECONDS,
        "keepalives": 1,
        "keepalives_idle": interval,
        "keepalives_interval": interval,
        "keepalives_count": _PROBES,
        "tcp_user_timeout": round(limits.silence * _MILLISECONDS),
    }
    # Both ends look: a host that has lost its network cannot tell the server.
    server = {
        "lock_timeout": round(limits.lock * _MILLISECONDS),
        "statement_timeout": round(limits.statement * _MILLISECONDS),
        "idle_in_transaction_session_timeout": round(limits.idle * _MILLISECONDS),
        "tcp_keepalives_idle": interval,
        "tcp_keepalives_interval": interval,
        "tcp_keepalives_count": _PROBES,
        "tcp_user_timeout": round(limits.silence * _MILLISECONDS),
    }
    return {**ours, **given, "options": add_parameters("", server, str(given.get("options", "")))}


def add_parameters(options: str, parameters: Mapping[str, int], last: str = "") -> str:
    """Add server parameters to libpq's `options`; of one that is named twice, the later counts."""
    flags = [f"-c {name}={value}" for name, value in parameters.items()]
    return " ".join(part for part in (options, *flags, last) if part)


def lift_limits() -> None:
    """Let this process's statements and waits take as long as they do: for commands that work on everything.

    To be called before the first connection.
    """
    options = connections["default"].settings_dict["OPTIONS"]
    idle = _LONGEST_IDLE_SECONDS * _MILLISECONDS
    lifted = {"lock_timeout": 0, "statement_timeout": 0, "idle_in_transaction_session_timeout": idle}
    options["options"] = add_parameters(options["options"], lifted)


def is_outage(error: BaseException | None) -> bool:
    """Return whether the database was away, or could not do it in time: nothing of the transaction was committed."""
    if isinstance(
        error, OperationalError | InterfaceError | psycopg.OperationalError | psycopg.InterfaceError
    ):
        return True
    return isinstance(error, InternalError | psycopg.InternalError) and get_code(error) in _SESSION_ENDED


def is_busy(error: BaseException) -> bool:
    """Return whether the database is there, and only could not do it in time: a lock, a limit, a deadlock."""
    return is_outage(error) and get_code(error) in _NOT_IN_TIME


def is_locked(error: BaseException) -> bool:
    """Return whether somebody else holds the row: a later try will find it free."""
    return is_outage(error) and get_code(error) in _LOCKED


def is_connection_lost(error: BaseException) -> bool:
    """Return whether nothing more can be asked on this connection."""
    return is_outage(error) and get_code(error) not in _NOT_IN_TIME - _SESSION_ENDED


def get_code(error: BaseException) -> str | None:
    """Return PostgreSQL's code of what went wrong, if it gave one; for Django's errors and for the driver's."""
    own = error if isinstance(error, psycopg.Error) else error.__cause__
    return getattr(own, "sqlstate", None)
