"""Logging in by a code that comes by e-mail, in place of a password."""

from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters

from aftercart.accounts.networks import get_client_address
from aftercart.actions.account.ask_one_time_code import ask_one_time_code
from aftercart.actions.account.check_one_time_code import check_login_code
from aftercart.lib.formats import get_active_language
from aftercart.orders.errors import CodeWrong, TooManyTries
from aftercart.pages.forms import CodeForm, LoginForm
from aftercart.pages.kept_forms import KEPT_FIELD, read_kept_form
from aftercart.pages.views.customer import SeeOther, find_next, public_page
from aftercart.pages.views.language import CHOICE
from aftercart.pages.views.session import enter, show_form

#: Where a session keeps which code it has asked for, and for which address.
_ASKED = "login_code"


@sensitive_post_parameters("code", "password")
@public_page("GET", "HEAD", "POST")
def login_code(request: HttpRequest) -> HttpResponse:
    """Send a code (`email`), or take the one that was sent; the same answers whether there is such an account or not.

    It opens only in the browser that asked for it. `next` and a form that was kept go along.
    """
    target = find_next(request)
    if request.method != "POST" and request.user.is_authenticated:
        return SeeOther(target or settings.LOGIN_REDIRECT_URL)
    if "email" in request.POST:
        return _send(request, target)
    asked = request.session.get(_ASKED)
    if asked is None:
        return SeeOther(_name_step("login", target))
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or CHOICE in request.POST:
        form.forget_errors()
        return _show(request, form)
    if form.is_valid():
        try:
            user = check_login_code(UUID(asked["id"]), form.cleaned_data["code"])
        except CodeWrong as error:
            form.add_error("code", str(error))
        else:
            del request.session[_ASKED]
            return enter(request, user)
    return _show(request, form, HTTPStatus.BAD_REQUEST)


def _send(request: HttpRequest, target: str) -> HttpResponse:
    """Ask for a code to the address that was typed, and go on to where it is typed."""
    form = LoginForm(request.POST)
    form.fields["password"].required = False
    if not form.is_valid():
        return show_form(request, form, HTTPStatus.BAD_REQUEST)
    email, language = form.cleaned_data["email"], get_active_language()
    try:
        asked = ask_one_time_code(email=email, language=language, client=get_client_address(request))
    except TooManyTries as error:
        form.add_error(None, str(error))
        answer = show_form(request, form, HTTPStatus.TOO_MANY_REQUESTS)
        answer["Retry-After"] = str(error.seconds)
        return answer
    request.session[_ASKED] = {"id": str(asked), "email": email}
    if read_kept_form(request):  # it would not fit into an address
        return _show(request, CodeForm())
    return SeeOther(_name_step("login-code", target))


def _name_step(name: str, target: str) -> str:
    return f"{reverse(name)}?{urlencode({'next': target})}" if target else reverse(name)


def _show(request: HttpRequest, form: CodeForm, status: int = HTTPStatus.OK) -> HttpResponse:
    context = {
        "form": form,
        "email": request.session[_ASKED]["email"],
        "next": find_next(request),
        "kept": request.POST[KEPT_FIELD] if read_kept_form(request) else "",
    }
    return render(request, "pages/login_code.html", context, status=status)
