"""Read what has changed at the OMS since the last time, and have those orders synced."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from aftercart.actions.intake.pull_orders import pull_orders
from aftercart.actions.requests.note_spares import note_spares
from aftercart.actions.sync.plan_sync import plan_sync
from aftercart.cancellations.models import CancellationRequest, Delivery, SyncCursor
from aftercart.cancellations.models.read_budget import spending_calls
from aftercart.cancellations.models.syncing import STREAMS, Stream
from aftercart.lib.clock import get_now
from aftercart.oms.errors import NotSent, OmsError
from aftercart.oms.messages import RemoteOrder, RemoteRequest
from aftercart.oms.port import Dialogue, OmsClient
from aftercart.orders.models import Order

#: How the name of a request at the OMS begins: with its uuid.
_NAME = re.compile("[0-9a-f]{32}")
#: Rows of one call, and pages with news that one round reads: what is left comes with the next round.
_LIMIT = 100
_MOST_PAGES = 20
#: How far before the last position the list is read again.
_OVERLAP = timedelta(seconds=5)


@dataclass(slots=True)
class _Round:
    """What one round has read: how far, which rows are near the end, which of our orders they are about.

    It never gets ahead of `now`, when it began: rows may be stamped by a clock that is put right later.
    """

    now: datetime
    position: datetime | None
    before: dict[str, str]
    seen: dict[str, str] = field(default_factory=dict)
    order_pks: set[int] = field(default_factory=set)
    #: Of the list of orders: those that there are none of here.
    unknown: list[RemoteOrder] = field(default_factory=list)

    def take(self, rows: list[Any], find_orders: Callable[[list[Any]], set[int]]) -> bool:
        """Take a page of rows; a row that was seen as it is now is passed over. Return whether there was another."""
        new = [row for row in rows if self.before.get(str(row.pk)) != _stamp(row)]
        self.order_pks |= find_orders(new)
        self.unknown += _list_unknown(new)
        for row in rows:
            self.seen[str(row.pk)] = _stamp(row)
            if row.modified_date is not None:
                reached = min(row.modified_date, self.now)
                self.position = max(reached, self.position or reached)
        return bool(new)

    def take_back(self, rows: Iterable[RemoteOrder]) -> None:
        """Have rows read again by the next round: what they stand for could not be done."""
        for row in rows:
            self.seen.pop(str(row.pk), None)
            if row.modified_date is not None and self.position is not None:
                self.position = min(self.position, row.modified_date)

    def keep_near_the_end(self) -> dict[str, str]:
        """Forget what the next round will not read again."""
        if self.position is None:
            return self.seen
        oldest = (self.position - _OVERLAP).isoformat()
        return {pk: stamp for pk, stamp in {**self.before, **self.seen}.items() if stamp >= oldest}


def list_streams_due() -> list[tuple[int, Stream]]:
    """List the streams whose last look is a setting's time ago, of the channels that orders were written for."""
    since = get_now() - settings.OMNITRON_POLL
    polled = {(row.channel_id, row.stream): row.polled_at for row in SyncCursor.objects.all()}
    due = [(pk, stream) for pk in _add_own(pk for pk, _stream in polled) for stream in STREAMS]
    return [key for key in due if (at := polled.get(key)) is None or at <= since]


def list_channels() -> list[int]:
    """List the channels that orders were written for, and the setting's.

    They have cursors since then (`add_channels`): to look through all orders for them took longer than the reading.
    """
    return _add_own(SyncCursor.objects.values_list("channel_id", flat=True))


def _add_own(channel_ids: Iterable[int]) -> list[int]:
    return sorted({settings.OMNITRON_CHANNEL_ID, *channel_ids})


def poll_updates(channel_id: int, stream: Stream, client: OmsClient) -> int:
    """Read one list from its cursor on, and have each order that it is about synced; tell how many.

    Rows that come twice or out of order do no harm: a row only says where to look. A 429 is respected, other
    failures are left to the next round; either way the cursor moves as far as whole pages were read.
    """
    cursor, _new = SyncCursor.objects.get_or_create(channel_id=channel_id, stream=stream)
    now = get_now()
    if cursor.not_before is not None and now < cursor.not_before:
        return 0
    position = _cap(cursor.position, now)
    read = _Round(now=now, position=position, before=cursor.seen)
    since = None if position is None else position - _OVERLAP
    failure = None
    try:
        with spending_calls(), client.dialogue() as dialogue:
            pages = 0
            for rows in _list_pages(dialogue, stream, channel_id, since):
                # What the last round has seen counts for nothing: where more rows than a round's were changed within
                # the overlap, each round would else read the same ones again, and never get beyond them.
                pages += read.take(list(rows), _FINDERS[stream])
                if pages >= _MOST_PAGES:
                    break
    except OmsError as error:
        failure = error
    # First what the new position stands for: a death in between only has it done twice.
    if read.unknown:
        pulled = pull_orders(read.unknown, channel_id, client)
        read.take_back(pulled.unread)
        failure = failure or pulled.failure
    for pk in sorted(read.order_pks):
        plan_sync(pk)
    _advance(cursor, read, failure)
    return len(read.order_pks)


def _cap(position: datetime | None, now: datetime) -> datetime | None:
    """Take back a position that is ahead of our clock."""
    return None if position is None else min(position, now)


def _list_pages(
    dialogue: Dialogue, stream: Stream, channel_id: int, since: datetime | None
) -> Iterator[tuple[Any, ...]]:
    list_updates = dialogue.list_order_updates if stream == "orders" else dialogue.list_request_updates
    return list_updates(channel_id=channel_id, limit=_LIMIT, since=since)


def _find_by_number(rows: list[Any]) -> set[int]:
    numbers = [row.number for row in rows]
    return set(Order.objects.filter(number__in=numbers).values_list("pk", flat=True))


def _list_unknown(rows: list[Any]) -> list[RemoteOrder]:
    """List the orders that there are none of here, and that the OMS has told of as a whole."""
    if not settings.OMNITRON_PULL_ORDERS:
        return []
    whole = [row for row in rows if isinstance(row, RemoteOrder) and row.document]
    known = set(
        Order.objects.filter(number__in=[row.number for row in whole]).values_list("number", flat=True)
    )
    return [row for row in whole if row.number not in known]


def _find_by_request(rows: list[Any]) -> set[int]:
    pks = [row.pk for row in rows]
    deliveries = Delivery.objects.filter(remote_pks__overlap=pks)
    _note_unknown(rows)
    return set(deliveries.values_list("request__line__order_item__order_id", flat=True))


def _note_unknown(rows: list[RemoteRequest]) -> None:
    """Note those that bear the name of a request of ours and are not what it stands for."""
    by_uuid = defaultdict(list)
    for row in rows:
        if row.status != "rejected" and (named := _NAME.match(row.remote_id or "")):
            by_uuid[UUID(named[0])].append(row)
    requests = CancellationRequest.objects.filter(uuid__in=by_uuid)
    may_adopt = Q(delivery=None) | Q(delivery__state__in=[*Delivery.TO_MAKE, Delivery.State.FAILED])
    for request in requests.exclude(may_adopt, status=CancellationRequest.Status.WAITING):
        note_spares(request.pk, by_uuid[request.uuid])


_FINDERS: dict[Stream, Callable[[list[Any]], set[int]]] = {
    "orders": _find_by_number,
    "requests": _find_by_request,
}


def _stamp(row: Any) -> str:
    return row.modified_date.isoformat() if row.modified_date is not None else ""


@transaction.atomic(durable=True)
def _advance(cursor: SyncCursor, read: _Round, failure: OmsError | None) -> None:
    """Move the position. Two workers may poll at once: it only goes forward, unless it is ahead of our clock."""
    locked = SyncCursor.objects.select_for_update().get(pk=cursor.pk)
    before = _cap(locked.position, read.now)
    if before is None or (read.position is not None and read.position >= before):
        locked.position, locked.seen = read.position, read.keep_near_the_end()
    if failure is None:
        locked.polled_at, locked.not_before = read.now, None
    elif isinstance(failure, NotSent) and failure.retry_after is not None:
        locked.not_before = read.now + timedelta(seconds=failure.retry_after)
    locked.save(update_fields=["position", "seen", "polled_at", "not_before"])
