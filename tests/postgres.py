"""A pytest plugin: one real PostgreSQL for the run, started before Django reads its settings.

pytest-django then gives each parallel worker a database of its own in it. `DATABASE_URL` names another one.
"""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

_READY = "AFTERCART_TEST_READY"
#: A test database need not survive a power cut.
_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=400")
_stack = ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Start it once; the parallel workers inherit the environment that says where."""
    if _READY in os.environ:
        return
    from aftercart.lib import postgres

    folder = Path(_stack.enter_context(tempfile.TemporaryDirectory(prefix="aftercart-test-")))
    os.environ["AFTERCART_VAR"] = str(folder)
    os.environ[_READY] = "1"
    if not os.environ.get("DATABASE_URL"):
        _stack.enter_context(postgres.running(folder / "postgres", _OPTIONS))


def pytest_unconfigure() -> None:
    """Stop it, in the process that started it."""
    _stack.close()
