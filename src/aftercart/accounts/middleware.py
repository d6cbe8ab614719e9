"""Sessions under two cookie names (contract section 1): `sessionid` and `osessionid` carry one key."""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth import middleware as auth_middleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.common import CommonMiddleware
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from aftercart.accounts.backends import known_by_session
from aftercart.accounts.networks import get_client_address
from aftercart.accounts.shop_sessions import ShopSession
from aftercart.lib.negotiation import names_html

#: What a session key may look like; anything else, such as a quoted NUL, is nobody's and never asked for.
_KEY = re.compile("[0-9a-z]{8,40}")


def find_session_key(cookies: Mapping[str, str]) -> str | None:
    """Find the key on which a request's cookies agree; None without one, or if they do not."""
    keys = {
        cookies[name]
        for name in (settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_TWIN_NAME)
        if _KEY.fullmatch(cookies.get(name, ""))
    }
    return keys.pop() if len(keys) == 1 else None


class TwinSessionMiddleware(SessionMiddleware):
    """Reads the session key from either cookie and writes it to both.

    Both present and different is nobody's session: whoever could plant one of two cookies must not be
    able to choose which of them counts.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Attach the session that the request's cookies agree on."""
        key = find_session_key(request.COOKIES)
        if key is not None and settings.AFTERCART_IDENTITY == "commerce":
            request.session = ShopSession(key, get_client_address(request))
            return
        request.session = self.SessionStore(key)
        if key is not None:
            # Django looks at this name only, when it decides whether to clear a dead cookie.
            request.COOKIES.setdefault(settings.SESSION_COOKIE_NAME, key)

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """Let Django set or clear its cookie, then do the same to the twin. A session of the shop's has the shop's."""
        session = request.session
        if isinstance(session, ShopSession) and not session.is_own:
            if session.accessed:
                patch_vary_headers(response, ("Cookie",))
            if session.modified and response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                session.save()
            return response
        response = super().process_response(request, response)
        ours = response.cookies.get(settings.SESSION_COOKIE_NAME)
        if ours is not None:
            response.cookies[settings.SESSION_COOKIE_TWIN_NAME] = ours.value
            response.cookies[settings.SESSION_COOKIE_TWIN_NAME].update(ours)
        return response


class UserMiddleware(AuthenticationMiddleware):
    """Django's, but for reading the user together with the session."""

    def process_request(self, request: HttpRequest) -> None:
        """Attach the user, who is read when somebody asks."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _get_user(request))  # type: ignore[assignment]  # as Django does


def _get_user(request: HttpRequest) -> Any:
    request.session.get(SESSION_KEY)  # which reads it
    with known_by_session(getattr(request.session, "user", None)):
        return auth_middleware.get_user(request)


class SlashMiddleware(CommonMiddleware):
    """Django's, which adds a missing slash by a redirect: for browsers alone (contract section 1)."""

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        """Return whether the redirect is wanted, and somebody is there who should follow it."""
        return names_html(request) and super().should_redirect_with_slash(request)

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """Let Django add a length; an answer without a body tells none: it would be that of the body left out."""
        response = super().process_response(request, response)
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            del response.headers["Content-Length"]
        return response


class PrivateByDefaultMiddleware:
    """Keeps what is one person's out of every cache, the browser's too, unless a view has said otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with a `Cache-Control`."""
        response = self._get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response
