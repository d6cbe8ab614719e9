"""The worker process."""

import logging

from django.db import DatabaseError
from procrastinate.contrib.django import app

from aftercart.actions.wake_jobs import wake_jobs
from aftercart.actions.watch_restores import watch_restores_if_possible
from aftercart.omnitron.connect import listen_for_recovery
from aftercart.worker.keeper import JobKeeper

_logger = logging.getLogger(__name__)

#: Jobs that one worker does at once; most of their time they wait for Omnitron.
_CONCURRENCY = 4


def serve() -> None:
    """Do jobs until SIGTERM or Ctrl-C; then finish those under way."""
    listen_for_recovery(_wake_jobs)
    watch_restores_if_possible()
    worker = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]  # Django's connector has it
    worker.job_manager = JobKeeper(worker.connector)
    worker.run_worker(
        concurrency=_CONCURRENCY,
        fetch_job_polling_interval=2.0,
        update_heartbeat_interval=5.0,  # several before it counts as dead (tasks._DEAD_AFTER)
        shutdown_graceful_timeout=15.0,
        delete_jobs="successful",
        install_signal_handlers=True,
    )


def _wake_jobs() -> None:
    """Bring forward what waits for Omnitron; if that fails, it comes in its own time."""
    try:
        count = wake_jobs()
    except DatabaseError:
        _logger.info("What waits for Omnitron was not woken.")
        return
    if count:
        _logger.info("Omnitron answers again: %s jobs need not wait any longer.", count)
