"""What is sent of a cancellation, planned from what was read at the OMS, and what a later reading shows of it: pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

from aftercart.actions.cancel.find_late import check_late, list_named
from aftercart.actions.sync.get_remote import RemoteDiffers
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import Submission, SubmissionLine
from aftercart.lib.money import ZERO, round_amount
from aftercart.lib.notes import write_note
from aftercart.lib.times import format_time
from aftercart.oms.messages import CancelCommand, RemoteItem, RemoteOrder
from aftercart.orders.status import CANCELLING, FINAL, SHIPPED, Status


def plan_command(
    lines: Sequence[SubmissionLine],
    *,
    order_pk: int,
    items: Sequence[RemoteItem],
    remote_pks: Mapping[int, list[int]],
    reasons: Mapping[int, int],
    unproven: Sequence[Submission],
) -> CancelCommand:
    """Plan the command that cancels lines: the OMS's `items` of the order, and its ids of our items and reasons.

    `unproven` are the submissions that may still arrive. Raises `RemoteDiffers` where the OMS's state does not allow
    it, and `ArrivedLate`.
    """
    targets = {
        line.pk: _choose_targets(line, items, remote_pks[line.order_item_id], unproven) for line in lines
    }
    forced, is_cargo_refund = _find_forced_refund(lines)
    named = [(line, pk) for line in lines for pk in targets[line.pk]]
    return CancelCommand(
        order_pk=order_pk,
        forced_refund_amount=forced,
        is_cargo_refund=is_cargo_refund,
        reasons={pk: reasons[line.reason_id] for line, pk in named},
        ibans={pk: line.iban for line, pk in named if line.iban},
        holder_names={pk: line.holder_name for line, pk in named if line.iban},
        shipping_companies={
            pk: line.shipping_company.value for line, pk in named if line.shipping_company is not None
        },
    )


def _choose_targets(
    line: SubmissionLine, items: Sequence[RemoteItem], pks: list[int], unproven: Sequence[Submission]
) -> list[int]:
    """Find which of the OMS's items a line cancels: of ours that are not cancelled yet, one for each unit.

    Where all units are one item there, all that are left go with it: a part of them cannot be sent. What an earlier
    command has named that may still arrive is named again before all else: of the two the OMS takes one.
    """
    rows = {item.pk: item for item in items}
    if unproven:
        check_late(line, [rows[pk] for pk in pks if pk in rows], unproven)
    targets = [rows[pk] for pk in pks if pk in rows and rows[pk].status not in FINAL]
    if not targets:
        raise RemoteDiffers(Cause.OMS_DIFFERS, write_note("no_item_left", item=line.order_item_id))
    if len(pks) == 1 and line.quantity < line.order_item.left_quantity:
        raise RemoteDiffers(Cause.MERGED_LINE)  # a part of it goes only through the OMS's own queue
    if len(pks) > 1 and len(targets) < line.quantity:
        note = write_note("too_few_left", left=len(targets), item=line.order_item_id, asked=line.quantity)
        raise RemoteDiffers(Cause.OMS_DIFFERS, note)
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
        raise RemoteDiffers(Cause.OMS_IN_PROGRESS, write_note("item_in_progress", item=target.pk))
    if (target.status in SHIPPED) != (line.cancellation_type == "refund"):
        note = write_note("item_status", item=target.pk, status=str(target.status))
        raise RemoteDiffers(Cause.OMS_STATUS, note)


def _find_forced_refund(lines: Sequence[SubmissionLine]) -> tuple[Decimal | None, bool]:
    """Find what the OMS has to be told to give back what was quoted: a forced amount, and the shipping.

    Its own amount is ours but for a fee, which it does not know; so without one nothing is forced.
    """
    rows = [line.quoted for line in lines if hasattr(line, "quoted")]
    fees = sum((row.fee_amount for row in rows), ZERO)
    refund = sum((row.refund_amount for row in rows), ZERO)
    has_shipping = any(row.quote.shipping_refund_amount > 0 for row in rows)
    return (round_amount(refund - fees, lines[0].order_item.price_currency) if fees else None), has_shipping


# --- what a reading shows of it --------------------------------------------------------------------------


class Trace(Enum):
    """What a reading says of a command."""

    APPLIED = "applied"
    #: Somebody has written to an item, and no cancellation shows: it may have been applied and rejected since.
    TOUCHED = "touched"
    UNTOUCHED = "untouched"


def take_snapshot(items: Iterable[RemoteItem]) -> dict[str, list[str | None]]:
    """Return what to compare a later reading with: `[status, cancel_status, modified_date]` by item pk."""
    return {
        str(item.pk): [item.status, item.cancel_status, format_time(item.modified_date)] for item in items
    }


def trace_command(command: Mapping[str, Any] | None, remote: RemoteOrder) -> Trace:
    """Compare the items that a command named with how they were read just before it was sent.

    A rejection gives an item its old `status` back, and its old `cancel_status` too where that was a rejection:
    then only `modified_date` tells that something happened. A command counts as never applied only if all
    three are as before, for every item.
    """
    before: Mapping[str, list[str | None]] = (command or {}).get("before", {})
    now = take_snapshot(remote.items)
    rows = [(row, now.get(pk)) for pk, row in before.items()]
    if any(after is not None and _is_taken(row, after) for row, after in rows):
        return Trace.APPLIED
    # What was recorded by an earlier version has no date to compare.
    if all(after is not None and row == after[: len(row)] for row, after in rows):
        return Trace.UNTOUCHED
    return Trace.TOUCHED


def _is_taken(before: list[str | None], after: list[str | None]) -> bool:
    return after[0] in CANCELLING or after[1] != before[1]
