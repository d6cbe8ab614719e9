"""Make the customer and the order in a shop of django-oscar, by its own order creator. Runs with its Python."""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import django


def make_order(given: dict[str, Any]) -> None:
    """Put the items into a basket, and place it."""
    from django.contrib.auth import get_user_model
    from oscar.core.loading import get_class, get_model

    people: Any = get_user_model().objects  # those of its Django, not ours
    user = people.create_user("reader", given["user_email"], os.environ["BENCH_PASSWORD"])
    basket = get_model("basket", "Basket").objects.create(owner=user)
    basket.strategy = get_class("partner.strategy", "Default")()
    product_class = get_model("catalogue", "ProductClass").objects.create(name="Shirts")
    category = get_model("catalogue", "Category").add_root(name="Shirts")
    partner = get_model("partner", "Partner").objects.create(name="Aftercart")
    for name in given["orderitem_set"][0]["attributes"]:
        product_class.attributes.create(name=name, code=name, type="text")
    for item in given["orderitem_set"]:
        product = product_class.products.model(
            product_class=product_class, title=item["product"]["name"], upc=item["product"]["sku"]
        )
        for name, value in item["attributes"].items():
            setattr(product.attr, name, value)
        product.save()
        product.categories.add(category)
        product.stockrecords.create(
            partner=partner, partner_sku=item["product"]["sku"], price_currency="TRY",
            price=Decimal(item["price"]), num_in_stock=100,
        )  # fmt: skip
        basket.add_product(product, item["quantity"])
    method = get_class("shipping.methods", "Free")()
    charge = method.calculate(basket)
    get_class("order.utils", "OrderCreator")().place_order(
        basket=basket, total=get_class("checkout.calculators", "OrderTotalCalculator")().calculate(basket, charge),
        shipping_method=method, shipping_charge=charge, user=user, order_number=given["number"],
        shipping_address=make_address("ShippingAddress", given["shipping_address"]),
        billing_address=make_address("BillingAddress", given["billing_address"]),
    )  # fmt: skip
    basket.submit()


def make_address(model: str, given: dict[str, Any]) -> Any:
    """Make an address of an order."""
    from oscar.core.loading import get_model

    country, _ = get_model("address", "Country").objects.get_or_create(
        iso_3166_1_a2="TR",
        defaults={"printable_name": "Türkiye", "name": "Türkiye", "is_shipping_country": True},
    )
    return get_model("order", model).objects.create(
        first_name=given["first_name"], last_name=given["last_name"], line1=given["line"],
        line4=given["city"]["name"], postcode=given["postcode"], country=country,
    )  # fmt: skip


if __name__ == "__main__":
    django.setup()
    make_order(json.loads(Path(os.environ["BENCH_ORDER"]).read_text(encoding="utf-8")))
