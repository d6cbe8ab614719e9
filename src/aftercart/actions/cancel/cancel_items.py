"""Cancel or return items, at once if that can be done, as requests if not (contract section 3)."""

from django.db import transaction

from aftercart.actions.cancel.decide_cancellation import decide_cancellation, enforce
from aftercart.actions.cancel.read_case import lock_named, read_case
from aftercart.actions.cancel.record_submission import Prepared, record_submission
from aftercart.actions.cancel.send_submission import send_submission
from aftercart.actions.commands import Answer, CancellationCommand
from aftercart.actions.recognize_replay import (
    checking_later,
    make_idempotency_record,
    once_more_if_raced,
    recognize_replay,
    replay,
)
from aftercart.cancellations.models import Submission
from aftercart.lib.failpoints import failpoint
from aftercart.oms.port import OmsClient


def cancel_items(command: CancellationCommand, client: OmsClient) -> Answer:
    """Submit a cancellation: 204 when the OMS has taken it, 200 with requests when the back office must.

    Raises `OrderNotFound`, `InputInvalid`, `CancellationRefused`, `StillRunning`, `KeyReused`; then nothing
    has been written and nothing sent. Raises `BeingChecked` where the database went away in between.
    """
    prepared = prepare_submission(command, Submission.Origin.DIRECT)
    if isinstance(prepared, Answer):
        return prepared
    failpoint("prepare.committed")
    with checking_later(prepared.submission.idempotency_record_id):
        return send_submission(prepared, client)


@once_more_if_raced
def prepare_submission(command: CancellationCommand, origin: Submission.Origin) -> Prepared | Answer:
    """Read, decide, record: the first transaction. The answer, if that is the end: a replay, or requests for review.

    Raises `OrderNotFound`, `InputInvalid`, `CancellationRefused`, `QuoteStale`, `StillRunning`, `KeyReused`;
    then nothing has been written.
    """
    with transaction.atomic(durable=True):
        order = lock_named(command)
        first = recognize_replay(command.caller)
        if first is not None:
            return replay(first)
        case = read_case(order, command)
        decided = decide_cancellation(case, command)
        enforce(decided, command.quote)
        failpoint("prepare.judged")
        return record_submission(
            case,
            decided,
            origin=origin,
            user=command.caller.user,
            idempotency_record=make_idempotency_record(command.caller),
            is_binding=bool(command.quote),
            points_agreement=command.points_agreement,
        )
