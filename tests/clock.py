"""Aftercart's clock, stopped by a test."""

from contextlib import AbstractContextManager
from datetime import datetime
from types import SimpleNamespace
from unittest import mock


def stop_clock(at: datetime) -> AbstractContextManager[object]:
    """Have this process ask what time it is and hear `at`, wherever it asks; the database's clock goes on."""
    return mock.patch("aftercart.lib.clock.timezone", SimpleNamespace(now=lambda: at))
