"""The Django app of orders."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    """Orders, items, their statuses, rules and timeline."""

    name = "aftercart.orders"
    verbose_name = _("Orders")
