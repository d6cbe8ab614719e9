"""Who reads the page that is being written: what they may not open is not offered as a link."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_REQUEST: Final[ContextVar[HttpRequest | None]] = ContextVar("backoffice_request", default=None)


class ReaderMiddleware:
    """Remembers whose request is being answered, while it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer it; templates are rendered in here."""
        token = _REQUEST.set(request)
        try:
            return self.get_response(request)
        finally:
            _REQUEST.reset(token)


def may_open(model: type[Model]) -> bool:
    """Whether the reader may open the pages of a model; outside a request, anybody."""
    request = _REQUEST.get()
    if request is None:
        return True
    return bool(admin.site.get_model_admin(model).has_view_or_change_permission(request))
