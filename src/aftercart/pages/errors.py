"""Pages and JSON for what Django itself refuses: a bad CSRF token, an unknown URL, a fault of ours."""

import logging
import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.translation import gettext as _

from aftercart.accounts.backends import LogInRefused
from aftercart.commerce.client import CommerceUnavailable
from aftercart.lib.database import is_outage
from aftercart.lib.identity import has_own_accounts
from aftercart.lib.negotiation import UNDECODABLE, wants_json
from aftercart.lib.outages import outages
from aftercart.orders.errors import BeingChecked, TooManyTries
from aftercart.pages.kept_forms import is_from_here, keep_form
from aftercart.pages.lockout import answer_refusal
from aftercart.pages.views.customer import show_login

_logger = logging.getLogger(__name__)


_PLAIN = (
    "<!doctype html><html><head><meta charset=utf-8><title>{0}</title></head><body><p>{1}</p></body></html>"
)


def _answer(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"detail": detail, "code": code}, status=status)
    try:
        return render(
            request, "pages/error.html", {"status": status, "code": code, "detail": detail}, status=status
        )
    except Exception as error:  # noqa: BLE001 - whatever it is (session, database, a shop's template), this is the answer
        _logger.warning("The error page failed: %s", type(error).__name__)
        return HttpResponse(format_html(_PLAIN, status, detail), status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 403. The page carries a fresh token, so that the storefront's log-out can go on with it.

    To a form of ours whose browser has lost all cookies, with the log-in, which keeps what was typed.
    """
    is_lost = settings.CSRF_COOKIE_NAME not in request.COOKIES and not wants_json(request)
    if is_lost and has_own_accounts() and is_from_here(request):
        kept = keep_form(request)
        if kept:
            return show_login(request, kept)
    return _answer(request, 403, "csrf_failed", _("CSRF Failed: CSRF token missing or incorrect."))


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:  # noqa: ARG001 - Django calls it with this
    """Answer 403 to somebody who is known and may not."""
    return _answer(request, 403, "permission_denied", _("You may not do this."))


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:  # noqa: ARG001 - Django calls it with this
    """Answer 404, the same for what does not exist and for what is somebody else's."""
    return _answer(request, 404, "not_found", _("Not found."))


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:  # noqa: ARG001 - Django calls it with this
    """Answer 400 for a request that Django finds malformed."""
    return _answer(request, 400, "bad_request", _("Bad request."))


class ErrorMiddleware:
    """Answers what views raise and a page would be a 500 for (the API has its own handler): 503 for an outage."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer an outage, and what a client sent and nobody can decode; leave every other exception to Django.

        Where something is recorded, and may have been done, the word is not "try again".
        """
        if isinstance(exception, UNDECODABLE):
            _logger.warning("A request could not be read: %s", type(exception).__name__)
            return bad_request(request)
        if isinstance(exception, CommerceUnavailable):
            return _answer_unavailable(request)
        if isinstance(exception, LogInRefused):
            return answer_refusal(request, exception)
        if isinstance(exception, BeingChecked | TooManyTries):
            response = _answer(request, exception.status, exception.code, str(exception))
            for name, value in exception.headers().items():
                response.headers[name] = value
            return response
        return _answer_outage(request, exception) if is_outage(exception) else None


def _answer_outage(request: HttpRequest, error: BaseException) -> HttpResponse:
    outages.report(error)
    return _answer_unavailable(request)


def _answer_unavailable(request: HttpRequest) -> HttpResponse:
    response = _answer(
        request, 503, "unavailable", _("We are briefly unavailable. Please try again in a moment.")
    )
    response.headers["Retry-After"] = "2"
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500: a fault of ours, which no client should be able to cause.

    An outage that a middleware met with, outside of any view, comes here as well, and is 503 all the same.
    """
    error = sys.exception()  # Django calls this while it handles the error
    if error is not None and is_outage(error):
        return _answer_outage(request, error)
    if isinstance(error, CommerceUnavailable):
        return _answer_unavailable(request)
    return _answer(
        request,
        500,
        "error",
        _("Something went wrong on our side. Nothing was changed twice; please try again."),
    )
