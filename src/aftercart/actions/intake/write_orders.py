"""Write a batch of imported orders: the new ones by COPY, the newer ones over what we have."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from django.db import connection
from django.db.models import Max, Q

from aftercart.actions.intake.resolve_customers import Customer, resolve_customers
from aftercart.cancellations.models import SubmissionLine
from aftercart.cancellations.models.syncing import add_channels
from aftercart.cancellations.selectors import BEING_REJECTED
from aftercart.lib.bulk import advance_sequence, copy_rows, encode_json, find_rows, reserve_ids, update_rows
from aftercart.lib.locks import lock_purpose
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.intake.items import DiscountIntake, ItemIntake
from aftercart.orders.intake.merge import (
    MERGED_OF_DISCOUNTS,
    MERGED_OF_ITEMS,
    MERGED_OF_ORDERS,
    match_rows,
    merge_discount,
    merge_item,
    merge_order,
)
from aftercart.orders.intake.order import OrderIntake
from aftercart.orders.models import DiscountItem, Order, OrderItem, TimelineEntry

ORDERS: Final = Order._meta.db_table
ITEMS: Final = OrderItem._meta.db_table
DISCOUNTS: Final = DiscountItem._meta.db_table
TIMELINE: Final = TimelineEntry._meta.db_table

_ORDER_FIELDS: Final = (
    "channel_id", "user_email", "status", "status_before", "currency", "amount", "amount_without_discount",
    "discount_amount", "shipping_amount", "shipping_tax_rate", "installment_interest_amount", "refund_amount",
    "discount_refund_amount", "shipping_refund_amount", "payment_option", "invoice_number", "campaigns",
    "details", "created_date", "modified_date",
)  # fmt: skip
_ITEM_FIELDS: Final = (
    "status", "status_before", "sku", "product", "quantity", "cancelled_quantity", "price_currency", "price",
    "retail_price", "unit_price", "total_amount", "tax_rate", "refund_amount", "invoice_number",
    "is_final_sale", "shipped_at", "delivered_at", "details", "created_date", "modified_date",
)  # fmt: skip
_DISCOUNT_FIELDS: Final = (
    "name", "amount", "cancel_amount", "code", "offer_type", "promotion", "session_offer_type",
    "created_date", "modified_date",
)  # fmt: skip
#: As `Customer` has them.
_ADDRESSES: Final = ("user_id", "shipping_address", "billing_address")
_JSON_FIELDS: Final = frozenset({"payment_option", "campaigns", "details", "product"})
_KNOWN_MOMENTS: Final = 4096


@dataclass(slots=True)
class BatchOutcome:
    """What became of a batch: why orders were refused, by position in the batch, and the numbers of all others.

    `counts` are those created, updated, found unchanged, and kept since ours are newer.
    """

    counts: Counter[str] = field(default_factory=Counter)
    refused: dict[int, str] = field(default_factory=dict)


def write_orders(intakes: Sequence[OrderIntake]) -> BatchOutcome:
    """Create or update these orders, whose numbers all differ. Wants a transaction, and ends with it.

    An order that we have is updated by a newer `modified_date`, and left alone by the same or an older one.
    One that cannot go in is refused alone. Raises `django.db.DatabaseError` for what the database refuses.
    """
    lock_purpose("aftercart.import_orders")
    found = find_rows(
        ORDERS, "number", [intake.number for intake in intakes], ("number", "id", "modified_date")
    )
    known = {number: (pk, modified) for number, pk, modified in found}
    outcome = BatchOutcome()
    new: list[OrderIntake] = []
    newer: list[OrderIntake] = []
    taken = _read_taken_ids(intakes)
    for place, intake in enumerate(intakes):
        order_id, modified = known.get(intake.number, (None, None))
        if modified is not None and intake.modified_date <= modified and intake.id in {None, order_id}:
            outcome.counts["unchanged" if intake.modified_date == modified else "kept"] += 1
        elif reason := taken.claim(intake, order_id):
            outcome.refused[place] = reason
        else:
            (new if order_id is None else newer).append(intake)
    _advance_sequences([*new, *newer])
    customers = resolve_customers([*new, *newer])
    _create(new, customers[: len(new)])
    add_channels(intake.columns["channel_id"] for intake in [*new, *newer])
    _update(newer, customers[len(new) :])
    _add_points([*new, *newer], customers)
    outcome.counts += Counter(created=len(new), updated=len(newer))
    return outcome


# --- ids ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _TakenIds:
    """Which ids belong to which order number already, in the database or by an order earlier in the batch."""

    orders: dict[int, str]
    items: dict[int, str]
    discounts: dict[int, str]

    def claim(self, intake: OrderIntake, order_id: int | None) -> str | None:
        """Take the ids that a document brings, or tell why it cannot have them."""
        if intake.id is not None and order_id not in {None, intake.id}:
            return f"id: the order {intake.number} has the id {order_id} here, not {intake.id}"
        names = ("id", "orderitem_set[].id", "discountitem_set[].pk")
        claims = list(zip(names, (self.orders, self.items, self.discounts), _list_ids([intake]), strict=True))
        for name, taken, ids in claims:
            for pk in ids:
                owner = taken.get(pk, intake.number)
                if owner != intake.number:
                    return f"{name}: {pk} belongs to the order {owner}"
        for _, taken, ids in claims:
            taken.update((pk, intake.number) for pk in ids)
        return None


def _list_ids(intakes: Sequence[OrderIntake]) -> tuple[list[int], list[int], list[int]]:
    """List the ids that documents bring: of orders, of their items, and of their discounts."""
    return (
        [intake.id for intake in intakes if intake.id is not None],
        [item.id for intake in intakes for item in intake.items if item.id is not None],
        [row.id for intake in intakes for row in intake.discounts if row.id is not None],
    )


def _read_taken_ids(intakes: Sequence[OrderIntake]) -> _TakenIds:
    orders, items, discounts = _list_ids(intakes)
    return _TakenIds(
        dict(Order.objects.filter(pk__in=orders).values_list("pk", "number")),
        dict(OrderItem.objects.filter(pk__in=items).order_by().values_list("pk", "order__number")),
        dict(DiscountItem.objects.filter(pk__in=discounts).order_by().values_list("pk", "order__number")),
    )


def _advance_sequences(intakes: Sequence[OrderIntake]) -> None:
    """Put the sequences past the ids that the documents bring, before any new id is taken from them."""
    for table, ids in zip((ORDERS, ITEMS, DISCOUNTS), _list_ids(intakes), strict=True):
        if ids:
            advance_sequence(table, max(ids))


def _give_ids(table: str, rows: Iterable[OrderIntake | ItemIntake | DiscountIntake]) -> None:
    missing = [row for row in rows if row.id is None]
    for row, pk in zip(missing, reserve_ids(table, len(missing)), strict=True):
        row.id = pk


# --- rows --------------------------------------------------------------------------------------------------


#: As psycopg writes a moment, which repeats within an order, and for which it takes a microsecond each time.
_write_moment: Final = lru_cache(_KNOWN_MOMENTS)(str)


def _make_writer(names: Sequence[str]) -> Callable[[dict[str, Any]], list[Any]]:
    """Make what writes columns as a row of these: those of JSON and the moments as their text."""
    pick = itemgetter(*names)
    documents = [place for place, name in enumerate(names) if name in _JSON_FIELDS]
    moments = [place for place, name in enumerate(names) if name.endswith(("_date", "_at"))]

    def write(columns: dict[str, Any]) -> list[Any]:
        values = list(pick(columns))
        for place in documents:
            values[place] = encode_json(values[place])
        for place in moments:
            if values[place] is not None:
                values[place] = _write_moment(values[place])
        return values

    return write


_write_order: Final = _make_writer(_ORDER_FIELDS)
_write_item: Final = _make_writer(_ITEM_FIELDS)
_write_discount: Final = _make_writer(_DISCOUNT_FIELDS)


def add_items(pairs: Collection[tuple[int | None, ItemIntake]]) -> None:
    """Insert items, each with its order's id; those without an id of the shop's get one. Wants a transaction."""
    if not pairs:
        return
    _give_ids(ITEMS, [item for _, item in pairs])
    copy_rows(
        ITEMS,
        ("id", "order_id", "parent_id", "remote_pks", *_ITEM_FIELDS),
        [[item.id, order_id, item.parent_id, "{}", *_write_item(item.columns)] for order_id, item in pairs],
    )


def _add_discounts(pairs: Collection[tuple[int | None, DiscountIntake]]) -> None:
    if not pairs:
        return
    _give_ids(DISCOUNTS, [discount for _, discount in pairs])
    copy_rows(
        DISCOUNTS,
        ("id", "order_id", *_DISCOUNT_FIELDS),
        [[row.id, order_id, *_write_discount(row.columns)] for order_id, row in pairs],
    )


def _add_entries(event: str, entries: Iterable[tuple[OrderIntake, dict[str, Any]]]) -> None:
    """Add an entry for each order, with what is doubtful about it as its cause, for staff to see."""
    actor = TimelineEntry.Actor.IMPORT.value
    rows = [
        [intake.id, event, actor, "; ".join(intake.doubts), encode_json(data)] for intake, data in entries
    ]
    copy_rows(TIMELINE, ("order_id", "event", "actor", "cause", "data"), rows)


def _add_points(intakes: Sequence[OrderIntake], customers: Sequence[Customer]) -> None:
    """Add the points that orders tell of to the ledger of their customers.

    An entry is known by its reference within the order, so the same document adds nothing a second time. A
    guest has no ledger. What a newer document says of a known entry changes nothing: the ledger is not
    rewritten.
    """
    entries = [
        LoyaltyEntry(
            user_id=customer.user_id,
            currency=intake.columns["currency"],
            kind=row.kind,
            amount=row.amount,
            order_id=intake.id,
            reference=row.reference,
            created_date=row.created_date,
        )
        for intake, customer in zip(intakes, customers, strict=True)
        if customer.user_id is not None
        for row in intake.points
    ]
    if entries:
        LoyaltyEntry.objects.bulk_create(entries, ignore_conflicts=True)


def _create(intakes: Sequence[OrderIntake], customers: Sequence[Customer]) -> None:
    if not intakes:
        return
    _give_ids(ORDERS, intakes)
    rows = [
        [intake.id, intake.number, 1, 1, intake.digest, *customer, *_write_order(intake.columns)]
        for intake, customer in zip(intakes, customers, strict=True)
    ]
    with _orders_are_new():
        # Items first, so that an order's words are written once, with theirs; references are checked at the commit.
        add_items([(intake.id, item) for intake in intakes for item in intake.items])
        copy_rows(
            ORDERS,
            ("id", "number", "version", "link_version", "import_digest", *_ADDRESSES, *_ORDER_FIELDS),
            rows,
        )
        _add_discounts([(intake.id, discount) for intake in intakes for discount in intake.discounts])
        _add_entries("order_imported", [(intake, {"status": intake.columns["status"]}) for intake in intakes])


@contextmanager
def _orders_are_new() -> Iterator[None]:
    """Have no revisions moved within the block: rows are written that belong to orders of this transaction alone."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL aftercart.orders_are_new = 'on'")
        yield
        cursor.execute("SET LOCAL aftercart.orders_are_new = 'off'")


# --- updates -----------------------------------------------------------------------------------------------


def _update(intakes: Sequence[OrderIntake], customers: Sequence[Customer]) -> None:
    if not intakes:
        return
    orders = _lock_orders([intake.number for intake in intakes])
    pks = [order.pk for order in orders.values()]
    items = _group(OrderItem.objects.filter(order__in=pks).only("order", *MERGED_OF_ITEMS))
    discounts = _group(DiscountItem.objects.filter(order__in=pks).only("order", *MERGED_OF_DISCOUNTS))
    open_lines = _read_open_lines(pks)
    entries = []
    rows = []
    for intake, customer in zip(intakes, customers, strict=True):
        order = orders[intake.number]
        intake.id = order.pk
        before = order.status
        is_open = any(item.pk in open_lines for item in items.get(order.pk, ()))
        merge_order(order, intake, has_open_lines=is_open)
        row = [order.version + 1, intake.digest, *customer, *_write_order(intake.columns), order.pk]
        rows.append(row)
        entries.append((intake, {"status_before": before, "status": intake.columns["status"]}))
    update_rows(ORDERS, ("version", "import_digest", *_ADDRESSES, *_ORDER_FIELDS), rows)
    _update_items(intakes, items, open_lines)
    _update_discounts(intakes, discounts)
    _add_entries("order_updated", entries)


def _lock_orders(numbers: Sequence[str]) -> dict[str, Order]:
    orders = Order.objects.select_for_update(no_key=True).filter(number__in=numbers).order_by("pk")
    return {order.number: order for order in orders.only("number", "version", *MERGED_OF_ORDERS)}


def _group(rows: Iterable[Any]) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = {}
    for row in rows:
        groups.setdefault(row.order_id, []).append(row)
    return groups


def _read_open_lines(order_ids: Sequence[int]) -> dict[int, int]:
    """Read how many units of each item are being cancelled, or may be gone by a rejection that comes too late."""
    lines = SubmissionLine.objects.filter(
        Q(is_open=True) | BEING_REJECTED, order_item__order__in=order_ids
    ).order_by()
    return dict(lines.values_list("order_item_id").annotate(most=Max("quantity")))


def _pair(
    intakes: Sequence[OrderIntake],
    known: Mapping[int, list[Any]],
    list_rows: Callable[[OrderIntake], Sequence[Any]],
    column: str,
) -> tuple[list[tuple[Any, Any]], list[tuple[int | None, Any]], set[int]]:
    """Pair our rows with those that documents bring; also give what is new, with its order, and ours that are gone."""
    pairs: list[tuple[Any, Any]] = []
    added: list[tuple[int | None, Any]] = []
    gone: set[int] = set()
    for intake in intakes:
        ours, theirs = known.get(intake.id or 0, []), list_rows(intake)
        matched = match_rows(ours, theirs, column)
        gone |= {row.pk for row in ours} - {row.pk for row in matched.values()}
        for place, row in enumerate(theirs):
            if place in matched:
                row.id = matched[place].pk
                pairs.append((matched[place], row))
            else:
                added.append((intake.id, row))
    return pairs, added, gone


def _update_items(
    intakes: Sequence[OrderIntake], items: dict[int, list[OrderItem]], open_lines: dict[int, int]
) -> None:
    pairs, added, gone = _pair(intakes, items, lambda intake: intake.items, "sku")
    for item, line in pairs:
        merge_item(item, line, open_lines.get(item.pk))
    add_items(added)
    changed = [[line.parent_id, *_write_item(line.columns), line.id] for _item, line in pairs]
    update_rows(ITEMS, ("parent_id", *_ITEM_FIELDS), changed)
    # What has a history stays, even if the shop no longer knows it: the timeline refuses to be rewritten.
    OrderItem.objects.filter(pk__in=gone, lines__isnull=True, timelineentry__isnull=True).delete()


def _update_discounts(intakes: Sequence[OrderIntake], discounts: dict[int, list[DiscountItem]]) -> None:
    pairs, added, gone = _pair(intakes, discounts, lambda intake: intake.discounts, "name")
    for discount, row in pairs:
        merge_discount(discount, row)
    _add_discounts(added)
    changed = [[*_write_discount(row.columns), row.id] for _discount, row in pairs]
    update_rows(DISCOUNTS, _DISCOUNT_FIELDS, changed)
    DiscountItem.objects.filter(pk__in=gone, cancel_amount=0).delete()
