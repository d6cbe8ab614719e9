"""The worker process."""

import asyncio
import logging
import select
import signal
from contextlib import suppress
from typing import Any

import psycopg
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from procrastinate import App, PsycopgConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from psycopg_pool import AsyncConnectionPool

from aftercart.actions.sync.watch_restores import watch_restores_if_possible
from aftercart.actions.upkeep.wake_jobs import wake_jobs
from aftercart.lib.database import add_parameters
from aftercart.lib.niceness import stand_back
from aftercart.lib.outages import find_outage, outages
from aftercart.oms.connect import listen_for_recovery
from aftercart.worker.keeper import JobKeeper

_logger = logging.getLogger(__name__)

#: Jobs that one worker does at once; most of their time they wait for the OMS.
_CONCURRENCY = 4
#: For the queue's own connections. One that a frozen worker holds up waits until the database has ended that one's
#: transaction: giving up earlier would end this worker as well.
_QUEUE_LIMITS = {"lock_timeout": 30_000, "statement_timeout": 60_000}
_PAUSE_SECONDS = 2.0


def serve() -> None:
    """Do jobs until SIGTERM or Ctrl-C; then finish those under way. An outage of the database is waited out."""
    stand_back(settings.WORKER_NICENESS)
    listen_for_recovery(_wake_jobs)
    watch_restores_if_possible()
    with suppress(asyncio.CancelledError):
        asyncio.run(_serve())


async def _serve() -> None:
    this = asyncio.current_task()
    assert this is not None  # noqa: S101 - we are in one
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    while True:
        try:
            await _work()
        except Exception as error:
            outage = find_outage(error)
            if outage is None:
                raise
            outages.report(outage)
        # Periodic jobs are enqueued through Django's connection of the thread that asgiref keeps for this loop. No job
        # runs there, so nobody else closes it when it is broken; and then this worker would end again each time.
        await sync_to_async(close_old_connections)()
        # A worker ends by itself when one of its connections is lost, even if only for a moment.
        await asyncio.sleep(_PAUSE_SECONDS)


async def _work() -> None:
    worker = _make_worker()
    async with worker.open_async():
        await worker.run_worker_async(
            concurrency=_CONCURRENCY,
            fetch_job_polling_interval=0.5,  # what has a time of its own is not announced when that comes
            update_heartbeat_interval=5.0,  # several before it counts as dead (tasks._DEAD_AFTER)
            shutdown_graceful_timeout=15.0,
            delete_jobs="successful",
            install_signal_handlers=False,
        )


def _make_worker() -> App:
    """Make the app with connections of its own: those of Django belong to the threads of the jobs."""
    parameters = connector_params()
    parameters["options"] = add_parameters(parameters["options"], _QUEUE_LIMITS)
    connector = PsycopgConnector(pool_factory=_make_pool, configure=_configure, kwargs=parameters)
    worker: App = app.with_connector(connector)
    worker.job_manager = JobKeeper(worker.connector)
    return worker


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)  # each call is one statement, a transaction of its own


def _make_pool(**options: Any) -> AsyncConnectionPool[Any]:
    """Make a pool that asks PostgreSQL nothing before each use of a connection."""
    return AsyncConnectionPool(**options | {"check": _check_connection})


async def _check_connection(connection: psycopg.AsyncConnection[Any]) -> None:
    """Raise `OperationalError` where the other end has closed: an idle connection has nothing to read but its end.

    It is closed here then: of one that does not know of its loss, the pool would think it well, and offer it again.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        await connection.close()
        raise psycopg.OperationalError("the connection has been closed")


def _wake_jobs() -> None:
    """Bring forward what waits for the OMS; if that fails, it comes in its own time."""
    try:
        count = wake_jobs()
    except DatabaseError:
        _logger.info("What waits for Omnitron was not woken.")
        return
    if count:
        _logger.info("Omnitron answers again: %s jobs need not wait any longer.", count)
