"""The one place where this package reads Django's settings: `get_commerce()`, whose client belongs to the process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from aftercart.commerce.client import Commerce, Configuration, HttpCommerce


class _Cache:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.client: HttpCommerce | None = None
        self.replacement: Commerce | None = None


_cache = _Cache()


def get_commerce() -> Commerce:
    """Return this process's client, made anew when the settings say something else."""
    configuration = Configuration(
        url=settings.COMMERCE_URL,
        seconds=settings.COMMERCE_SECONDS,
        most_calls=settings.COMMERCE_MAX_CALLS,
        breaker_failures=settings.OMNITRON_BREAKER_FAILURES,
        breaker_seconds=settings.OMNITRON_BREAKER_SECONDS,
        token=settings.COMMERCE_TOKEN,
        orders_path=settings.COMMERCE_ORDERS_PATH,
    )
    with _cache.lock:
        if _cache.replacement is not None:
            return _cache.replacement
        if _cache.client is None or _cache.client.configuration != configuration:
            _cache.client = HttpCommerce(configuration)
        return _cache.client


@contextmanager
def replace_commerce(client: Commerce) -> Iterator[Commerce]:
    """Let every thread of this process get `client` from `get_commerce()`, for tests."""
    with _cache.lock:
        before, _cache.replacement = _cache.replacement, client
    try:
        yield client
    finally:
        with _cache.lock:
            _cache.replacement = before
