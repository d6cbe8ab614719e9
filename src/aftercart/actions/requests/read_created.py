"""Find what was made at the OMS of a request: by a name that nobody can guess, and only if it is what we asked for."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction

from aftercart.actions.requests.note_spares import note_spares
from aftercart.actions.requests.open_delivery import ensure_delivery
from aftercart.actions.requests.reject_remote import UNDECIDED
from aftercart.actions.sync.get_remote import RemoteDiffers, get_remote_items
from aftercart.actions.sync.record_difference import NAME_TAKEN, record_difference
from aftercart.cancellations.models import CancellationRequest, Delivery
from aftercart.lib.clock import read_clock
from aftercart.oms.errors import AnswerUnknown
from aftercart.oms.messages import RemoteRequest
from aftercart.oms.port import Dialogue
from aftercart.orders.selectors import lock_order, save_order

logger = logging.getLogger("aftercart.alarm")


@dataclass(frozen=True, slots=True)
class Created:
    """What a reading found under the names of a request; `began_at` is when it began, by the database's clock."""

    began_at: datetime
    rows: dict[int, RemoteRequest] = field(default_factory=dict)
    #: They bear one of our names and are about something else: never adopted, and never rejected.
    foreign: list[RemoteRequest] = field(default_factory=list)


def name_remote(delivery: Delivery, position: int) -> str:
    """Name a delivery for the OMS, and which of several items where needed."""
    return f"{delivery.name}-{position}" if position else delivery.name


def read_created(dialogue: Dialogue, request: CancellationRequest, channel_id: int) -> Created:
    """Find what has been made at the OMS of a request, by position, whether we were told or not.

    Raises `AnswerUnknown` while the last one, whose making was not answered, may still come: that nothing is
    there tells nothing, unless the reading began after the grace time. (The OMS may be busy with a POST that we
    have stopped waiting for.)
    """
    made, delivery = Created(began_at=read_clock()), ensure_delivery(request)
    spares: list[RemoteRequest] = []
    for position in range(request.line.quantity):
        rows = dialogue.find_requests(channel_id=channel_id, remote_id=name_remote(delivery, position))
        ours = [row for row in rows if _is_what_was_asked(dialogue, request, row)]
        made.foreign.extend(row for row in rows if row not in ours)
        if not ours:
            break  # they are made in order
        made.rows[position] = _choose(ours, request)
        spares += [row for row in ours if row.pk != made.rows[position].pk and row.status != "rejected"]
    note_spares(request.pk, spares)
    if made.foreign:
        _report_foreign(request, made.foreign)
    found = {name_remote(delivery, position) for position in made.rows}
    is_missing = delivery.state == Delivery.State.SENT and delivery.pending_name not in found
    if is_missing and delivery.sent_at and made.began_at < delivery.sent_at + settings.VERIFY_GRACE:
        raise AnswerUnknown("Omnitron may still be creating this request.", code="still_making")
    return made


def _choose(rows: Sequence[RemoteRequest], request: CancellationRequest) -> RemoteRequest:
    """Choose which of several counts: what we know, else what the OMS has decided for, else the first."""
    decided_against = {"rejected"}
    return min(
        rows,
        key=lambda row: (
            row.pk not in request.remote_pks,
            row.status in UNDECIDED | decided_against,
            row.status in decided_against,
            row.pk,
        ),
    )


def list_created_pks(dialogue: Dialogue, request: CancellationRequest, channel_id: int) -> list[int]:
    """List the OMS's ids of all that was made of a request; it is looked for until it is delivered."""
    delivery = ensure_delivery(request)
    if delivery.state == Delivery.State.KNOWN:
        return delivery.remote_pks
    return join_pks(delivery, read_created(dialogue, request, channel_id).rows.values())


def join_pks(delivery: Delivery, made: Iterable[RemoteRequest]) -> list[int]:
    """Join what stayed from an earlier round (see approve_request) and what is made in this one."""
    return [*delivery.remote_pks, *(row.pk for row in made if row.pk not in delivery.remote_pks)]


def _is_what_was_asked(dialogue: Dialogue, request: CancellationRequest, row: RemoteRequest) -> bool:
    """Compare a request at the OMS with what ours asks for; what the OMS does not tell differs in nothing."""
    line = request.line
    try:
        pks = get_remote_items(dialogue, line.order_item.order, [line.order_item])[line.order_item_id]
    except RemoteDiffers:
        return False
    quantity = 1 if len(pks) > 1 else line.quantity
    return (
        row.order_item_pk in pks
        and row.cancellation_type in {None, line.cancellation_type}
        and row.quantity in {None, quantity}
    )


@transaction.atomic(durable=True)
def _report_foreign(request: CancellationRequest, rows: Iterable[RemoteRequest]) -> None:
    """Report what bears the name of a request and is something else."""
    order = lock_order(pk=request.line.order_item.order_id)
    theirs = ", ".join(
        f"#{row.pk}: {row.cancellation_type} of {row.quantity} of item {row.order_item_pk}" for row in rows
    )
    logger.error("Omnitron has something else under the name of request %s: %s", request.pk, theirs)
    ours = f"#{request.pk}: {request.line.cancellation_type} of {request.line.quantity}"
    record_difference(order, request.line.order_item, NAME_TAKEN, ours, theirs[:255])
    save_order(order)
