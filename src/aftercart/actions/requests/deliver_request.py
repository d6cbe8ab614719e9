"""Deliver a cancellation request into the OMS's own queue: looked for first, so that it is made once."""

from collections.abc import Collection, Mapping, Sequence

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, F, Q
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
from aftercart.actions.requests.open_delivery import ensure_delivery
from aftercart.actions.requests.read_created import Created, join_pks, name_remote, read_created
from aftercart.actions.returns.issue_return_code import issue_return_code
from aftercart.actions.sync.get_remote import RemoteDiffers, get_remote_items, get_remote_reasons
from aftercart.actions.sync.plan_sync import plan_sync
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import (
    LONGEST_DESCRIPTION,
    CancellationRequest,
    DecisionNotice,
    Delivery,
    SubmissionLine,
)
from aftercart.cancellations.selectors import find_being_rejected
from aftercart.cancellations.states import (
    DELIVERY_MOVES,
    FOUND_MOVES,
    claim_delivery,
    claim_notice,
    is_past_grace,
    is_recent,
)
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

_State, _Status = Delivery.State, CancellationRequest.Status
#: Where a request stands while it, or what was made of it, is to be in the OMS's queue.
_DELIVERED_IN = frozenset({_Status.WAITING, _Status.COMPLETED, _Status.REJECTED})


class _TakenOver(Exception):
    """Another worker has gone on with the request, or somebody has decided on it: nothing may be made."""


def deliver_request(request_pk: int, client: OmsClient) -> None:
    """Deliver a waiting request, unless it has been. A lost answer or an outage: tried again later.

    What the OMS refuses stays with our own back office, which sees why.
    """
    request = CancellationRequest.objects.select_related(
        "line__order_item__order",
        "line__reason",
        "line__shipping_company",
        "line__submission",
        "delivery",
        "notice",
    ).get(pk=request_pk)
    correlate_submission(request.line.submission.uuid)
    delivery = ensure_delivery(request)
    if delivery.state not in Delivery.TO_MAKE or request.status not in _DELIVERED_IN:
        return
    if request.status == _Status.REJECTED and _is_due(request):
        return  # what an earlier try made has to be rejected there, and that has a job of its own
    is_waiting = request.status == _Status.WAITING
    try:
        _record_try(delivery)
        with client.dialogue() as dialogue:
            # One that has been decided is not made any more, but an earlier try may have made it.
            made = _ensure_created(dialogue, request) if is_waiting else _list_made(dialogue, request)
    except _TakenOver:
        return
    except ArrivedLate as error:
        adopt_late(request.line.carrier.pk, error.late.pk)
    except (OmsError, RemoteDiffers) as error:
        is_final = is_waiting and isinstance(error, Refused | RemoteDiffers)
        if isinstance(error, AnswerUnknown) and delivery.pending_name and not _as_tried(delivery).exists():
            look_later(request, [delivery.pending_name])  # it has left after somebody else had gone on
        if _record_failure(delivery, error.note, is_final=is_final) and not is_final:
            jobs.enqueue_again(jobs.DELIVER_REQUEST, request_pk, delivery.attempts)
    else:
        if made:
            _record_known(request, made)
        else:  # decided by what the items say, and nothing was ever made of it
            claim_delivery(_as_tried(delivery), _State.WITHDRAWN)


def _is_due(request: CancellationRequest) -> bool:
    notice: DecisionNotice | None = getattr(request, "notice", None)
    return notice is None or notice.state == DecisionNotice.State.DUE


def _ensure_created(dialogue: Dialogue, request: CancellationRequest) -> list[RemoteRequest]:
    """Have one request at the OMS for each of its items that the line asks for.

    Of several items there, those that are left are asked for; an earlier try may have asked for some already.
    """
    line, delivery = request.line, request.delivery
    order = line.order_item.order
    delivery.error = ""
    if line.order_item_id in find_being_rejected(order.pk):
        raise NotSent("Omnitron has still to be told of an earlier rejection.", code=Cause.REJECTION_UNSENT)
    made = _read_ours(dialogue, request, order)
    found = made.rows
    pks = get_remote_items(dialogue, order, [line.order_item])[line.order_item_id]
    reason_pk = get_remote_reasons(dialogue, order.channel_id, [line.reason])[line.reason_id]
    is_split = len(pks) > 1
    asked = {row.order_item_pk for row in found.values()}
    free = _list_free(dialogue, request, pks, asked)
    kept = len(delivery.remote_pks)  # units that the OMS decided on in an earlier round
    for position in range(line.quantity - kept if is_split else 1):
        if position in found or not free:
            continue
        remote_id = name_remote(delivery, position)
        quantity = 1 if is_split else line.quantity
        draft = _draft(line, free.pop(0), reason_pk, remote_id, quantity=quantity)
        failpoint("deliver.looked")
        _mark_sent(request, remote_id, made, {line.order_item_id: pks})
        try:
            found[position] = dialogue.create_request(
                channel_id=order.channel_id, draft=draft, guard=lambda: _is_still_sent(delivery)
            )
        except NotSent:
            _forget_sent(delivery, found)
            raise
        except Refused as refused:
            _forget_sent(delivery, found)
            found |= _read_ours(dialogue, request, order).rows  # whoever made it, it may be there
            if position in found:
                continue
            if not found:
                raise
            delivery.error = refused.note  # what was made goes on; the rest is declined with it
            break
        failpoint("deliver.created")
    if not found:
        raise RemoteDiffers(Cause.OMS_DIFFERS, write_note("no_item_left", item=line.order_item_id))
    return [found[position] for position in sorted(found)]


def _read_ours(dialogue: Dialogue, request: CancellationRequest, order: Order) -> Created:
    """Find what has been made; what bears our name and is something else leaves no way to tell them apart."""
    made = read_created(dialogue, request, order.channel_id)
    if made.foreign:
        raise RemoteDiffers(Cause.NAME_TAKEN)
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


def _record_try(delivery: Delivery) -> None:
    """Commit that something may be made at the OMS from now on: whatever happens, it will be looked for.

    Raises `_TakenOver` if there has been another try since the request was read.
    """
    if not _as_tried(delivery).update(attempts=delivery.attempts + 1):
        raise _TakenOver
    delivery.attempts += 1


def _mark_sent(
    request: CancellationRequest, remote_id: str, made: Created, items: Mapping[int, Collection[int]]
) -> None:
    """Commit what is being made, unless anything has happened to the request since it was read.

    Its name is forgotten with the next thing that is recorded, once it is answered. An earlier one must have been
    found, or the reading that did not find it must have begun after its grace; and nothing else that was sent for the
    item may still arrive. Raises `_TakenOver`.
    """
    delivery = request.delivery
    names = {name_remote(delivery, position) for position in made.rows}
    is_free = Q(pending_name__in=["", *names]) | is_past_grace(made.began_at)
    order_pk = request.line.order_item.order_id
    is_alone = nothing_travels(order_pk, items, made.began_at, but_request=request.pk)
    # Not by a join, which would leave the conditions on the row to a subquery that is not looked at again.
    is_waiting = Exists(CancellationRequest.objects.filter(pk=request.pk, status=_Status.WAITING))
    rows = _as_tried(delivery).filter(is_free, is_alone, is_waiting, is_recent(made.began_at))
    if not claim_delivery(rows, _State.SENT, may_stay=True, pending_name=remote_id, sent_at=Now()):
        if not Delivery.objects.filter(is_alone, pk=delivery.pk).exists():
            raise NotSent("Something that was sent earlier may still arrive.", code=Cause.EARLIER_UNPROVEN)
        raise _TakenOver
    delivery.state, delivery.pending_name = _State.SENT, remote_id


def _forget_sent(delivery: Delivery, found: Collection[int]) -> None:
    """Note that the last one has not left; those before it have been answered, but are still to be recorded."""
    delivery.state = _State.SENT if found else _State.CREATED
    delivery.pending_name = name_remote(delivery, max(found)) if found else ""


def _is_still_sent(delivery: Delivery) -> bool:
    """Look once more, right before the creation leaves: nobody has gone on with the request meanwhile.

    Whoever decides on it from now on reads that this was sent.
    """
    rows = _as_tried(delivery).filter(
        is_recent(F("sent_at")), latest_of__status=_Status.WAITING, pending_name=delivery.pending_name
    )
    return rows.exists()


def _record_failure(delivery: Delivery, detail: str, *, is_final: bool) -> int:
    """Record why it failed; 0 if another try has been made since, whose outcome counts."""
    after = _State.FAILED if is_final else _State(delivery.state)
    name = "" if is_final else delivery.pending_name
    return claim_delivery(_as_tried(delivery), after, may_stay=True, error=detail, pending_name=name)


def _as_tried(delivery: Delivery) -> models.QuerySet[Delivery]:
    """Find a delivery that is still to be made, unless there has been another try since."""
    return delivery.as_tried().filter(state__in=Delivery.TO_MAKE)


@transaction.atomic(durable=True)
def _record_known(request: CancellationRequest, made: list[RemoteRequest]) -> None:
    order, delivery = lock_order(pk=request.line.order_item.order_id), request.delivery
    # A slower try of the same round counts as well, but not one from before an approval took it out.
    if not claim_delivery(
        Delivery.objects.filter(pk=delivery.pk),
        _State.KNOWN,
        moves=DELIVERY_MOVES | FOUND_MOVES,
        remote_pks=join_pks(delivery, made),
        known_at=get_now(),
        error=delivery.error,
    ):  # somebody else has gone on with the request: what it stands for is theirs
        note_spares(request.pk, made)
        return
    if delivery.attempts > 1:  # an earlier try may be standing still with its creation
        look_later(request, [row.remote_id for row in made if row.remote_id])
    data = {"request": request.pk, "remote": [row.pk for row in made]}
    record_event(order, "request_delivered", WORKER, item=request.line.order_item, data=data)
    issue_return_code(order, request.line, made)
    save_order(order)
    plan_sync(order.pk)
    request.refresh_from_db(fields=["status"])
    if request.status == _Status.REJECTED:  # by our staff, while it was on its way
        DecisionNotice.objects.get_or_create(request=request)
        claim_notice(DecisionNotice.objects.filter(request=request), DecisionNotice.State.DUE)
        jobs.enqueue(jobs.DELIVER_REJECTION, request.pk)
