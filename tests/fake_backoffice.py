"""The state and the rules of the in-memory Omnitron: as the sandbox's, without HTTP.

Not thread-safe: `fake.FakeOmnitron` holds a lock around every use.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Literal, NoReturn

from aftercart.oms.errors import Code, NotFound, Refused
from aftercart.oms.messages import (
    AddressChange,
    CancelCommand,
    RemoteItem,
    RemoteOrder,
    RemoteReason,
    RemoteRequest,
    RequestDraft,
)

Decision = Literal["approve", "reject", "confirm"]

#: The statuses from which a cancellation of each type may begin (contract section 3.3).
LEGAL_FROM = {
    "cancel": frozenset({"200", "300", "350", "400", "450"}),
    "refund": frozenset({"500", "510", "520", "540", "544", "545", "546", "547", "550"}),
}
ENDS_IN = {"cancel": "100", "refund": "600"}
CLOSED = frozenset(ENDS_IN.values())
WAITING = "50"
#: How long a return code is valid.
RETURN_CODE_LIFE = timedelta(days=10)
_NO_RETURN: dict[str, Any] = {"easy_return_code": None, "easy_return_valid_until": None}
OPEN_REQUEST = frozenset({"waiting", "waiting_approval", "confirmed", "approved"})

REASONS = tuple(
    RemoteReason(pk, "cancel" if pk <= 5 else "refund", subject, is_active=True)
    for pk, subject in enumerate(
        (
            *(
                "Changed my mind",
                "Ordered by mistake",
                "Found a better price",
                "Delivery takes too long",
                "Other",
            ),
            *("Does not fit", "Not as described", "Damaged or defective", "Changed my mind", "Other"),
        ),
        start=1,
    )
)

#: The named refusals of contract section 8, by our code for them.
REFUSALS = {
    "order_cancel_100_1": "A cancellation of this order item is already waiting.",
    "order_cancel_100_2": "The status of the order item does not allow this cancellation.",
    "order_cancel_100_3": "Cancel and refund can not be made in the same cancellation.",
    "order_cancel_100_5": "Every order item to cancel needs a reason.",
    "cancellation_request_100_1": "There is already an open cancellation request for this order item.",
    "cancellation_request_100_2": "The status of the order item does not allow this request.",
    "cancellation_request_100_3": "The cancellation request is already closed.",
    "address_change_100_1": "The order has been shipped: its address can not be changed any more.",
    "address_change_100_2": "The order is closed: its address can not be changed any more.",
}


@dataclass(slots=True)
class OrderRecord:
    """An order, with what the shop calls it and whether it changed since it was loaded."""

    channel_id: int
    shop_order_id: str
    base_status: str
    remote: RemoteOrder
    is_changed: bool = False
    address: AddressChange | None = None


@dataclass(slots=True)
class ItemRecord:
    """An item, with the shop's id of it and, while a cancellation waits, its status before and its type."""

    shop_item_id: str
    remote: RemoteItem
    status_before: str | None = None
    kind: str = ""


@dataclass(slots=True)
class RequestRecord:
    """A cancellation request with the draft it was made of."""

    channel_id: int
    draft: RequestDraft
    remote: RemoteRequest
    is_changed: bool = False


def refuse(code: str) -> NoReturn:
    """Raise the 406 of a business rule."""
    raise Refused(REFUSALS[code], code=code, status=HTTPStatus.NOT_ACCEPTABLE, messages=(REFUSALS[code],))


def reject_input(message: str, code: str = "does_not_exist") -> NoReturn:
    """Raise the 400 of a malformed or unknown value."""
    raise Refused(message, code=code, status=HTTPStatus.BAD_REQUEST, messages=(message,))


class Backoffice:
    """Orders, items, requests."""

    def __init__(self) -> None:
        self.orders: dict[int, OrderRecord] = {}
        self.items: dict[int, ItemRecord] = {}
        self.requests: dict[int, RequestRecord] = {}
        self._last_moment = datetime.min.replace(tzinfo=UTC)

    def add_order(
        self,
        *,
        channel_id: int,
        shop_order_id: str,
        number: str,
        status: str,
        items: Iterable[tuple[str, str, int, Decimal]],
    ) -> int:
        """Add an order with items of (shop's id, status, quantity, price of one); the order's pk."""
        order_pk = 500_001 + len(self.orders)
        amount = Decimal(0)
        for shop_item_id, item_status, quantity, price in items:
            pk = 700_001 + len(self.items)
            remote = RemoteItem(
                pk, order_pk, None, item_status, None, quantity, price, Decimal(0), modified_date=self.now()
            )
            self.items[pk] = ItemRecord(shop_item_id, remote)
            amount += price * quantity
        zero = Decimal(0)
        # It knows neither discounts nor what the delivery cost, so it reports nothing of them.
        order = RemoteOrder(order_pk, number, status, None, amount, zero, None, None, self.now())
        self.orders[order_pk] = OrderRecord(channel_id, shop_order_id, status, order)
        return order_pk

    def now(self) -> datetime:
        """Return a moment, never the same twice."""
        self._last_moment = max(datetime.now(UTC), self._last_moment + timedelta(microseconds=1))
        return self._last_moment

    def edit(self, record: ItemRecord, **changes: Any) -> None:
        """Change an item, and when it was modified."""
        record.remote = replace(record.remote, **changes, modified_date=self.now())

    def items_of(self, order_pk: int) -> list[ItemRecord]:
        """List an order's items by ascending pk."""
        return [record for _, record in sorted(self.items.items()) if record.remote.order_pk == order_pk]

    def get_order(self, channel_id: int, pk: int) -> OrderRecord:
        """Give a channel's order, or raise the 404."""
        record = self.orders.get(pk)
        if record is None or record.channel_id != channel_id:
            raise Refused(
                "Not found.", code=Code.NOT_FOUND, status=HTTPStatus.NOT_FOUND, messages=("Not found.",)
            )
        return record

    def get_request(self, channel_id: int, pk: int, kind: type[Refused] = NotFound) -> RequestRecord:
        """Give a channel's request, or raise the 404 as `kind`."""
        record = self.requests.get(pk)
        if record is None or record.channel_id != channel_id:
            raise kind(
                "Not found.", code=Code.NOT_FOUND, status=HTTPStatus.NOT_FOUND, messages=("Not found.",)
            )
        return record

    def cancel(self, channel_id: int, command: CancelCommand) -> None:
        """Set items to waiting for cancellation, or raise a refusal; all of them or none."""
        self.get_order(channel_id, command.order_pk)
        chosen = self._chosen(command)
        kinds = {self._kind_of(command.reasons.get(record.remote.pk)) for record in chosen}
        if len(kinds) > 1:
            refuse("order_cancel_100_3")
        kind = kinds.pop()
        for record in chosen:
            if record.remote.status == WAITING or self.open_request_of(record.remote.pk):
                refuse("order_cancel_100_1")
        if any(record.remote.status not in LEGAL_FROM[kind] for record in chosen):
            refuse("order_cancel_100_2")
        for record in chosen:
            record.status_before, record.kind = record.remote.status, kind
            pk = record.remote.pk
            is_collected = kind == "refund" and pk in command.shipping_companies
            self.edit(
                record,
                status=WAITING,
                cancel_status="waiting",
                **(self._make_return(pk) if is_collected else {}),
            )
        self.refresh(command.order_pk)

    def create_request(self, channel_id: int, draft: RequestDraft) -> RemoteRequest:
        """Make a request, or raise a refusal."""
        item = self.items.get(draft.order_item_pk)
        if item is None or self.orders[item.remote.order_pk].channel_id != channel_id:
            reject_input(f'Invalid pk "{draft.order_item_pk}" - object does not exist.')
        if self._kind_of(draft.reason_pk) != draft.cancellation_type:
            reject_input("The reason is not of this cancellation type.", "invalid")
        if item.remote.status == WAITING or self.open_request_of(item.remote.pk):
            refuse("cancellation_request_100_1")
        if item.remote.status not in LEGAL_FROM[draft.cancellation_type]:
            refuse("cancellation_request_100_2")
        pk = 300_001 + len(self.requests)
        is_collected = draft.cancellation_type == "refund" and draft.shipping_company is not None
        remote = RemoteRequest(
            pk=pk,
            order_item_pk=item.remote.pk,
            remote_id=draft.remote_id,
            status="waiting",
            cancellation_type=draft.cancellation_type,
            quantity=draft.quantity,
            reject_reason=None,
            refund_amount=None,
            modified_date=self.now(),
            **(self._make_return(pk) if is_collected else _NO_RETURN),
        )
        self.requests[pk] = RequestRecord(channel_id, draft, remote)
        return remote

    def _make_return(self, pk: int) -> dict[str, Any]:
        """Issue a return code named after `pk`."""
        return {"easy_return_code": f"ER{pk}", "easy_return_valid_until": self.now() + RETURN_CODE_LIFE}

    def open_request_of(self, item_pk: int) -> bool:
        """Whether a request for the item is in progress."""
        return any(
            record.remote.order_item_pk == item_pk and record.remote.status in OPEN_REQUEST
            for record in self.requests.values()
        )

    def decide_item(self, pk: int, decision: Decision) -> None:
        """Decide a waiting cancellation: approve ends in 100 or 600, reject goes back, confirm waits on."""
        record = self.items[pk]
        if record.status_before is None:
            raise ValueError(f"no cancellation of item {pk} is waiting")
        if decision == "confirm":
            self.edit(record, cancel_status="confirmed")
        elif decision == "approve":
            amount = (record.remote.price or Decimal(0)) * (record.remote.quantity or 1)
            self.edit(record, status=ENDS_IN[record.kind], cancel_status="approved", refund_amount=amount)
            record.status_before = None
        else:
            self.edit(record, status=record.status_before, cancel_status="rejected")
            record.status_before = None
        self.refresh(record.remote.order_pk)

    def decide_request(self, record: RequestRecord, decision: Decision, reason: str) -> None:
        """Decide an open request; a completed one closes its item, however many units it named."""
        if record.remote.status not in OPEN_REQUEST:
            refuse("cancellation_request_100_3")
        status = {"approve": "completed", "reject": "rejected", "confirm": "confirmed"}[decision]
        record.remote = replace(
            record.remote,
            status=status,
            reject_reason=(reason or None) if decision == "reject" else None,
            modified_date=self.now(),
        )
        record.is_changed = True
        item = self.items[record.remote.order_item_pk]
        if decision == "approve":
            ends_in = ENDS_IN[record.draft.cancellation_type]
            amount = (item.remote.price or Decimal(0)) * (record.draft.quantity or 1)
            refunded = (item.remote.refund_amount or Decimal(0)) + amount
            self.edit(item, status=ends_in, cancel_status="approved", refund_amount=refunded)
        elif decision == "reject":
            self.edit(item, cancel_status="rejected")
        self.refresh(item.remote.order_pk)

    def change_address(self, change: AddressChange) -> None:
        """Take a new address, or raise a refusal."""
        for order in self.orders.values():
            if order.channel_id == change.channel_id and order.shop_order_id == str(change.order_id):
                break
        else:
            reject_input(f'Invalid pk "{change.order_id}" - object does not exist.')
        statuses = {record.remote.status for record in self.items_of(order.remote.pk)} | {order.remote.status}
        if statuses & LEGAL_FROM["refund"]:
            refuse("address_change_100_1")
        if order.remote.status in CLOSED:
            refuse("address_change_100_2")
        order.address = change
        order.remote = replace(order.remote, shipping_address_pk=change.address.pk)
        self.refresh(order.remote.pk)

    def refresh(self, order_pk: int) -> None:
        """Derive an order's statuses from its items, and mark it as changed."""
        record = self.orders[order_pk]
        items = [item.remote for item in self.items_of(order_pk)]
        statuses = {item.status for item in items}
        if len(statuses) == 1 and statuses <= CLOSED | {WAITING}:
            status = items[0].status
        elif statuses and statuses <= CLOSED:
            status = "600"
        else:
            status = record.base_status
        waiting = [item.cancel_status for item in items if item.status == WAITING]
        decided = [item.cancel_status for item in items if item.cancel_status]
        record.remote = replace(
            record.remote,
            status=status,
            cancel_status=next(iter(waiting or decided), record.remote.cancel_status),
            refund_amount=_sum_refunds(items),
            modified_date=self.now(),
        )
        record.is_changed = True

    def _chosen(self, command: CancelCommand) -> list[ItemRecord]:
        known = {record.remote.pk: record for record in self.items_of(command.order_pk)}
        if command.is_all:
            chosen = [record for record in known.values() if record.remote.status not in CLOSED]
            if not chosen:
                refuse("order_cancel_100_2")
            return chosen
        if not command.reasons:
            reject_input("This list may not be empty.", "empty")
        for pk in command.reasons:
            if pk not in known:
                reject_input(f'Invalid pk "{pk}" - object does not exist.')
        return [known[pk] for pk in command.reasons]

    def _kind_of(self, reason_pk: int | None) -> str:
        if reason_pk is None:
            refuse("order_cancel_100_5")
        for reason in REASONS:
            if reason.pk == reason_pk:
                return reason.cancellation_type
        reject_input(f'Invalid pk "{reason_pk}" - object does not exist.')


def _sum_refunds(items: Iterable[RemoteItem]) -> Decimal | None:
    """Add up refunds; one that is not reported leaves their sum unreported."""
    amounts = [item.refund_amount for item in items]
    return None if None in amounts else sum((amount for amount in amounts if amount is not None), Decimal(0))
