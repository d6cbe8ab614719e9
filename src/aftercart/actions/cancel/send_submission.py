"""Take a prepared submission to the OMS: read the order, mark it sent, send it once, settle.

Between the mark and the answer nothing is certain; a process that dies there leaves a row that the worker
settles by reading the OMS (verify_submission), never by sending again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.db.models.lookups import LessThan

from aftercart.actions.cancel.apply_late import adopt_late, settle_applied, settle_unknown
from aftercart.actions.cancel.book_refund import find_forced_refund
from aftercart.actions.cancel.find_late import (
    ArrivedLate,
    check_late,
    get_earlier,
    has_nothing_travelling,
    join_pks,
    list_named,
    list_unproven,
)
from aftercart.actions.cancel.record_submission import Prepared
from aftercart.actions.cancel.settle_submission import answer_current, settle_submission
from aftercart.actions.cancel.trace_command import take_snapshot
from aftercart.actions.commands import Answer
from aftercart.actions.sync.get_remote import RemoteDiffers, get_remote_items, get_remote_reasons
from aftercart.actions.upkeep.despite_outages import despite_outages
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import Submission, SubmissionLine
from aftercart.cancellations.states import claim_move, get_longest_dialogue
from aftercart.lib.batch import Batch
from aftercart.lib.correlation import correlate_submission
from aftercart.lib.failpoints import failpoint
from aftercart.lib.notes import write_note
from aftercart.lib.prepared import prepared, prepared_update
from aftercart.oms.errors import AnswerUnknown, NotSent, OmsError, Refused
from aftercart.oms.messages import CancelCommand, RemoteItem
from aftercart.oms.port import Dialogue, OmsClient
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.status import FINAL, SHIPPED, Status
from aftercart.orders.timeline import Actor, record_event

_State = Submission.State


class AlreadySettled(Exception):
    """Somebody else has taken this submission on: it must not be sent."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is about to be sent: the command, and which of the OMS's items each of ours is."""

    command: CancelCommand
    #: All items of the order there, as they were read.
    items: Sequence[RemoteItem]
    remote_pks: dict[int, list[int]]
    known_pks: dict[int, list[int]]
    line_pks: list[int]
    #: When the reading began on which it rests, by the database's clock.
    began_at: datetime

    def remember(self) -> dict[str, Any]:
        """Keep what is needed to look for the answer later, without account numbers."""
        named = [item for item in self.items if item.pk in self.command.reasons]
        return {"order": self.command.order_pk, "before": take_snapshot(named), "lines": self.line_pks}


def send_submission(asked: Prepared | int, client: OmsClient) -> Answer:
    """Send a submission that stands in `prepared`: 204, or 200 with requests. Raises nothing remote.

    Of one that this process has just recorded nothing is read again.
    """
    prepared = _read(asked) if isinstance(asked, int) else asked
    submission, lines = prepared.submission, prepared.lines
    submission_pk = submission.pk
    correlate_submission(submission.uuid)
    is_approval = submission.origin == Submission.Origin.APPROVAL
    actor = (Actor.staff if is_approval else Actor.customer)(submission.user)

    def settle(outcome: Submission.State, error: OmsError | RemoteDiffers | None = None) -> Answer:
        cause, detail = (error.code, error.note) if error else ("", "")
        return despite_outages(
            partial(settle_submission, submission_pk, outcome, actor, cause=cause, detail=detail)
        )

    try:
        with client.dialogue(will_write=True) as dialogue:
            plan = _plan(submission, lines, dialogue)
            failpoint("send.planned")
            _mark_sent(submission, plan, actor)
            failpoint("send.marked")
            dialogue.cancel_items(
                channel_id=submission.order.channel_id,
                command=plan.command,
                guard=lambda: _is_still_ours(submission_pk),
            )
            failpoint("send.answered")
    except (NotSent, Refused, RemoteDiffers) as error:
        return settle(_State.REFUSED, error)
    except AnswerUnknown as error:
        return despite_outages(partial(settle_unknown, submission_pk, actor, error))
    except ArrivedLate as error:
        return despite_outages(partial(adopt_late, submission_pk, error.late.pk))
    except AlreadySettled:
        return answer_current(submission)
    return despite_outages(partial(settle_applied, submission, actor))


def _read(submission_pk: int) -> Prepared:
    submission = Submission.objects.select_related("order", "user", "idempotency_record").get(
        pk=submission_pk
    )
    wanted = ("order_item", "reason", "shipping_company", "request__delivery", "quoted__quote")
    return Prepared(submission, list(submission.list_carried().select_related(*wanted)))


def _is_still_ours(submission_pk: int) -> bool:
    """Look once more, right before the command leaves: nobody has taken this process for dead meanwhile."""
    return bool(_list_recent(submission_pk, get_longest_dialogue()))


@prepared
def _list_recent(submission_pk: int, longest: timedelta) -> models.QuerySet[Submission, int]:
    """List this submission, if it is marked as sent and its dialogue can still be going on."""
    rows = Submission.objects.filter(LessThan(Now(), F("sent_at") + longest), pk=submission_pk)
    return rows.filter(state=_State.SENT).values_list("pk", flat=True)


def _plan(submission: Submission, lines: Sequence[SubmissionLine], dialogue: Dialogue) -> _Plan:
    """Read the OMS and plan the command. Raises `RemoteDiffers` where its state does not allow it."""
    order = submission.order
    if submission.approved_request_id is not None:  # else there is no request yet
        for line in lines:
            _check_line(line)
    earlier = get_earlier(order.pk, but=submission.pk)
    if earlier.being_rejected.intersection(line.order_item_id for line in lines):
        raise RemoteDiffers(Cause.REJECTION_UNSENT, "Omnitron has still to be told of an earlier rejection.")
    order_pk, rows = _read_items(dialogue, order, [line.order_item for line in lines])
    remote_pks = get_remote_items(dialogue, order, [line.order_item for line in lines])
    reasons = get_remote_reasons(dialogue, order.channel_id, [line.reason for line in lines])
    unproven = list_unproven(order.pk, but=submission.pk) if earlier.has_unproven else []
    targets = {
        line.pk: _choose_targets(line, rows, remote_pks[line.order_item_id], unproven) for line in lines
    }
    forced, is_cargo_refund = find_forced_refund(lines)
    return _Plan(
        command=CancelCommand(
            order_pk=order_pk,
            forced_refund_amount=forced,
            is_cargo_refund=is_cargo_refund,
            reasons={pk: reasons[line.reason_id] for line in lines for pk in targets[line.pk]},
            ibans={pk: line.iban for line in lines for pk in targets[line.pk] if line.iban},
            holder_names={pk: line.holder_name for line in lines for pk in targets[line.pk] if line.iban},
            shipping_companies={
                pk: line.shipping_company.value
                for line in lines
                for pk in targets[line.pk]
                if line.shipping_company is not None
            },
        ),
        items=rows,
        remote_pks=remote_pks,
        known_pks={line.order_item_id: line.order_item.remote_pks for line in lines},
        line_pks=[line.pk for line in lines],
        began_at=earlier.looked_at,
    )


def _read_items(
    dialogue: Dialogue, order: Order, items: Sequence[OrderItem]
) -> tuple[int, tuple[RemoteItem, ...]]:
    """Read the OMS's id of an order and all items that it has there: in one call where the ids are known.

    What is found under known ids is compared: after a restore there they may be another order's.
    """
    if order.remote_pk is not None and all(item.remote_pks for item in items):
        rows = dialogue.read_order_items(channel_id=order.channel_id, order_pk=order.remote_pk)
        skus = {row.pk: row.sku for row in rows}
        if all(pk in skus and skus[pk] in {None, "", item.sku} for item in items for pk in item.remote_pks):
            return order.remote_pk, rows
    remote = dialogue.read_order(channel_id=order.channel_id, number=order.number)
    return remote.pk, remote.items


def _check_line(line: SubmissionLine) -> None:
    """Check that the OMS has not decided on a part of the line in its own queue: the rest has to go there too."""
    request = getattr(line, "request", None)
    if request is not None and request.remote_pks:
        raise RemoteDiffers(
            Cause.PARTLY_DECIDED, "Omnitron has decided on a part of this line in its own queue."
        )


def _choose_targets(
    line: SubmissionLine, items: Sequence[RemoteItem], pks: list[int], unproven: Sequence[Submission]
) -> list[int]:
    """Find which of the OMS's items a line cancels: of ours that are not cancelled yet, one for each unit.

    Where all units are one item there, all that are left go with it: a part of them cannot be sent. What an earlier
    command has named that may still arrive is named again before all else: of the two the OMS takes one.
    """
    rows = {item.pk: item for item in items}
    check_late(line, [rows[pk] for pk in pks if pk in rows], unproven)
    targets = [rows[pk] for pk in pks if pk in rows and rows[pk].status not in FINAL]
    if not targets:
        message = f"Omnitron has no item left for item {line.order_item_id}."
        raise RemoteDiffers(
            Cause.OMS_DIFFERS, message, note=write_note("no_item_left", item=line.order_item_id)
        )
    if len(pks) == 1 and line.quantity < line.order_item.left_quantity:
        message = "Omnitron can cancel a part of this line only from its own queue of requests."
        raise RemoteDiffers(Cause.MERGED_LINE, message)
    if len(pks) > 1 and len(targets) < line.quantity:
        message = f"Omnitron has {len(targets)} units left of item {line.order_item_id}, not {line.quantity}."
        note = write_note("too_few_left", left=len(targets), item=line.order_item_id, asked=line.quantity)
        raise RemoteDiffers(Cause.OMS_DIFFERS, message, note=note)
    if len(pks) > 1:
        named = {pk for earlier in unproven for pk in list_named(earlier, pks)}
        targets = _prefer(targets, named)[: line.quantity]
    for target in targets:
        _check_target(line, target)
    return [target.pk for target in targets]


def _prefer(targets: list[RemoteItem], named: Collection[int]) -> list[RemoteItem]:
    """Put those first that were named before, then those that the OMS is not cancelling, as units are quoted."""
    return sorted(
        targets,
        key=lambda row: (row.pk not in named, row.status == Status.CANCELLATION_WAITING, row.pk),
    )


def _check_target(line: SubmissionLine, target: RemoteItem) -> None:
    decided = {None, "rejected"}
    if line.order_item.cancelled_quantity:
        # Units of the same item that are gone have left it this; what is undecided is told otherwise.
        decided |= {"approved"}
    if target.status == Status.CANCELLATION_WAITING or target.cancel_status not in decided:
        message = f"Omnitron is already cancelling its item {target.pk}."
        note = write_note("item_in_progress", item=target.pk)
        raise RemoteDiffers(Cause.OMS_IN_PROGRESS, message, note=note)
    if (target.status in SHIPPED) != (line.cancellation_type == "refund"):
        message = f"Omnitron's item {target.pk} stands at {target.status}."
        note = write_note("item_status", item=target.pk, status=str(target.status))
        raise RemoteDiffers(Cause.OMS_STATUS, message, note=note)


@transaction.atomic(durable=True)
def _mark_sent(submission: Submission, plan: _Plan, actor: Actor) -> None:
    """Commit that the command is about to leave. Raises `AlreadySettled` if it must not."""
    order = lock_order(pk=submission.order_id)
    command = plan.remember()

    def update(before: list[Submission.State]) -> int:
        over, until = plan.began_at - settings.VERIFY_GRACE, plan.began_at + get_longest_dialogue()
        items = list(plan.remote_pks)
        return _claim_sent(
            submission.pk, before, order.pk, join_pks(plan.remote_pks), items, over, until, command
        )

    if not claim_move(submission, _State.SENT, update=update, command=command):
        submission.refresh_from_db(fields=["state"])
        if submission.state == _State.PREPARED:
            raise RemoteDiffers(Cause.EARLIER_UNPROVEN, "Something that was sent earlier may still arrive.")
        raise AlreadySettled
    batch = Batch()
    for item_pk, pks in plan.remote_pks.items():
        if pks != plan.known_pks[item_pk]:
            batch.update(OrderItem.objects.filter(pk=item_pk), remote_pks=pks)
    record_event(order, "cancellation_sending", actor, data=submission.event_data, batch=batch)
    order.remote_pk = plan.command.order_pk
    save_order(order, "remote_pk", batch=batch)
    batch.execute()


@prepared_update
def _claim_sent(
    pk: int,
    before: list[Submission.State],
    order: int,
    joined: str,
    items: list[int],
    over: datetime,
    until: datetime,
    command: dict[str, Any],
) -> tuple[models.QuerySet[Submission], dict[str, Any]]:
    """Claim unless something that was sent for the items may still arrive, or the reading is too old (`until`)."""
    about = Q(request__line__order_item=items)
    is_free = has_nothing_travelling(order, joined, about, over, but=pk)
    rows = Submission.objects.filter(is_free, LessThan(Now(), until), pk=pk, state=before)
    return rows, {"state": _State.SENT, "sent_at": Now(), "command": command}
