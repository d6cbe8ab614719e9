"""Deliver a cancellation request into the OMS's own queue: looked for first, so that it is made once."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import override

from aftercart.actions.cancel.apply_late import adopt_late
from aftercart.actions.cancel.find_late import (
    ArrivedLate,
    check_late,
    list_named,
    list_unproven,
    nothing_travels,
)
from aftercart.actions.requests.note_spares import look_later, note_spares
from aftercart.actions.requests.read_created import Created, join_pks, name_remote, read_created
from aftercart.actions.returns.issue_return_code import issue_return_code
from aftercart.actions.sync.get_remote import RemoteDiffers, get_remote_items, get_remote_reasons
from aftercart.actions.sync.plan_sync import plan_sync
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.backoff import compute_backoff
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import LONGEST_DESCRIPTION, CancellationRequest, SubmissionLine
from aftercart.cancellations.selectors import find_being_rejected
from aftercart.cancellations.states import is_create_expired, is_recent
from aftercart.lib.clock import get_now
from aftercart.lib.correlation import correlate_submission
from aftercart.lib.failpoints import failpoint
from aftercart.lib.notes import write_note
from aftercart.oms.errors import AnswerUnknown, NotSent, OmsError, Refused
from aftercart.oms.messages import RemoteRequest, RequestDraft
from aftercart.oms.port import Dialogue, OmsClient
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.status import FINAL
from aftercart.orders.timeline import WORKER, record_event

_Status = CancellationRequest.Status
_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(minutes=10)
#: Where a request stands while it, or what was made of it, is to be in the OMS's queue.
_DELIVERED_IN = frozenset({_Status.WAITING, _Status.COMPLETED, _Status.REJECTED})


class _TakenOver(Exception):
    """Another worker has gone on with the request, or somebody has decided on it: nothing may be made."""


def deliver_request(request_pk: int, client: OmsClient) -> None:
    """Deliver a waiting request, unless it has been. A lost answer or an outage: tried again later.

    What the OMS refuses stays with our own back office, which sees why.
    """
    request = CancellationRequest.objects.select_related(
        "line__order_item__order", "line__reason", "line__shipping_company", "line__submission"
    ).get(pk=request_pk)
    correlate_submission(request.line.submission.uuid)
    if request.status == _Status.REJECTED and request.rejection_sent_at is None:
        return  # what an earlier try made has to be rejected there, and that has a job of its own
    if request.delivered_at is not None or request.status not in _DELIVERED_IN:
        return
    is_waiting = request.status == _Status.WAITING
    try:
        _record_try(request)
        with client.dialogue() as dialogue:
            # One that has been decided is not made any more, but an earlier try may have made it.
            made = _find_or_create(dialogue, request) if is_waiting else _list_made(dialogue, request)
    except _TakenOver:
        return
    except ArrivedLate as error:
        adopt_late(request.line.carrier.pk, error.late.pk)
    except (OmsError, RemoteDiffers) as error:
        is_final = is_waiting and isinstance(error, Refused | RemoteDiffers)
        if isinstance(error, AnswerUnknown) and request.pending_create_id and not _as_tried(request).exists():
            look_later(request, [request.pending_create_id])  # it has left after somebody else had gone on
        if _record_failure(request, error.note, is_final=is_final) and not is_final:
            wait = compute_backoff(request.delivery_attempts, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
            jobs.enqueue(jobs.DELIVER_REQUEST, request_pk, wait=wait)
    else:
        if made:
            _record_delivery(request, made)
        else:  # decided by what the items say, and nothing was ever made of it
            _as_tried(request).update(delivery_attempts=0)


def _find_or_create(dialogue: Dialogue, request: CancellationRequest) -> list[RemoteRequest]:
    """Have one request at the OMS for each of its items that the line asks for.

    Of several items there, those that are left are asked for; an earlier try may have asked for some already.
    """
    line = request.line
    order = line.order_item.order
    request.delivery_error = ""
    if line.order_item_id in find_being_rejected(order.pk):
        raise NotSent("Omnitron has still to be told of an earlier rejection.", code="rejection_untold")
    made = _find_ours(dialogue, request, order)
    found = made.rows
    pks = get_remote_items(dialogue, order, [line.order_item])[line.order_item_id]
    reason_pk = get_remote_reasons(dialogue, order.channel_id, [line.reason])[line.reason_id]
    is_split = len(pks) > 1
    asked = {row.order_item_pk for row in found.values()}
    free = _list_free(dialogue, request, pks, asked)
    kept = len(request.remote_pks)  # units that the OMS decided on in an earlier round
    for position in range(line.quantity - kept if is_split else 1):
        if position in found or not free:
            continue
        remote_id = name_remote(request, position)
        quantity = 1 if is_split else line.quantity
        draft = _draft(line, free.pop(0), reason_pk, remote_id, quantity=quantity)
        failpoint("deliver.looked")
        _mark_creating(request, remote_id, made, {line.order_item_id: pks})
        try:
            found[position] = dialogue.create_request(
                channel_id=order.channel_id, draft=draft, guard=lambda: _is_still_creating(request)
            )
        except NotSent:
            request.pending_create_id = ""
            raise
        except Refused as refused:
            request.pending_create_id = ""
            found |= _find_ours(dialogue, request, order).rows  # whoever made it, it may be there
            if position in found:
                continue
            if not found:
                raise
            request.delivery_error = refused.note  # what was made goes on; the rest is declined with it
            break
        failpoint("deliver.created")
    if not found:
        message = f"Omnitron has no item left for item {line.order_item_id}."
        raise RemoteDiffers(
            Cause.OMS_DIFFERS, message, note=write_note("no_item_left", item=line.order_item_id)
        )
    return [found[position] for position in sorted(found)]


def _find_ours(dialogue: Dialogue, request: CancellationRequest, order: Order) -> Created:
    """Find what has been made; what bears our name and is something else leaves no way to tell them apart."""
    made = read_created(dialogue, request, order.channel_id)
    if made.foreign:
        raise RemoteDiffers(Cause.NAME_TAKEN, "Omnitron has something else under the name of this request.")
    return made


def _list_free(
    dialogue: Dialogue, request: CancellationRequest, pks: Sequence[int], asked: Collection[int]
) -> list[int]:
    """List the OMS's items of ours that can be asked for, first those that an unanswered command has named.

    Raises `ArrivedLate` if such a command has arrived.
    """
    order = request.line.order_item.order
    unproven = list_unproven(order.pk)
    if len(pks) == 1 and not unproven:
        return list(pks)
    remote = dialogue.read_order(channel_id=order.channel_id, number=order.number)
    theirs = [item for item in remote.items if item.pk in pks and item.pk not in asked]
    check_late(request.line, theirs, unproven)
    if len(pks) == 1:
        return list(pks)
    named = {pk for earlier in unproven for pk in list_named(earlier, pks)}
    left = [item.pk for item in theirs if item.status not in FINAL]
    return sorted(left, key=lambda pk: (pk not in named, pk))


def _list_made(dialogue: Dialogue, request: CancellationRequest) -> list[RemoteRequest]:
    return list(read_created(dialogue, request, request.line.order_item.order.channel_id).rows.values())


def _draft(
    line: SubmissionLine, item_pk: int, reason_pk: int, remote_id: str, *, quantity: int
) -> RequestDraft:
    return RequestDraft(
        order_item_pk=item_pk,
        reason_pk=reason_pk,
        remote_id=remote_id,
        description=_describe(line),
        cancellation_type=line.cancellation_type,
        quantity=quantity,
        iban=line.iban or None,
        holder_name=line.holder_name or None,
        fully_refund_as_loyalty_money=line.fully_refund_as_loyalty_money,
        shipping_company=line.shipping_company.value if line.shipping_company else None,
    )


def _describe(line: SubmissionLine) -> str:
    """Write the customer's words for the OMS's staff, with what they would rather have: that is never cut."""
    if not line.exchange_preference:
        return line.description
    with override(settings.LANGUAGE_CODE):
        preference = _("Would rather have: %(what)s") % {"what": line.exchange_preference}
    room = LONGEST_DESCRIPTION - len(preference) - 1
    return f"{preference}\n{Truncator(line.description).chars(room)}".rstrip()


def _record_try(request: CancellationRequest) -> None:
    """Commit that something may be made at the OMS from now on: whatever happens, it will be looked for.

    Raises `_TakenOver` if there has been another try since the request was read.
    """
    if not _as_tried(request).update(delivery_attempts=request.delivery_attempts + 1):
        raise _TakenOver
    request.delivery_attempts += 1


def _mark_creating(
    request: CancellationRequest, remote_id: str, made: Created, items: Mapping[int, Collection[int]]
) -> None:
    """Commit what is being made, unless anything has happened to the request since it was read.

    It is forgotten with the next thing that is recorded, once it is answered. An earlier one must have been found,
    or the reading that did not find it must have begun after its grace; and nothing else that was sent for the
    item may still arrive. Raises `_TakenOver`.
    """
    names = {name_remote(request, position) for position in made.rows}
    is_free = Q(pending_create_id__in=["", *names]) | is_create_expired(made.began_at)
    order_pk = request.line.order_item.order_id
    is_alone = nothing_travels(order_pk, items, made.began_at, but_request=request.pk)
    rows = _as_tried(request).filter(is_free, is_alone, is_recent(made.began_at), status=_Status.WAITING)
    if not rows.update(pending_create_id=remote_id, pending_create_at=Now()):
        if not rows.model.objects.filter(is_alone, pk=request.pk).exists():
            raise NotSent("Something that was sent earlier may still arrive.", code=Cause.EARLIER_UNPROVEN)
        raise _TakenOver
    request.pending_create_id = remote_id


def _is_still_creating(request: CancellationRequest) -> bool:
    """Look once more, right before the creation leaves: nobody has gone on with the request meanwhile."""
    rows = _as_tried(request).filter(
        is_recent(F("pending_create_at")), status=_Status.WAITING, pending_create_id=request.pending_create_id
    )
    return rows.exists()


def _record_failure(request: CancellationRequest, detail: str, *, is_final: bool) -> int:
    """Record why it failed; 0 if another try has been made since, whose outcome counts."""
    return _as_tried(request).update(
        delivery_error=detail, is_undeliverable=is_final, pending_create_id=request.pending_create_id
    )


def _as_tried(request: CancellationRequest) -> models.QuerySet[CancellationRequest]:
    """Find a request, unless there has been another try since."""
    return CancellationRequest.objects.filter(
        pk=request.pk,
        delivered_at=None,
        delivery_attempts=request.delivery_attempts,
        requeue_count=request.requeue_count,
    )


@transaction.atomic(durable=True)
def _record_delivery(request: CancellationRequest, made: list[RemoteRequest]) -> None:
    order = lock_order(pk=request.line.order_item.order_id)
    # A slower try of the same round counts as well, but not one from before an approval took it out.
    count = CancellationRequest.objects.filter(
        pk=request.pk, delivered_at=None, requeue_count=request.requeue_count
    ).update(
        remote_pks=join_pks(request, made),
        delivered_at=get_now(),
        pending_create_id="",
        delivery_error=request.delivery_error,
    )
    if not count:  # somebody else has gone on with the request: what it stands for is theirs
        note_spares(request.pk, made)
    else:
        if request.delivery_attempts > 1:  # an earlier try may be standing still with its creation
            look_later(request, [row.remote_id for row in made if row.remote_id])
        data = {"request": request.pk, "remote": [row.pk for row in made]}
        record_event(order, "request_delivered", WORKER, item=request.line.order_item, data=data)
        issue_return_code(order, request.line, made)
        save_order(order)
        plan_sync(order.pk)
        request.refresh_from_db(fields=["status"])
        if request.status == _Status.REJECTED:  # by our staff, while it was on its way
            CancellationRequest.objects.filter(pk=request.pk).update(rejection_sent_at=None)
            jobs.enqueue(jobs.DELIVER_REJECTION, request.pk)
