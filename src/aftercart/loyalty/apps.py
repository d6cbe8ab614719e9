"""The Django app of loyalty."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LoyaltyConfig(AppConfig):
    """The ledger of points."""

    name = "aftercart.loyalty"
    verbose_name = _("Loyalty points")
