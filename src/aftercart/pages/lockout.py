"""What somebody sees whose password was not looked at: too many failures, or too many log-ins at once."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from aftercart.accounts.backends import LogInRefused
from aftercart.lib.negotiation import wants_json

_STATUS = 429


def answer_lockout(
    request: HttpRequest,
    response: HttpResponse | None = None,  # noqa: ARG001 - django-axes' signature
    credentials: dict[str, Any] | None = None,  # noqa: ARG001 - django-axes calls it with this
) -> HttpResponse:
    """Answer for django-axes, which has locked somebody out: 429 with `Retry-After`, whatever the password was."""
    return answer_refusal(
        request, LogInRefused("locked_out", int(settings.AXES_COOLOFF_TIME.total_seconds()))
    )


def answer_refusal(request: HttpRequest, refusal: LogInRefused) -> HttpResponse:
    """Answer a log-in that was refused before its password was looked at, on whatever page it was tried.

    In the form of the log-in's other errors, without a code (contract section 1).
    """
    minutes = -(-refusal.seconds // 60)
    detail = ngettext(
        "Too many failed attempts to log in. Please try again in %(minutes)d minute.",
        "Too many failed attempts to log in. Please try again in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}
    if refusal.reason == "busy":
        detail = _("Many people are logging in right now. Please try again in a few seconds.")
    if wants_json(request):
        answer: HttpResponse = JsonResponse({"non_field_errors": [detail]}, status=_STATUS)
    else:
        answer = render(request, "pages/error.html", {"status": _STATUS, "detail": detail}, status=_STATUS)
    answer["Retry-After"] = str(refusal.seconds)
    return answer
