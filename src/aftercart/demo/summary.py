"""What a visitor of the demo needs to know, and what the OMS sandbox must be loaded with."""

from collections.abc import Iterator, Sequence
from typing import Any

from aftercart.accounts.address_book import list_addresses
from aftercart.accounts.document import address_document
from aftercart.accounts.models import Address, User
from aftercart.cancellations.models import AddressChange, CancellationReason, CancellationType, SubmissionLine
from aftercart.demo.fitness import is_fit
from aftercart.demo.kinds import (
    GUEST,
    KINDS,
    NAMED,
    NAMED_PASSWORD,
    STAFF_EMAIL,
    STAFF_PASSWORD,
    Person,
    list_prepared,
)
from aftercart.lib.clock import get_now
from aftercart.lib.links import Purpose, quote_token, sign_number
from aftercart.lib.money import format_amount
from aftercart.lib.times import format_time
from aftercart.orders.models import Order, OrderItem

_BATCH = 500
_AMOUNTS = ("amount", "discount_amount", "shipping_amount", "installment_interest_amount", "refund_amount")


def demo_summary(base_url: str, oms_url: str, channel_id: int) -> dict[str, Any]:
    """Describe the demo as it is now; its keys are a promise to those who try it out by program.

    Answers `{base_url, omnitron_url, channel_id, customers: [{email, password, user_id, address_ids, orders:
    {kind: {id, number, signed_number, url, items: [{id, status, price, quantity}]}}}], guest: {email, number,
    url}, staff: {email, password}, reasons: {cancel: [id], refund: [id]}}`. Of each kind it shows the first
    order that is still good for it; if none is, the first that was. The guest is None, and customers are left
    out, where there are none. Addresses: home first, then another in the same country, then one abroad.
    """
    touched = _read_touched()
    return {
        "base_url": base_url,
        "omnitron_url": oms_url,
        "channel_id": channel_id,
        "customers": [
            description
            for person in NAMED
            if (description := _describe_customer(person, base_url, touched)) is not None
        ],
        "guest": _describe_guest(base_url),
        "staff": {"email": STAFF_EMAIL, "password": STAFF_PASSWORD},
        "reasons": {
            kind.value: list(
                CancellationReason.objects.filter(cancellation_type=kind, is_active=True)
                .order_by("order", "pk")
                .values_list("pk", flat=True)
            )
            for kind in CancellationType
        },
    }


def _read_touched() -> frozenset[int]:
    """Read which prepared orders somebody has asked something of."""
    ids = [order_id for order_id, _, _ in list_prepared()]
    lines = SubmissionLine.objects.filter(order_item__order__in=ids).order_by()
    changes = AddressChange.objects.filter(order__in=ids).order_by()
    return frozenset(
        {*lines.values_list("order_item__order", flat=True), *changes.values_list("order", flat=True)}
    )


def _describe_customer(person: Person, base_url: str, touched: frozenset[int]) -> dict[str, Any] | None:
    user = User.objects.filter(email=person.email).first()
    if user is None:
        return None
    prepared = [(pk, kind) for pk, owner, kind in list_prepared() if owner is person]
    rows = Order.objects.filter(user=user, pk__in=[pk for pk, _ in prepared]).prefetch_related("items")
    orders = {order.pk: order for order in rows}
    now = get_now()
    chosen: dict[str, Order] = {}
    for kind in KINDS:
        ids = [pk for pk, of_kind in prepared if of_kind == kind and pk in orders]
        fit = [pk for pk in ids if is_fit(kind, orders[pk], is_touched=pk in touched, now=now)]
        if ids:
            chosen[kind] = orders[(fit or ids)[0]]
    if not chosen:
        return None
    return {
        "email": person.email,
        "password": NAMED_PASSWORD,
        "user_id": user.pk,
        "address_ids": list(
            Address.objects.filter(user=user).order_by("-primary", "pk").values_list("pk", flat=True)
        ),
        "orders": {kind: _describe_order(order, base_url) for kind, order in chosen.items()},
    }


def _describe_order(order: Order, base_url: str) -> dict[str, Any]:
    signed = _sign(order, "completed")
    return {
        "id": order.pk,
        "number": order.number,
        "signed_number": signed,
        "url": f"{base_url}/orders/completed/{quote_token(signed)}/",
        "items": [
            {
                "id": item.pk,
                "status": item.status,
                "price": format_amount(item.price),
                "quantity": item.quantity,
            }
            for item in order.items.all()
        ],
    }


def _describe_guest(base_url: str) -> dict[str, Any] | None:
    order = Order.objects.filter(user=None, user_email=GUEST.email).first()
    if order is None:
        return None
    return {
        "email": GUEST.email,
        "number": order.number,
        "url": f"{base_url}/orders/guest/{quote_token(_sign(order, 'guest-view'))}/",
    }


def _sign(order: Order, purpose: Purpose) -> str:
    return sign_number(order.number, purpose=purpose, link_version=order.link_version)


def shop_customers() -> list[dict[str, Any]]:
    """Make what the sandbox's commerce backend must know of the demo's customers, who log in there."""
    customers = []
    for person in NAMED:
        user = User.objects.filter(email=person.email).first()
        if user is None:
            continue
        addresses = list_addresses(user)
        customers.append(
            {
                "pk": user.pk,
                "email": user.email,
                "password": NAMED_PASSWORD,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "phone": str(user.phone),
                "addresses": [address_document(address) for address in addresses],
            }
        )
    return customers


def sandbox_documents() -> Iterator[dict[str, Any]]:
    """Make what the sandbox must know of every order: minimal documents, oldest first, ready for JSON."""
    orders = Order.objects.order_by("pk").prefetch_related("items")
    for order in orders.iterator(chunk_size=_BATCH):
        yield _write_minimal(order, list(order.items.all()))


def _write_minimal(order: Order, items: Sequence[OrderItem]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": order.pk,
        "number": order.number,
        "status": order.status,
        "currency": order.currency.lower(),
        "user_email": order.user_email,
        **{name: format_amount(getattr(order, name)) for name in _AMOUNTS},
        "shipping_address": order.shipping_address,
        "payment_option": order.payment_option,
        "is_payable": bool(order.details.get("is_payable")),
        "created_date": format_time(order.created_date),
        "orderitem_set": [
            {
                "id": item.pk,
                "status": item.status,
                "quantity": item.quantity,
                "price": format_amount(item.price),
                "total_amount": format_amount(item.total_amount),
                "sku": item.sku,
                "product": item.product,
            }
            for item in items
        ],
    }
    extra = order.details.get("extra_field")
    if isinstance(extra, dict) and "gift_box_amount" in extra:
        document["extra_field"] = {"gift_box_amount": extra["gift_box_amount"]}
    if order.get_payment_type() == "pay_on_delivery":
        document["sandbox"] = {"pay_on_delivery": True}
    return document
