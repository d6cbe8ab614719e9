"""An outage of the database is said once, and its end; what libraries log meanwhile is left out."""

import logging
from collections.abc import Iterator

import psycopg
import pytest
from django.db import IntegrityError, InternalError, OperationalError
from procrastinate.exceptions import ConnectorException

from aftercart.lib import outages as module
from aftercart.lib.database import is_busy, is_connection_lost, is_locked, is_outage
from aftercart.lib.outages import OutageFilter, OutageLog


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> OutageLog:
    made = OutageLog(clock)
    monkeypatch.setattr(module, "outages", made)
    return made


@pytest.fixture
def written() -> Iterator[list[str]]:
    """What comes through the filter, of any logger."""
    lines: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler = Handler()
    handler.addFilter(OutageFilter())
    logging.getLogger().addHandler(handler)
    yield lines
    logging.getLogger().removeHandler(handler)


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


AWAY = OperationalError("connection refused\n\tIs the server running?")


def test_an_outage_of_a_thousand_requests_and_jobs_is_two_lines(
    log: OutageLog, clock: Clock, written: list[str]
) -> None:
    for n in range(1000):
        log.report(AWAY)
        logging.getLogger("procrastinate.worker").error("Job %s failed", n, exc_info=AWAY)
        logging.getLogger("procrastinate").error("x", exc_info=caused(ConnectorException(), AWAY))
        logging.getLogger("psycopg.pool").warning("error connecting in 'pool-1': refused")
        logging.getLogger("django.request").error("Service Unavailable: /", extra={"status_code": 503})
    clock.now += 12.5
    log.end()
    log.end()

    assert written == [
        "The database is away: connection refused Is the server running?. This is said once.",
        "The database is back after 12.5 s; 4000 failures meanwhile.",
    ]


def test_the_next_outage_is_said_anew(log: OutageLog, written: list[str]) -> None:
    for _ in range(2):
        log.report(AWAY)
        log.end()

    assert len(written) == 4


def test_what_is_no_outage_is_logged_as_ever(log: OutageLog, written: list[str]) -> None:  # noqa: ARG001 - a fixture that only has to be there
    logging.getLogger("django.request").error("Oops", exc_info=ValueError(), extra={"status_code": 500})
    logging.getLogger("aftercart").error("Twice", exc_info=IntegrityError("duplicate key"))
    logging.getLogger("psycopg.pool").info("growing pool")

    assert written[:2] == ["Oops", "Twice"]
    assert "The database is away" not in "".join(written)


def test_what_could_not_be_done_in_time_is_no_outage_and_is_said_once_a_minute(
    log: OutageLog, clock: Clock, written: list[str]
) -> None:
    locked = caused(OperationalError("lock timeout"), psycopg.errors.LockNotAvailable())
    for _ in range(50):
        log.report(locked)
    clock.now += 61
    log.report(locked)
    log.end()

    assert written == [
        "The database could not do it in time: lock timeout. 1 times lately.",
        "The database could not do it in time: lock timeout. 50 times lately.",
    ]


@pytest.mark.parametrize(
    ("error", "facts"),
    [
        (OperationalError("gone"), "outage lost"),
        (psycopg.OperationalError("gone"), "outage lost"),
        (caused(OperationalError(), psycopg.errors.LockNotAvailable()), "outage busy locked"),
        (caused(OperationalError(), psycopg.errors.DeadlockDetected()), "outage busy locked"),
        (caused(OperationalError(), psycopg.errors.QueryCanceled()), "outage busy"),
        (caused(InternalError(), psycopg.errors.IdleInTransactionSessionTimeout()), "outage busy lost"),
        (caused(InternalError(), psycopg.errors.InFailedSqlTransaction()), ""),
        (IntegrityError("duplicate"), ""),
        (ValueError(), ""),
    ],
)
def test_each_failure_of_the_database_has_its_kind(error: Exception, facts: str) -> None:
    found = {
        "outage": is_outage(error),
        "busy": is_busy(error),
        "locked": is_locked(error),
        "lost": is_connection_lost(error),
    }

    assert {name for name, is_so in found.items() if is_so} == set(facts.split())
