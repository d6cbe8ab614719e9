"""Take a prepared submission to the OMS: read the order, mark it sent, send it once, settle.

Between the mark and the answer nothing is certain; a process that dies there leaves a row that the worker
settles by reading the OMS (verify_submission), never by sending again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models, transaction
from django.db.models import DateTimeField, Exists, F, Func, OuterRef, Q
from django.db.models.functions import Now
from django.db.models.lookups import LessThan

from aftercart.actions.cancel.apply_late import adopt_late, note_if_late, settle_unknown
from aftercart.actions.cancel.find_late import ArrivedLate, has_nothing_travelling, list_unproven
from aftercart.actions.cancel.plan_command import plan_command, take_snapshot
from aftercart.actions.cancel.record_submission import Prepared, answer_current, settle_submission
from aftercart.actions.commands import Answer
from aftercart.actions.sync.get_remote import RemoteDiffers, get_remote_items, get_remote_reasons
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import Submission, SubmissionLine
from aftercart.cancellations.selectors import BEING_REJECTED
from aftercart.cancellations.states import UNPROVEN, claim_move, get_longest_dialogue
from aftercart.lib.batch import Batch
from aftercart.lib.correlation import correlate_submission
from aftercart.lib.failpoints import failpoint
from aftercart.lib.outages import despite_outages
from aftercart.lib.prepared import prepared, prepared_update
from aftercart.oms.errors import AnswerUnknown, NotSent, Refused
from aftercart.oms.messages import CancelCommand, RemoteItem
from aftercart.oms.port import Dialogue, OmsClient
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.selectors import lock_order, save_order
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
        return despite_outages(
            partial(
                settle_submission, submission_pk, _State.REFUSED, actor, cause=error.code, detail=error.note
            )
        )
    except AnswerUnknown as error:
        return despite_outages(partial(settle_unknown, submission_pk, actor, error))
    except ArrivedLate as error:
        return despite_outages(partial(adopt_late, submission_pk, error.late.pk))
    except AlreadySettled:
        return answer_current(submission)
    answer = despite_outages(partial(settle_submission, submission, _State.APPLIED, actor))
    if submission.state == _State.APPLIED:  # by the claim of a moment ago
        return answer
    return despite_outages(partial(note_if_late, submission_pk)) or answer


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


@prepared
def _look_at_earlier(order_pk: int, but: int) -> models.QuerySet[Order, tuple[datetime, list[int], bool]]:
    """Look, by the database's clock: when that is, whose rejection is unsent, whether anything sent is unproven."""
    unproven = Submission.objects.filter(UNPROVEN, order=OuterRef("pk")).exclude(pk=but)
    rejected = SubmissionLine.objects.filter(BEING_REJECTED, order_item__order=OuterRef("pk"))
    order = Order.objects.filter(pk=order_pk).annotate(
        looked_at=Func(function="clock_timestamp", output_field=DateTimeField()),
        rejected=ArraySubquery(rejected.values("order_item_id")),
        has_unproven=Exists(unproven),
    )
    return order.values_list("looked_at", "rejected", "has_unproven")


def _plan(submission: Submission, lines: Sequence[SubmissionLine], dialogue: Dialogue) -> _Plan:
    """Read the OMS and plan the command. Raises `RemoteDiffers` where its state does not allow it."""
    order = submission.order
    # Of an approved request the OMS may have decided on a part in its own queue: the rest has to go there too.
    if submission.approved_request_id is not None and any(line.request.remote_pks for line in lines):
        raise RemoteDiffers(Cause.PARTLY_DECIDED)
    [(looked_at, being_rejected, has_unproven)] = _look_at_earlier(order.pk, submission.pk)
    if any(line.order_item_id in being_rejected for line in lines):
        raise RemoteDiffers(Cause.REJECTION_UNSENT)
    items = [line.order_item for line in lines]
    order_pk, rows = _read_items(dialogue, order, items)
    remote_pks = get_remote_items(dialogue, order, items)
    reasons = get_remote_reasons(dialogue, order.channel_id, [line.reason for line in lines])
    command = plan_command(
        lines,
        order_pk=order_pk,
        items=rows,
        remote_pks=remote_pks,
        reasons=reasons,
        unproven=list_unproven(order.pk, submission.pk) if has_unproven else [],
    )
    return _Plan(
        command=command,
        items=rows,
        remote_pks=remote_pks,
        known_pks={item.pk: item.remote_pks for item in items},
        line_pks=[line.pk for line in lines],
        began_at=looked_at,
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


@transaction.atomic(durable=True)
def _mark_sent(submission: Submission, plan: _Plan, actor: Actor) -> None:
    """Commit that the command is about to leave. Raises `AlreadySettled` if it must not."""
    order = lock_order(pk=submission.order_id)
    command = plan.remember()

    def update(before: list[Submission.State]) -> int:
        over, until = plan.began_at - settings.VERIFY_GRACE, plan.began_at + get_longest_dialogue()
        joined = ",".join(str(pk) for pks in plan.remote_pks.values() for pk in pks)
        return _claim_sent(
            submission.pk, before, order.pk, joined, list(plan.remote_pks), over, until, command
        )

    if not claim_move(submission, _State.SENT, update=update, command=command):
        submission.refresh_from_db(fields=["state"])
        if submission.state == _State.PREPARED:
            raise RemoteDiffers(Cause.EARLIER_UNPROVEN)
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
