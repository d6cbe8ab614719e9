"""Customers and their orders, made in bulk: in our database, and at the sandbox."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone

from aftercart.accounts.models import User
from aftercart.accounts.sessions import SessionStore
from aftercart.cancellations.models import CancellationReason, EasyReturnCompany
from aftercart.lib.money import round_amount
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.models import Order, OrderItem
from tests.faults.harness.cluster import CHANNEL
from tests.faults.harness.sandbox_client import SandboxClient
from tests.shop import make_address, make_company, make_reason

#: What an order is made of: (weight, status of each item, whether invoiced).
_KINDS: tuple[tuple[int, tuple[str, ...], bool], ...] = (
    (5, ("400", "400", "400"), False),
    (3, ("400", "450"), False),
    (3, ("550", "550", "550"), False),
    (2, ("400", "400"), True),
    (1, ("400", "500"), False),
)
_ORDERS_A_LOAD = 200

#: How many orders were paid with points in part.
_PAID_WITH_POINTS = 0.4


@dataclass(slots=True)
class Customer:
    """Somebody with a session, addresses and orders."""

    user: User
    session: str
    addresses: list[int]
    orders: list["Bought"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Bought:
    """An order as its customer knows it: items by id with their quantities."""

    pk: int
    number: str
    is_shipped: bool
    items: dict[int, int]


@dataclass(slots=True)
class Stock:
    """Everything that the trial begins with."""

    customers: list[Customer]
    staff: User
    reasons: dict[str, CancellationReason]
    company: EasyReturnCompany


def make_stock(draw: random.Random, sandbox: SandboxClient, *, customers: int, orders: int) -> Stock:
    """Make so many customers, and orders for each; tell the sandbox."""
    reasons = {kind: make_reason(kind) for kind in ("cancel", "refund")}
    staff = User.objects.create(email="staff@example.com", is_staff=True, is_superuser=True)
    stock = Stock([], staff, reasons, make_company())
    for number in range(customers):
        user = User.objects.create(email=f"customer{number}@example.com")
        addresses = [make_address(user, title=title).pk for title in ("Home", "Work", "Parents")]
        stock.customers.append(Customer(user, _enter(user), addresses))
    wanted = [(customer, *_choose(draw)) for customer in stock.customers for _ in range(orders)]
    for start in range(0, len(wanted), _ORDERS_A_LOAD):
        _make_orders(draw, sandbox, start, wanted[start : start + _ORDERS_A_LOAD])
    return stock


def _enter(user: User) -> str:
    """Log a user in, without a password."""
    session = SessionStore()
    session.update(
        {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
    )
    session.save()
    return session.session_key or ""


def _choose(draw: random.Random) -> tuple[tuple[str, ...], bool]:
    _, statuses, is_invoiced = draw.choices(_KINDS, [kind[0] for kind in _KINDS])[0]
    return statuses, is_invoiced


def _make_orders(
    draw: random.Random,
    sandbox: SandboxClient,
    start: int,
    wanted: Sequence[tuple[Customer, tuple[str, ...], bool]],
) -> None:
    orders = Order.objects.bulk_create(
        _make_order(number, customer.user, statuses)
        for number, (customer, statuses, _) in enumerate(wanted, start=start)
    )
    items = OrderItem.objects.bulk_create(
        _make_item(draw, order, status, is_invoiced=is_invoiced)
        for order, (_, statuses, is_invoiced) in zip(orders, wanted, strict=True)
        for status in statuses
    )
    of_order: dict[int, list[OrderItem]] = {order.pk: [] for order in orders}
    for item in items:
        of_order[item.order_id].append(item)
    for order, (customer, statuses, _) in zip(orders, wanted, strict=True):
        order.amount = sum((item.total_amount for item in of_order[order.pk]), Decimal(0))
        quantities = {item.pk: item.quantity for item in of_order[order.pk]}
        customer.orders.append(Bought(order.pk, order.number, statuses[0] == "550", quantities))
    Order.objects.bulk_update(orders, ["amount"])
    LoyaltyEntry.objects.bulk_create(
        entry for order in orders if draw.random() < _PAID_WITH_POINTS for entry in _make_points(order)
    )
    documents = [_document(draw, order, of_order[order.pk]) for order in orders]
    sandbox.control("orders", {"channel_id": CHANNEL, "orders": documents})


def _make_points(order: Order) -> Iterator[LoyaltyEntry]:
    """Have a tenth of an order paid with points, and a twentieth of it earned."""
    for kind, part in ((LoyaltyEntry.Kind.SPENT, -10), (LoyaltyEntry.Kind.EARNED, 20)):
        amount = round_amount(order.amount / part, order.currency)
        yield LoyaltyEntry(
            user=order.user, currency=order.currency, kind=kind, amount=amount, order=order, reference="sold"
        )


def _make_order(number: int, user: User, statuses: Sequence[str]) -> Order:
    return Order(
        number=f"ORD-2026-{number:06}",
        channel_id=CHANNEL,
        user=user,
        user_email=user.email,
        status=statuses[0],
        currency="TRY",
        payment_option={"pk": 1, "name": "Card", "payment_type": "credit_card", "slug": "card"},
    )


def _make_item(draw: random.Random, order: Order, status: str, *, is_invoiced: bool) -> OrderItem:
    price, quantity = Decimal(draw.randint(100, 99_999)) / 100, draw.choice((1, 1, 1, 2, 3))
    return OrderItem(
        order=order,
        status=status,
        sku=f"SKU-{draw.randint(1, 999)}",
        product={"pk": 1, "name": "Shirt", "sku": "SKU"},
        quantity=quantity,
        price_currency="TRY",
        price=price,
        unit_price=price,
        retail_price=price,
        total_amount=price * quantity,
        tax_rate=20,
        invoice_number="INV-1" if is_invoiced else "",
        delivered_at=timezone.now() - timedelta(days=1) if status == "550" else None,
    )


def _document(draw: random.Random, order: Order, items: Sequence[OrderItem]) -> dict[str, Any]:
    """Write an order as the shop does; some lines are one item a unit there."""
    return {
        "id": order.pk,
        "number": order.number,
        "status": order.status,
        "currency": "try",
        "amount": f"{order.amount:.2f}",
        "payment_option": order.payment_option,
        "created_date": order.created_date.isoformat(),
        "orderitem_set": list(_lines(draw, items)),
    }


def _lines(draw: random.Random, items: Sequence[OrderItem]) -> Iterator[dict[str, Any]]:
    for item in items:
        yield {
            "id": item.pk,
            "status": item.status,
            "price": f"{item.price:.2f}",
            "quantity": item.quantity,
            "product": item.product,
            "split_units": item.quantity > 1 and draw.random() < 0.5,
        }
