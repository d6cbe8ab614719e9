"""The way back in for who has forgotten the password, and the ends of the links that are mailed for an account."""

from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from aftercart.accounts.networks import get_client_address
from aftercart.actions.account.mail_account_link import limit_account_mail, mail_password_link, move_account
from aftercart.actions.account.set_password import find_by_reset_link
from aftercart.actions.account.set_password import set_password as keep_password
from aftercart.orders.errors import TooManyTries
from aftercart.pages.forms import ForgottenForm, NewPasswordForm, PlainForm
from aftercart.pages.views.customer import SeeOther, public_page
from aftercart.pages.views.language import CHOICE


@public_page("GET", "HEAD", "POST")
def forgotten_password(request: HttpRequest) -> HttpResponse:
    """Mail the link to set a password with; the same answer whether there is such a customer or not."""
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    if CHOICE in request.POST:
        form.forget_errors()
    elif form.is_valid():
        email, client = form.cleaned_data["email"], get_client_address(request)
        try:
            limit_account_mail(email, client)
        except TooManyTries as error:
            form.add_error(None, str(error))
            answer = _show(request, form, _("Forgot your password?"), HTTPStatus.TOO_MANY_REQUESTS)
            answer["Retry-After"] = str(error.seconds)
            return answer
        mail_password_link(email)
        messages.success(request, _("If this account exists, we have sent it an e-mail."))
        return SeeOther(reverse("login"))
    return _show(request, form, _("Forgot your password?"))


@sensitive_post_parameters("new_password1", "new_password2")
@public_page("GET", "HEAD", "POST")
def set_password(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Set the password of a mailed link. Raises Http404 for one that is nobody's, used or too old."""
    user = find_by_reset_link(uid, token)
    if user is None:
        raise Http404
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    if CHOICE in request.POST:
        form.forget_errors()
    elif form.is_valid():
        keep_password(user, form.cleaned_data["new_password1"])
        messages.success(request, _("Your password has been changed."))
        return SeeOther(reverse("login"))
    return _show(request, form, _("Set your password"))


@never_cache
@require_safe
def set_email(request: HttpRequest, token: str) -> HttpResponse:
    """Move an account to the address of a mailed link. Raises Http404."""
    if not move_account(token):
        raise Http404
    messages.success(request, _("Your e-mail address has been changed."))
    return SeeOther(reverse("orders"))


def _show(
    request: HttpRequest, form: PlainForm, heading: str, status: HTTPStatus | None = None
) -> HttpResponse:
    status = status or (HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK)
    return render(request, "pages/password.html", {"form": form, "heading": heading}, status=status)
