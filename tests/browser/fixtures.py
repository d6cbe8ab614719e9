"""A small shop to look at: one customer, an order with all kinds of items, and an Omnitron that knows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from aftercart.accounts.document import address_document
from aftercart.accounts.models import Address, City, Country, District, Township, User
from aftercart.cancellations.models import CancellationReason, EasyReturnCompany
from aftercart.lib.links import sign_number
from aftercart.orders.models import DiscountItem, Order, OrderItem
from tests.fake_omnitron import FakeOmnitron

EMAIL = "ayse@example.com"
PASSWORD = "a-password-of-ayse"
#: Name, picture, quantity, price, colour, size.
GOODS = (
    ("Linen shirt with a round neck", "shirt", 1, "549.90", "Sage", "M"),
    ("Running shoes", "shoe", 1, "1899.00", "Rust", "39"),
    ("Stoneware mug", "mug", 3, "129.50", "Blue", ""),
)


@dataclass(frozen=True, slots=True)
class Product:
    """What is bought of one thing, and where it stands."""

    name: str
    picture: str
    quantity: int
    price: str
    status: str
    colour: str = ""
    size: str = ""


def list_products(*statuses: str) -> list[Product]:
    """List the goods, each at a status."""
    return [
        Product(name, picture, quantity, price, status, colour, size)
        for (name, picture, quantity, price, colour, size), status in zip(GOODS, statuses, strict=False)
    ]


def make_customer(email: str = EMAIL) -> User:
    """Make a customer who can log in."""
    return User.objects.create_user(email, PASSWORD, first_name="Ayşe", last_name="Yılmaz")


def make_address(user: User, title: str = "Home", *, primary: bool = False, **fields: Any) -> Address:
    """Put an address into a customer's book."""
    country, _ = Country.objects.get_or_create(code="tr", defaults={"name": "Türkiye"})
    city, _ = City.objects.get_or_create(country=country, name="İstanbul")
    township, _ = Township.objects.get_or_create(city=city, name="Kadıköy")
    district, _ = District.objects.get_or_create(township=township, name="Moda")
    values = {
        "line": "Moda Caddesi 12, Daire 4",
        "first_name": "Ayşe",
        "last_name": "Yılmaz",
        "phone_number": "+905321234567",
        "postcode": "34710",
        **fields,
    }
    return Address.objects.create(
        user=user, title=title, primary=primary, hash_data=title, country=country, city=city,
        township=township, district=district, **values,
    )  # fmt: skip


def make_reasons() -> list[CancellationReason]:
    """Make the reasons that Omnitron knows too; the last of each type needs a description."""
    subjects = [
        ("cancel", "Changed my mind", "Fikrimi değiştirdim", 1),
        ("cancel", "Other", "Diğer", 5),
        ("refund", "Does not fit", "Bedeni uymadı", 6),
        ("refund", "Damaged or defective", "Hasarlı veya kusurlu", 8),
    ]
    return [
        CancellationReason.objects.create(
            cancellation_type=kind,
            subject=subject,
            translations={"tr": {"subject": turkish}},
            extra_information_needed=subject in {"Other", "Damaged or defective"},
            order=place,
            remote_pk=remote_pk,
        )
        for place, (kind, subject, turkish, remote_pk) in enumerate(subjects)
    ]


def make_companies() -> list[EasyReturnCompany]:
    """Make two companies that collect returns."""
    names = [("Yurtiçi Kargo", "yurtici"), ("Aras Kargo", "aras")]
    return [EasyReturnCompany.objects.create(name=name, value=value) for name, value in names]


def make_order(
    user: User, products: Sequence[Product], *, number: str = "ORD-2024-001234", **fields: Any
) -> Order:
    """Make an order whose amounts add up: a discount of 100, shipping of 49.90."""
    subtotal = sum((Decimal(product.price) * product.quantity for product in products), Decimal(0))
    address = user.addresses.select_related("country", "city", "township", "district").first()
    values: dict[str, Any] = {
        "status": min(product.status for product in products),
        "currency": "TRY",
        "amount": subtotal - 100 + Decimal("49.90"),
        "amount_without_discount": subtotal + Decimal("49.90"),
        "discount_amount": 100,
        "shipping_amount": Decimal("49.90"),
        "payment_option": {"pk": 1, "name": "Credit card", "payment_type": "credit_card", "slug": "card"},
        "shipping_address": address_document(address) if address else None,
        "details": {"card": {"pk": 1, "name": "Bonus", "slug": "bonus"}, "installment_count": 3},
        **fields,
    }
    order = Order.objects.create(number=number, channel_id=1, user=user, user_email=user.email, **values)
    for product in products:
        _make_item(order, product)
    DiscountItem.objects.create(order=order, name="Welcome discount", amount=100, code="WELCOME")
    return order


def _make_item(order: Order, product: Product) -> OrderItem:
    attributes = {"color": product.colour, "size": product.size}
    is_shipped = product.status >= "500"
    return OrderItem.objects.create(
        order=order,
        status=product.status,
        sku=product.picture,
        product={
            "pk": 1,
            "name": product.name,
            "image": f"/static/pages/products/{product.picture}.svg",
            "attributes": {name: value for name, value in attributes.items() if value},
        },
        quantity=product.quantity,
        price_currency=order.currency,
        price=product.price,
        retail_price=product.price,
        unit_price=product.price,
        total_amount=Decimal(product.price) * product.quantity,
        shipped_at=timezone.now() - timedelta(days=2) if is_shipped else None,
        delivered_at=timezone.now() - timedelta(days=1) if product.status == "550" else None,
    )


def make_omnitron(*orders: Order) -> FakeOmnitron:
    """Make an Omnitron that knows these orders."""
    fake = FakeOmnitron()
    for order in orders:
        items = [(item.pk, item.status, item.quantity, str(item.price)) for item in order.items.all()]
        fake.load_order(
            channel_id=order.channel_id, shop_order_id=order.pk, number=order.number, items=items,
            status=order.status,
        )  # fmt: skip
    return fake


def sign(order: Order) -> str:
    """Make the path of an order's confirmation page."""
    token = sign_number(order.number, purpose="completed", link_version=order.link_version)
    return f"/orders/completed/{token}/"
