"""Logging in and out."""

from http import HTTPStatus

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import decorator_from_middleware
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from aftercart.accounts.models import User
from aftercart.accounts.sessions import end_session
from aftercart.lib.emails import fold_email
from aftercart.lib.identity import has_own_accounts
from aftercart.pages.forms import LoginForm
from aftercart.pages.kept_forms import KEPT_FIELD, read_kept_form
from aftercart.pages.views.customer import SeeOther, find_next, public_page
from aftercart.pages.views.language import CHOICE, enter_with_language


@sensitive_post_parameters("password")
@public_page("GET", "HEAD", "POST")
def login(request: HttpRequest) -> HttpResponse:
    """Log in, then go on to `next`; one wording for every miss. Locked out: `pages.lockout` answers."""
    target = find_next(request) or settings.LOGIN_REDIRECT_URL
    if not has_own_accounts():
        return _go_to_the_shop(request, target)
    if request.method != "POST":
        if request.user.is_authenticated:
            return HttpResponseRedirect(target)
        return show_form(request, LoginForm())
    form = LoginForm(request.POST)
    if CHOICE in request.POST:
        form.forget_errors()
        return show_form(request, form)
    if form.is_valid():
        data = form.cleaned_data
        # `username` is what django-axes counts by (AXES_USERNAME_FORM_FIELD), each spelling for itself.
        user = auth.authenticate(request, username=fold_email(data["email"]), password=data["password"])
        if user is not None:
            return enter(request, user)
        form.add_error(None, _("The e-mail address or password is incorrect."))
    return show_form(request, form, HTTPStatus.BAD_REQUEST)


def show_form(request: HttpRequest, form: LoginForm, status: int = HTTPStatus.OK) -> HttpResponse:
    """Show the log-in, with where to go on and what was kept."""
    kept = request.POST[KEPT_FIELD] if read_kept_form(request) else ""
    context = {"form": form, "next": find_next(request), "kept": kept}
    return render(request, "pages/login.html", context, status=status)


def enter(request: HttpRequest, user: User) -> HttpResponse:
    """Log in who has proved who they are, under a new session key; go on to what was kept, or to `next`."""
    auth.login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    kept = read_kept_form(request)
    target = find_next(request) or settings.LOGIN_REDIRECT_URL
    # A form that was kept is sent only by another press of a button.
    response = render(request, "pages/resume.html", {"kept": kept}) if kept else SeeOther(target)
    enter_with_language(request, response, user)
    return response


def _go_to_the_shop(request: HttpRequest, target: str) -> HttpResponse:
    """Send a browser to the shop's log-in. Raises Http404 where that has this address, and should not come here."""
    if request.build_absolute_uri(request.path) == settings.LOGIN_URL:
        raise Http404
    return redirect_to_login(target)


class _LogoutCsrf(CsrfViewMiddleware):
    """Django's check, without asking for a `Referer` where there is neither that nor an `Origin`.

    The storefront's server logs out by a request of its own, which has neither. A browser names the `Origin` of every
    POST that another site causes, and that is checked as ever; so is the token. At worst somebody is logged out.
    """

    def _check_referer(self, request: HttpRequest) -> None:
        if "HTTP_REFERER" in request.META:
            super()._check_referer(request)  # type: ignore[misc]  # the stubs leave it out


@never_cache
@decorator_from_middleware(_LogoutCsrf)
@require_http_methods(["GET", "HEAD", "POST"])
def logout(request: HttpRequest) -> HttpResponse:
    """Ask; then log out and clear the three cookies."""
    if request.method != "POST":
        return render(request, "pages/logout.html")
    response = SeeOther(reverse("login"))
    end_session(request, response)
    return response
