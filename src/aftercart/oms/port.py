"""The dialogue with the OMS as the rest of Aftercart sees it: one protocol, a real and an in-memory twin.

    with client.dialogue() as dialogue:
        order = dialogue.read_order(channel_id=1, number="ORD-2024-001234")
        ...  # commit the intent
        dialogue.cancel_items(channel_id=1, command=command)

Every method raises `NotSent`, `Refused` or `AnswerUnknown` (see `errors`), a read never the last. What is not
there is `NotFound`, by reads only.

A write takes a `guard`, which is asked right before the system call that sends it, outside of any transaction: whether
the claim that it rests on still stands. If it says no, the write is `NotSent` (`claim_lost`). A process can be stopped
for any time between its claim and its call, and somebody else have gone on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Literal, Protocol

from aftercart.oms.messages import (
    AddressChange,
    CancelCommand,
    RemoteItem,
    RemoteOrder,
    RemoteReason,
    RemoteRequest,
    RequestDraft,
)

#: Whether a write may still be sent.
Guard = Callable[[], bool]

#: The kinds of things that the OMS keeps our ids for.
ContentType = Literal["order", "orderitem", "cancellationrequest"]


class Dialogue(Protocol):
    """One dialogue, with one end in time for all of it. For one thread, and only inside its `with`."""

    def remaining(self) -> float:
        """Return the seconds left until the dialogue's end, never below 0."""
        ...

    def check_login(self) -> None:
        """Make sure that the OMS is there and takes our credentials."""
        ...

    def read_order(self, *, channel_id: int, number: str) -> RemoteOrder:
        """Read the order that bears exactly this number, with all its items by ascending pk."""
        ...

    def read_order_items(self, *, channel_id: int, order_pk: int) -> tuple[RemoteItem, ...]:
        """Read all items of the OMS's order, by ascending pk; none if there is no such order."""
        ...

    def find_object_ids(
        self, *, channel_id: int, content_type: ContentType, remote_ids: Sequence[str]
    ) -> Mapping[str, tuple[int, ...]]:
        """Find the OMS's ids for ours, ascending; every id asked for is a key, an unknown one of ().

        One of our items can be several of theirs.
        """
        ...

    def find_remote_ids(
        self, *, channel_id: int, content_type: ContentType, object_ids: Sequence[int]
    ) -> Mapping[int, str]:
        """Find our ids for the OMS's; an unknown one is no key."""
        ...

    def list_orders(
        self, *, channel_id: int, limit: int, since: datetime | None = None
    ) -> Iterator[tuple[RemoteOrder, ...]]:
        """Read orders page by page, without their items, the longest placed first.

        With `since`, only those placed then or later. The iterator calls as it goes: take it inside the `with`.
        """
        ...

    def cancel_items(self, *, channel_id: int, command: CancelCommand, guard: Guard | None = None) -> None:
        """Cancel items of an order. Sent once at the most (once more only after a 401)."""
        ...

    def list_reasons(self, *, channel_id: int) -> tuple[RemoteReason, ...]:
        """Read all cancellation reasons, inactive ones too."""
        ...

    def find_requests(self, *, channel_id: int, remote_id: str) -> tuple[RemoteRequest, ...]:
        """Find the cancellation requests that bear exactly this id of ours."""
        ...

    def create_request(
        self, *, channel_id: int, draft: RequestDraft, guard: Guard | None = None
    ) -> RemoteRequest:
        """Make a cancellation request. A success that does not show the request is an `AnswerUnknown`."""
        ...

    def read_request(self, *, channel_id: int, pk: int) -> RemoteRequest:
        """Read one cancellation request by the OMS's pk."""
        ...

    def reject_request(self, *, channel_id: int, pk: int, reason: str, guard: Guard | None = None) -> None:
        """Reject a cancellation request, for a reason that the customer will read."""
        ...

    def change_address(self, *, body: AddressChange, guard: Guard | None = None) -> int:
        """Ask for another shipping address; the HTTP status of the success, for the contract's answer."""
        ...

    def list_order_updates(
        self, *, channel_id: int, limit: int, since: datetime | None = None
    ) -> Iterator[tuple[RemoteOrder, ...]]:
        """Read changed orders page by page, at most `limit` rows each, without their items.

        With `since`, only rows modified after it. Oldest change first. The iterator calls as it goes: take it
        inside the `with`. A row that changes meanwhile moves to the end and pulls another off the next page:
        so go on from the last row of the page that was worked, not from the newest row of all.
        """
        ...

    def list_request_updates(
        self, *, channel_id: int, limit: int, since: datetime | None = None
    ) -> Iterator[tuple[RemoteRequest, ...]]:
        """Read changed cancellation requests, as `list_order_updates` does orders."""
        ...


class OmsClient(Protocol):
    """The client. Thread-safe."""

    def dialogue(
        self, seconds: float | None = None, *, will_write: bool = False
    ) -> AbstractContextManager[Dialogue]:
        """Begin a dialogue that ends within so many seconds (a setting by default), whatever the OMS does.

        With `will_write`, the fresh connection of the write is opened while the rest is read.

        Raises `NotSent` (`bulkhead_full`) at once when too many are open in this process.
        """
        ...
