"""Procrastinate tasks and schedules: thin calls of actions. The rows are the truth, this the ticker."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial, wraps
from typing import Any, Final

from django.conf import settings
from django.db import close_old_connections
from procrastinate import JobContext
from procrastinate.contrib.django import app

from aftercart.accounts.sessions import SessionStore
from aftercart.actions.account.send_one_time_code import send_one_time_code
from aftercart.actions.address.change_address import deliver_address
from aftercart.actions.address.compare_address import compare_address
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.mail.send_email import forget_emails, recover_emails, send_email
from aftercart.actions.requests.approve_request import execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.reject_request import deliver_rejection
from aftercart.actions.requests.reject_spare import reject_spare
from aftercart.actions.returns.forget_photos import forget_photos
from aftercart.actions.sync.learn_ids import learn_ids
from aftercart.actions.sync.poll_updates import list_streams_due, poll_updates
from aftercart.actions.sync.reconcile_orders import reconcile_orders
from aftercart.actions.sync.sync_order import sync_if_due, sync_or_postpone
from aftercart.actions.sync.sync_reasons import sync_reasons
from aftercart.actions.sync.watch_restores import watch_restores
from aftercart.actions.upkeep import forget, jobs, recover
from aftercart.actions.upkeep.do_apart import Fence, do_apart
from aftercart.cancellations.models.read_budget import has_calls_left, has_calls_to_spare, spending_calls
from aftercart.cancellations.models.setbacks import clear_setback, record_setback
from aftercart.cancellations.selectors import list_orders_to_sync
from aftercart.lib.correlation import correlated, make_request_id
from aftercart.lib.database import is_outage
from aftercart.oms.connect import get_client
from aftercart.oms.errors import NotSent, OmsError
from aftercart.oms.port import OmsClient
from aftercart.worker.leases import take_lease
from aftercart.worker.queue import take_job
from aftercart.worker.take_over import take_over_jobs

_logger = logging.getLogger(__name__)

#: A worker that has not been heard of for so many seconds is dead, and its jobs are taken over.
_DEAD_AFTER = 20
#: How many orders of a kind one round brings up to date.
_ORDERS_A_ROUND = 200
#: For how long a job takes others of its kind along: those of another kind may be more urgent, and a stop waits for it.
_GOES_ON_SECONDS = 1.0


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


def _about_row(
    name: str, *, aliases: Sequence[str] = (), goes_on: bool = False
) -> Callable[[Callable[[int], None]], Any]:
    """Register a task about one row. Its unexpected failures are counted, and put its next try behind others'.

    `aliases` are names that earlier versions enqueued it under. One that `goes_on` takes along what else of its kind
    waits: to hand out a job costs several times what a short one does. Recovery finds the rows of a worker that dies.
    """

    def decorate(task: Callable[[int], None]) -> Any:
        def do(pk: int) -> None:
            task(pk)
            clear_setback(name, pk)

        @wraps(task)
        def wrapper(pk: int) -> None:
            began = time.monotonic()
            try:
                do(pk)
            except Exception as error:
                if not is_outage(error):
                    record_setback(name, pk, error)
                raise
            while goes_on and time.monotonic() - began < _GOES_ON_SECONDS:
                job = take_job([name, *aliases])
                if job is None:
                    return
                with correlated(job.request_id or make_request_id()):
                    do_apart(name, job.pk, partial(do, job.pk))

        return app.task(name=name, aliases=list(aliases))(_returning_connections(wrapper))

    return decorate


def _round(
    cron: str, name: str, *, priority: int = 0, is_due: Callable[[], object] = lambda: True
) -> Callable[[Callable[[Fence], None]], Any]:
    """Register a round of work, which one worker at a time does. A frozen one loses it to another by its lease.

    Not by a lock of the queue: a worker that hangs would hold that. Where nothing `is_due`, no lease is taken.
    """

    def decorate(task: Callable[[Fence], None]) -> Any:
        @wraps(task)
        def wrapper(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate tells every periodic task its time
            if not is_due():
                return
            with take_lease(name) as lease:
                if lease is not None:
                    task(lease.renew)

        registered = app.task(name=name, queueing_lock=name, priority=priority)(
            _returning_connections(wrapper)
        )
        return app.periodic(cron=cron)(registered)

    return decorate


#: What is done about a row in a dialogue with the OMS, by the name of its job.
IN_DIALOGUE: Final[dict[str, Callable[[int, OmsClient], None]]] = {
    jobs.VERIFY_SUBMISSION: verify_submission,
    jobs.DELIVER_REQUEST: deliver_request,
    jobs.EXECUTE_APPROVAL: execute_approval,
    jobs.DELIVER_REJECTION: deliver_rejection,
    jobs.REJECT_SPARE: reject_spare,
    jobs.DELIVER_ADDRESS: deliver_address,
    jobs.COMPARE_ADDRESS: compare_address,
}


def _hold_dialogue(name: str) -> None:
    @_about_row(name)
    def run(pk: int) -> None:
        IN_DIALOGUE[name](pk, get_client())


for _name in IN_DIALOGUE:
    _hold_dialogue(_name)


_about_row(jobs.SEND_CODE)(send_one_time_code)


@_about_row(jobs.SYNC_ORDER, goes_on=True)
def run_sync_order(pk: int) -> None:
    """Bring one order up to date, unless that has been put off since it was enqueued."""
    _log_unsynced(pk, sync_if_due(pk, get_client()))


def _log_unsynced(pk: int, error: OmsError | None) -> None:
    if error is not None:
        _logger.info("Order %s was not synced: %s", pk, error.detail)


@_about_row(jobs.SEND_EMAIL, aliases=["aftercart.send_letter"], goes_on=True)
def run_send_email(pk: int) -> None:
    """Send an e-mail of the outbox."""
    send_email(pk)


@_about_row(jobs.SYNC_REASONS)
def run_sync_reasons(pk: int) -> None:
    """Compare the reasons with those of a channel; tomorrow's round does what fails now."""
    try:
        report = sync_reasons(get_client(), pk)
    except OmsError as error:
        _logger.info("Reasons were not compared: %s", error.detail)
        return
    if report.problems:
        _logger.warning("%s reasons have no counterpart at Omnitron.", len(report.problems))


@_round("41 3 * * *", "aftercart.compare_reasons")
def run_compare_reasons(_fence: Fence) -> None:
    """Compare the reasons with the OMS's once a day."""
    jobs.enqueue(jobs.SYNC_REASONS, settings.OMNITRON_CHANNEL_ID)


@_round("* * * * * */10", "aftercart.recover", priority=jobs.UPKEEP)
def run_recover(fence: Fence) -> None:
    """Settle what dead processes left, and enqueue what lost its job."""
    settled = recover.recover_submissions(fence) + recover_emails(fence)
    enqueued = recover.recover_jobs(fence)
    if settled or enqueued:
        _logger.warning("Recovered %s submissions or e-mails and %s jobs.", settled, enqueued)


@_round("* * * * * */20", "aftercart.sync_orders")
def run_sync_orders(fence: Fence) -> None:
    """Bring the orders up to date whose news lost their job, or that have undecided cancellations."""
    client = get_client()

    def sync(pk: int) -> None:
        error = sync_or_postpone(pk, client)
        _log_unsynced(pk, error)
        if isinstance(error, NotSent):
            raise error  # nor would the next be read now

    with suppress(NotSent):
        for pk in list_orders_to_sync(_ORDERS_A_ROUND):
            if not has_calls_left():
                return  # those that have waited longest go first in the next round
            do_apart(jobs.SYNC_ORDER, pk, partial(sync, pk), fence, passing=NotSent)


@_round("*/2 * * * *", "aftercart.learn_ids")
def run_learn_ids(_fence: Fence) -> None:
    """Learn the OMS's ids of new orders before somebody cancels one."""
    if not has_calls_to_spare():
        return
    try:
        with spending_calls():
            learn_ids(get_client())
    except OmsError as error:
        _logger.info("Ids were not learnt: %s", error.detail)


@_round("* * * * * */5", "aftercart.poll_updates", is_due=list_streams_due)
def run_poll_updates(fence: Fence) -> None:
    """Read the OMS's lists of updates, each as often as the setting says."""
    for channel_id, stream in list_streams_due():
        do_apart(
            f"aftercart.poll_{stream}",
            channel_id,
            partial(poll_updates, channel_id, stream, get_client()),
            fence,
        )


@_round("23 3 * * *", "aftercart.reconcile")
def run_reconcile(fence: Fence) -> None:
    """Compare open orders with the OMS once a day."""
    counts = reconcile_orders(get_client(), fence)
    _logger.info("Reconciled: %s", counts)


@app.periodic(cron="* * * * * */5")
@app.task(name="aftercart.take_over_jobs", queueing_lock="aftercart.take_over_jobs", priority=jobs.UPKEEP)
@_returning_connections
def run_take_over_jobs(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate gives it to every periodic task
    """Put the jobs of dead workers back into the queue."""
    for job in take_over_jobs(_DEAD_AFTER):
        _logger.warning("Took over job %s (%s) of a dead worker.", job.id, job.task_name)


@app.periodic(cron="17 * * * *")
@app.task(name="aftercart.forget", queueing_lock="aftercart.forget", pass_context=True)
async def run_forget(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - Procrastinate gives it to every periodic task
    """Delete what has had its time: done jobs after a day."""
    await context.app.job_manager.delete_old_jobs(nb_hours=24, include_failed=True)


def _forget(cron: str, name: str, do: Callable[[], int], said: str) -> None:
    """Register a round that forgets one kind of thing, and says how many it were."""

    @_round(cron, name)
    def run(_fence: Fence) -> None:
        count = do()
        if count:
            _logger.info(said, count)


_forget("37 * * * *", "aftercart.forget_accounts", forget.forget_accounts, "Forgot the accounts of %s lines.")
_forget("41 3 * * *", "aftercart.forget_documents", forget.forget_documents, "Deleted %s stored documents.")
_forget("29 3 * * *", "aftercart.forget_photos", forget_photos, "Deleted %s photos.")


@_round("53 3 * * *", "aftercart.forget_logs")
def run_forget_logs(_fence: Fence) -> None:
    """Delete records of log-ins and of staff's changes, and what was settled, after their time, once a day."""
    forget.forget_logs()
    forget.forget_history()


@_round("47 * * * *", "aftercart.forget_writes")
def run_forget_writes(fence: Fence) -> None:
    """Delete idempotency records, e-mails, sessions, guests' codes and rate limits after their time."""
    kinds: tuple[Callable[[], object], ...] = (
        SessionStore.clear_expired,
        forget.forget_writes,
        forget.forget_guests,
        forget.forget_setbacks,
        partial(forget_emails, settings.EMAIL_LIFE),
    )
    for number, do in enumerate(kinds):
        do_apart("aftercart.forget_writes", number, do, fence)


@app.periodic(cron="* * * * *")
@app.task(name="aftercart.watch_restores", queueing_lock="aftercart.watch_restores", priority=jobs.UPKEEP)
@_returning_connections
def run_watch_restores(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate gives it to every periodic task
    """Let the count rise by which a restored database is noticed."""
    watch_restores()
