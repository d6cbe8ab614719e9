"""The Django app of orders."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Orders, items, their statuses, rules and timeline."""

    name = "aftercart.orders"
