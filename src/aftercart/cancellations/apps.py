"""The cancellations app."""

from django.apps import AppConfig


class CancellationsConfig(AppConfig):
    """Reasons, submissions and requests."""

    name = "aftercart.cancellations"
