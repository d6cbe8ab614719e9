"""Record what has happened at the OMS although the database goes away meanwhile.

Once an intent is committed, "please try again" would be the wrong word: what was asked for may have been done.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from django.db import DatabaseError, InterfaceError, connection

from aftercart.lib.database import is_outage
from aftercart.orders.errors import BeingChecked

_logger = logging.getLogger(__name__)
_T = TypeVar("_T")

#: Seconds before each further try. A restart of PostgreSQL takes about one.
_PAUSES: Final = (0.1, 0.5, 1.5)
#: Seconds after which no further try begins: a try without a database takes the pool's timeout.
_PATIENCE: Final = 5.0


def despite_outages(act: Callable[[], _T]) -> _T:
    """Do something that may be done twice, and again when a connection of the database has broken."""
    began = time.monotonic()
    for pause in _PAUSES:
        try:
            return act()
        except (DatabaseError, InterfaceError) as error:
            if not is_outage(error) or connection.in_atomic_block or time.monotonic() - began > _PATIENCE:
                raise
            connection.close()
            time.sleep(pause)
    return act()


@contextmanager
def checking_later(record: int | None) -> Iterator[None]:
    """Raise `BeingChecked` where the database is away for what follows a committed intent: a worker settles it."""
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        if not is_outage(error):
            raise
        _logger.warning("The database went away while a write was under way; it is checked later.")
        raise BeingChecked(record) from error
