"""A Content-Security-Policy for the back office alone, as narrow as django-unfold works with."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

#: Alpine, which drives menus and filters, evaluates the expressions in a page's attributes; pages carry the
#: theme's colours in a <style>. Scripts still come from us alone, none stands in a page, no host is added.
_POLICY: Final[dict[str, list[str]]] = {
    "script-src": ["'self'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
}


class BackofficePolicyMiddleware:
    """Widens the policy of the admin's own pages. Stands below `csp.middleware.CSPMiddleware`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Mark an answer of the admin; CSPMiddleware writes the header."""
        response: Any = self.get_response(request)
        match = request.resolver_match
        if match is not None and "admin" in match.app_names:
            response._csp_replace = _POLICY  # noqa: SLF001 - django-csp's mark, as its decorators set it
        return response  # type: ignore[no-any-return]  # it had to be Any for the mark
