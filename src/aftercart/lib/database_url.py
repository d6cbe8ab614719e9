"""Reading `DATABASE_URL`: PostgreSQL's own connection URI, all of it, as Django's settings of a database."""

import re
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

#: Where Django has a setting of its own; everything else goes into `OPTIONS`, and so to libpq as it is.
_OWN: Final = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
#: libpq looks at these only when it connects, which is late for a mistake.
_CHOICES: Final = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "load_balance_hosts": ("disable", "random"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
}
_NUMBERS: Final = (
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
)
_ALLOWED: Final = "a PostgreSQL URI, as in postgresql://user:password@host:5432/name?sslmode=verify-full"


def read_database_url(url: str) -> dict[str, Any]:
    """Read `postgresql://user:password@host1,host2:5433/name?sslmode=…&options=…` as Django's settings.

    Several hosts, sockets, services and every parameter of libpq are kept. Raises `ValueError` with what it has to
    be; never with a part of it that could be a password.
    """
    if not url.startswith(("postgresql://", "postgres://")):
        raise ValueError(f"{_ALLOWED}: other databases lack the locks that keep cancellations safe")
    try:
        found = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        unknown = re.search(r'invalid URI query parameter: "(\w+)"', str(error))
        reason = f"PostgreSQL knows no parameter {unknown[1]}" if unknown else "PostgreSQL cannot read it"
        raise ValueError(f"{_ALLOWED}: {reason}") from None
    _check(found)
    own = {name: str(found.pop(key)) for key, name in _OWN.items() if found.get(key)}
    if not own.get("NAME") and not found.get("service"):
        raise ValueError(f"{_ALLOWED}: it names no database")
    return {"ENGINE": "django.db.backends.postgresql", **own, "OPTIONS": found}


def _check(found: dict[str, Any]) -> None:
    for name, choices in _CHOICES.items():
        if found.get(name) and found[name] not in choices:
            raise ValueError(f"{_ALLOWED}: {name} is one of {', '.join(choices)}")
    for name in _NUMBERS:
        if found.get(name) and not str(found[name]).isdecimal():
            raise ValueError(f"{_ALLOWED}: {name} is a whole number")
    for port in str(found.get("port") or "").split(","):
        if port and not (port.isdecimal() and 0 < int(port) < 2**16):
            raise ValueError(f"{_ALLOWED}: a port is a number from 1 to 65535")
