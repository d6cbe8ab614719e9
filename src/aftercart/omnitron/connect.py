"""The one place where this package reads Django's settings: `get_client()`.

The client is cached per process, since its token, breaker and bulkhead belong to the process; it is made anew
when the settings say something else (as tests make them do).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

from aftercart.omnitron.client import Omnitron
from aftercart.omnitron.http import Configuration, HttpOmnitron


class _Cache:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.client: HttpOmnitron | None = None
        self.replacement: Omnitron | None = None
        self.on_recovery: Callable[[], None] | None = None
        self.may_write: Callable[[], bool] | None = None


_cache = _Cache()


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
    with _cache.lock:
        _cache.on_recovery, _cache.client = act, None


def ask_before_writing(may_write: Callable[[], bool]) -> None:
    """Have something asked before each write of this process; before the first client."""
    with _cache.lock:
        _cache.may_write, _cache.client = may_write, None


def get_client() -> Omnitron:
    """Give this process's client."""
    with _cache.lock:
        if _cache.replacement is not None:
            return _cache.replacement
        configuration = read_configuration()
        if _cache.client is None or _cache.client.configuration != configuration:
            _cache.client = HttpOmnitron(
                configuration, on_recovery=_cache.on_recovery, may_write=_cache.may_write
            )
        return _cache.client


@contextmanager
def replace_client(client: Omnitron) -> Iterator[Omnitron]:
    """Let every thread of this process get `client` from `get_client()`, for tests; nests."""
    with _cache.lock:
        before, _cache.replacement = _cache.replacement, client
    try:
        yield client
    finally:
        with _cache.lock:
            _cache.replacement = before
