"""E-mails: the mails that a local run keeps instead of sending them, and the way out of optional ones."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from aftercart.actions.account.opt_out import opt_out as act
from aftercart.mail.compose import read_opt_out_token
from aftercart.mail.folder import KeptMail, find_mail, list_mails
from aftercart.pages.views.customer import public_page

#: A mail's HTML brings its own style, and pictures of here at most; it is shown in a frame of its own.
_FRAMED = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'; sandbox"


@public_page("GET", "HEAD")
def kept_mails(request: HttpRequest) -> HttpResponse:
    """List the mails of a local run. Raises Http404 anywhere else."""
    return render(request, "pages/mails.html", {"mails": list_mails(_get_folder())})


@public_page("GET", "HEAD")
def kept_mail(request: HttpRequest, name: str) -> HttpResponse:
    """Show one mail of a local run, as HTML in a frame and as text. Raises Http404."""
    response: Any = render(request, "pages/mail.html", {"mail": _find(name)})
    response._csp_update = {"frame-src": ["'self'"]}  # noqa: SLF001 - as django-csp's decorators mark it
    return response  # type: ignore[no-any-return]  # it had to be Any for the mark


@never_cache
@require_safe
def kept_mail_body(_request: HttpRequest, name: str) -> HttpResponse:
    """Show the HTML of one mail, for the frame. Raises Http404."""
    response = HttpResponse(_find(name).html)
    response.headers["Content-Security-Policy"] = _FRAMED
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@never_cache
@csrf_exempt  # the token is the proof: mail programs post here by themselves (RFC 8058)
@require_http_methods(["GET", "HEAD", "POST"])
def opt_out(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, or take note, that an address wants no optional e-mails. Raises Http404 for a token not ours."""
    email = read_opt_out_token(token)
    if email is None:
        raise Http404
    if request.method == "POST":
        act(email)
    context = {"email": email, "is_done": request.method == "POST"}
    return render(request, "pages/opt_out.html", context)


def _get_folder() -> Path:
    if not (settings.IS_LOCAL and settings.ARE_EMAILS_KEPT_HERE):
        raise Http404
    return Path(settings.EMAIL_FILE_PATH)


def _find(name: str) -> KeptMail:
    mail = find_mail(_get_folder(), name)
    if mail is None:
        raise Http404
    return mail
