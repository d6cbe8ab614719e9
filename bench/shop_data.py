"""One customer with orders of four items, as benchmarks of reads want them. Wants Django set up."""

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection

from aftercart.accounts.models import User
from aftercart.accounts.sessions import SessionStore
from aftercart.actions.intake.import_orders import import_orders
from aftercart.cancellations.selectors import build_document
from aftercart.orders.models import Order
from aftercart.orders.selectors import make_link

EMAIL = "reader@bench.example.com"
_ITEMS = 4
_DAY = "2026-11-{:02}T10:00:00.000000Z"


@dataclass(frozen=True, slots=True)
class Data:
    """A customer's session key, and the newest of their orders."""

    session: str
    order: int
    signed_path: str
    size: int


def make_data(count: int) -> Data:
    """Make so many orders of the customer, a session, and the bare yardstick's table."""
    lines = [json.dumps(make_order(number), ensure_ascii=False).encode() for number in range(count)]
    import_orders(lines, report_bad=print)
    user = User.objects.get(email=EMAIL)
    user.set_password("bench")
    user.save()
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "aftercart.accounts.backends.GuardedBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    order = Order.objects.order_by("-created_date", "-pk")[0]
    body = json.dumps(build_document(order), ensure_ascii=False, separators=(",", ":"), default=str).encode()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_document (order_id bigint PRIMARY KEY, user_id bigint, body bytea)"
        )
        cursor.execute("INSERT INTO bench_document VALUES (%s, %s, %s)", [order.pk, user.pk, body])
        cursor.execute("ANALYZE")
    link = make_link(order.number, purpose="completed")
    return Data(session.session_key or "", order.pk, "/orders/" + link.split("/orders/", 1)[1], len(body))


def make_order(number: int) -> dict[str, Any]:
    """Make an order of four items, as our import reads it."""
    address = {
        "pk": 7, "title": "Ev", "first_name": "Ayşe", "last_name": "Yılmaz", "phone_number": "+905321234567",
        "email": EMAIL, "line": "Bağdat Caddesi 14", "postcode": "34710",
        "country": {"pk": 1, "name": "Türkiye", "code": "tr", "is_active": True, "translations": None},
        "city": {"pk": 34, "name": "İstanbul"}, "township": {"pk": 5, "name": "Kadıköy"},
        "district": {"pk": 6, "name": "Caferağa"},
    }  # fmt: skip
    day = _DAY.format(1 + number % 28)
    return {
        "number": f"BENCH-{number:06}", "status": "400", "currency": "try", "user_email": EMAIL, "user": 1,
        "orderitem_set": [_make_item(number * _ITEMS + place, day) for place in range(_ITEMS)],
        "discountitem_set": [{"name": "Sonbahar indirimi", "amount": "50.00", "code": "SONBAHAR"}],
        "shipping_address": address, "billing_address": address, "amount": "1149.60", "shipping_amount": "0.00",
        "payment_option": {"pk": 1, "name": "Kredi kartı", "payment_type": "credit_card", "slug": "kart"},
        "remote_addr": "192.0.2.1", "language_code": "tr-tr", "client_type": "default", "created_date": day,
        "modified_date": day,
    }  # fmt: skip


def _make_item(number: int, day: str) -> dict[str, Any]:
    attributes = {"renk": "Lacivert", "beden": "M", "kumas": "Keten", "yaka": "Hakim", "kol": "Uzun"}
    return {
        "status": "400", "price_currency": "try", "quantity": 1, "price": "299.90", "retail_price": "349.90",
        "unit_price": "299.90", "total_amount": "299.90", "tax_rate": "20.00", "attributes": attributes,
        "product": {
            "pk": number, "sku": f"SKU-{number}", "base_code": "KETEN", "name": "Keten gömlek, hakim yaka",
            "image": "/static/pages/products/shirt.svg", "absolute_url": "/keten-gomlek/",
            "attributes": attributes,
            "attributes_kwargs": {name: {"value": text.lower(), "label": text} for name, text in attributes.items()},
        },
        "image": "/static/pages/products/shirt.svg", "created_date": day, "modified_date": day,
    }  # fmt: skip
