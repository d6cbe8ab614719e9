"""The language of the pages: chosen in their foot, kept in a cookie, and with a customer's account.

In the middle of a form the choice is sent with the form, which is then shown again, with all that was typed.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from aftercart.accounts.language import keep_language
from aftercart.accounts.models import User

#: The name of the buttons, in Django's view and in ours.
CHOICE = "language"


@csrf_protect
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Take a choice, and go back to the page that it was made on."""
    response = set_language(request)
    language = _read_choice(request)
    if language and isinstance(request.user, User):
        keep_language(request.user, language)
    return response


def in_chosen_language(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer a form that was sent with a choice of language in it. The view sees by `CHOICE` not to take it."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        language = _read_choice(request)
        if not language:
            return view(request, *args, **kwargs)
        translation.activate(language)
        response = view(request, *args, **kwargs)
        remember_language(response, language)
        if isinstance(request.user, User):
            keep_language(request.user, language)
        return response

    return page


def remember_language(response: HttpResponse, language: str) -> None:
    """Have the browser remember a language."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,  # type: ignore[arg-type]
        secure=settings.LANGUAGE_COOKIE_SECURE,
    )


def _read_choice(request: HttpRequest) -> str:
    """Read which language is chosen; "" for none, or for one that there is not."""
    told: str = request.POST.get(CHOICE, "") if request.method == "POST" else ""
    return told if told in dict(settings.LANGUAGES) else ""
