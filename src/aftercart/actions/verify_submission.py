"""Find out what became of a cancellation whose answer was lost: by reading, never by sending again."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from aftercart.actions import jobs
from aftercart.actions.settle_submission import settle_submission
from aftercart.actions.waits import compute_wait
from aftercart.cancellations.models import Submission
from aftercart.lib.failpoints import failpoint
from aftercart.omnitron.client import Omnitron
from aftercart.omnitron.errors import OmnitronError
from aftercart.omnitron.messages import RemoteOrder
from aftercart.orders.selectors import get_now
from aftercart.orders.status import FINAL, Status
from aftercart.orders.timeline import WORKER, record_event

_FIRST_WAIT = timedelta(seconds=2)
#: Waits double up to these: while it is young a customer may be waiting, and a while of failures goes by soon.
_YOUNG, _LONGEST_WHEN_YOUNG = timedelta(minutes=10), timedelta(seconds=15)
_LONGEST_WAIT = timedelta(minutes=5)


def verify_submission(submission_pk: int, client: Omnitron) -> None:
    """Settle a submission in `unknown` as applied, or, after the grace time, as not applied; else look later.

    The grace time is there because Omnitron may still be busy with a POST that we have stopped waiting for.
    """
    submission = Submission.objects.select_related("order").get(pk=submission_pk)
    if submission.state != Submission.State.UNKNOWN:
        return
    order = submission.order
    try:
        with client.dialogue() as talk:
            remote = talk.read_order(channel_id=order.channel_id, number=order.number)
    except OmnitronError as error:
        _look_later(submission, error.detail)
        return
    failpoint("verify.read")
    if is_applied(submission, remote):
        settle_submission(submission_pk, Submission.State.APPLIED, WORKER, cause="found_applied")
    elif submission.sent_at is None or get_now() > submission.sent_at + settings.VERIFY_GRACE:
        detail = "Omnitron shows no trace of the cancellation."
        settle_submission(
            submission_pk, Submission.State.REFUSED, WORKER, cause="found_not_applied", detail=detail
        )
    else:
        _look_later(submission, "")


def is_applied(submission: Submission, remote: RemoteOrder) -> bool:
    """Tell whether Omnitron's order shows that a sent cancellation was applied.

    It was when any of its items is cancelled or being cancelled, or has another `cancel_status` than just
    before the sending (it may have been applied and rejected since).
    """
    before = (submission.command or {}).get("before", {})
    for item in remote.items:
        if str(item.pk) not in before:
            continue
        if item.status in FINAL | {Status.CANCELLATION_WAITING}:
            return True
        if item.cancel_status != before[str(item.pk)][1]:
            return True
    return False


@transaction.atomic(durable=True)
def _look_later(submission: Submission, detail: str) -> None:
    """Look again after a longer wait; after a day of failures somebody has to look, and we go on looking."""
    found = Submission.objects.filter(pk=submission.pk)
    found.update(checks=submission.checks + 1, cause_detail=detail)
    asked_since = submission.sent_at or submission.created_at
    age = get_now() - asked_since
    if age > settings.VERIFY_GIVE_UP and found.filter(manual_since=None).update(manual_since=get_now()):
        record_event(submission.order, "verification_needs_staff", WORKER, cause=detail)
    longest = _LONGEST_WHEN_YOUNG if age < _YOUNG else _LONGEST_WAIT
    wait = compute_wait(submission.checks, first=_FIRST_WAIT, longest=longest)
    jobs.enqueue(jobs.VERIFY_SUBMISSION, submission.pk, wait=wait)
