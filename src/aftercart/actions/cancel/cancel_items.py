"""Cancel or return items, at once if that can be done, as requests if not (contract section 3)."""

from aftercart.actions.cancel.prepare_submission import prepare_submission
from aftercart.actions.cancel.send_submission import send_submission
from aftercart.actions.commands import Answer, CancellationCommand
from aftercart.actions.upkeep.despite_outages import checking_later
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
    with checking_later(prepared.idempotency_record_pk):
        return send_submission(prepared, client)
