"""The one place where this package reads Django's settings: `get_commerce()`, whose client belongs to the process."""

from typing import Final

from django.conf import settings

from aftercart.commerce.client import Commerce, Configuration, HttpCommerce
from aftercart.lib.kept_clients import KeptClient


def _read_configuration() -> Configuration:
    return Configuration(
        url=settings.COMMERCE_URL,
        seconds=settings.COMMERCE_SECONDS,
        most_calls=settings.COMMERCE_MAX_CALLS,
        breaker_failures=settings.OMNITRON_BREAKER_FAILURES,
        breaker_seconds=settings.OMNITRON_BREAKER_SECONDS,
        token=settings.COMMERCE_TOKEN,
        orders_path=settings.COMMERCE_ORDERS_PATH,
    )


_KEPT: Final[KeptClient[Commerce, Configuration]] = KeptClient(_read_configuration, HttpCommerce)
get_commerce: Final = _KEPT.get
replace_commerce: Final = _KEPT.replace
