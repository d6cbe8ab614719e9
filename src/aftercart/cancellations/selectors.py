"""Reads of reasons, companies, open lines and requests."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Case, Exists, F, Max, OuterRef, Q, Value, When
from django.db.models.functions import Greatest, Least, Now

from aftercart.accounts.models import User
from aftercart.cancellations.document import company_document, direct_document, request_document
from aftercart.cancellations.models import (
    AddressChange,
    CancellationReason,
    CancellationRequest,
    DecisionNotice,
    Delivery,
    EasyReturnCompany,
    Submission,
    SubmissionLine,
    SyncCursor,
)
from aftercart.cancellations.models.setbacks import exclude_set_back
from aftercart.cancellations.policy.selectors import get_book, get_policy
from aftercart.cancellations.refund_document import list_refunds
from aftercart.lib.clock import get_now
from aftercart.lib.prepared import prepared
from aftercart.loyalty.document import transaction_document
from aftercart.loyalty.selectors import find_order_entries
from aftercart.orders.document import item_document, order_document
from aftercart.orders.facts import CancellationKind, ItemFacts
from aftercart.orders.models import DiscountItem, Order, OrderItem
from aftercart.orders.policy.clauses import Policy, PolicyBook, find_collected
from aftercart.orders.rules import find_window_end, is_allowed
from aftercart.orders.selectors import gather_facts

#: A job that is there has been taken by then.
_JOB_TIME = timedelta(seconds=30)
#: An undecided order is looked at for the first time so long after it was asked for, and at the latest after so long;
#: lists that have not been read for a while tell nothing.
_FIRST_LOOK, _LONGEST_LOOK = timedelta(seconds=20), timedelta(hours=1)
_LONGEST_LOOK_WITHOUT_LISTS, _LISTS_FRESH = timedelta(minutes=5), timedelta(minutes=5)
_SYNC_ORDER = "aftercart.sync_order"
#: So far the clocks of two machines may be apart.
_CLOCKS = timedelta(seconds=5)


def list_reasons() -> models.QuerySet[CancellationReason]:
    """List the reasons that a customer may give."""
    return CancellationReason.objects.filter(is_active=True)


def list_companies(channel_id: int) -> models.QuerySet[EasyReturnCompany]:
    """List the companies that collect returns for a channel."""
    return EasyReturnCompany.objects.filter(Q(channel_id=channel_id) | Q(channel_id=None), is_active=True)


def find_open_items(order_ids: Iterable[int]) -> frozenset[int]:
    """Find the items of these orders that have a cancellation in progress."""
    lines = SubmissionLine.objects.filter(order_item__order_id__in=list(order_ids), is_open=True)
    return frozenset(lines.values_list("order_item_id", flat=True))


def _list_lines(order_ids: Iterable[int]) -> models.QuerySet[SubmissionLine]:
    """List all that was asked for of these orders, oldest first, with what its documents need."""
    lines = SubmissionLine.objects.filter(submission__order_id__in=list(order_ids)).order_by("pk")
    needed = ("submission", "shipping_company", "request", "quoted__quote")
    return lines.select_related(*needed).defer("holder_name", "submission__command")


#: Lines whose request our staff has rejected, when the OMS may have it and is still to be told. Until then what
#: The OMS shows of their items may be what it has decided of that request.
BEING_REJECTED = Q(
    Q(request__delivery__state__in=[Delivery.State.SENT, Delivery.State.KNOWN])
    | Q(request__delivery__attempts__gt=0)
    | Q(request__delivery__remote_pks__len__gt=0),
    request__status=CancellationRequest.Status.REJECTED,
    request__decided_by__isnull=False,
    request__notice__state=DecisionNotice.State.DUE,
)


def find_being_rejected(order_pk: int) -> frozenset[int]:
    """Find the items of an order with a line that is `BEING_REJECTED`."""
    return frozenset(_list_being_rejected(order_pk))


@prepared
def _list_being_rejected(order: int) -> models.QuerySet[SubmissionLine, int]:
    lines = SubmissionLine.objects.filter(BEING_REJECTED, order_item__order=order)
    return lines.values_list("order_item_id", flat=True)


def find_submission(
    order: Order, *, uuid: UUID | None = None, key: str = "", fingerprints: Sequence[str] = ()
) -> Submission | None:
    """Find a submission of an order: by its uuid, or by the write that made it."""
    submissions = Submission.objects.filter(order=order)
    if uuid is not None:
        return submissions.filter(uuid=uuid).first()
    return submissions.filter(
        idempotency_record__key=key, idempotency_record__fingerprint__in=fingerprints
    ).first()


def is_address_in_use(user: User, pk: int) -> bool:
    """Return whether a courier is to come to this entry of a user's book, or an order is to be sent there."""
    pickups = SubmissionLine.objects.filter(is_open=True, order_item__order__user=user, pickup_address__pk=pk)
    changes = AddressChange.objects.filter(
        state=AddressChange.State.PENDING, order__user=user, address__pk=pk
    )
    return pickups.exists() or changes.exists()


def list_orders_to_sync(most: int) -> list[int]:
    """List the ids of orders to read from the OMS, at most so many of each kind, the longest waiting first.

    Those whose time was a while ago, so that their job must have been lost; and, unless their time is still
    to come, those with an undecided cancellation, ever later.
    """
    due = Order.objects.filter(sync_due_at__lt=get_now() - _JOB_TIME).order_by("sync_due_at", "pk")
    kinds = (exclude_set_back(_SYNC_ORDER, orders) for orders in (due, _list_undecided()))
    return [pk for orders in kinds for pk in orders.values_list("pk", flat=True)[:most]]


def _list_undecided() -> models.QuerySet[Order]:
    """List the orders with an undecided cancellation whose next look has come, whatever the lists of updates say.

    The first one soon after the submission; each further one as late again as it was from the submission to the last
    look, so that waits double; up to an hour while the channel's lists are read, which tell of decisions, else minutes.
    """
    listed = SyncCursor.objects.filter(channel_id=OuterRef("channel_id"), polled_at__gt=Now() - _LISTS_FRESH)
    is_open = Q(items__lines__is_open=True)
    since = Greatest(  # PostgreSQL's leaves out what is null: a line without an approval
        Max("items__lines__submission__created_at", filter=is_open),
        Max("items__lines__request__approvals__created_at", filter=is_open),
    )
    orders = Order.objects.filter(items__lines__is_open=True, sync_due_at=None).annotate(
        asked_since=since,
        longest=Case(
            When(Exists(listed), then=Value(_LONGEST_LOOK)), default=Value(_LONGEST_LOOK_WITHOUT_LISTS)
        ),
    )
    wait = Least(Greatest(F("synced_at") - F("asked_since"), Value(_FIRST_LOOK)), F("longest"))
    is_due = Q(synced_at=None) | Q(synced_at__lte=Now() - wait)
    return orders.filter(is_due).order_by(F("synced_at").asc(nulls_first=True), "pk")


def is_sync_due(order_pk: int) -> bool:
    """Return whether an order may be read from the OMS now, and has not been put off.

    Other machines' clocks may be a little ahead.
    """
    return not _list_put_off(order_pk, get_now() + _CLOCKS)


@prepared
def _list_put_off(order: int, until: datetime) -> models.QuerySet[Order, int]:
    return Order.objects.filter(pk=order, sync_due_at__gt=until).values_list("pk", flat=True)


@dataclass(frozen=True, slots=True)
class TimedDocument:
    """An order's document, and the last instant at which its verdicts hold; None: until something is written."""

    document: dict[str, Any]
    valid_until: datetime | None


def build_documents(orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Write orders as documents, in a number of queries that does not depend on how many there are."""
    return [timed.document for timed in build_timed_documents(orders, get_book())]


def build_timed_documents(orders: Sequence[Order], book: PolicyBook) -> list[TimedDocument]:
    """Write orders as documents, each with how long it holds by this policy, which is in force."""
    now = get_now()
    ids = [order.pk for order in orders]
    items = _by_order(OrderItem.objects.filter(order_id__in=ids))
    discounts = _by_order(DiscountItem.objects.filter(order_id__in=ids))
    lines: dict[int, list[SubmissionLine]] = defaultdict(list)
    for line in _list_lines(ids):
        lines[line.submission.order_id].append(line)
    companies = list(EasyReturnCompany.objects.filter(is_active=True))
    points = find_order_entries(ids)
    documents = []
    for order in orders:
        open_items = frozenset(line.order_item_id for line in lines[order.pk] if line.is_open)
        facts = gather_facts(order, items[order.pk], open_items)
        verdicts = _Verdicts(facts, order.created_date, get_policy(order, book), now)
        document = order_document(
            order,
            items=_item_documents(order, items[order.pk], lines[order.pk], companies, verdicts),
            refunds=list_refunds(order, lines[order.pk], items[order.pk]),
            discounts=discounts[order.pk],
            points=[transaction_document(entry) for entry in points[order.pk]],
        )
        documents.append(TimedDocument(document, verdicts.find_end()))
    return documents


@dataclass(frozen=True, slots=True)
class _Verdicts:
    """What the rules say of an order's items now."""

    facts: dict[int, ItemFacts]
    placed_at: datetime
    policy: Policy
    now: datetime

    def allows(self, kind: CancellationKind, item: OrderItem) -> bool:
        return is_allowed(
            kind, self.facts[item.pk], placed_at=self.placed_at, policy=self.policy, now=self.now
        )

    def find_end(self) -> datetime | None:
        """Find the last instant at which all of it holds."""
        return find_window_end(
            self.facts.values(), placed_at=self.placed_at, policy=self.policy, now=self.now
        )


def build_document(order: Order) -> dict[str, Any]:
    """Write one order as its document."""
    return build_documents([order])[0]


def _by_order(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.order_id].append(row)
    return found


def _item_documents(
    order: Order,
    items: Sequence[OrderItem],
    lines: Sequence[SubmissionLine],
    companies: Sequence[EasyReturnCompany],
    verdicts: _Verdicts,
) -> list[dict[str, Any]]:
    collected = find_collected(verdicts.policy, verdicts.facts.values())
    collectors = [c for c in companies if c.channel_id in {None, order.channel_id}]
    open_lines = {line.order_item_id: line for line in lines if line.is_open}
    requests: dict[int, list[CancellationRequest]] = defaultdict(list)
    for request in sorted((line.request for line in lines if hasattr(line, "request")), key=lambda r: -r.pk):
        requests[request.line.order_item_id].append(request)
    documents = []
    for item in items:
        of_item = [(r.status in CancellationRequest.OPEN, request_document(r)) for r in requests[item.pk]]
        line = open_lines.get(item.pk)
        direct = None if line is None else direct_document(line)
        documents.append(
            item_document(
                item,
                is_cancellable=verdicts.allows("cancel", item),
                is_refundable=verdicts.allows("refund", item),
                requests=[document for _is_open, document in of_item],
                active_request=next((document for is_open, document in of_item if is_open), direct),
                companies=[company_document(company) for company in collectors if item.pk in collected],
                order_details=order.details,
            )
        )
    return documents
