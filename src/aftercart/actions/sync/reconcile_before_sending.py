"""After a restore: read the OMS before anything is sent, so that nothing is sent twice.

A backup knows nothing of what was sent after it. So sending is put on hold, every order with something under way and
every order that has changed at the OMS since is read, what the OMS shows as done is booked as done, and the hold is
released once all of it was read. It may be interrupted, and run again: what was read under the hold is not read again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import models, transaction
from django.db.models import F, Q

from aftercart.actions.address.change_address import confirm_found
from aftercart.actions.cancel.record_submission import settle_submission
from aftercart.actions.cancel.settle_overdue import is_overdue, settle_abandoned
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.sync.get_remote import find_remote_items
from aftercart.actions.sync.hold_sending import hold_sending, release_sending
from aftercart.actions.sync.plan_sync import plan_sync
from aftercart.actions.sync.poll_updates import list_channels, poll_updates
from aftercart.actions.sync.reconcile_orders import reconcile_order
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import (
    AddressChange,
    CancellationRequest,
    DecisionNotice,
    Submission,
    SubmissionLine,
    SyncCursor,
)
from aftercart.cancellations.models.holds import SendingHold
from aftercart.cancellations.models.syncing import STREAMS, Stream
from aftercart.cancellations.states import UNDER_WAY, claim_move, claim_request
from aftercart.lib.clock import get_now
from aftercart.oms.errors import NotFound, OmsError
from aftercart.oms.messages import RemoteOrder
from aftercart.oms.port import OmsClient
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.status import CANCELLING
from aftercart.orders.timeline import WORKER, record_event

_State = Submission.State
_Status = CancellationRequest.Status
_REASON = "The database was restored; Omnitron has to be read first."


@dataclass(slots=True)
class Reconciled:
    """What came of it: how many orders were read and found done or different, and what could not be read."""

    orders: int = 0
    settled: int = 0
    different: int = 0
    unread: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether everything was read, so that sending may go on."""
        return not self.unread


def reconcile_before_sending(
    client: OmsClient, *, say: Callable[[int, int], None] = lambda _done, _all: None
) -> Reconciled:
    """Read what may have changed since the backup, under a hold that is released when all of it was read.

    `say` is told how many orders of how many have been read.
    """
    hold = hold_sending(_REASON)
    result = Reconciled(unread=[f"list of {name}" for name in _list_unread_streams(client)])
    pks = list(_list_orders(hold).values_list("pk", flat=True))
    for count, pk in enumerate(pks, start=1):
        try:
            result.settled += _settle_order(pk, client)
            result.different += bool(reconcile_order(pk, client))
            result.orders += 1
        except OmsError as error:
            result.unread.append(f"order {Order.objects.values_list('number', flat=True).get(pk=pk)}")
            if error.is_outage:
                result.unread += [f"{len(pks) - count} more orders"] if count < len(pks) else []
                break
        say(count, len(pks))
    if result.is_whole:
        release_sending()
    return result


def _list_unread_streams(client: OmsClient) -> Iterator[str]:
    """Read the OMS's lists of updates to their ends, from where the backup had read them; yield what failed."""
    for channel_id in list_channels():
        for stream in STREAMS:
            if not _read_stream(channel_id, stream, client):
                yield f"{stream} of channel {channel_id}"


def _read_stream(channel_id: int, stream: Stream, client: OmsClient) -> bool:
    SyncCursor.objects.filter(channel_id=channel_id, stream=stream).update(not_before=None)
    position = object()
    while True:
        began_at = get_now()
        poll_updates(channel_id, stream, client)
        cursor = SyncCursor.objects.get(channel_id=channel_id, stream=stream)
        if cursor.polled_at is None or cursor.polled_at < began_at:
            return False
        if cursor.position == position:
            return True
        position = cursor.position


def _list_orders(hold: SendingHold) -> models.QuerySet[Order, Order]:
    """List the orders with something under way, or news to be read, that have not been read under this hold."""
    lines = SubmissionLine.objects.filter(Q(is_open=True) | Q(request__status=_Status.REJECTED))
    unsent = Q(request__status=_Status.REJECTED, request__notice__state=DecisionNotice.State.DUE)
    open_lines = lines.filter(Q(is_open=True) | unsent).values("order_item__order")
    under_way = Submission.objects.filter(state__in=UNDER_WAY).values("order")
    changes = AddressChange.objects.filter(state=AddressChange.State.PENDING).values("order")
    return (
        Order.objects.filter(
            Q(pk__in=open_lines)
            | Q(pk__in=under_way)
            | Q(pk__in=changes)
            | Q(address_due_at__isnull=False)
            | Q(sync_due_at__isnull=False)
        )
        .filter(Q(synced_at=None) | Q(synced_at__lt=hold.since) | Q(sync_due_at__isnull=False))
        .order_by("pk")
    )


def _settle_order(order_pk: int, client: OmsClient) -> int:
    """Settle what the OMS shows as done of an order's submissions, requests and changes; return how much."""
    order = Order.objects.get(pk=order_pk)
    try:
        with client.dialogue() as dialogue:
            remote = dialogue.read_order(channel_id=order.channel_id, number=order.number)
            remote_pks = find_remote_items(dialogue, order)
    except NotFound:
        return 0  # the comparison reports it
    settled = sum(
        _settle_submission(submission, remote, remote_pks, client)
        for submission in Submission.objects.filter(order=order, state__in=UNDER_WAY).order_by("pk")
    )
    waiting = CancellationRequest.objects.filter(
        Q(status=_Status.WAITING) | Q(status=_Status.APPROVED, decided_by__isnull=False),
        line__order_item__order=order,
        line__is_open=True,
    )
    for request in waiting.select_related("line__order_item").order_by("pk"):
        settled += _settle_request(request, remote, remote_pks, client)
    for change in AddressChange.objects.filter(order=order, state=AddressChange.State.PENDING):
        settled += confirm_found(change, remote)
    return settled


def _settle_submission(
    submission: Submission, remote: RemoteOrder, remote_pks: Mapping[int, Sequence[int]], client: OmsClient
) -> int:
    """Settle a submission that was under way when the backup was made."""
    lines = list(submission.list_carried().select_related("order_item"))
    if all(_is_done(line, remote, remote_pks) for line in lines):
        if submission.state == _State.PREPARED:  # sent after the backup: its own mark is lost
            claim_move(submission, _State.SENT, sent_at=F("created_at"))
        settle_submission(submission.pk, _State.APPLIED, WORKER, cause=Cause.FOUND_APPLIED)
    elif submission.state == _State.UNKNOWN:
        verify_submission(submission.pk, client)
    elif is_overdue(submission.pk):
        settle_abandoned(submission.pk, _State(submission.state))
    submission.refresh_from_db(fields=["state"])
    return submission.state == _State.APPLIED


def _settle_request(
    request: CancellationRequest,
    remote: RemoteOrder,
    remote_pks: Mapping[int, Sequence[int]],
    client: OmsClient,
) -> int:
    """Find what became of a request after the backup: created in the OMS's queue, or cancelled directly."""
    if request.status == _Status.WAITING and not request.is_delivered:
        deliver_request(request.pk, client)  # which looks for it first; on hold, it creates nothing
        request.refresh_from_db()
        if request.is_delivered:
            return 1
    if request.is_delivered or not _is_done(request.line, remote, remote_pks):
        return 0
    return _confirm_found(request)


@transaction.atomic(durable=True)
def _confirm_found(request: CancellationRequest) -> int:
    """Book that the OMS has what a request asks for in its hands, unless the request has moved on."""
    order = lock_order(pk=request.line.order_item.order_id)
    this = CancellationRequest.objects.filter(pk=request.pk, status=request.status)
    count = claim_request(this, _Status.CONFIRMED, cause=Cause.FOUND_APPLIED)
    if count:
        data = {"request": request.pk}
        record_event(order, "request_found_done", WORKER, item=request.line.order_item, data=data)
        save_order(order)
        plan_sync(order.pk)
    return count


def _is_done(line: SubmissionLine, remote: RemoteOrder, remote_pks: Mapping[int, Sequence[int]]) -> bool:
    """Return whether the OMS shows the units of a line as cancelled, or being cancelled.

    Where all units are one item there, it is gone as a whole or not at all.
    """
    item = line.order_item
    rows = [row for row in remote.items if row.pk in remote_pks.get(item.pk, ())]
    gone = sum(1 for row in rows if row.status in CANCELLING)
    if len(rows) == 1:
        return gone == 1
    return gone - item.cancelled_quantity >= line.quantity
