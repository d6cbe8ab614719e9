"""Notice that the OMS answers again, so that what waits for it need not wait out its backoff."""

import threading
import time

from aftercart.outbound.deadline import Clock

#: Seconds between two recoveries that are reported: an OMS that fails now and then recovers all the time.
_QUIET_SECONDS = 5.0


class Pulse:
    """Reports that reads, or writes, succeed again after they failed. For one process; thread-safe.

    Apart from one another: while only writes fail, each read that succeeds is no sign that they would not.
    """

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failing: set[bool] = set()
        self._has_recovered = False
        self._reported_at = -_QUIET_SECONDS

    def record_failure(self, *, is_read: bool) -> None:
        """Note that the OMS gave no answer to a read, or a write, or a broken one."""
        with self._lock:
            self._failing.add(is_read)

    def record_success(self, *, is_read: bool) -> None:
        """Note that the OMS answered, be it with a refusal."""
        with self._lock:
            if is_read in self._failing:
                self._failing.discard(is_read)
                self._has_recovered = True

    def take_recovery(self) -> bool:
        """Return whether there was a recovery since the last one that was reported; at most one in some seconds."""
        with self._lock:
            now = self._clock()
            if not self._has_recovered or now - self._reported_at < _QUIET_SECONDS:
                return False
            self._has_recovered, self._reported_at = False, now
            return True
