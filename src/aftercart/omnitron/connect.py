"""The one place where this package reads Django's settings: `get_client()`.

The client is cached per process, since its token, breaker and bulkhead belong to the process; it is made anew
when the settings say something else (as tests make them do).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from aftercart.lib.kept_clients import KeptClient
from aftercart.omnitron.client import Omnitron
from aftercart.omnitron.http import Configuration, HttpOmnitron


@dataclass(slots=True)
class _Hooks:
    """What a process has its client call."""

    on_recovery: Callable[[], None] | None = None
    may_write: Callable[[], bool] | None = None


_hooks = _Hooks()


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


def listen_for_recovery(act: Callable[[], None]) -> None:
    """Have something done whenever Omnitron answers this process again after failures; before the first client."""
    _hooks.on_recovery = act
    _KEPT.forget()


def ask_before_writing(may_write: Callable[[], bool]) -> None:
    """Have something asked before each write of this process; before the first client."""
    _hooks.may_write = may_write
    _KEPT.forget()


def _make(configuration: Configuration) -> Omnitron:
    return HttpOmnitron(configuration, on_recovery=_hooks.on_recovery, may_write=_hooks.may_write)


_KEPT: Final[KeptClient[Omnitron, Configuration]] = KeptClient(read_configuration, _make)
get_client: Final = _KEPT.get
replace_client: Final = _KEPT.replace
