"""Bring things about at the same time, and take away what keeps them apart.

Two ways: `race` lets many begin at once, as customers do; `interrupted` has one do its work exactly between two
steps of another, so that a race which would be rare is there every time (`all_past` does it for more than two). A
place is named as "module.function" of `aftercart.actions` or of `aftercart.worker`, and so are the locks that
`without_lock` takes away, which can be in any module of ours.
"""

import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import FrameType, ModuleType
from typing import Any
from unittest import mock

from django.db import connection
from django.db.models import QuerySet

from aftercart.orders import selectors
from aftercart.orders.errors import ActionError
from tests.action_modules import find_action, get_action
from tests.processes import wait_until


def attempt(action: Callable[[], Any]) -> Any:
    """Do an action; what it returned, or the code of its refusal."""
    try:
        return action()
    except ActionError as error:
        return error.code


def _attempt_apart(action: Callable[[], Any]) -> Any:
    """Do it in a thread of its own, whose connection nobody else would close."""
    try:
        return attempt(action)
    finally:
        connection.close()


def race(count: int, action: Callable[[int], Any]) -> list[Any]:
    """Do an action in so many threads at once; what each returned, or the code of its refusal."""
    barrier = threading.Barrier(count)

    def run(n: int) -> Any:
        barrier.wait(30)
        return action(n)

    with _connections_for(count), ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda n: _attempt_apart(lambda: run(n)), range(count)))


@contextmanager
def _connections_for(count: int) -> Iterator[None]:
    """Have a connection for each thread: those who wait for one do not race."""
    pool = connection.pool  # type: ignore[attr-defined]  # only PostgreSQL's connection has it
    before, timeout = (pool.min_size, pool.max_size), pool.timeout
    pool.resize(before[0], count + before[1])
    pool.timeout = 60
    try:
        yield
    finally:
        pool.timeout = timeout
        pool.resize(*before)


@dataclass(slots=True)
class Interruption:
    """What became of whoever came in between. `had_to_wait`: the database held them back until we were done."""

    outcome: Any = None
    had_to_wait: bool = False
    happened: bool = False


@contextmanager
def interrupted(
    step: str, by: Callable[[], Any], *, when: Callable[..., bool] = lambda *_args, **_kwargs: True
) -> Iterator[Interruption]:
    """Have somebody do all of `by` just before a step, a dotted name; if a lock holds them back, go on.

    Only the first time that `when`, given the step's arguments, is true.
    """
    owner, name = _find(step)
    original = getattr(owner, name)
    interruption = Interruption()

    with ThreadPoolExecutor(1) as pool:

        def interrupt(*args: Any, **kwargs: Any) -> Any:
            if not interruption.happened and when(*args, **kwargs):
                interruption.happened = True
                _let(pool, by, interruption)
            return original(*args, **kwargs)

        with mock.patch.object(owner, name, interrupt):
            yield interruption
    assert interruption.happened, f"{step} was never come to"


@contextmanager
def interrupted_once_locked(place: str, by: Callable[[], Any]) -> Iterator[Interruption]:
    """Have somebody do all of `by` right after the `lock_order()` of a place."""
    module, function = _split(place)
    original = module.lock_order
    interruption = Interruption()

    with ThreadPoolExecutor(1) as pool:

        def lock_order(**lookup: Any) -> Any:
            order = original(**lookup)
            if not interruption.happened and sys._getframe(1).f_code.co_name == function:
                interruption.happened = True
                _let(pool, by, interruption)
            return order

        with mock.patch.object(module, "lock_order", lock_order):
            yield interruption
    assert interruption.happened, f"{place} took no lock"


def _let(pool: ThreadPoolExecutor, by: Callable[[], Any], interruption: Interruption) -> None:
    """Let the other one work until it is done or waits for us."""
    future = pool.submit(_attempt_apart, by)
    future.add_done_callback(lambda done: setattr(interruption, "outcome", done.exception() or done.result()))
    wait_until(lambda: future.done() or _is_anybody_waiting())
    interruption.had_to_wait = not future.done()


def _is_anybody_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # what a transaction has seen once, it sees again
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        return bool(cursor.fetchone()[0])


@contextmanager
def all_past(step: str, count: int) -> Iterator[None]:
    """Hold the first so many who have done a step, a dotted name, until all of them have; not who comes after."""
    owner, name = _find(step)
    original = getattr(owner, name)
    barrier, turns = threading.Barrier(count), itertools.count(1)

    def do_and_wait(*args: Any, **kwargs: Any) -> Any:
        outcome = original(*args, **kwargs)
        if next(turns) <= count:
            barrier.wait(30)
        return outcome

    with mock.patch.object(owner, name, do_and_wait):
        yield


@contextmanager
def without_lock(*places: str) -> Iterator[None]:
    """Have the row locks of these places lock nothing: what is read there is merely read."""
    wanted = set(places)
    original = QuerySet.select_for_update

    def select_for_update(rows: QuerySet[Any], **options: Any) -> QuerySet[Any]:
        return rows if wanted & set(_name_callers(sys._getframe(1))) else original(rows, **options)

    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(QuerySet, "select_for_update", select_for_update))
        for name in ("_lock", "_lock_at_once"):
            anew = partial(_read_anew, getattr(selectors, name))
            stack.enter_context(mock.patch.object(selectors, name, anew))
        yield


def _read_anew(prepared: Any, **lookup: Any) -> list[Any]:
    """Read the rows by SQL that is made now, as if nothing were prepared."""
    return list(prepared.__wrapped__(**lookup))


def _name_callers(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        package, _, module = str(frame.f_globals.get("__name__")).rpartition(".")
        if package.startswith("aftercart"):
            yield f"{module}.{frame.f_code.co_name}"
        frame = frame.f_back


@contextmanager
def without_turns(place: str) -> Iterator[None]:
    """Have those at a place not wait for each other: `lock_purpose`, an advisory lock, locks nothing."""
    module, _function = _split(place)
    with mock.patch.object(module, "lock_purpose"):
        yield


@contextmanager
def without_unique(*names: str) -> Iterator[None]:
    """Take unique constraints or indexes away for a while. What was written meanwhile is deleted."""
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(_without_unique(name))
        yield


@contextmanager
def _without_unique(name: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid), conname, pg_get_constraintdef(c.oid)"
            " FROM pg_index LEFT JOIN pg_constraint c ON conindid = indexrelid AND contype = 'u'"
            " WHERE indexrelid = %s::regclass AND indisunique",
            [name],
        )
        table, index, constraint, definition = cursor.fetchone()
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}" if constraint else f"DROP INDEX {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table} CASCADE")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" if constraint else index)


@contextmanager
def without_check(name: str) -> Iterator[None]:
    """Take a check constraint away for a while. What was written meanwhile is deleted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE conname = %s AND contype = 'c'",
            [name],
        )
        table, definition = cursor.fetchone()
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table} CASCADE")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def _find(step: str) -> tuple[Any, str]:
    """Find what a dotted name is in: a module of the actions, or anything by its full name."""
    path, _, name = step.rpartition(".")
    if "." not in path:
        return get_action(path), name
    module, _, owner = path.rpartition(".")
    return getattr(import_module(module), owner), name


def _split(place: str) -> tuple[ModuleType, str]:
    module, function = place.split(".")
    return find_action(module) or import_module(f"aftercart.worker.{module}"), function
