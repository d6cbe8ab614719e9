"""Find out how a cancellation ended whose answer was lost: by reading, never by sending again."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from aftercart.actions.cancel.apply_late import note_if_late
from aftercart.actions.cancel.plan_command import Trace, trace_command
from aftercart.actions.cancel.record_submission import settle_submission
from aftercart.actions.mail.notify_customer import notify_checking
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import Submission
from aftercart.cancellations.states import is_past_grace
from aftercart.lib.clock import read_clock
from aftercart.lib.correlation import correlate_submission
from aftercart.lib.failpoints import failpoint
from aftercart.lib.notes import write_note
from aftercart.oms.errors import OmsError
from aftercart.oms.port import OmsClient
from aftercart.orders.timeline import WORKER, record_event

_FIRST_WAIT = timedelta(seconds=2)
#: Waits double up to these: while it is young a customer may be waiting, and a while of failures goes by soon.
_YOUNG, _LONGEST_WHEN_YOUNG = timedelta(minutes=10), timedelta(seconds=15)
_LONGEST_WAIT = timedelta(minutes=5)


def verify_submission(submission_pk: int, client: OmsClient) -> None:
    """Settle a submission in `unknown` by what the OMS shows; else look later.

    Until the grace time is over the OMS may still be busy with a POST that nobody waits for any more. So only a
    reading that began after it, by the database's clock, says that nothing was applied, however long this
    process stands still between the reading and the decision.
    """
    submission = Submission.objects.select_related("order").get(pk=submission_pk)
    correlate_submission(submission.uuid)
    if submission.state != Submission.State.UNKNOWN:
        return
    order = submission.order
    began_at = read_clock()
    try:
        with client.dialogue() as dialogue:
            remote = dialogue.read_order(channel_id=order.channel_id, number=order.number)
    except OmsError as error:
        _look_later(submission, error.note)
        return
    failpoint("verify.read")
    trace = trace_command(submission.command, remote)
    if trace is Trace.APPLIED:
        settle_submission(submission_pk, Submission.State.APPLIED, WORKER, cause=Cause.FOUND_APPLIED)
        note_if_late(submission_pk)
    else:
        _release(submission, trace, began_at)


#: Why a submission without an answer was released.
_RELEASES = {
    Trace.UNTOUCHED: Cause.FOUND_NOT_APPLIED,
    Trace.TOUCHED: Cause.FOUND_CHANGED,
}


def _release(submission: Submission, trace: Trace, began_at: datetime) -> None:
    """Release a submission that was not found applied, if the reading began after the grace; else look later."""
    cause = _RELEASES[trace]
    settle_submission(
        submission.pk,
        Submission.State.REFUSED,
        WORKER,
        cause=cause,
        detail=write_note(cause),
        only_if=Q(state=Submission.State.UNKNOWN) & is_past_grace(began_at),
    )
    submission.refresh_from_db()
    if submission.state == Submission.State.UNKNOWN:
        _look_later(submission, "")


@transaction.atomic(durable=True)
def _look_later(submission: Submission, detail: str) -> None:
    """Look again after a longer wait; after a day of failures somebody has to look, and we go on looking."""
    found = Submission.objects.filter(pk=submission.pk)
    found.update(checks=submission.checks + 1, cause_detail=detail)
    asked_since = submission.sent_at or submission.created_at
    now = read_clock()
    age = now - asked_since
    if age > settings.VERIFY_GIVE_UP and found.filter(manual_since=None).update(manual_since=now):
        record_event(submission.order, "verification_needs_staff", WORKER, cause=detail)
    if age > _YOUNG:
        notify_checking(submission.order, submission)
    longest = _LONGEST_WHEN_YOUNG if age < _YOUNG else _LONGEST_WAIT
    wait = jobs.compute_backoff(submission.checks, first=_FIRST_WAIT, longest=longest)
    left = asked_since + settings.VERIFY_GRACE - now
    if left > timedelta(0):
        wait = min(wait, left)  # the reading that can settle it comes as soon as it can
    jobs.enqueue(jobs.VERIFY_SUBMISSION, submission.pk, wait=wait)
