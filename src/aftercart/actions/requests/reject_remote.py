"""Read requests of the OMS's own queue, and reject them."""

from collections.abc import Iterable
from contextlib import suppress

from aftercart.oms.errors import AnswerUnknown, NotFound, Refused
from aftercart.oms.messages import RemoteRequest
from aftercart.oms.port import Dialogue, Guard

#: Where a request stands while the OMS has not decided on it (contract section 8).
UNDECIDED = frozenset({"waiting", "waiting_approval"})


def reject_remote(
    dialogue: Dialogue, *, channel_id: int, pks: Iterable[int], reason: str, guard: Guard
) -> list[RemoteRequest]:
    """Reject requests and give them as they stand then; those that the OMS does not know are left out.

    One that had been decided there already, or that an earlier try of ours has rejected, stays as it is. Raises
    `OmsError` when one can neither be rejected nor is decided.
    """
    found = []
    for pk in pks:
        refused = None
        try:
            dialogue.reject_request(channel_id=channel_id, pk=pk, reason=reason, guard=guard)
        except Refused as error:
            refused = error
        rows = read_remote(dialogue, channel_id=channel_id, pks=[pk])
        if any(row.status in UNDECIDED for row in rows):
            raise refused or AnswerUnknown(
                "Omnitron still shows this request as waiting.", code="still_waiting"
            )
        found += rows
    return found


def read_remote(dialogue: Dialogue, *, channel_id: int, pks: Iterable[int]) -> list[RemoteRequest]:
    """Read requests; those that the OMS does not know are left out."""
    found = []
    for pk in pks:
        with suppress(NotFound):
            found.append(dialogue.read_request(channel_id=channel_id, pk=pk))
    return found
