"""The Django app of loyalty."""

from django.apps import AppConfig


class LoyaltyConfig(AppConfig):
    """The ledger of points."""

    name = "aftercart.loyalty"
