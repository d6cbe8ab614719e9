"""The Django app of accounts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Users, sessions, the address book and places."""

    name = "aftercart.accounts"
    verbose_name = _("Customers and staff")
