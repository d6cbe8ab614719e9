"""Who keeps the customers' accounts: Aftercart itself, or the shop's commerce backend."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest
from django.urls import URLPattern


def has_own_accounts() -> bool:
    """Return whether accounts are kept here."""
    return bool(settings.AFTERCART_IDENTITY == "own")


def with_own_accounts(*patterns: URLPattern) -> tuple[URLPattern, ...]:
    """Have these addresses exist only where accounts are kept here; elsewhere they are the shop's."""
    for pattern in patterns:
        pattern.callback = _guard(pattern.callback)
    return patterns


def _guard(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not has_own_accounts():
            raise Http404
        return view(request, *args, **kwargs)

    return guarded
