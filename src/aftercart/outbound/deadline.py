"""One end for a whole dialogue, on a clock that never goes back and goes on while the machine is suspended."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

#: A monotonic clock, in seconds; injected by tests.
Clock = Callable[[], float]


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def read_uptime() -> float:
    """Return the seconds since the machine was started."""
    return time.clock_gettime(_CLOCK)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment by which all is over. `ends_at` is in seconds of `clock`."""

    ends_at: float
    clock: Clock = field(default=read_uptime, repr=False)

    @classmethod
    def after(cls, seconds: float, *, clock: Clock = read_uptime) -> Self:
        """Make a deadline so many seconds from now."""
        return cls(clock() + seconds, clock)

    def remaining(self) -> float:
        """Return the seconds left, never below 0."""
        return max(0.0, self.ends_at - self.clock())

    @property
    def expired(self) -> bool:
        """Whether no time is left."""
        return self.clock() >= self.ends_at

    def capped(self, seconds: float) -> Self:
        """Make a deadline for a part of the work: so many seconds from now, but not past this one."""
        return type(self)(min(self.ends_at, self.clock() + seconds), self.clock)
