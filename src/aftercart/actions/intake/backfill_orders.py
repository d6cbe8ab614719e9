"""Fill a database with a channel's orders from the OMS, from a day on: page by page, and on from where it was."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from aftercart.actions.intake.pull_orders import PullResult, pull_orders
from aftercart.cancellations.models import SyncCursor
from aftercart.cancellations.models.read_budget import has_calls_left, spending_calls
from aftercart.cancellations.models.syncing import add_channels
from aftercart.lib.times import format_time, parse_time
from aftercart.oms.messages import RemoteOrder
from aftercart.oms.port import OmsClient

_STREAM: Final = "backfill"
_LIMIT: Final = 100


def backfill_orders(
    since: datetime,
    channel_id: int,
    client: OmsClient,
    *,
    progress: Callable[[int], None],
    wait: Callable[[], None],
) -> dict[str, str]:
    """Pull all orders placed since then, oldest first; tell which make no sense, and why.

    After each page its end is kept: interrupted, killed, or stopped by the OMS, the same call goes on from there.
    `wait` is called while the budget of calls is used up. Raises `OmsError`, and
    `CommerceUnavailable` where the shop is to complete the orders and does not answer.
    """
    cursor, _new = SyncCursor.objects.get_or_create(channel_id=channel_id, stream=_STREAM)
    begun = parse_time(cursor.seen.get("since"))
    position = cursor.position if begun == since and cursor.position else since
    add_channels([channel_id])  # what changes meanwhile is read by the worker
    bad: dict[str, str] = {}
    seen: set[str] = set()
    while True:
        _wait_for_calls(wait)
        rows = _read_page(client, channel_id, position, seen)
        if not rows:
            break
        bad |= _pull(rows, channel_id, client, wait).bad
        progress(len(rows))
        position = max([position, *(at for row in rows if (at := row.created_date) is not None)])
        # Several may have been placed at one moment: those at the end are passed over when they come again.
        seen = {row.number for row in rows if row.created_date == position} | (
            seen if all(row.created_date == position for row in rows) else set()
        )
        SyncCursor.objects.filter(pk=cursor.pk).update(position=position, seen={"since": format_time(since)})
    return bad


def _pull(
    rows: list[RemoteOrder], channel_id: int, client: OmsClient, wait: Callable[[], None]
) -> PullResult:
    def may_call() -> bool:
        _wait_for_calls(wait)
        return True

    result = pull_orders(rows, channel_id, client, may_call=may_call, must_complete=True)
    if result.failure is not None:
        raise result.failure
    return result


def _wait_for_calls(wait: Callable[[], None]) -> None:
    while not has_calls_left():
        wait()


def _read_page(client: OmsClient, channel_id: int, position: datetime, seen: set[str]) -> list[RemoteOrder]:
    """Read the first page that holds an order which has not been pulled; [] at the end."""
    with spending_calls(), client.dialogue() as dialogue:
        for rows in dialogue.list_orders(channel_id=channel_id, limit=_LIMIT, since=position):
            new = [row for row in rows if row.number not in seen]
            if new:
                return new
    return []
