"""The Django app of backoffice."""

from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    """The admin of the staff."""

    name = "aftercart.backoffice"
