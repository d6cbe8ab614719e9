"""An Omnitron in memory, behind the same protocol as the real client: for tests, and for them alone.

    fake = FakeOmnitron()
    fake.load_order(channel_id=1, shop_order_id=7, number="ORD-1", items=[(70, "400", 1, "19.90")])
    fake.fail("cancel_items", AnswerUnknown, applied=True)
    with replace_client(fake): ...
    assert [post.call for post in fake.posts] == ["cancel_items"]

Both clients pass the same contract tests.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Literal, TypeVar

from aftercart.omnitron import documents
from aftercart.oms.errors import AnswerUnknown, Code, NotFound, NotSent, OmsError, Refused
from aftercart.oms.messages import (
    AddressChange,
    CancelCommand,
    RemoteItem,
    RemoteOrder,
    RemoteReason,
    RemoteRequest,
    RequestDraft,
)
from aftercart.oms.meter import count_call
from aftercart.oms.port import ContentType, Dialogue, Guard
from aftercart.outbound.deadline import Deadline
from tests.fake_backoffice import REASONS, Backoffice, Decision

T = TypeVar("T")
Changed = TypeVar("Changed", RemoteOrder, RemoteRequest)

WriteCall = Literal["cancel_items", "create_request", "reject_request", "change_address"]
ReadCall = Literal[
    "check_login", "read_order", "read_order_items", "find_object_ids", "find_remote_ids", "list_orders",
    "list_reasons", "find_requests", "read_request", "list_order_updates", "list_request_updates",
]  # fmt: skip
#: What can be made to fail: a call, or the beginning of a dialogue.
Call = WriteCall | ReadCall | Literal["dialogue"]

WRITE_CALLS = frozenset({"cancel_items", "create_request", "reject_request", "change_address"})


@dataclass(frozen=True, slots=True)
class Post:
    """A write that reached Omnitron, applied or not. `body` is the JSON that the real client would send."""

    call: str
    channel_id: int
    body: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Failure:
    error: OmsError
    is_applied: bool


class FakeOmnitron:
    """The client in memory. Thread-safe.

    `posts` are the writes that arrived, in order; `calls` the names of all calls, those that failed included.
    """

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.calls: list[str] = []
        self.backoffice = Backoffice()
        self.lock = threading.RLock()
        self._failures: defaultdict[str, deque[_Failure]] = defaultdict(deque)
        self._hooks: dict[str, Callable[[], None]] = {}

    @contextmanager
    def dialogue(self, seconds: float | None = None, **_options: bool) -> Iterator[Dialogue]:
        """Begin a dialogue of so many seconds (8 by default): see `client.Omnitron`."""
        self.run("dialogue", lambda: None)
        yield FakeDialogue(self, Deadline.after(8.0 if seconds is None else seconds))

    def load_order(
        self,
        *,
        channel_id: int,
        shop_order_id: int | str,
        number: str,
        items: Iterable[tuple[int | str, str, int, Decimal | str | int]],
        status: str = "400",
        split_units: bool = False,
    ) -> RemoteOrder:
        """Load an order of the shop's with items of (shop's id, status, quantity, price of one unit).

        With `split_units` an item of quantity n becomes n of Omnitron's, of quantity 1 each.
        """
        rows = [
            (str(shop_item_id), item_status, 1 if split_units else quantity, Decimal(price))
            for shop_item_id, item_status, quantity, price in items
            for _ in range(quantity if split_units else 1)
        ]
        with self.lock:
            pk = self.backoffice.add_order(
                channel_id=channel_id,
                shop_order_id=str(shop_order_id),
                number=number,
                status=status,
                items=rows,
            )
            return self.get_order(pk)

    def fail(
        self, call: Call, error: OmsError | type[OmsError], *, times: int = 1, applied: bool = False
    ) -> None:
        """Make the next `times` calls raise `error`, an instance or one of the classes.

        With `applied` (an `AnswerUnknown` of a write only) the call takes effect before the answer is lost.
        Failures of one call queue up.
        """
        instance = error if isinstance(error, OmsError) else _make(error)
        if isinstance(instance, AnswerUnknown) and call not in WRITE_CALLS:
            raise ValueError("only a write can end without a known answer")
        if applied and not isinstance(instance, AnswerUnknown):
            raise ValueError("only an unknown answer can hide that the call was applied")
        with self.lock:
            self._failures[call].extend([_Failure(instance, applied)] * times)

    def before(self, call: Call, do: Callable[[], None] | None) -> None:
        """Run `do` each time the call arrives, before all else: for races, and to look on. None ends it."""
        with self.lock:
            if do is None:
                self._hooks.pop(call, None)
            else:
                self._hooks[call] = do

    def decide_items(self, decision: Decision, *pks: int) -> None:
        """Decide the waiting cancellations of these items, as the back office would."""
        with self.lock:
            for pk in pks:
                self.backoffice.decide_item(pk, decision)

    def decide_request(self, decision: Decision, pk: int, reason: str = "") -> None:
        """Decide a request, as the back office would."""
        with self.lock:
            self.backoffice.decide_request(self.backoffice.requests[pk], decision, reason)

    def get_order(self, pk: int) -> RemoteOrder:
        """Give an order with its items as Omnitron has it now."""
        with self.lock:
            items = tuple(record.remote for record in self.backoffice.items_of(pk))
            return replace(self.backoffice.orders[pk].remote, items=items)

    def run(self, call: str, apply: Callable[[], T], post: Post | None = None) -> T:
        """Do one call under the failures and hooks that were asked for."""
        hook = self._hooks.get(call)
        if hook is not None:
            # Outside the lock: a hook may wait for another thread's call.
            hook()
        with self.lock:
            if call != "dialogue":
                self.calls.append(call)
                count_call()
            failure = self._failures[call].popleft() if self._failures[call] else None
            if post is not None and not (failure and isinstance(failure.error, NotSent)):
                self.posts.append(post)
            if failure is None:
                return apply()
            if failure.is_applied:
                apply()
        raise failure.error


class FakeDialogue:
    """One dialogue in memory: see `client.Dialogue`."""

    def __init__(self, omnitron: FakeOmnitron, deadline: Deadline) -> None:
        self._omnitron = omnitron
        self._backoffice = omnitron.backoffice
        self._deadline = deadline

    def remaining(self) -> float:
        """Return the seconds left."""
        return self._deadline.remaining()

    def check_login(self) -> None:
        """Do nothing, or fail as asked."""
        self._run("check_login", lambda: None)

    def read_order(self, *, channel_id: int, number: str) -> RemoteOrder:
        """Read an order by number."""

        def apply() -> RemoteOrder:
            for pk, record in self._backoffice.orders.items():
                if record.channel_id == channel_id and record.remote.number == number:
                    return self._omnitron.get_order(pk)
            raise NotFound("Omnitron does not know the order.", code=Code.NOT_FOUND)

        return self._run("read_order", apply)

    def read_order_items(self, *, channel_id: int, order_pk: int) -> tuple[RemoteItem, ...]:
        """Read an order's items."""

        def apply() -> tuple[RemoteItem, ...]:
            record = self._backoffice.orders.get(order_pk)
            if record is None or record.channel_id != channel_id:
                return ()
            return self._omnitron.get_order(order_pk).items

        return self._run("read_order_items", apply)

    def find_object_ids(
        self, *, channel_id: int, content_type: ContentType, remote_ids: Sequence[str]
    ) -> dict[str, tuple[int, ...]]:
        """Find Omnitron's ids for ours."""
        return self._run(
            "find_object_ids",
            lambda: {
                remote_id: tuple(
                    sorted(pk for pk, theirs in self._mapped(channel_id, content_type) if theirs == remote_id)
                )
                for remote_id in remote_ids
            },
        )

    def find_remote_ids(
        self, *, channel_id: int, content_type: ContentType, object_ids: Sequence[int]
    ) -> dict[int, str]:
        """Find our ids for Omnitron's."""
        return self._run(
            "find_remote_ids",
            lambda: {
                pk: theirs
                for pk, theirs in self._mapped(channel_id, content_type)
                if theirs is not None and pk in object_ids
            },
        )

    def list_orders(
        self, *, channel_id: int, limit: int, since: datetime | None = None
    ) -> Iterator[tuple[RemoteOrder, ...]]:
        """List orders by when they were placed."""
        rows = self._run(
            "list_orders",
            lambda: [
                record.remote
                for record in self._backoffice.orders.values()
                if record.channel_id == channel_id
                and (
                    since is None or record.remote.created_date is None or record.remote.created_date >= since
                )
            ],
        )
        yield from (tuple(rows[place : place + limit]) for place in range(0, len(rows), limit))

    def cancel_items(self, *, channel_id: int, command: CancelCommand, guard: Guard | None = None) -> None:
        """Cancel items."""
        post = Post("cancel_items", channel_id, documents.write_cancel(command))
        self._run("cancel_items", lambda: self._backoffice.cancel(channel_id, command), post, guard)

    def list_reasons(self, *, channel_id: int) -> tuple[RemoteReason, ...]:  # noqa: ARG002 - the same for all
        """List the reasons."""
        return self._run("list_reasons", lambda: REASONS)

    def find_requests(self, *, channel_id: int, remote_id: str) -> tuple[RemoteRequest, ...]:
        """Find requests by our id, newest first."""
        return self._run(
            "find_requests",
            lambda: tuple(
                record.remote
                for _, record in sorted(self._backoffice.requests.items(), reverse=True)
                if record.channel_id == channel_id and record.remote.remote_id == remote_id
            ),
        )

    def create_request(
        self, *, channel_id: int, draft: RequestDraft, guard: Guard | None = None
    ) -> RemoteRequest:
        """Make a request."""
        post = Post("create_request", channel_id, documents.write_draft(draft))
        apply = lambda: self._backoffice.create_request(channel_id, draft)  # noqa: E731 - as its neighbours
        return self._run("create_request", apply, post, guard)

    def read_request(self, *, channel_id: int, pk: int) -> RemoteRequest:
        """Read a request."""
        return self._run("read_request", lambda: self._backoffice.get_request(channel_id, pk).remote)

    def reject_request(self, *, channel_id: int, pk: int, reason: str, guard: Guard | None = None) -> None:
        """Reject a request."""

        def apply() -> None:
            record = self._backoffice.get_request(channel_id, pk, Refused)
            self._backoffice.decide_request(record, "reject", reason)

        post = Post("reject_request", channel_id, {"reject_reason": reason})
        self._run("reject_request", apply, post, guard)

    def change_address(self, *, body: AddressChange, guard: Guard | None = None) -> int:
        """Change an address."""
        post = Post("change_address", body.channel_id, documents.write_address_change(body))
        self._run("change_address", lambda: self._backoffice.change_address(body), post, guard)
        return HTTPStatus.OK

    def list_order_updates(
        self, *, channel_id: int, limit: int, since: datetime | None = None
    ) -> Iterator[tuple[RemoteOrder, ...]]:
        """List changed orders."""
        return self._pages(
            "list_order_updates",
            lambda: [
                record.remote
                for record in self._backoffice.orders.values()
                if record.channel_id == channel_id and record.is_changed
            ],
            limit,
            since,
        )

    def list_request_updates(
        self, *, channel_id: int, limit: int, since: datetime | None = None
    ) -> Iterator[tuple[RemoteRequest, ...]]:
        """List changed requests."""
        return self._pages(
            "list_request_updates",
            lambda: [
                record.remote
                for record in self._backoffice.requests.values()
                if record.channel_id == channel_id and record.is_changed
            ],
            limit,
            since,
        )

    def _pages(
        self, call: Call, find: Callable[[], list[Changed]], limit: int, since: datetime | None
    ) -> Iterator[tuple[Changed, ...]]:
        def apply() -> list[Changed]:
            rows = [
                row for row in find() if since is None or (row.modified_date and row.modified_date > since)
            ]
            return sorted(rows, key=lambda row: (str(row.modified_date), row.pk))

        rows = self._run(call, apply)
        for start in range(0, max(len(rows), 1), limit):
            yield tuple(rows[start : start + limit])

    def _mapped(self, channel_id: int, content_type: ContentType) -> Iterator[tuple[int, str | None]]:
        """Give Omnitron's and the shop's id of everything of a type."""
        state = self._backoffice
        if content_type == "order":
            rows: Mapping[int, tuple[int, str | None]] = {
                pk: (order.channel_id, order.shop_order_id) for pk, order in state.orders.items()
            }
        elif content_type == "orderitem":
            rows = {
                pk: (state.orders[item.remote.order_pk].channel_id, item.shop_item_id)
                for pk, item in state.items.items()
            }
        else:
            rows = {
                pk: (request.channel_id, request.remote.remote_id) for pk, request in state.requests.items()
            }
        for pk, (its_channel_id, theirs) in rows.items():
            if its_channel_id == channel_id:
                yield pk, theirs

    def _run(
        self,
        call: Call,
        apply: Callable[[], T],
        post: Post | None = None,
        guard: Guard | None = None,
    ) -> T:
        if guard is not None and not guard():
            raise NotSent("Somebody else had gone on with it before it was sent.", code=Code.CLAIM_LOST)
        if self._deadline.expired:
            raise NotSent("The time for the dialogue with Omnitron is over.", code=Code.DEADLINE_OVER)
        return self._omnitron.run(call, apply, post)


def _make(kind: type[OmsError]) -> OmsError:
    """Make a typical error of a class."""
    if issubclass(kind, NotFound):
        return kind("Not found.", code=Code.NOT_FOUND, status=404, messages=("Not found.",))
    if issubclass(kind, Refused):
        return kind("Refused.", code=Code.REFUSED, status=406, messages=("Refused.",))
    if issubclass(kind, AnswerUnknown):
        return kind("Omnitron did not answer in time.", code=Code.TIMEOUT)
    return kind("Omnitron could not be reached.", code=Code.UNREACHABLE)
