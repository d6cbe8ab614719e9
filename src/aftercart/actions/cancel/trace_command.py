"""What an order at the OMS shows of a cancellation command whose answer was lost."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from aftercart.lib.times import format_time
from aftercart.oms.messages import RemoteItem, RemoteOrder
from aftercart.orders.status import FINAL, Status

#: Statuses that an item has only if a cancellation of it was taken.
CANCELLING = FINAL | {Status.CANCELLATION_WAITING}


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
