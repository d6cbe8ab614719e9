"""Who calls: the session's user, with a CSRF token for every write (contract section 1)."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from aftercart.accounts.models import User


def get_user(request: Request) -> User:
    """Give the caller. Raises `NotAuthenticated`; a view that asks for it wants nobody anonymous."""
    if not isinstance(request.user, User):
        raise exceptions.NotAuthenticated
    return request.user


class CsrfFailed(exceptions.PermissionDenied):
    """The CSRF token is missing or wrong."""

    default_code = "csrf_failed"


class SessionAuthentication(authentication.SessionAuthentication):
    """Django REST framework's, answering 401 instead of 403 to who is not logged in."""

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """Name the scheme: without one the framework answers 403."""
        return "Session"

    def enforce_csrf(self, request: Any) -> None:
        """Check the token of a write."""
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as error:
            raise CsrfFailed(_("CSRF Failed: CSRF token missing or incorrect.")) from error
