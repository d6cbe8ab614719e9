"""Say once that the database is away, and once that it is back, however many requests and jobs meet with it.

A log filter finds the outage in whatever is logged, by whichever library, so that nobody's traceback comes through:
see `LOGGING` in the settings. A connection that is made ends the outage.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from django.db import DatabaseError, InterfaceError, connection
from django.db.backends.signals import connection_created

from aftercart.lib.database import is_busy, is_outage

_logger = logging.getLogger(__name__)
_T = TypeVar("_T")

#: What could not be done in time is no outage; it is counted, and reported so often at most.
_BUSY_EVERY_SECONDS = 60.0
#: Seconds before each further try. A restart of PostgreSQL takes about one.
_PAUSES: Final = (0.1, 0.5, 1.5)
#: Seconds after which no further try begins: a try without a database takes the pool's timeout.
_PATIENCE: Final = 5.0
#: What psycopg's pool logs by itself each time that it cannot connect, or finds a connection broken.
_POOL_LOGGER = "psycopg.pool"
_LONGEST_TEXT = 200
_UNAVAILABLE = 503
_VERDICT = "is_no_outage"


class OutageLog:
    """What this process has seen of the database's absence. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._away_since: float | None = None
        self._failures = 0
        self._busy = 0
        self._busy_reported_at: float | None = None

    def report(self, error: BaseException | str) -> None:
        """Report a failure that the database's absence has caused; the first one of an outage is logged."""
        if isinstance(error, BaseException) and is_busy(error):
            self._report_busy(error)
            return
        with self._lock:
            self._failures += 1
            is_first = self._away_since is None
            if is_first:
                self._away_since = self._clock()
        if is_first:
            # Outside of the lock: what handles this line may come here itself.
            _logger.error("The database is away: %s. This is said once.", _describe(error))

    def end(self) -> None:
        """End the outage, if there is one: somebody has got a connection."""
        if self._away_since is None:  # without the lock: asked for each connection
            return
        with self._lock:
            since, self._away_since = self._away_since, None
            failures, self._failures = self._failures, 0
        if since is not None:
            seconds = self._clock() - since
            _logger.warning("The database is back after %.1f s; %s failures meanwhile.", seconds, failures)

    def _report_busy(self, error: BaseException) -> None:
        with self._lock:
            self._busy += 1
            now = self._clock()
            if self._busy_reported_at is not None and now - self._busy_reported_at < _BUSY_EVERY_SECONDS:
                return
            count, self._busy, self._busy_reported_at = self._busy, 0, now
        _logger.warning("The database could not do it in time: %s. %s times lately.", _describe(error), count)


def _describe(error: BaseException | str) -> str:
    return " ".join(str(error).split())[:_LONGEST_TEXT].rstrip(".") or type(error).__name__


outages = OutageLog()


class OutageFilter(logging.Filter):
    """Keeps out of the log what an outage makes others log, and reports the outage instead."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is to be written; decided once, however many handlers ask."""
        if not hasattr(record, _VERDICT):
            setattr(record, _VERDICT, self._decide(record))
        return bool(getattr(record, _VERDICT))

    @staticmethod
    def _decide(record: logging.LogRecord) -> bool:
        found = find_outage(record.exc_info[1] if record.exc_info else None)
        if found is not None:
            outages.report(found)
            return False
        if record.name == _POOL_LOGGER and record.levelno >= logging.WARNING:
            outages.report(record.getMessage())
            return False
        # The answer to one of many requests: the outage is reported by whoever gave it.
        return not (record.name == "django.request" and getattr(record, "status_code", None) == _UNAVAILABLE)


def find_outage(error: BaseException | None) -> BaseException | None:
    """Find the database's absence in an error, or in what caused it."""
    return next((cause for cause in _list_causes(error) if is_outage(cause)), None)


def _list_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__


def _end_outage(**_signal: object) -> None:
    outages.end()


connection_created.connect(_end_outage, dispatch_uid="aftercart.outages")


def despite_outages(act: Callable[[], _T]) -> _T:
    """Do something that may be done twice, and again when a connection of the database has broken.

    Once an intent is committed, "please try again" would be the wrong word: what was asked for may have been done.
    """
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
