"""Procrastinate tasks and schedules: thin calls of actions. The rows are the truth, this the ticker."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from procrastinate import JobContext
from procrastinate.contrib.django import app

from aftercart.accounts.sessions import SessionStore
from aftercart.actions import jobs, recover
from aftercart.actions.approve_request import execute_approval
from aftercart.actions.change_address import deliver_address
from aftercart.actions.compare_address import compare_address
from aftercart.actions.deliver_request import deliver_request
from aftercart.actions.forget_accounts import forget_accounts
from aftercart.actions.forget_logs import forget_logs
from aftercart.actions.poll_updates import list_streams_due, poll_updates
from aftercart.actions.reconcile_orders import reconcile_orders
from aftercart.actions.reject_request import deliver_rejection
from aftercart.actions.send_guest_code import send_guest_code
from aftercart.actions.send_letter import forget_letters, recover_letters, send_letter
from aftercart.actions.sync_order import sync_if_due, sync_or_postpone
from aftercart.actions.sync_reasons import sync_reasons
from aftercart.actions.verify_submission import verify_submission
from aftercart.actions.watch_restores import watch_restores
from aftercart.cancellations.selectors import list_orders_to_sync
from aftercart.lib.correlation import correlated, make_request_id
from aftercart.lib.locks import alone_at
from aftercart.omnitron.connect import get_client
from aftercart.omnitron.errors import NotSent, OmnitronError
from aftercart.worker.take_over import take_over_jobs

_logger = logging.getLogger(__name__)

#: A worker that has not been heard of for so many seconds is dead, and its jobs are taken over.
_DEAD_AFTER = 20
#: How many orders of a kind one round brings up to date.
_ORDERS_A_ROUND = 200


def _returning_connections(task: Callable[..., None]) -> Callable[..., None]:
    """Do each job under its request's id, or one of its own; give its database connection back to the pool."""

    @wraps(task)
    def wrapper(*args: Any, request_id: str | None = None, **kwargs: Any) -> None:
        close_old_connections()
        try:
            with correlated(request_id or make_request_id()):
                task(*args, **kwargs)
        finally:
            close_old_connections()

    return wrapper


@app.task(name=jobs.VERIFY_SUBMISSION)
@_returning_connections
def run_verify_submission(pk: int) -> None:
    """Look for a cancellation whose answer was lost."""
    verify_submission(pk, get_client())


@app.task(name=jobs.DELIVER_REQUEST)
@_returning_connections
def run_deliver_request(pk: int) -> None:
    """Put a request into Omnitron's queue."""
    deliver_request(pk, get_client())


@app.task(name=jobs.EXECUTE_APPROVAL)
@_returning_connections
def run_execute_approval(pk: int) -> None:
    """Send what the staff approved."""
    execute_approval(pk, get_client())


@app.task(name=jobs.DELIVER_REJECTION)
@_returning_connections
def run_deliver_rejection(pk: int) -> None:
    """Tell Omnitron of a rejection."""
    deliver_rejection(pk, get_client())


@app.task(name=jobs.DELIVER_ADDRESS)
@_returning_connections
def run_deliver_address(pk: int) -> None:
    """Tell Omnitron of another address."""
    deliver_address(pk, get_client())


@app.task(name=jobs.COMPARE_ADDRESS)
@_returning_connections
def run_compare_address(pk: int) -> None:
    """See where Omnitron sends an order."""
    compare_address(pk, get_client())


@app.task(name=jobs.SEND_GUEST_CODE)
@_returning_connections
def run_send_guest_code(pk: int) -> None:
    """Mail a guest's one-time code, if there is such an order."""
    send_guest_code(pk)


@app.task(name=jobs.SYNC_ORDER)
@_returning_connections
def run_sync_order(pk: int) -> None:
    """Bring one order up to date, unless that has been put off since it was enqueued."""
    _log_unsynced(pk, sync_if_due(pk, get_client()))


def _log_unsynced(pk: int, error: OmnitronError | None) -> None:
    if error is not None:
        _logger.info("Order %s was not synced: %s", pk, error.detail)


@app.task(name=jobs.SEND_LETTER)
@_returning_connections
def run_send_letter(pk: int) -> None:
    """Send a letter of the outbox."""
    send_letter(pk)


@app.task(name=jobs.SYNC_REASONS)
@_returning_connections
def run_sync_reasons(pk: int) -> None:
    """Compare the reasons with those of a channel; tomorrow's round does what fails now."""
    try:
        report = sync_reasons(get_client(), pk)
    except OmnitronError as error:
        _logger.info("Reasons were not compared: %s", error.detail)
        return
    if report.problems:
        _logger.warning("%s reasons have no partner at Omnitron.", len(report.problems))


@app.periodic(cron="41 3 * * *")
@app.task(name="aftercart.compare_reasons", queueing_lock="aftercart.compare_reasons")
@_returning_connections
def run_compare_reasons(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate gives it to every periodic task
    """Compare the reasons with Omnitron's once a day."""
    jobs.enqueue(jobs.SYNC_REASONS, settings.OMNITRON_CHANNEL_ID)


@app.periodic(cron="* * * * * */10")
# Without a lock of the queue: a dead worker would hold it.
@app.task(name="aftercart.recover", queueing_lock="aftercart.recover", priority=jobs.UPKEEP)
@_returning_connections
def run_recover(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate tells every periodic task its time
    """Settle what dead processes left, and enqueue what lost its job; one at a time."""
    with alone_at("aftercart.recover") as is_alone:
        if not is_alone:
            return
        settled = recover.recover_submissions() + recover_letters()
        enqueued = recover.recover_jobs()
    if settled or enqueued:
        _logger.warning("Recovered %s submissions or letters and %s jobs.", settled, enqueued)


@app.periodic(cron="* * * * * */20")
@app.task(name="aftercart.sync_orders", queueing_lock="aftercart.sync_orders", lock="aftercart.sync_orders")
@_returning_connections
def run_sync_orders(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate gives it to every periodic task
    """Bring the orders up to date whose news lost their job, or that have undecided cancellations."""
    client = get_client()
    for pk in list_orders_to_sync(_ORDERS_A_ROUND):
        error = sync_or_postpone(pk, client)
        _log_unsynced(pk, error)
        if isinstance(error, NotSent):
            return  # nor would the next be read now


@app.periodic(cron="* * * * * */5")
@app.task(
    name="aftercart.poll_updates", queueing_lock="aftercart.poll_updates", lock="aftercart.poll_updates"
)
@_returning_connections
def run_poll_updates(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate gives it to every periodic task
    """Read Omnitron's lists of updates, each as often as the setting says."""
    for channel_id, stream in list_streams_due():
        poll_updates(channel_id, stream, get_client())


@app.periodic(cron="23 3 * * *")
@app.task(name="aftercart.reconcile", queueing_lock="aftercart.reconcile", lock="aftercart.reconcile")
@_returning_connections
def run_reconcile(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate gives it to every periodic task
    """Compare open orders with Omnitron once a day."""
    counts = reconcile_orders(get_client())
    _logger.info("Reconciled: %s", counts)


@app.periodic(cron="* * * * * */10")
@app.task(name="aftercart.take_over_jobs", queueing_lock="aftercart.take_over_jobs", priority=jobs.UPKEEP)
@_returning_connections
def run_take_over_jobs(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate gives it to every periodic task
    """Put the jobs of dead workers back into the queue."""
    for job in take_over_jobs(_DEAD_AFTER):
        _logger.warning("Took over job %s (%s) of a dead worker.", job.id, job.task_name)


@app.periodic(cron="17 * * * *")
@app.task(
    name="aftercart.forget", queueing_lock="aftercart.forget", lock="aftercart.forget", pass_context=True
)
async def run_forget(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - Procrastinate gives it to every periodic task
    """Delete what has had its time: done jobs after a day."""
    await context.app.job_manager.delete_old_jobs(nb_hours=24, include_failed=True)


@app.periodic(cron="37 * * * *")
@app.task(
    name="aftercart.forget_accounts",
    queueing_lock="aftercart.forget_accounts",
    lock="aftercart.forget_accounts",
)
@_returning_connections
def run_forget_accounts(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate gives it to every periodic task
    """Clear account numbers and holders after their time."""
    count = forget_accounts()
    if count:
        _logger.info("Forgot the accounts of %s lines.", count)


@app.periodic(cron="53 3 * * *")
@app.task(name="aftercart.forget_logs", queueing_lock="aftercart.forget_logs")
@_returning_connections
def run_forget_logs(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate tells every periodic task its time
    """Delete records of log-ins and of staff's changes after their time, once a day."""
    forget_logs()


@app.periodic(cron="47 * * * *")
@app.task(name="aftercart.forget_writes", queueing_lock="aftercart.forget_writes")
@_returning_connections
def run_forget_writes(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate gives it to every periodic task
    """Delete idempotency records, letters, sessions, guests' codes and tallies after their time."""
    SessionStore.clear_expired()
    recover.forget_writes()
    recover.forget_guests()
    forget_letters(settings.LETTER_LIFE)


@app.periodic(cron="* * * * *")
@app.task(name="aftercart.watch_restores", queueing_lock="aftercart.watch_restores", priority=jobs.UPKEEP)
@_returning_connections
def run_watch_restores(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate gives it to every periodic task
    """Let the count rise by which a restored database is noticed."""
    watch_restores()
