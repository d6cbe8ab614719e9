"""Count the calls to the OMS that a piece of work makes: what reads in the background keeps to a budget."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Meter:
    """How many calls have been made since it began to count."""

    calls: int = 0


_current: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered() -> Iterator[Meter]:
    """Count the calls that are made in this block, by this thread."""
    meter = Meter()
    before = _current.set(meter)
    try:
        yield meter
    finally:
        _current.reset(before)


def count_call() -> None:
    """Count one call that is about to leave."""
    meter = _current.get()
    if meter is not None:
        meter.calls += 1
