"""A small shop for tests: customers, reasons, orders, addresses, and the same orders at Omnitron."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.accounts.models import Address, City, Country, Township, User
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.commands import AddressCommand, Caller, CancellationCommand, ItemRequest
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.cancellations.models import CancellationReason, CancellationRequest, EasyReturnCompany
from aftercart.orders.guests import Guest
from aftercart.orders.models import Order, OrderItem
from tests.fake_omnitron import FakeOmnitron

PASSWORD = "secret-12345"
CHANNEL = 1
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Line:
    """An item to be bought. What is not said is an everyday item in an everyday state."""

    status: str = "400"
    quantity: int = 1
    price: str = "100.00"
    invoice_number: str = ""
    is_final_sale: bool = False
    delivered_at: datetime | None = None
    cancelled_quantity: int = 0


def make_customer(email: str | None = None) -> User:
    """Make somebody who can log in with `PASSWORD`."""
    return User.objects.create_user(email or f"customer{next(_numbers)}@example.com", PASSWORD)


def make_order(
    user: User | None, *lines: Line, number: str | None = None, status: str = "400", **fields: Any
) -> Order:
    """Make an order of these lines (one everyday line if none is given)."""
    lines = lines or (Line(),)
    total = sum((Decimal(line.price) * line.quantity for line in lines), Decimal(0))
    order = Order.objects.create(
        number=number or f"ORD-2026-{next(_numbers):06}",
        channel_id=CHANNEL,
        user=user,
        user_email=user.email if user else "guest@example.com",
        status=status,
        currency="TRY",
        amount=total,
        amount_without_discount=total,
        payment_option=fields.pop(
            "payment_option", {"pk": 1, "name": "Card", "payment_type": "credit_card", "slug": "card"}
        ),
        **fields,
    )
    for line in lines:
        _make_item(order, line)
    return order


def _make_item(order: Order, line: Line) -> OrderItem:
    price, yesterday = Decimal(line.price), timezone.now() - timedelta(days=1)
    return OrderItem.objects.create(
        order=order,
        status=line.status,
        sku=f"SKU-{next(_numbers)}",
        product={"pk": 1, "name": "Shirt", "sku": "SKU"},
        quantity=line.quantity,
        cancelled_quantity=line.cancelled_quantity,
        price_currency="TRY",
        price=price,
        unit_price=price,
        retail_price=price,
        total_amount=price * line.quantity,
        tax_rate=20,
        invoice_number=line.invoice_number,
        is_final_sale=line.is_final_sale,
        delivered_at=line.delivered_at or (yesterday if line.status == "550" else None),
    )


def get_items(order: Order) -> list[OrderItem]:
    """Give an order's items as they are now."""
    return list(OrderItem.objects.filter(order=order).order_by("pk"))


def get_statuses(order: Order) -> list[str]:
    """Give the statuses of an order's items as they are now."""
    return [item.status for item in get_items(order)]


def make_reason(
    kind: str = "cancel", *, extra: bool = False, remote_pk: int | None = None
) -> CancellationReason:
    """Make a reason that the sandbox and the fake know too (contract section 8)."""
    known = {("cancel", False): 1, ("cancel", True): 5, ("refund", False): 6, ("refund", True): 10}
    return CancellationReason.objects.create(
        cancellation_type=kind,
        subject=f"{kind} reason",
        extra_information_needed=extra,
        remote_pk=remote_pk or known[kind, extra],
        translations={"tr": {"subject": f"{kind} nedeni"}},
    )


def make_company(**fields: Any) -> EasyReturnCompany:
    """Make an easy-return company."""
    return EasyReturnCompany.objects.create(name="Yurtiçi Kargo", value="yurtici", **fields)


def make_address(user: User, *, country: str = "tr", title: str = "Home") -> Address:
    """Make an entry of a user's address book."""
    place, _ = Country.objects.get_or_create(code=country, defaults={"name": country.upper()})
    city, _ = City.objects.get_or_create(country=place, name="İstanbul")
    township, _ = Township.objects.get_or_create(city=city, name="Kadıköy")
    return Address.objects.create(
        user=user,
        title=title,
        first_name="Ayşe",
        last_name="Yılmaz",
        phone_number="+905551112233",
        country=place,
        city=city,
        township=township,
        line=f"Street {next(_numbers)}",
        postcode="34710",
        hash_data=f"hash-{next(_numbers)}",
    )


def load_into(fake: FakeOmnitron, order: Order, *, split_units: bool = False) -> None:
    """Let the fake know an order as it stands."""
    fake.load_order(
        channel_id=order.channel_id,
        shop_order_id=order.pk,
        number=order.number,
        status=order.status,
        items=[(item.pk, item.status, item.quantity, item.price) for item in get_items(order)],
        split_units=split_units,
    )


def make_caller(writer: User | Guest, key: str = "", fingerprint: str | None = None) -> Caller:
    """Make a write; each has a fingerprint of its own unless one is given."""
    user, guest = (None, writer) if isinstance(writer, Guest) else (writer, None)
    return Caller(user, fingerprint or f"fingerprint-{next(_numbers)}", key, guest)


def make_command(
    order: Order,
    *asks: ItemRequest,
    user: User | None = None,
    key: str = "",
    fingerprint: str | None = None,
    pickup_address: int | None = None,
    number: str | None = "",
    quote: str = "",
) -> CancellationCommand:
    """Make a command of the order's customer; each has a fingerprint of its own unless one is given."""
    writer = user or order.user
    assert writer is not None
    return CancellationCommand(
        caller=make_caller(writer, key, fingerprint),
        number=order.number if number == "" else number,
        items=asks,
        pickup_address=pickup_address,
        quote=quote,
    )


def ask(item: OrderItem, reason: CancellationReason, **fields: Any) -> ItemRequest:
    """Ask to cancel, or return, an item for a reason."""
    return ItemRequest(
        order_item=item.pk,
        reason=reason.pk,
        cancellation_type=reason.cancellation_type,  # type: ignore[arg-type]  # the column holds one of its choices
        **fields,
    )


def make_address_command(order: Order, address: Address, **fields: Any) -> AddressCommand:
    """Make a command to send an order elsewhere."""
    assert order.user is not None
    caller = Caller(user=order.user, fingerprint=fields.pop("fingerprint", f"fingerprint-{next(_numbers)}"))
    return AddressCommand(caller=caller, order=order.pk, address=address.pk, **fields)


@dataclass(slots=True)
class Shop:
    """Everything that one cancellation needs, at Aftercart and at Omnitron."""

    lines: Sequence[Line] = ()
    fake: FakeOmnitron = field(default_factory=FakeOmnitron)
    split_units: bool = False
    order_fields: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.user = make_customer()
        self.order = make_order(self.user, *self.lines, **self.order_fields)
        self.cancel_reason = make_reason("cancel")
        self.refund_reason = make_reason("refund")
        load_into(self.fake, self.order, split_units=self.split_units)

    user: User = field(init=False)
    order: Order = field(init=False)
    cancel_reason: CancellationReason = field(init=False)
    refund_reason: CancellationReason = field(init=False)

    @property
    def items(self) -> list[OrderItem]:
        """The order's items as they are now."""
        return get_items(self.order)

    def command(self, *positions: int, **fields: Any) -> CancellationCommand:
        """Ask to cancel the items at these positions (all of them if none is given)."""
        items = self.items
        chosen = [items[position] for position in positions] if positions else items
        return make_command(self.order, *(ask(item, self.cancel_reason) for item in chosen), **fields)

    def count_posts(self, call: str = "cancel_items") -> int:
        """Count the writes of a kind that reached Omnitron."""
        return sum(1 for post in self.fake.posts if post.call == call)


def request_units(shop: Shop, quantity: int | None = None, *, delivered: bool = True) -> CancellationRequest:
    """Ask for units of the first item, as a request; have Omnitron's queue take it, unless told otherwise."""
    item = shop.items[0]
    request_cancellation(make_command(shop.order, ask(item, shop.cancel_reason, quantity=quantity)))
    if delivered:
        deliver_request(get_request().pk, shop.fake)
    return get_request()


def get_request() -> CancellationRequest:
    """Read the only request that there is."""
    return CancellationRequest.objects.get()


def count_jobs(task: str) -> int:
    """Count the jobs of a kind that wait."""
    return ProcrastinateJob.objects.filter(task_name=task, status="todo").count()
