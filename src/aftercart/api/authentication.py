"""Who calls: the session's user, with a CSRF token for every write (contract section 1)."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from aftercart.accounts.models import User
from aftercart.lib.negotiation import names_html


def get_user(request: Request) -> User:
    """Give the caller. Raises `NotAuthenticated`; a view that asks for it wants nobody anonymous."""
    if not isinstance(request.user, User):
        raise exceptions.NotAuthenticated
    return request.user


def is_from_another_site(request: HttpRequest) -> bool:
    """Return whether a GET may have been caused by another site's page: a link, an image, a redirect.

    Browsers say so themselves (Fetch metadata, `Origin`, `Referer`). Of an old one that does not, only a followed
    link can be it, which wants text/html: whatever else another site's page loads comes without our cookies (Lax).
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        return True
    if request.headers.get("X-Requested-With") or request.headers.get("X-CSRFToken"):
        return False  # a browser asks before it sends these to another site, and is not answered
    came_from = request.headers.get("Origin") or request.headers.get("Referer")
    if came_from is not None and not _is_ours(request, came_from):
        return True
    return names_html(request)


def _is_ours(request: HttpRequest, url: str) -> bool:
    try:
        host = urlsplit(url).netloc
    except ValueError:
        return False
    return host in {
        request.get_host(),
        *(urlsplit(origin).netloc for origin in settings.CSRF_TRUSTED_ORIGINS),
    }


class CsrfFailed(exceptions.PermissionDenied):
    """The CSRF token is missing or wrong."""

    default_code = "csrf_failed"


class SessionAuthentication(authentication.SessionAuthentication):
    """Django REST framework's, answering 401 instead of 403 to who is not logged in."""

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        """Name the scheme: without one the framework answers 403."""
        return "Session"

    def enforce_csrf(self, request: Any) -> None:
        """Check the token of a write."""
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as error:
            raise CsrfFailed(_("CSRF Failed: CSRF token missing or incorrect.")) from error
