"""What follows when a command that was given up has arrived all the same: an event, an alarm, and the truth."""

import logging

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from aftercart.actions.cancel.open_requests import ensure_requests
from aftercart.actions.cancel.record_submission import answer_current, book_applied, settle_submission
from aftercart.actions.commands import Answer
from aftercart.actions.mail.notify_customer import notify_late
from aftercart.actions.recognize_replay import record_answer
from aftercart.actions.sync.plan_sync import plan_sync
from aftercart.actions.sync.record_difference import record_surplus
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import CancellationRequest, Delivery, Submission, SubmissionLine
from aftercart.cancellations.states import LATE_MOVES, UNDER_WAY, claim_move
from aftercart.lib.batch import Batch
from aftercart.lib.failpoints import failpoint
from aftercart.oms.errors import AnswerUnknown
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import OMS, WORKER, Actor, record_event

_State = Submission.State

logger = logging.getLogger("aftercart.alarm")


def note_if_late(submission_pk: int) -> Answer | None:
    """Where a submission that the OMS has applied was given up meanwhile, its success is late: seen, and told."""
    if not Submission.objects.filter(pk=submission_pk, state=_State.REFUSED).exists():
        return None
    failpoint("send.late")
    return note_late(submission_pk)


@transaction.atomic(durable=True)
def note_late(submission_pk: int) -> Answer:
    """Book what the OMS has applied of a submission that was given up, and give the answer that fits now."""
    submission = Submission.objects.get(pk=submission_pk)
    order = lock_order(pk=submission.order_id)
    submission.refresh_from_db()
    if submission.state == _State.REFUSED and submission.late_at is None:
        take_late(order, submission)
        save_order(order, "status", "status_before")
    return answer_current(submission)


@transaction.atomic(durable=True)
def adopt_late(submission_pk: int, late_pk: int) -> Answer:
    """Have a submission that was not sent take an earlier command, which has arrived, for its own.

    One that was given up meanwhile, so that a newer one carries its lines, takes nothing: the newer one finds it.
    """
    submission = Submission.objects.select_related("idempotency_record").get(pk=submission_pk)
    order = lock_order(pk=submission.order_id)
    late = Submission.objects.get(pk=late_pk)
    submission.refresh_from_db()
    if not _carries_its_lines(submission) or not apply_late(order, submission, late):
        return answer_current(submission)
    answer = answer_current(submission)
    record_answer(submission.idempotency_record, answer)
    save_order(order, "status", "status_before")
    return answer


def settle_unknown(submission_pk: int, actor: Actor, error: AnswerUnknown) -> Answer:
    """Settle as `unknown`. Where it was given up meanwhile, its command has left only now: that begins again."""
    unknown = _State.UNKNOWN
    answer = settle_submission(submission_pk, unknown, actor, cause=error.code, detail=error.note)
    if Submission.objects.filter(pk=submission_pk, state=_State.REFUSED).exists():
        failpoint("send.late")
        return _hold_late(submission_pk, error)
    return answer


@transaction.atomic(durable=True)
def _hold_late(submission_pk: int, error: AnswerUnknown) -> Answer:
    """Have it looked for again while it is the carrier and nobody has decided; else read the order after the grace."""
    submission = Submission.objects.get(pk=submission_pk)
    order = lock_order(pk=submission.order_id)
    lines = submission.list_carried().filter(is_open=True)
    undecided = lines.filter(
        request__status=CancellationRequest.Status.WAITING,
        request__delivery__state__in=[Delivery.State.CREATED, Delivery.State.FAILED],
    )
    data = submission.event_data | {"detail": error.note}
    record_event(order, "late_sending", WORKER, cause=error.code, data=data)
    logger.error("Submission %s of order %s left after it had been given up", submission.pk, order.number)
    is_undecided = lines.exists() and lines.count() == undecided.count()
    if is_undecided and _carries_its_lines(submission):
        if claim_move(
            submission,
            _State.UNKNOWN,
            moves=LATE_MOVES,
            cause=error.code,
            cause_detail=error.note,
            sent_at=Now(),
            settled_at=None,
        ):
            ensure_requests(submission, CancellationRequest.Status.VERIFYING, error.code)
            jobs.enqueue(jobs.VERIFY_SUBMISSION, submission.pk)
    else:
        Submission.objects.filter(pk=submission.pk, state=_State.REFUSED).update(
            sent_at=Now(), cause=Cause.FOUND_NOT_APPLIED
        )
        plan_sync(order.pk, wait=settings.VERIFY_GRACE)
    save_order(order)
    return answer_current(submission)


def take_late(order: Order, late: Submission) -> None:
    """Book a command of a locked order that has arrived: its lines are being cancelled, whatever was decided since."""
    # An approval may have moved them to a submission of its own since.
    pks = (late.command or {}).get("lines")
    lines = late.list_carried() if pks is None else SubmissionLine.objects.filter(pk__in=pks)
    lines = lines.select_related("submission", "order_item")
    others = [line for line in lines if not (line.is_open and apply_late(order, line.carrier, late))]
    if not any(line.is_open and line.carrier.state in UNDER_WAY for line in others):
        _mark(late)  # else it stays to be found: what is on its way may be refused because of it
    for line in others:
        carrier = line.carrier
        # One that is on its way has named the same items, so that it finds this one; and one may just have been booked.
        is_followed = carrier.state in UNDER_WAY or carrier.late_at is not None
        if not (line.is_open and is_followed):
            _report_other(order, line, late)
    plan_sync(order.pk)


def apply_late(order: Order, submission: Submission, late: Submission) -> bool:
    """Book a submission of a locked order as applied by a command that has arrived late; return whether it could be.

    It can while nothing of its own was sent or taken: then what it asks for is what has arrived.
    """
    if not claim_move(
        submission,
        _State.APPLIED,
        moves=LATE_MOVES,
        cause=Cause.ARRIVED_LATE,
        cause_detail="",
        command=late.command,
        sent_at=late.sent_at,
        settled_at=Now(),
        late_at=Now(),
        manual_since=None,
    ):
        return False
    if late.pk != submission.pk:
        _mark(late)
    _raise_alarm(order, late, submission)
    batch = Batch()
    book_applied(order, submission, OMS, batch, cause=Cause.ARRIVED_LATE)
    batch.execute()
    plan_sync(order.pk)
    return True


def _carries_its_lines(submission: Submission) -> bool:
    return all(line.carrier.pk == submission.pk for line in submission.list_carried())


def _mark(late: Submission) -> None:
    """Note that it is proven now: nothing has to be looked for any more."""
    Submission.objects.filter(pk=late.pk, late_at=None).update(cause=Cause.ARRIVED_LATE, late_at=Now())


def _raise_alarm(order: Order, late: Submission, submission: Submission) -> None:
    data = {"sent": str(late.uuid), "submission": str(submission.uuid)}
    record_event(order, "late_success", OMS, cause=Cause.ARRIVED_LATE, data=data)
    logger.error(
        "Omnitron carried out submission %s of order %s after it had been given up", late.pk, order.number
    )


def _report_other(order: Order, line: SubmissionLine, late: Submission) -> None:
    """Report a line that has ended otherwise meanwhile: rejected, or with units that are gone a second time."""
    carrier = line.carrier
    _raise_alarm(order, late, carrier)
    named, since = (set((row.command or {}).get("before", {})) for row in (late, carrier))
    is_same = carrier.pk != late.pk and carrier.state == _State.APPLIED and named & since
    if is_same:
        return
    if line.outcome != "rejected":
        record_surplus(order, line, line.quantity, line.quantity)
    notify_late(order, line)
