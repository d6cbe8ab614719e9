"""Reads of orders, and the one lock that every write to an order takes first."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import connection, models

from aftercart.accounts.models import User
from aftercart.lib.batch import Batch
from aftercart.lib.clock import get_now
from aftercart.lib.emails import fold_email
from aftercart.lib.links import LinkInvalid, Purpose, check_token, peek_number, quote_token, sign_number
from aftercart.lib.prepared import prepared, prepared_part
from aftercart.orders.errors import OrderNotFound
from aftercart.orders.facts import ItemFacts, OrderFacts
from aftercart.orders.guests import Guest
from aftercart.orders.models import Order, OrderItem


def owned_by(owner: User | Guest) -> dict[str, Any]:
    """Return, as a look-up, what an order must be to be this customer's, or to be the order of this guest.

    A guest's order that has become a customer's meanwhile, or whose links have been revoked, is the guest's
    no more.
    """
    if isinstance(owner, Guest):
        return {"id": owner.order, "user": None, "link_version": owner.link_version}
    return {"user": owner}


def list_orders(owner: User | Guest) -> models.QuerySet[Order]:
    """List the orders of a customer, newest first, or of a guest, who sees one."""
    return Order.objects.filter(**owned_by(owner))


def get_order(owner: User | Guest, **lookup: Any) -> Order:
    """Get one of a customer's, or a guest's, orders. Raises `OrderNotFound`: unknown and foreign are one."""
    try:
        return list_orders(owner).get(**lookup)
    except (Order.DoesNotExist, OverflowError):
        raise OrderNotFound from None


def get_by_link(user: User | None, token: str, *, purpose: Purpose) -> Order:
    """Get the order of a signed link, if it is the user's (a guest's, for nobody).

    Raises `OrderNotFound` for every kind of miss. The same work is done whether there is such an order or
    not, so that time does not tell.
    """
    order = Order.objects.filter(user=user, number=peek_number(token)).first()
    link_version = order.link_version if order else 0
    try:
        check_token(token, purpose=purpose, link_version=link_version, life=settings.LINK_LIFE)
    except LinkInvalid:
        raise OrderNotFound from None
    if order is None:
        raise OrderNotFound
    return order


def find_guest_order(*, number: str, email: str) -> Order | None:
    """Find a guest's order by its number and e-mail address, in any case: one statement for hit and miss.

    What is stored is folded (intake), and compared by equality: what is counted as one address is one.
    """
    return Order.objects.filter(number=number, user=None, user_email=fold_email(email)).first()


def find_latest_of_guests(guests: Iterable[Guest], **lookup: Any) -> tuple[Order, Guest] | None:
    """Find the newest of these guests' orders that are still theirs, among those that are looked for."""
    orders, by_order = Order.objects.none(), {guest.order: guest for guest in guests}
    for guest in by_order.values():
        orders |= Order.objects.filter(**owned_by(guest))
    order = orders.filter(**lookup).order_by("-created_date", "-pk").first()
    return None if order is None else (order, by_order[order.pk])


def make_link(number: str, *, purpose: Purpose) -> str:
    """Make the full address of a signed link to an order. Raises `OrderNotFound`."""
    order = Order.objects.filter(number=number).first()
    if order is None:
        raise OrderNotFound
    token = sign_number(number, purpose=purpose, link_version=order.link_version)
    path = "orders/completed" if purpose == "completed" else "orders/guest"
    return f"{settings.PUBLIC_URL}/{path}/{quote_token(token)}/"


def lock_order(*, nowait: bool = False, **lookup: Any) -> Order:
    """Lock an order for the rest of the transaction and read it. Raises `OrderNotFound`.

    With `nowait`, raises `OperationalError` at once when somebody else holds it (`is_locked`).

    Every action takes this lock before it reads what it decides on; no other row is locked before it.
    `FOR NO KEY UPDATE` lets rows that refer to the order be written meanwhile.
    """
    if not connection.in_atomic_block:  # the lock would be gone before the next statement
        raise RuntimeError("lock_order() needs a transaction")
    try:
        [order] = _lock_at_once(**lookup) if nowait else _lock(**lookup)
    except (ValueError, OverflowError):
        raise OrderNotFound from None
    return order


@prepared
def _lock(**lookup: Any) -> models.QuerySet[Order]:
    return Order.objects.select_for_update(no_key=True).filter(**lookup)


@prepared
def _lock_at_once(**lookup: Any) -> models.QuerySet[Order]:
    return Order.objects.select_for_update(no_key=True, nowait=True).filter(**lookup)


def read_order_items(order: Order) -> list[OrderItem]:
    """Read an order's items as they stand, in the order in which they are always locked."""
    items = _list_items(order.pk)
    for item in items:
        item.order = order
    return items


@prepared
def _list_items(order: int) -> models.QuerySet[OrderItem]:
    return OrderItem.objects.filter(order=order).order_by("pk")


def save_order(order: Order, *fields: str, batch: Batch | None = None) -> None:
    """Save named fields of a locked order, and move its version: call it in every write to what it shows.

    At once, or together with the rest of a batch.
    """
    order.version += 1
    order.modified_date = get_now()
    names = [*fields, "version", "modified_date"]
    if batch is None:
        order.save(update_fields=names)
    else:
        batch.add(_save(order.pk, **{name: getattr(order, name) for name in names}))


@prepared_part
def _save(pk: int, **values: Any) -> tuple[models.QuerySet[Order], dict[str, Any]]:
    return Order.objects.filter(pk=pk), values


def save_item(item: OrderItem, *fields: str) -> None:
    """Save named fields of an item of a locked order."""
    item.modified_date = get_now()
    item.save(update_fields=[*fields, "modified_date"])


def gather_facts(
    order: Order, items: Sequence[OrderItem], in_progress: frozenset[int]
) -> dict[int, ItemFacts]:
    """Gather what the rules want to know, by item id. `in_progress` holds items with an open cancellation."""
    return {
        item.pk: ItemFacts(
            order_item=item.pk,
            status=item.status,
            left_quantity=item.left_quantity,
            is_in_progress=item.pk in in_progress,
            has_invoice=bool(order.invoice_number or item.invoice_number),
            is_final_sale=item.is_final_sale,
            unit_amount=item.price,
            delivered_at=item.delivered_at,
            shipped_at=item.shipped_at,
            sku=item.sku,
            categories=list_categories(item.product),
        )
        for item in items
    }


def gather_order_facts(order: Order) -> OrderFacts:
    """Gather what the policy wants to know of an order as a whole."""
    return OrderFacts(
        channel_id=order.channel_id,
        currency=order.currency.upper(),
        payment_type=order.get_payment_type(),
        client_type=str(order.details.get("client_type") or ""),
        country=read_country(order.shipping_address),
    )


def read_country(address: Mapping[str, Any] | None) -> str:
    """Read the ISO code of an address's country, in lower case; "" where it is not known."""
    country = (address or {}).get("country")
    return str(country.get("code") or "").lower() if isinstance(country, dict) else ""


def list_categories(product: dict[str, Any]) -> tuple[str, ...]:
    """List a product's categories, wherever an order names them: a text, or a document with a name or path."""
    attributes = product.get("attributes")
    named = [product.get("category"), product.get("categories")]
    if isinstance(attributes, dict):
        named += [attributes.get("category"), attributes.get("categories")]
    entries = [entry for value in named for entry in (value if isinstance(value, list) else [value]) if entry]
    texts = [
        text
        for entry in entries
        for text in (
            [entry.get(key) for key in ("path", "name", "slug")] if isinstance(entry, dict) else [entry]
        )
    ]
    return tuple(dict.fromkeys(str(text) for text in texts if isinstance(text, str | int)))
