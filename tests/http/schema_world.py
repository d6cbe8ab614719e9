"""A small world in which every documented answer can be had, with ids that stay the same."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from unittest import mock

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.color import no_style
from django.db import OperationalError, connection
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from aftercart.accounts.document import address_document
from aftercart.accounts.models import Address, City, Country, District, Township, User
from aftercart.cancellations.models import CancellationReason, EasyReturnCompany
from aftercart.lib.links import sign_number
from aftercart.lib.signed_messages import sign_message
from aftercart.orders.models import DiscountItem, Order, OrderItem
from tests.fake_omnitron import FakeOmnitron
from tests.http.conftest import Api
from tests.photos import make_photo
from tests.shop import CHANNEL, PASSWORD, load_into

SECRET = "a secret that Omnitron knows too"
ORDER, DELIVERED, GUESTS = 1042, 1037, 1051
NO_PHOTO = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
SHIRT, SHOES, MUG = 20311, 20312, 20290
CARD = {"pk": 1, "name": "Kredi Kartı", "payment_type": "credit_card", "slug": "kredi-karti"}
DETAILS = {
    "bank": {"pk": 2, "name": "Garanti", "slug": "garanti", "logo": None},
    "card": {"pk": 3, "name": "Bonus", "slug": "bonus"},
    "client_type": "default",
    "installment_count": 1,
    "language_code": "tr-tr",
    "payment_option_slug": "kredi-karti",
    "shipping_option_slug": "standart",
    "extra_field": {},
}


@dataclass(slots=True)
class World:
    """A customer with an order that can be cancelled and one that has been delivered; see `call`."""

    fake: FakeOmnitron
    api: Api = field(default_factory=Api)
    sent: Any = None

    def __post_init__(self) -> None:
        self.user = _make_user()
        self.address = _make_address(self.user)
        _make_reasons()
        EasyReturnCompany.objects.create(pk=2, name="Yurtiçi Kargo", value="yurtici")
        self.order = _make_order(self.user, self.address, ORDER, "ORD-2026-001042", "400")
        _make_item(self.order, SHIRT, "Linen shirt", 1, "549.90")
        _make_item(self.order, SHOES, "Running shoes", 2, "1899.00")
        DiscountItem.objects.create(
            pk=5001, order=self.order, name="Autumn", amount=50, offer_type="campaign", promotion=12
        )
        self.delivered = _make_order(self.user, self.address, DELIVERED, "2026000000001037", "550")
        _make_item(self.delivered, MUG, "Stoneware mug", 1, "129.50")
        self.guests = _make_order(None, self.address, GUESTS, "ORD-2026-001051", "400")
        _make_item(self.guests, 20400, "Stoneware mug", 1, "129.50")
        for order in (self.order, self.delivered):
            load_into(self.fake, order)

    user: User = field(init=False)
    address: Address = field(init=False)
    order: Order = field(init=False)
    delivered: Order = field(init=False)
    guests: Order = field(init=False)

    def log_in(self) -> "World":
        """Log the customer in."""
        self.api.log_in(self.user, PASSWORD)
        return self

    def call(
        self,
        operation_id: str,
        body: Any = None,
        *,
        query: str = "",
        headers: dict[str, str] | None = None,
        content_type: str = "application/json",
        path: str = "",
    ) -> Any:
        """Call an operation as its typical client does, except for what is told otherwise."""
        method, make_path, make_body = CALLS[operation_id]
        path = path or make_path(self)
        path = f"{path}{query.replace('?', '&') if '?' in path else query}"
        if method == "get":
            return self.api.client.get(path, headers=self.api._headers(headers))
        self.sent = make_body(self) if body is None else body
        if isinstance(self.sent, bytes):
            content_type = MULTIPART_CONTENT if content_type == "application/json" else content_type
        raw = self.sent if isinstance(self.sent, str | bytes) else json.dumps(self.sent)
        given = {**self.api._headers(None), **_sign(operation_id, raw), **(headers or {})}
        return self.api.client.generic(method.upper(), path, raw, content_type=content_type, headers=given)

    def call_without_database(self, operation_id: str) -> Any:
        """Call an operation while the database does not answer."""
        away = OperationalError("the connection is closed")
        with mock.patch("django.db.backends.utils.CursorWrapper.execute", side_effect=away):
            return self.call(operation_id)

    def move_items(self, **statuses: str) -> None:
        """Put items into other statuses, by their names below."""
        for name, status in statuses.items():
            pk = {"shirt": SHIRT, "shoes": SHOES, "mug": MUG}[name]
            OrderItem.objects.filter(pk=pk).update(status=status)


def _sign(operation_id: str, raw: str | bytes) -> dict[str, str]:
    if operation_id != "receive_events":
        return {}
    timestamp = str(int(time.time()))
    signature = sign_message(SECRET, timestamp, str(raw).encode())
    return {"X-Omnitron-Timestamp": timestamp, "X-Omnitron-Signature": f"sha256={signature}"}


def _make_user() -> User:
    return User.objects.create_user(
        "ayse@example.com",
        PASSWORD,
        pk=57,
        first_name="Ayşe",
        last_name="Yılmaz",
        phone="+905321234567",
        gender="female",
        date_of_birth=date(1990, 4, 23),
        email_allowed=True,
    )


def _make_address(user: User) -> Address:
    country = Country.objects.create(pk=1, code="tr", name="Türkiye")
    city = City.objects.create(pk=34, country=country, name="İstanbul", postcode="34000")
    township = Township.objects.create(pk=341, city=city, name="Kadıköy", postcode="34710")
    district = District.objects.create(pk=3411, township=township, name="Moda", postcode="34710")
    return Address.objects.create(
        pk=18,
        user=user,
        title="Home",
        email=user.email,
        first_name="Ayşe",
        last_name="Yılmaz",
        phone_number="+905321234567",
        country=country,
        city=city,
        township=township,
        district=district,
        line="Moda Caddesi 12, Daire 4",
        postcode="34710",
        hash_data="3f2c9f1d8a6b4e57",
        primary=True,
    )


def _make_reasons() -> None:
    rows = (
        (3, "cancel", "I changed my mind", "Fikrimi değiştirdim", False, 1),
        (4, "cancel", "Other", "Diğer", True, 5),
        (8, "refund", "It does not fit", "Üzerime olmadı", False, 6),
    )
    for pk, kind, subject, turkish, extra, remote_pk in rows:
        CancellationReason.objects.create(
            pk=pk,
            cancellation_type=kind,
            subject=subject,
            translations={"tr": {"subject": turkish}},
            extra_information_needed=extra,
            order=pk,
            remote_pk=remote_pk,
        )
    with connection.cursor() as cursor:  # what is created without an id comes after these
        for statement in connection.ops.sequence_reset_sql(no_style(), [CancellationReason]):
            cursor.execute(statement)


def _make_order(user: User | None, address: Address, pk: int, number: str, status: str) -> Order:
    snapshot = address_document(address)
    return Order.objects.create(
        pk=pk,
        number=number,
        channel_id=CHANNEL,
        user=user,
        user_email=user.email if user else "mehmet@example.com",
        status=status,
        currency="TRY",
        amount="4377.80",
        amount_without_discount="4427.80",
        discount_amount=50,
        shipping_amount="79.90",
        payment_option=CARD,
        shipping_address=snapshot,
        billing_address=snapshot,
        details=DETAILS,
    )


def _make_item(order: Order, pk: int, name: str, quantity: int, price: str) -> None:
    image = f"/static/pages/products/{pk}.svg"
    OrderItem.objects.create(
        pk=pk,
        order=order,
        status=order.status,
        sku=f"SKU-{pk}",
        product={
            "pk": 9000 + pk % 100,
            "sku": f"SKU-{pk}",
            "base_code": f"BASE-{pk}",
            "name": name,
            "image": image,
            "absolute_url": f"/products/{pk}/",
            "attributes": {"colour": "sage"},
            "attributes_kwargs": {"colour": {"value": "sage", "label": "Sage"}},
        },
        quantity=quantity,
        price_currency="TRY",
        price=price,
        retail_price=price,
        unit_price=price,
        total_amount=f"{float(price) * quantity:.2f}",
        tax_rate=20,
        details={"image": image, "attributes": {"colour": "sage"}, "extra_field": {}},
    )


def _cancel(world: World) -> dict[str, Any]:  # noqa: ARG001 - as all bodies are made
    return {
        "cancel_order_items": [
            {"order_item": SHIRT, "reason": 3, "cancellation_type": "cancel"},
            {"order_item": SHOES, "reason": 4, "cancellation_type": "cancel", "description": "Too many."},
        ],
        "return_policy": True,
    }


def _upload(world: World) -> bytes:  # noqa: ARG001 - as all bodies are made
    photo = SimpleUploadedFile("photo.jpg", make_photo(), "image/jpeg")
    return encode_multipart(BOUNDARY, {"order_item": MUG, "photo": photo})


def _write_address(world: World) -> dict[str, Any]:
    """Write an address as the storefront's form does: choices are strings, and it says more than is wanted."""
    entry = world.address
    return {
        "type": "personal",
        "is_corporate": "false",
        "title": "Work",
        "first_name": "Ayşe",
        "last_name": "Yılmaz",
        "phone_number": "05321234567",
        "country": str(entry.country_id),
        "city": str(entry.city_id),
        "township": str(entry.township_id),
        "district": str(entry.district_id),
        "line": "Büyükdere Caddesi 100",
        "postcode": "34394",
        "country_code": "+90",
    }


#: By operation: method, path, body.
CALLS: dict[str, tuple[str, Callable[[World], str], Callable[[World], Any]]] = {
    "get_completed_order": (
        "get",
        lambda w: f"/orders/completed/{sign_number(w.order.number, purpose='completed', link_version=1)}/",
        _cancel,
    ),
    "change_order_address": (
        "post",
        lambda _: "/orders/change-address/",
        lambda w: {"order": w.order.pk, "address": w.address.pk},
    ),
    "cancel_order_items": ("post", lambda w: f"/orders/{w.order.number}/cancel/", _cancel),
    "withdraw_from_contract": (
        "post",
        lambda w: f"/orders/{w.order.number}/withdraw/",
        lambda w: {"name": "Ayşe Yılmaz", "email": w.user.email, "items": [SHIRT]},
    ),
    "state_withdrawal": (
        "post",
        lambda _: "/withdraw/",
        lambda w: {
            "name": "Ayşe Yılmaz",
            "number": w.order.number,
            "email": "ayse@example.com",
            "items": "The linen shirt",
        },
    ),
    "quote_cancellation": ("post", lambda w: f"/orders/{w.order.number}/cancel/quote/", _cancel),
    "log_in": (
        "post",
        lambda _: "/users/login/",
        lambda w: {"email": w.user.email, "password": PASSWORD},
    ),
    "log_out": ("post", lambda _: "/users/logout/", lambda _: {}),
    "log_out_by_get": ("get", lambda _: "/users/logout/", _cancel),
    "list_orders": ("get", lambda _: "/users/orders/", _cancel),
    "list_cancellation_reasons": ("get", lambda _: "/users/orders/cancellation_reasons/", _cancel),
    "request_cancellations": ("post", lambda _: "/users/orders/bulk_cancellation_requests/", _cancel),
    "request_cancellation": (
        "post",
        lambda _: "/users/orders/cancellation_requests/",
        lambda _: {"order_item": SHIRT, "reason": 3, "cancellation_type": "cancel", "quantity": 1},
    ),
    "add_return_photo": ("post", lambda w: f"/orders/{w.delivered.number}/cancel/photos/", _upload),
    "list_return_photos": ("get", lambda w: f"/orders/{w.delivered.number}/cancel/photos/", _cancel),
    "get_return_photo": ("get", lambda w: f"/orders/{w.delivered.number}/cancel/photos/{NO_PHOTO}/", _cancel),
    "remove_return_photo": (
        "delete",
        lambda w: f"/orders/{w.delivered.number}/cancel/photos/{NO_PHOTO}/",
        lambda _: {},
    ),
    "take_back_request": (
        "post",
        lambda _: "/users/orders/cancellation_requests/901/take-back/",
        lambda _: {},
    ),
    "get_order": ("get", lambda w: f"/users/orders/{w.order.pk}/", _cancel),
    "find_anonymous_order": (
        "post",
        lambda _: "/users/orders/anonymous/",
        lambda w: {"number": w.guests.number, "email": w.guests.user_email},
    ),
    "list_addresses": ("get", lambda _: "/address/", _cancel),
    "add_address": ("post", lambda _: "/address/", _write_address),
    "list_detailed_addresses": ("get", lambda _: "/address/detailed/", _cancel),
    "edit_address": ("patch", lambda w: f"/address/{w.address.pk}/", lambda _: {"line": "Moda Caddesi 14"}),
    "remove_address": ("delete", lambda w: f"/address/{w.address.pk}/", lambda _: {}),
    "list_countries": ("get", lambda _: "/address/country/", _cancel),
    "list_cities": ("get", lambda _: "/address/city/?country=1", _cancel),
    "list_townships": ("get", lambda _: "/address/township/?city=34", _cancel),
    "list_districts": ("get", lambda _: "/address/district/?township=341", _cancel),
    "get_current_user": ("get", lambda _: "/current_user/", _cancel),
    "get_csrf_token": ("get", lambda _: "/csrf_token/", _cancel),
    "receive_events": (
        "post",
        lambda _: "/omnitron/events/",
        lambda w: {"events": [{"number": w.order.number}]},
    ),
    "check_life": ("get", lambda _: "/healthz", _cancel),
    "check_readiness": ("get", lambda _: "/readyz", _cancel),
}
