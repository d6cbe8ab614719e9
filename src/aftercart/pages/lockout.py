"""What somebody sees who has failed to log in too often (django-axes calls this)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import ngettext

from aftercart.lib.negotiation import wants_json

_STATUS = 429


def answer_lockout(
    request: HttpRequest,
    response: HttpResponse | None = None,  # noqa: ARG001 - django-axes' signature
    credentials: dict[str, Any] | None = None,  # noqa: ARG001
) -> HttpResponse:
    """Answer 429 with `Retry-After`, whether the password was right this time or not."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    minutes = -(-seconds // 60)
    detail = ngettext(
        "Too many failed attempts to log in. Please try again in %(minutes)d minute.",
        "Too many failed attempts to log in. Please try again in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}
    if wants_json(request):
        answer: HttpResponse = JsonResponse({"detail": detail, "code": "locked_out"}, status=_STATUS)
    else:
        answer = render(request, "pages/error.html", {"status": _STATUS, "detail": detail}, status=_STATUS)
    answer["Retry-After"] = str(seconds)
    return answer
