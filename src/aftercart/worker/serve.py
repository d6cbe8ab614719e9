"""The worker process."""

from procrastinate.contrib.django import app

from aftercart.worker.keeper import JobKeeper

#: Jobs that one worker does at once; most of their time they wait for Omnitron.
_CONCURRENCY = 4


def serve() -> None:
    """Do jobs until SIGTERM or Ctrl-C; then finish those under way."""
    worker = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    worker.job_manager = JobKeeper(worker.connector)
    worker.run_worker(
        concurrency=_CONCURRENCY,
        fetch_job_polling_interval=2.0,
        update_heartbeat_interval=5.0,  # several before it counts as dead (tasks._DEAD_AFTER)
        shutdown_graceful_timeout=15.0,
        delete_jobs="successful",
        install_signal_handlers=True,
    )
