"""The one place where this package reads Django's settings. `OMS_ADAPTER` names it."""

from django.conf import settings

from aftercart.omnitron.http import Configuration, HttpOmnitron
from aftercart.oms.connect import Hooks


def read_configuration() -> Configuration:
    """Read the settings `OMNITRON_*`."""
    return Configuration(
        url=settings.OMNITRON_URL,
        prefix=settings.OMNITRON_API_PREFIX,
        username=settings.OMNITRON_USERNAME,
        password=settings.OMNITRON_PASSWORD,
        token=settings.OMNITRON_TOKEN,
        connect_seconds=settings.OMNITRON_CONNECT_SECONDS,
        dialogue_seconds=settings.OMNITRON_DIALOGUE_SECONDS,
        max_dialogues=settings.OMNITRON_MAX_DIALOGUES,
        breaker_failures=settings.OMNITRON_BREAKER_FAILURES,
        breaker_seconds=settings.OMNITRON_BREAKER_SECONDS,
        address_method=settings.OMNITRON_ADDRESS_METHOD,
        address_path=settings.OMNITRON_ADDRESS_PATH,
    )


def make_client(hooks: Hooks) -> HttpOmnitron:
    """Make a client, with the breaker, the bulkhead, the log-in and the connections of one process."""
    return HttpOmnitron(read_configuration(), on_recovery=hooks.on_recovery, may_write=hooks.may_write)
