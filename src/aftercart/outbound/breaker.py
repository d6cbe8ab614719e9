"""Stop calling an OMS that is down, and find out with one call when it is back."""

import logging
import threading
import time

from aftercart.oms.errors import Code, NotSent
from aftercart.outbound.deadline import Clock

logger = logging.getLogger("aftercart.omnitron")


class Breaker:
    """A circuit breaker for one process. Thread-safe.

    Closed, it counts consecutive outages; at `failures` it opens for `seconds`; then it admits exactly one
    call as a probe, whose outcome closes it or opens it anew.
    """

    def __init__(self, *, failures: int, seconds: float, clock: Clock = time.monotonic) -> None:
        self._failures = failures
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._count = 0
        self._opened_at: float | None = None
        self._has_probe = False
        # Raised with each opening and closing: the outcome of a call admitted before says nothing about now.
        self._era = 0

    @property
    def is_open(self) -> bool:
        """Whether calls are being held back (a probe may be under way)."""
        with self._lock:
            return self._opened_at is not None

    def admit(self) -> int:
        """Ask for one call; give the returned permit back through exactly one of the three `record_`.

        Raises `NotSent` (`breaker_open`) at once while open, or while another call is the probe.
        """
        with self._lock:
            if self._opened_at is None:
                return self._era
            if self._has_probe or self._clock() - self._opened_at < self._seconds:
                raise NotSent("Omnitron has been failing and is left alone for now.", code=Code.BREAKER_OPEN)
            self._has_probe = True
            return self._era

    def record_success(self, permit: int) -> None:
        """Note that the OMS answered, be it with a refusal."""
        with self._lock:
            if permit != self._era:
                return
            self._count = 0
            if self._opened_at is not None:
                self._close()

    def record_failure(self, permit: int) -> None:
        """Note that the OMS gave no answer, or a broken one."""
        with self._lock:
            if permit != self._era:
                return
            self._count += 1
            if self._opened_at is not None or self._count >= self._failures:
                self._open()

    def record_nothing(self, permit: int) -> None:
        """Note a call that ended without a word on the OMS's health; a probe's place is free again."""
        with self._lock:
            if permit == self._era:
                self._has_probe = False

    def _open(self) -> None:
        self._opened_at = self._clock()
        self._has_probe = False
        self._era += 1
        logger.warning("breaker opened after %d failures, for %.1f s", self._count, self._seconds)

    def _close(self) -> None:
        self._opened_at = None
        self._has_probe = False
        self._era += 1
        logger.warning("breaker closed")
