"""Make order documents of contract section 6: pure, and the same for the same moment."""

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from aftercart.demo import catalogue
from aftercart.demo.kinds import (
    FIRST_DISCOUNT_ID,
    FIRST_ITEM_ID,
    FIRST_ORDER_ID,
    GUEST,
    Person,
    list_prepared,
)
from aftercart.demo.payments import find_refund
from aftercart.demo.points import write_points
from aftercart.lib.money import format_amount, round_amount
from aftercart.lib.times import format_time
from aftercart.orders.status import FINAL, SHIPPED, Status

_SEED: Final = 20260101
#: How often each status comes among the orders of people without a name in the demo.
_STATUS_WEIGHTS: Final = {
    Status.CANCELLATION_WAITING: 3, Status.CANCELED: 8, Status.WAITING: 6, Status.PAYMENT_WAITING: 5,
    Status.CONFIRMATION_WAITING: 4, Status.APPROVED: 22, Status.PREPARING: 12, Status.SHIPPED: 14,
    Status.SHIPPED_AND_INFORMED: 5, Status.READY_FOR_PICKUP: 3, Status.ATTEMPTED_DELIVERY: 3,
    Status.REVIEW_STARTED: 1, Status.REVIEW_WAITING: 1, Status.WAITING_FOR_PAYMENT: 1, Status.PAID: 1,
    Status.DELIVERED: 40, Status.REFUNDED: 6,
}  # fmt: skip
#: The status of the prepared orders that are not `approved`.
_KIND_STATUS: Final = {"shipped": Status.SHIPPED, "delivered": Status.DELIVERED, "cancelled": Status.CANCELED}
#: Days after which an order is usually shipped, and delivered.
_SHIPPED_AFTER: Final = timedelta(days=2)
_DELIVERED_AFTER: Final = timedelta(days=4)
_DELIVERED_AGO: Final = timedelta(days=3)


@dataclass(slots=True)
class _Plan:
    """What an order is to be, before it is written."""

    order_id: int
    person: Person
    status: str
    created: datetime
    quantities: Sequence[int]
    payment: Mapping[str, Any] = field(default_factory=lambda: catalogue.CREDIT_CARD)
    item_statuses: Mapping[int, str] = field(default_factory=dict)
    invoice_number: str = ""
    is_pickup: bool = False
    is_guest: bool = False
    campaign: int | None = None
    installments: int = 1
    has_gift_box: bool = False
    billing: int = 0
    has_final_sale: bool = False


@dataclass(frozen=True, slots=True)
class _Ids:
    """The ids of items and discounts, one after the other."""

    items: Iterator[int] = field(default_factory=lambda: itertools.count(FIRST_ITEM_ID))
    discounts: Iterator[int] = field(default_factory=lambda: itertools.count(FIRST_DISCOUNT_ID))


def generate_documents(now: datetime, count: int = 300) -> Iterator[dict[str, Any]]:
    """Make `count` order documents, or as many as are prepared if that is more, with dates that end at `now`.

    First those prepared for the named customers and the guest (see `kinds.py`), then everybody else's. Ids,
    numbers, people and goods depend on the position alone; only the dates follow `now`.
    """
    ids = _Ids()
    last = FIRST_ORDER_ID - 1
    copies: dict[tuple[str, str], int] = {}
    for order_id, person, kind in list_prepared():
        copy = copies.get((person.email, kind), 0)
        copies[person.email, kind] = copy + 1
        dice = random.Random(_SEED + order_id)  # noqa: S311 - made-up goods, not secrets
        yield _write(_prepare(dice, order_id, person, kind, copy, now), dice, ids, now)
        last = order_id
    for order_id in range(last + 1, FIRST_ORDER_ID + count):
        dice = random.Random(_SEED + order_id)  # noqa: S311 - made up and repeatable, nothing secret
        yield _write(_invent(dice, order_id, now), dice, ids, now)


# --- plans -------------------------------------------------------------------------------------------------


def _prepare(
    dice: random.Random, order_id: int, person: Person, kind: str, copy: int, now: datetime
) -> _Plan:
    """Plan an order of a kind that the demo promises."""
    created = now - timedelta(hours=3 + copy * 5, minutes=dice.randrange(60))
    if kind in {"shipped", "delivered", "cancelled"}:
        created = now - _DELIVERED_AGO - _DELIVERED_AFTER
    quantities: Sequence[int] = [1] * (1 + (order_id + copy) % 2)
    if kind == "several_items":
        quantities = [1, 3, 1, 2, 1][: 4 + copy % 2]
    elif kind == "in_progress":
        quantities = [1, 1, 1]
    return _Plan(
        order_id,
        person,
        _KIND_STATUS.get(kind, Status.APPROVED),
        created,
        quantities,
        item_statuses={0: Status.CANCELLATION_WAITING} if kind == "in_progress" else {},
        invoice_number=f"AFT{now.year}{order_id:09d}" if kind in {"invoiced", "shipped", "delivered"} else "",
        is_pickup=kind == "store_pickup",
        is_guest=person is GUEST,
        campaign=copy % 3 if kind == "several_items" else None,
        installments=3 if kind == "several_items" and copy == 1 else 1,
        has_gift_box=kind == "several_items" and copy == 2,  # noqa: PLR2004 - the last of three
        billing=copy % len(person.places),
    )


def _invent(dice: random.Random, order_id: int, now: datetime) -> _Plan:
    """Plan an order of somebody."""
    is_european = dice.random() < 0.2  # noqa: PLR2004 - one in five pays in euros
    status = dice.choices(list(_STATUS_WEIGHTS), weights=list(_STATUS_WEIGHTS.values()))[0]
    oldest = 60 if status in FINAL | {Status.DELIVERED} else 5
    youngest = 6 if status in SHIPPED | FINAL else 0
    created = now - timedelta(minutes=dice.randrange(youngest * 1440 + 30, max(oldest, youngest + 2) * 1440))
    quantities = [dice.choice((1, 1, 1, 2, 3)) for _ in range(dice.choice((1, 1, 2, 2, 3, 4)))]
    payments = (catalogue.CREDIT_CARD, catalogue.FUNDS_TRANSFER, catalogue.PAY_ON_DELIVERY)
    payment = dice.choices(payments, weights=(7, 2, 1))[0]
    has_installments = payment is catalogue.CREDIT_CARD and not is_european and dice.random() < 0.4  # noqa: PLR2004 - a share of the demo's orders
    is_partly_cancelled = status not in FINAL and len(quantities) > 1 and dice.random() < 0.15  # noqa: PLR2004 - a share of the demo's orders
    return _Plan(
        order_id,
        _invent_person(dice, is_european=is_european),
        status,
        created,
        quantities,
        payment,
        item_statuses={len(quantities) - 1: Status.CANCELED} if is_partly_cancelled else {},
        invoice_number=f"AFT{now.year}{order_id:09d}" if status in SHIPPED else "",
        is_pickup=status == Status.READY_FOR_PICKUP,
        is_guest=dice.random() < 0.08,  # noqa: PLR2004 - a share of the demo's orders
        campaign=dice.choice((None, None, 0, 1, 2)),
        installments=dice.choice((3, 6, 9)) if has_installments else 1,
        has_gift_box=order_id % 17 == 0,
        has_final_sale=True,
    )


def _invent_person(dice: random.Random, *, is_european: bool) -> Person:
    if is_european:
        place = dice.randrange(len(catalogue.EUROPEANS))
        first, last = catalogue.EUROPEANS[place]
        home = catalogue.EUROPEAN_PLACES[place]
        phone, currency = f"+4917{30000000 + place}", "EUR"
    else:
        first, last = dice.choice(catalogue.FIRST_NAMES[:12]), dice.choice(catalogue.LAST_NAMES[:5])
        home = catalogue.TURKISH_PLACES[(len(first) + ord(last[0])) % len(catalogue.TURKISH_PLACES)]
        phone, currency = f"+90542{sum(map(ord, first + last)) % 1000:03d}1020", "TRY"
    plain = str.maketrans("çğıöşüÇĞİÖŞÜ", "cgiosuCGIOSU")
    email = f"{first}.{last}@example.com".translate(plain).lower()
    return Person(email, first, last, phone, currency, (home,))


# --- documents ---------------------------------------------------------------------------------------------


def _label(status: str) -> dict[str, str]:
    return {"value": Status(status).value, "label": Status(status).name.replace("_", " ").capitalize()}


def _currency(code: str) -> dict[str, str]:
    return {"value": code.lower(), "label": {"TRY": "TL", "EUR": "€"}[code]}


def _write(plan: _Plan, dice: random.Random, ids: _Ids, now: datetime) -> dict[str, Any]:
    person = plan.person
    wanted = enumerate(plan.quantities)
    items = [_write_item(plan, place, quantity, dice, next(ids.items)) for place, quantity in wanted]
    goods = sum((Decimal(item["total_amount"]) for item in items), Decimal())
    free_from = 1500 if person.currency == "TRY" else 50
    shipping = Decimal(0) if plan.is_pickup or goods >= free_from else _price(79, person.currency)
    discounts = _write_discounts(plan, goods, ids)
    discount = sum((Decimal(row["amount"]) for row in discounts), Decimal())
    gift_box = _price(24, person.currency) if plan.has_gift_box else Decimal(0)
    cash = goods + shipping + gift_box - discount
    # One percent for each instalment after the first.
    interest = round_amount(cash * (plan.installments - 1) / 100, person.currency)
    amount = cash + interest
    modified = _get_modified(plan)
    points = write_points(person, plan.order_id, plan.status, amount, modified, len(items))
    return {
        "id": plan.order_id,
        "number": _write_number(plan, now),
        "status": _label(plan.status),
        "currency": _currency(person.currency),
        "orderitem_set": items,
        "discountitem_set": discounts,
        "campaigns": [] if plan.campaign is None else [catalogue.CAMPAIGNS[plan.campaign]],
        "shipping_address": _write_address(person, 0, plan),
        "billing_address": _write_address(person, plan.billing, None),
        "amount": format_amount(amount),
        "amount_without_discount": format_amount(amount + discount),
        "discount_amount": format_amount(discount),
        "shipping_amount": format_amount(shipping),
        "shipping_tax_rate": "20.00",
        "refund_amount": format_amount(find_refund(plan.status, plan.payment, amount)),
        "is_payable": plan.status == Status.PAYMENT_WAITING,
        "loyaltytransaction_set": points,
        "installment_interest_amount": format_amount(interest),
        **_write_payment(plan, dice),
        **_write_shipping(plan),
        "invoice_number": plan.invoice_number or None,
        "invoice_date": format_time(plan.created + timedelta(hours=8)) if plan.invoice_number else None,
        "user_email": person.email,
        "user": None if plan.is_guest else {"email": person.email},
        "language_code": "tr-tr" if person.currency == "TRY" else "en-us",
        "client_type": dice.choice(("default", "default", "ios", "android")),
        "order_type": "default",
        "remote_addr": f"192.0.2.{plan.order_id % 250 + 1}",
        **_write_gift_box(plan, gift_box),
        "notes": "Lütfen zili çalmayın." if plan.order_id % 11 == 0 else None,
        "created_date": format_time(plan.created),
        "modified_date": format_time(modified),
    }


def _write_number(plan: _Plan, now: datetime) -> str:
    """Write an order number in one of the contract's two forms: 16 digits, or `ORD-2026-000123`.

    A guest's has digits alone: a storefront's form for guests may take nothing else.
    """
    if plan.is_guest or plan.order_id % 3 == 0:
        return f"{now.year}{plan.order_id * 7919 % 10**12:012d}"
    return f"ORD-{now.year}-{plan.order_id - FIRST_ORDER_ID + 123:06d}"


def _price(liras: int, currency: str) -> Decimal:
    """Give a price that ends as prices do, in liras or in euros."""
    if currency == "TRY":
        return Decimal(liras) + Decimal("0.90")
    return Decimal(max(liras // catalogue.EURO_RATE, 3)) + Decimal("0.95")


def _write_item(plan: _Plan, place: int, quantity: int, dice: random.Random, item_id: int) -> dict[str, Any]:
    products = [p for p in catalogue.PRODUCTS if plan.has_final_sale or not p.is_final_sale]
    product = products[(plan.order_id * 3 + place * 7) % len(products)]
    status = plan.item_statuses.get(place, plan.status)
    currency = plan.person.currency
    price = _price(product.price, currency)
    colour, colour_name = dice.choice(product.colours)
    size = dice.choice(product.sizes) if product.sizes else None
    sku = "-".join(part for part in (product.base_code, colour.upper()[:3], size) if part)
    attributes = {"renk": colour_name, **({"beden": size} if size else {})}
    labels = {
        "renk": {"value": colour, "label": colour_name},
        **({"beden": {"value": size, "label": size}} if size else {}),
    }
    image = f"/static/pages/products/{product.kind}.svg"
    return {
        "id": item_id,
        "order": plan.order_id,
        "parent": None,
        "status": _label(status),
        "price_currency": _currency(currency),
        "product": {
            "pk": 9000 + catalogue.PRODUCTS.index(product),
            "sku": sku,
            "base_code": product.base_code,
            "name": product.name,
            "image": image,
            "absolute_url": f"/products/{product.base_code.lower()}/",
            "attributes": attributes,
            "attributes_kwargs": labels,
        },
        "quantity": quantity,
        "price": format_amount(price),
        "retail_price": format_amount(_price(product.price + (200 if place % 3 == 0 else 0), currency)),
        "unit_price": format_amount(price),
        "total_amount": format_amount(price * quantity),
        "tax_rate": f"{product.tax_rate if currency == 'TRY' else 19}.00",
        "refund_amount": format_amount(find_refund(status, plan.payment, price * quantity)),
        "image": image,
        "attributes": attributes,
        "attributes_kwargs": labels,
        "extra_field": _write_item_extra(plan, is_final_sale=product.is_final_sale),
        "created_date": format_time(plan.created),
        "modified_date": format_time(_get_modified(plan)),
    }


def _get_shipped(plan: _Plan) -> datetime | None:
    return plan.created + _SHIPPED_AFTER if plan.status in SHIPPED | {Status.REFUNDED} else None


def _get_delivered(plan: _Plan) -> datetime | None:
    delivered = plan.status in {Status.DELIVERED, Status.REFUNDED}
    return plan.created + _DELIVERED_AFTER if delivered else None


def _get_modified(plan: _Plan) -> datetime:
    return _get_delivered(plan) or _get_shipped(plan) or plan.created + timedelta(minutes=20)


def _write_item_extra(plan: _Plan, *, is_final_sale: bool) -> dict[str, Any]:
    extra: dict[str, Any] = {"is_final_sale": True} if is_final_sale else {}
    if shipped := _get_shipped(plan):
        extra["shipped_date"] = format_time(shipped)
    if delivered := _get_delivered(plan):
        extra["delivered_date"] = format_time(delivered)
    return extra


def _write_discounts(plan: _Plan, goods: Decimal, ids: _Ids) -> list[dict[str, Any]]:
    if plan.campaign is None:
        return []
    campaign = catalogue.CAMPAIGNS[plan.campaign]
    amount = goods * catalogue.CAMPAIGN_PERCENT[plan.campaign] / 100
    return [
        {
            "pk": next(ids.discounts),
            "order": plan.order_id,
            "name": campaign["name"],
            "amount": format_amount(round_amount(amount, plan.person.currency)),
            "cancel_amount": "0.00",
            "code": None,
            "offer_type": "campaign",
            "promotion": campaign["pk"],
            "session_offer_type": None,
            "created_date": format_time(plan.created),
            "modified_date": format_time(plan.created),
        }
    ]


def _write_gift_box(plan: _Plan, amount: Decimal) -> dict[str, Any]:
    return {
        "has_gift_box": plan.has_gift_box,
        "gift_box_note": "İyi ki doğdun!" if plan.has_gift_box else None,
        "extra_field": {"gift_box_amount": format_amount(amount)} if plan.has_gift_box else None,
    }


def _write_payment(plan: _Plan, dice: random.Random) -> dict[str, Any]:
    is_card = plan.payment is catalogue.CREDIT_CARD
    return {
        "payment_option": dict(plan.payment),
        "payment_option_slug": plan.payment["slug"],
        "bank": dice.choice(catalogue.BANKS) if is_card else None,
        "bin_number": "454671" if is_card else None,
        "installment_count": plan.installments,
        "installment": {"pk": plan.installments, "label": f"{plan.installments} Taksit"} if is_card else None,
    }


def _write_shipping(plan: _Plan) -> dict[str, Any]:
    company = catalogue.SHIPPING_COMPANIES[plan.order_id % len(catalogue.SHIPPING_COMPANIES)]
    is_sent = _get_shipped(plan) is not None
    return {
        "shipping_company": company,
        "shipping_option_slug": "magazadan-teslim" if plan.is_pickup else "standart",
        "tracking_number": f"7{plan.order_id:011d}" if is_sent else None,
        "tracking_url": f"https://tracking.example.com/7{plan.order_id:011d}" if is_sent else None,
    }


def _write_address(person: Person, place: int, plan: _Plan | None) -> dict[str, Any]:
    """Write one of a person's addresses; with a `plan` as the one that its order is sent to."""
    where = person.places[place]
    country = where["country"]["code"]
    titles = ("Ev", "İş", "Yurt dışı") if person.currency == "TRY" else ("Home", "Work", "Abroad")
    return {
        **where,
        "title": titles[place],
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "phone_number": person.phone_number,
        "address_type": "customer",
        "retail_store": catalogue.RETAIL_STORES["tr" if country == "tr" else "de"]
        if plan is not None and plan.is_pickup
        else None,
    }
