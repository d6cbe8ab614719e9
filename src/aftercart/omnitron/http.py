"""The real client: contract section 8 over HTTP."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

import httpx2

from aftercart.omnitron import documents
from aftercart.omnitron.answers import make_failure
from aftercart.omnitron.exchange import Exchange, Reply, Shared
from aftercart.omnitron.tokens import TokenKeeper
from aftercart.omnitron.values import Malformed, read_id, read_row, read_text, write_moment
from aftercart.oms.errors import Code, NotFound, NotSent
from aftercart.oms.messages import (
    AddressChange,
    CancelCommand,
    RemoteItem,
    RemoteOrder,
    RemoteReason,
    RemoteRequest,
    RequestDraft,
)
from aftercart.oms.port import ContentType, Dialogue, Guard
from aftercart.outbound.breaker import Breaker
from aftercart.outbound.bulkhead import Bulkhead
from aftercart.outbound.deadline import Clock, Deadline
from aftercart.outbound.pulse import Pulse
from aftercart.outbound.transport import DeadlineTransport, KeptLines

#: Rows asked for per page.
PAGE_LIMIT = 100

#: A list longer than this many pages is taken for one without an end.
MAX_PAGES = 1000

T = TypeVar("T")
Changed = TypeVar("Changed", RemoteOrder, RemoteRequest)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Where Omnitron is and how patient we are. Seconds throughout; the settings `OMNITRON_*` fill it."""

    url: str
    prefix: str = "/api/v1"
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    connect_seconds: float = 2.0
    dialogue_seconds: float = 8.0
    max_dialogues: int = 64
    breaker_failures: int = 5
    breaker_seconds: float = 10.0
    address_method: str = "POST"
    address_path: str = "channel/{channel_id}/orders/change_address/"

    @property
    def root(self) -> str:
        """The address that every path of the contract follows, with its slash."""
        prefix = self.prefix.strip("/")
        return f"{self.url.rstrip('/')}/{prefix}/" if prefix else f"{self.url.rstrip('/')}/"


#: So many ids fit into the address of one call.
_IDS_A_CALL = 50


class HttpOmnitron:
    """The client of one process: one token, one breaker, one bulkhead for all its threads."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        clock: Clock = time.monotonic,
        on_recovery: Callable[[], None] | None = None,
        may_write: Callable[[], bool] | None = None,
    ) -> None:
        """`on_recovery` is called between dialogues once Omnitron answers again; `may_write` before each write."""
        self.configuration = configuration
        self._pulse = Pulse(clock=clock)
        self._on_recovery = on_recovery
        self.breaker = Breaker(
            failures=configuration.breaker_failures, seconds=configuration.breaker_seconds, clock=clock
        )
        self._bulkhead = Bulkhead(configuration.max_dialogues)
        self._shared = Shared(TokenKeeper(configuration.token), self.breaker, self._pulse, may_write)
        self._kept = KeptLines()
        # Made once: reading the certificates takes longer than a call.
        self._ssl_context = (
            httpx2.create_ssl_context(trust_env=False) if configuration.url.startswith("https:") else None
        )

    @contextmanager
    def dialogue(self, seconds: float | None = None, *, will_write: bool = False) -> Iterator[Dialogue]:
        """Begin a dialogue: see `OmsClient`."""
        settings = self.configuration
        with self._bulkhead.place():
            deadline = Deadline.after(settings.dialogue_seconds if seconds is None else seconds)
            transport = DeadlineTransport(
                deadline,
                connect_seconds=settings.connect_seconds,
                ssl_context=self._ssl_context,
                kept=self._kept,
            )
            if will_write and not self.breaker.is_open:
                transport.open_ahead(settings.root)
            exchange = Exchange(
                transport=transport,
                deadline=deadline,
                root=settings.root,
                username=settings.username,
                password=settings.password,
                shared=self._shared,
            )
            try:
                yield HttpDialogue(exchange, settings)
            finally:
                exchange.close()
        if self._on_recovery is not None and self._pulse.take_recovery():
            self._on_recovery()


class HttpDialogue:
    """One dialogue over HTTP: see the port's `Dialogue`."""

    def __init__(self, exchange: Exchange, configuration: Configuration) -> None:
        self._exchange = exchange
        self._configuration = configuration

    def remaining(self) -> float:
        """Return the seconds left."""
        return self._exchange.deadline.remaining()

    def check_login(self) -> None:
        """GET active_user/."""
        self._exchange.call("GET", "active_user/")

    def read_order(self, *, channel_id: int, number: str) -> RemoteOrder:
        """GET C/orders/?number= and its items."""
        path = f"{_channel(channel_id)}orders/"
        found = {
            order.pk: order
            for order in self._rows(path, {"number": number}, documents.read_order)
            # An API that does not know a filter ignores it: trust the rows, not the question.
            if order.number == number
        }
        if not found:
            raise NotFound("Omnitron does not know the order.", code=Code.NOT_FOUND)
        if len(found) > 1:
            raise NotSent("Omnitron knows several orders of this number.", code=Code.MALFORMED)
        order = found.popitem()[1]
        return replace(order, items=self.read_order_items(channel_id=channel_id, order_pk=order.pk))

    def read_order_items(self, *, channel_id: int, order_pk: int) -> tuple[RemoteItem, ...]:
        """GET C/order_items/?order=&sort=id, all pages."""
        path = f"{_channel(channel_id)}order_items/"
        items = {
            item.pk: item
            for item in self._rows(path, {"order": order_pk, "sort": "id"}, documents.read_item)
            if item.order_pk == order_pk
        }
        return tuple(items[pk] for pk in sorted(items))

    def find_object_ids(
        self, *, channel_id: int, content_type: ContentType, remote_ids: Sequence[str]
    ) -> dict[str, tuple[int, ...]]:
        """GET C/integration_actions/ once for each id."""
        path = f"{_channel(channel_id)}integration_actions/"
        found: dict[str, tuple[int, ...]] = {}
        for remote_id in dict.fromkeys(remote_ids):
            params = {"content_type_name": content_type, "remote_id__exact": remote_id}
            rows = self._rows(path, params, _parse_action)
            found[remote_id] = tuple(sorted({pk for pk, its_id in rows if its_id == remote_id}))
        return found

    def find_remote_ids(
        self, *, channel_id: int, content_type: ContentType, object_ids: Sequence[int]
    ) -> dict[int, str]:
        """GET C/integration_actions/ for many of theirs at once."""
        path = f"{_channel(channel_id)}integration_actions/"
        found: dict[int, str] = {}
        for place in range(0, len(object_ids), _IDS_A_CALL):
            wanted = frozenset(object_ids[place : place + _IDS_A_CALL])
            params = {
                "content_type_name": content_type,
                "object_id__in": ",".join(str(pk) for pk in sorted(wanted)),
            }
            rows = self._rows(path, params, _parse_action)
            found.update({pk: its_id for pk, its_id in rows if pk in wanted})
        return found

    def list_orders(
        self, *, channel_id: int, limit: int, since: datetime | None = None
    ) -> Iterator[tuple[RemoteOrder, ...]]:
        """GET C/orders/, the longest placed first."""
        params = {"sort": "created_date"}
        if since is not None:
            params["created_date__gte"] = write_moment(since)
        for rows in self._pages(f"{_channel(channel_id)}orders/", params, documents.read_order, limit=limit):
            yield tuple(
                row for row in rows if since is None or row.created_date is None or row.created_date >= since
            )

    def cancel_items(self, *, channel_id: int, command: CancelCommand, guard: Guard | None = None) -> None:
        """POST C/orders/{pk}/cancel/."""
        self._exchange.call(
            "POST",
            f"{_channel(channel_id)}orders/{command.order_pk}/cancel/",
            body=documents.write_cancel(command),
            secrets=command.secrets(),
            guard=guard,
        )

    def list_reasons(self, *, channel_id: int) -> tuple[RemoteReason, ...]:
        """GET C/cancellation_reasons/, all pages."""
        path = f"{_channel(channel_id)}cancellation_reasons/"
        return tuple(self._rows(path, {}, documents.read_reason))

    def find_requests(self, *, channel_id: int, remote_id: str) -> tuple[RemoteRequest, ...]:
        """GET C/cancellation_requests/?remote_id__exact=, all pages."""
        path = f"{_channel(channel_id)}cancellation_requests/"
        return tuple(
            request
            for request in self._rows(path, {"remote_id__exact": remote_id}, documents.read_request)
            if request.remote_id == remote_id
        )

    def create_request(
        self, *, channel_id: int, draft: RequestDraft, guard: Guard | None = None
    ) -> RemoteRequest:
        """POST C/cancellation_requests/."""
        reply = self._exchange.call(
            "POST",
            f"{_channel(channel_id)}cancellation_requests/",
            body=documents.write_draft(draft),
            secrets=draft.secrets(),
            guard=guard,
        )
        return _parse(documents.read_request, reply, is_read=False)

    def read_request(self, *, channel_id: int, pk: int) -> RemoteRequest:
        """GET C/cancellation_requests/{pk}/."""
        reply = self._exchange.call("GET", f"{_channel(channel_id)}cancellation_requests/{pk}/")
        return _parse(documents.read_request, reply, is_read=True)

    def reject_request(self, *, channel_id: int, pk: int, reason: str, guard: Guard | None = None) -> None:
        """POST C/cancellation_requests/{pk}/reject/; the name of the reason's field is ours."""
        path = f"{_channel(channel_id)}cancellation_requests/{pk}/reject/"
        self._exchange.call("POST", path, body={"reject_reason": reason}, guard=guard)

    def change_address(self, *, body: AddressChange, guard: Guard | None = None) -> int:
        """Send the change by the method and to the path of the settings."""
        settings = self._configuration
        path = settings.address_path.replace("{channel_id}", str(body.channel_id)).lstrip("/")
        method = settings.address_method.upper()
        return self._exchange.call(
            method, path, body=documents.write_address_change(body), guard=guard
        ).status

    def list_order_updates(
        self, *, channel_id: int, limit: int, since: datetime | None = None
    ) -> Iterator[tuple[RemoteOrder, ...]]:
        """GET C/orders/updates/."""
        return self._updates(f"{_channel(channel_id)}orders/updates/", documents.read_order, limit, since)

    def list_request_updates(
        self, *, channel_id: int, limit: int, since: datetime | None = None
    ) -> Iterator[tuple[RemoteRequest, ...]]:
        """GET C/cancellation_requests/updates/."""
        path = f"{_channel(channel_id)}cancellation_requests/updates/"
        return self._updates(path, documents.read_request, limit, since)

    def _updates(
        self, path: str, parse: Callable[[Any], Changed], limit: int, since: datetime | None
    ) -> Iterator[tuple[Changed, ...]]:
        # Oldest change first: what changes while it is being read comes once more, at the end.
        params = {"sort": "modified_date"}
        if since is not None:
            params["modified_date__gt"] = write_moment(since)
        for rows in self._pages(path, params, parse, limit=limit):
            if since is None:
                yield rows
            else:
                yield tuple(row for row in rows if row.modified_date is None or row.modified_date > since)

    def _rows(self, path: str, params: Mapping[str, str | int], parse: Callable[[Any], T]) -> Iterator[T]:
        """Read all rows of a list."""
        for rows in self._pages(path, params, parse):
            yield from rows

    def _pages(
        self,
        path: str,
        params: Mapping[str, str | int],
        parse: Callable[[Any], T],
        limit: int = PAGE_LIMIT,
    ) -> Iterator[tuple[T, ...]]:
        """Read a list page by page. `next` says only whether there is one: its address is never followed."""
        for page in range(1, MAX_PAGES + 1):
            try:
                reply = self._exchange.call("GET", path, params={**params, "limit": limit, "page": page})
            except NotFound as error:
                if page == 1:
                    raise
                # The list shrank while it was being read: what it holds is not certain, nothing was applied.
                raise make_failure(Code.MALFORMED, is_read=True, status=error.status) from error
            rows, has_next = _parse(_parse_page, reply, is_read=True)
            yield tuple(_parse(parse, Reply(reply.status, row), is_read=True) for row in rows)
            if not has_next:
                return
        raise make_failure(Code.MALFORMED, is_read=True)


def _channel(channel_id: int) -> str:
    """Give the path of a channel, the contract's `C`, with its slash."""
    return f"channel/{channel_id}/"


def _parse(parse: Callable[[Any], T], reply: Reply, *, is_read: bool) -> T:
    """Read a reply, or raise what an answer without its required keys means for this kind of call."""
    try:
        return parse(reply.json)
    except Malformed as error:
        raise make_failure(Code.MALFORMED, is_read=is_read, status=reply.status) from error


def _parse_page(value: Any) -> tuple[list[Any], bool]:
    page = read_row(value)
    rows = page.get("results")
    if not isinstance(rows, list):
        raise Malformed("results is missing")
    return rows, bool(page.get("next"))


def _parse_action(value: Any) -> tuple[int, str]:
    row = read_row(value)
    return read_id(row, "object_id"), read_text(row, "remote_id")
