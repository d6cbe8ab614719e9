"""Addresses of the web that came with an order: only those are passed on that can do no harm."""

from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.http import is_same_domain


def _split(value: Any) -> SplitResult:
    """Take a URL apart; what is none comes apart into nothing."""
    try:
        return urlsplit(value if isinstance(value, str) else "")
    except ValueError:
        return urlsplit("")


def find_url(value: Any) -> str | None:
    """Take a link to elsewhere only if a browser can do no harm with it."""
    return value if _split(value).scheme in {"http", "https"} else None


def find_shop_page(value: Any) -> str | None:
    """Take a page of the shop: an address of the web, or a path of this host."""
    parts = _split(value)
    is_path = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    return str(value) if is_path else find_url(value)


def find_image(*values: Any) -> str | None:
    """Take the first image from here, or from one of `IMAGE_ORIGINS`, as a browser would; else none."""
    return next((str(value) for value in values if _is_image(value)), None)


def _is_image(value: Any) -> bool:
    parts = _split(value)
    if not parts.scheme and not parts.netloc:
        return parts.path.startswith("/")
    allowed = (origin.split("://") for origin in settings.IMAGE_ORIGINS)
    return any(
        parts.scheme == scheme and is_same_domain(parts.netloc, host.removeprefix("*"))
        for scheme, host in allowed
    )
