"""The Django app of accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, sessions, the address book and places."""

    name = "aftercart.accounts"
