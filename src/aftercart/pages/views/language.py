"""The language of the pages: chosen in their foot, kept in a cookie, and with a customer's account.

What is chosen before the log-in goes with the account once there is one; else the account's own is spoken from then on.

In the middle of a form the choice is sent with the form, which is then shown again, with what was typed.
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

from aftercart.accounts.models import User

#: The name of the buttons, in Django's view and in ours.
CHOICE = "language"
#: The cookie of what was chosen before anybody had logged in; it ends with the browser, or at the log-in.
_CHOSEN = "chosen_language"


@csrf_protect
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Take a choice, and go back to the page that it was made on."""
    response = set_language(request)
    language = _read_choice(request)
    if language:
        _keep(request, response, language)
    else:  # Django knows many more than there are here
        response.cookies.pop(settings.LANGUAGE_COOKIE_NAME, None)
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
        _remember(response, language)
        _keep(request, response, language)
        return response

    return page


def enter_with_language(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Settle on the language of who has just logged in: the one chosen just before, or the account's."""
    chosen = request.COOKIES.get(_CHOSEN, "")
    if chosen in dict(settings.LANGUAGES):
        user.keep_language(chosen)
        response.delete_cookie(
            _CHOSEN, path=settings.LANGUAGE_COOKIE_PATH, domain=settings.LANGUAGE_COOKIE_DOMAIN
        )
    elif user.language:
        _remember(response, user.language)


def _keep(request: HttpRequest, response: HttpResponse, language: str) -> None:
    if isinstance(request.user, User):
        request.user.keep_language(language)
    else:
        _set_cookie(response, _CHOSEN, language, max_age=None)


def _remember(response: HttpResponse, language: str) -> None:
    """Have the browser remember a language, as Django's own view does."""
    _set_cookie(response, settings.LANGUAGE_COOKIE_NAME, language, max_age=settings.LANGUAGE_COOKIE_AGE)


def _set_cookie(response: HttpResponse, name: str, language: str, *, max_age: int | None) -> None:
    response.set_cookie(
        name,
        language,
        max_age=max_age,
        path=settings.LANGUAGE_COOKIE_PATH,
        domain=settings.LANGUAGE_COOKIE_DOMAIN,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,  # type: ignore[arg-type]  # the stubs name three strings, the setting is one
        secure=settings.LANGUAGE_COOKIE_SECURE,
    )


def _read_choice(request: HttpRequest) -> str:
    """Read which language is chosen; "" for none, or for one that there is not."""
    chosen: str = request.POST.get(CHOICE, "") if request.method == "POST" else ""
    return chosen if chosen in dict(settings.LANGUAGES) else ""
