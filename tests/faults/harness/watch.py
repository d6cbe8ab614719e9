"""Looking for violations during a trial: some things must not be at any time, and nothing makes them good again."""

import time

import psycopg
from django.db import DatabaseError, close_old_connections

from tests.faults.harness.books import Violation, read_books_of_sendings
from tests.faults.harness.customers import Journal
from tests.faults.harness.guarantees import CHECKS_AT_ANY_TIME
from tests.faults.harness.sandbox_client import SandboxClient, SandboxFailed

_SECONDS_BETWEEN = 3.0


class Watch:
    """Looks now and then, and keeps what it has found."""

    def __init__(self, journal: Journal, sandbox: SandboxClient) -> None:
        self._journal, self._sandbox = journal, sandbox
        self._next = 0.0
        self.found: list[Violation] = []

    def look(self) -> bool:
        """Return whether anything has been found; look, if it is time to, and nothing is down."""
        if self.found or time.monotonic() < self._next:
            return bool(self.found)
        close_old_connections()
        try:
            books = read_books_of_sendings(self._journal, self._sandbox)
        except (SandboxFailed, DatabaseError, psycopg.Error):
            return False
        finally:
            close_old_connections()
            self._next = time.monotonic() + _SECONDS_BETWEEN
        self.found = [violation for check in CHECKS_AT_ANY_TIME for violation in check(books)]
        return bool(self.found)
