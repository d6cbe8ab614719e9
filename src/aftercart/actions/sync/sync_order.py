"""Bring an order up to what the OMS says: fulfilment forward, cancellations to their decision."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction

from aftercart.actions.cancel.apply_late import take_late
from aftercart.actions.cancel.book_refund import REFUND_FIELDS, book_reported, book_rest
from aftercart.actions.cancel.close_line import complete_line, count_done, count_reported_units, reject_line
from aftercart.actions.cancel.credit_points import credit_points
from aftercart.actions.cancel.find_late import find_late, list_unproven
from aftercart.actions.cancel.record_submission import put_order_status
from aftercart.actions.mail.notify_customer import notify_completed
from aftercart.actions.requests.reject_remote import UNDECIDED, read_remote
from aftercart.actions.returns.issue_return_code import issue_return_code
from aftercart.actions.sync.compare_refunds import sum_reported
from aftercart.actions.sync.follow_changes import FOLLOWED, follow_changes
from aftercart.actions.sync.get_remote import find_remote_items
from aftercart.actions.sync.plan_sync import plan_sync
from aftercart.actions.sync.settle_refunds import settle_refunds
from aftercart.actions.upkeep.jobs import compute_backoff
from aftercart.cancellations.models import CancellationRequest, Delivery, Submission, SubmissionLine
from aftercart.cancellations.models.read_budget import has_calls_left, spending_calls
from aftercart.cancellations.selectors import find_being_rejected, is_sync_due
from aftercart.cancellations.states import UNDER_WAY, claim_request
from aftercart.lib.clock import get_now
from aftercart.lib.failpoints import failpoint
from aftercart.lib.notes import keep_sentence
from aftercart.lib.prepared import prepared
from aftercart.oms.errors import OmsError, Refused
from aftercart.oms.messages import RemoteItem, RemoteOrder, RemoteRequest
from aftercart.oms.port import Dialogue, OmsClient
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.paid import is_payment_shown
from aftercart.orders.selectors import lock_order, read_order_items, save_item, save_order
from aftercart.orders.status import CANCELLING, FINAL, SHIPPED, Status, is_legal_move
from aftercart.orders.timeline import OMS, record_event

_Status = CancellationRequest.Status
#: When to read again what changed under our eyes.
_AGAIN = timedelta(seconds=1)
#: When to try again what the budget of calls does not allow now.
_WHEN_SPENT = timedelta(seconds=10)
#: When to try again what the OMS did not tell; what it refuses to tell, ever later up to the longest.
_WHEN_UNSENT, _LONGEST_WHEN_REFUSED = timedelta(minutes=1), timedelta(minutes=10)
#: What a customer could see change, of items, and of their lines and requests.
_SHOWN_OF_ITEMS = ("pk", "status", "cancelled_quantity", "refund_amount", "invoice_number", "details")
_SHOWN_OF_LINES = (
    "lines__is_open",
    "lines__easy_return_code",
    "lines__easy_return_valid_until",
    "lines__request__status",
)
_SYNC_FIELDS = ("remote_pk", "synced_at", "sync_due_at", "sync_refusals")


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was read of an order; `shop_ids` are the shop's ids for the OMS's items that nobody has here."""

    remote: RemoteOrder
    remote_pks: Mapping[int, Sequence[int]]
    shop_ids: Mapping[int, str]
    requests: Mapping[int, RemoteRequest]
    decided: Mapping[int, RemoteRequest]


def sync_order(order_pk: int, client: OmsClient) -> None:
    """Read an order and its requests from the OMS and book what has changed.

    Raises `OmsError`; then nothing was written.
    """
    [order] = _list_order(order_pk)
    with client.dialogue() as dialogue:
        requests = _read_requests(dialogue, order)  # first: what was decided by then, the items will show
        remote = dialogue.read_order(channel_id=order.channel_id, number=order.number)
        remote_pks = find_remote_items(dialogue, order)
        shop_ids = _find_new_items(dialogue, order, remote, remote_pks)
        # What was decided in the OMS's queue meanwhile shows at the items, too, and must not look like a late arrival.
        decided = _read_requests(dialogue, order) if list_unproven(order.pk) else requests
    failpoint("sync.read")
    _book(order, _Reading(remote, remote_pks, shop_ids, requests, decided))


@prepared
def _list_order(pk: int) -> models.QuerySet[Order]:
    return Order.objects.filter(pk=pk)


def sync_if_due(order_pk: int, client: OmsClient) -> OmsError | None:
    """Bring an order up to date, unless somebody has put it off since that was asked for.

    Beyond the budget of calls it is put off here: shortly, and not all orders to one moment.
    """
    if not is_sync_due(order_pk):
        return None
    if not has_calls_left():
        plan_sync(order_pk, wait=compute_backoff(0, first=_WHEN_SPENT, longest=_WHEN_SPENT))
        return None
    return sync_or_postpone(order_pk, client)


def sync_or_postpone(order_pk: int, client: OmsClient) -> OmsError | None:
    """Bring an order up to date, or have it tried again later; give the error then."""
    try:
        with spending_calls():
            sync_order(order_pk, client)
    except OmsError as error:
        refusals = _count_refusal(order_pk) if isinstance(error, Refused) else 0
        plan_sync(order_pk, wait=compute_backoff(refusals, first=_WHEN_UNSENT, longest=_LONGEST_WHEN_REFUSED))
        return error
    return None


def _count_refusal(order_pk: int) -> int:
    """Count one more refusal of the OMS's to tell of an order; how many there were before."""
    Order.objects.filter(pk=order_pk).update(sync_refusals=models.F("sync_refusals") + 1)
    refusals: int = Order.objects.values_list("sync_refusals", flat=True).get(pk=order_pk)
    return refusals - 1


def _find_new_items(
    dialogue: Dialogue, order: Order, remote: RemoteOrder, remote_pks: dict[int, list[int]]
) -> dict[int, str]:
    """Find the shop's ids of items that were added at the OMS; further units of an item of ours join its ids."""
    known = {pk for pks in remote_pks.values() for pk in pks}
    unknown = [row.pk for row in remote.items if row.pk not in known]
    if not unknown or not settings.OMNITRON_PULL_ORDERS:
        return {}
    found = dialogue.find_remote_ids(
        channel_id=order.channel_id, content_type="orderitem", object_ids=unknown
    )
    new = {}
    for pk, shop_id in found.items():
        ours = int(shop_id) if shop_id.isdecimal() else 0
        if ours in remote_pks:
            remote_pks[ours] = sorted([*remote_pks[ours], pk])
        else:
            new[pk] = shop_id
    return new


def _read_requests(dialogue: Dialogue, order: Order) -> dict[int, RemoteRequest]:
    """Read what the OMS says of the requests that it has and that are undecided here, by its ids."""
    pks = [pk for remote_pks in _list_delivered(order.pk) for pk in remote_pks]
    return {row.pk: row for row in read_remote(dialogue, channel_id=order.channel_id, pks=pks)}


@prepared
def _list_delivered(order: int) -> models.QuerySet[Delivery, list[int]]:
    """List the OMS's ids of each open request."""
    deliveries = Delivery.objects.filter(
        latest_of__line__order_item__order=order,
        latest_of__line__is_open=True,
        state=Delivery.State.KNOWN,
    )
    return deliveries.values_list("remote_pks", flat=True)


@transaction.atomic(durable=True)
def _book(as_read: Order, reading: _Reading) -> None:
    remote, requests = reading.remote, reading.requests
    order = lock_order(pk=as_read.pk)
    if order.version != as_read.version:
        # Something was written while we read: what we read may be older than that, so it is read again.
        plan_sync(order.pk, wait=_AGAIN)
        return
    before = _look(order)
    follow_changes(order, remote, reading.remote_pks, reading.shop_ids)
    rows = {row.pk: row for row in remote.items}
    lines = {line.order_item_id: line for line in _list_open_lines(order.pk)}
    rejected = find_being_rejected(order.pk)
    unproven = list_unproven(order.pk)
    for item in read_order_items(order):
        remote_pks = list(reading.remote_pks.get(item.pk, ()))
        if item.remote_pks != remote_pks:
            item.remote_pks = remote_pks
            save_item(item, "remote_pks")
        theirs = [rows[pk] for pk in item.remote_pks if pk in rows]
        line = lines.get(item.pk)
        if unproven and item.pk not in rejected:
            line = _take_late(order, item, line, _leave_out_decided(theirs, reading.decided), unproven)
        carrier = line.carrier if line is not None else None
        if item.pk in rejected:
            theirs = _leave_out_gone(theirs)
        if line is None or carrier is None:
            _book_fulfilment(order, item, theirs, remote)
        # A line whose own answer is still looked for is not for the OMS's lists to decide.
        elif carrier.state not in UNDER_WAY and item.pk not in rejected:
            _book_line(order, line, carrier, theirs, requests, remote)
    put_order_status(order)
    _take_status(order, remote)
    settle_refunds(order, remote)
    _notify_completed(order, lines.values())
    order.remote_pk, order.synced_at, order.sync_refusals = remote.pk, get_now(), 0
    if order.sync_due_at == as_read.sync_due_at:  # else there was news while we read
        order.sync_due_at = None
    if _look(order) != before:
        save_order(order, "status", "status_before", *FOLLOWED, *REFUND_FIELDS, *_SYNC_FIELDS)
    else:
        order.save(update_fields=_SYNC_FIELDS)
    failpoint("sync.booked")


def _take_status(order: Order, remote: RemoteOrder) -> None:
    """Take over an order's status. What is cancelled or being cancelled follows from the items alone."""
    if {order.status, remote.status} & CANCELLING or not is_legal_move(order.status, remote.status):
        return
    is_paid_now = is_payment_shown(order.status, remote.status, order.get_payment_type())
    if is_paid_now and order.details.get("is_payable"):
        # The shop said so before it was paid.
        order.details = order.details | {"is_payable": False}
    order.status = remote.status


def _leave_out_decided(
    theirs: Sequence[RemoteItem], requests: Mapping[int, RemoteRequest]
) -> list[RemoteItem]:
    """Leave out what is being cancelled because the OMS has decided so of a request in its queue."""
    waiting = {"rejected", *UNDECIDED}
    decided = {row.order_item_pk for row in requests.values() if row.status not in waiting}
    return [row for row in theirs if row.pk not in decided]


def _take_late(
    order: Order,
    item: OrderItem,
    line: SubmissionLine | None,
    theirs: Sequence[RemoteItem],
    unproven: Sequence[Submission],
) -> SubmissionLine | None:
    """Book a command that was given up and shows at the OMS; give the line as it stands then."""
    if line is not None and line.carrier.state in UNDER_WAY:
        return line  # whoever is at it looks for it
    is_applied = line is not None and line.carrier.state == Submission.State.APPLIED
    late = find_late(unproven, item, theirs, is_applied=is_applied)
    if late is None:
        return line
    take_late(order, late)
    item.refresh_from_db()
    return next((line for line in _list_open_lines(order.pk) if line.order_item_id == item.pk), None)


def _look(order: Order) -> tuple[object, ...]:
    """Take what a customer could see change, to compare it afterwards."""
    columns = (getattr(order, name) for name in (*REFUND_FIELDS, *FOLLOWED))
    return (order.status, *columns, *_list_shown(order.pk))


@prepared
def _list_shown(order: int) -> models.QuerySet[OrderItem, tuple[object, ...]]:
    items = OrderItem.objects.filter(order=order).order_by("pk", "lines__pk")
    return items.values_list(*_SHOWN_OF_ITEMS, *_SHOWN_OF_LINES)


@prepared
def _list_open_lines(order: int) -> models.QuerySet[SubmissionLine]:
    """List the lines that are not decided yet."""
    lines = SubmissionLine.objects.filter(order_item__order=order, is_open=True)
    return lines.select_related("order_item", "submission", "request__delivery")


def _leave_out_gone(theirs: Sequence[RemoteItem]) -> list[RemoteItem]:
    """Leave to whoever tells a rejection what the OMS has cancelled meanwhile: it may be what was rejected."""
    return [replace(row, refund_amount=None) for row in theirs if row.status not in CANCELLING]


def _book_line(
    order: Order,
    line: SubmissionLine,
    carrier: Submission,
    theirs: Sequence[RemoteItem],
    requests: Mapping[int, RemoteRequest],
    remote: RemoteOrder,
) -> None:
    """Close a line once the OMS has decided all of it: some of its units may be done, and others not."""
    request: CancellationRequest | None = getattr(line, "request", None)
    if request is not None and request.is_approved_here:
        return  # our staff has taken it out of the OMS's queue: a rejection there is none
    asked = [requests[pk] for pk in request.remote_pks if pk in requests] if request else []
    if request is not None and len(asked) < len(request.remote_pks):
        asked = []  # one is gone from the OMS's queue: the items alone can tell
    issue_return_code(order, line, [*theirs, *asked])
    if asked and request is not None:
        _book_request(request, asked)
        done = count_done(line, asked)
    else:
        done = _count_gone(line, carrier, theirs)
    if done is None:
        return
    reason = next((row.reject_reason for row in asked if row.reject_reason), "")
    delivery: Delivery | None = getattr(request, "delivery", None)
    if delivery is not None and len(theirs) > 1 and len(delivery.remote_pks) < line.quantity > done:
        # What the queue said of the units that it did not take.
        reason = reason or keep_sentence(delivery.error)
    if done:
        refund = sum_reported(theirs)
        complete_line(order, line, OMS, quantity=done, refund_amount=refund, remote=remote, reason=reason)
    else:
        reject_line(order, line, OMS, reason=reason)


def _notify_completed(order: Order, lines: Iterable[SubmissionLine]) -> None:
    """Announce the lines that have been completed now: those of one submission together."""
    done = {line.submission_id: line.submission for line in lines if line.outcome == "completed"}
    for submission in done.values():
        notify_completed(order, submission)


def _count_gone(line: SubmissionLine, carrier: Submission, theirs: Sequence[RemoteItem]) -> int | None:
    """Count the units of a line that are gone by the items themselves; None while some are undecided."""
    named = (carrier.command or {}).get("before", {})
    rows = [row for row in theirs if str(row.pk) in named] or list(theirs)
    gone = [row for row in rows if row.status in FINAL]
    most = min(line.quantity, line.order_item.left_quantity)  # other units may be gone by another line
    if rows and len(gone) == len(rows):
        return most
    kept = [
        row for row in rows if row.cancel_status == "rejected" and row.status != Status.CANCELLATION_WAITING
    ]
    if not kept or len(gone) + len(kept) < len(rows) or carrier.state != Submission.State.APPLIED:
        return None
    return min(_count_units(gone), most)


def _count_units(rows: Sequence[RemoteItem]) -> int:
    """Count the units of items of which ours has several there: one each, unless they say otherwise."""
    return sum(count_reported_units(row, 1) for row in rows)


def _book_request(request: CancellationRequest, asked: Sequence[RemoteRequest]) -> None:
    """Take over an open request's progress."""
    under_way = [row.status for row in asked if row.status in {"waiting_approval", "confirmed", "approved"}]
    if under_way:
        this = CancellationRequest.objects.filter(pk=request.pk)
        claim_request(this, _Status(under_way[0]), may_stay=True)


def _book_fulfilment(
    order: Order, item: OrderItem, theirs: Sequence[RemoteItem], remote: RemoteOrder
) -> None:
    """Move an item that nobody here is cancelling to where its units stand, if that is a legal move.

    The slowest unit speaks for those on their way; if none is, those being cancelled do, then the cancelled.
    """
    if not theirs:
        return
    on_their_way = [row.status for row in theirs if row.status not in CANCELLING]
    after = min(on_their_way or [row.status for row in theirs])
    fields = ["refund_amount", "cancelled_quantity"]
    cancelled_before, refund_before = item.cancelled_quantity, item.refund_amount
    is_moved = is_legal_move(item.status, after)
    # What the OMS has cancelled of its own accord is gone here too.
    book_reported(order, item, sum_reported(theirs))
    if len(theirs) > 1:
        units = _count_units([row for row in theirs if row.status in FINAL])
        item.cancelled_quantity = max(item.cancelled_quantity, min(units, item.quantity))
    if is_moved:
        record_event(order, "status_changed", OMS, item=item, data={"before": item.status, "after": after})
        item.status_before, item.status = item.status, after
        fields += ["status", "status_before"]
        if after in FINAL:
            item.cancelled_quantity = item.quantity
        if after in SHIPPED and item.shipped_at is None:
            item.shipped_at = get_now()
            fields.append("shipped_at")
        if after == Status.DELIVERED:
            item.delivered_at = get_now()
            fields.append("delivered_at")
    if is_moved or (item.cancelled_quantity, item.refund_amount) != (cancelled_before, refund_before):
        save_item(item, *fields)
    if gone := item.cancelled_quantity - cancelled_before:
        _amount, points = book_rest(order, None, remote)
        credit_points(order, item, OMS, line=None, quantity=gone, extra=points.refund_credit)
