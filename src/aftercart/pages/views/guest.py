"""Guests: find an order, look at it by a link, and type the code that lets one act on it."""

from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from aftercart.accounts.networks import get_client_address
from aftercart.actions.account.ask_one_time_code import ask_one_time_code
from aftercart.actions.account.check_one_time_code import check_guest_code
from aftercart.lib.clock import get_now
from aftercart.lib.formats import get_active_language
from aftercart.lib.ids import read_id
from aftercart.lib.links import read_signed_at
from aftercart.orders.errors import CodeWrong, OrderNotFound, TooManyTries
from aftercart.orders.guests import Guest, admit_by_code, admit_by_link, list_guests
from aftercart.orders.models import Order
from aftercart.orders.selectors import get_by_link
from aftercart.pages.forms import CodeForm, LookupForm
from aftercart.pages.order_page import OrderPage
from aftercart.pages.views.customer import (
    SeeOther,
    Visit,
    find_guest_order_to_view,
    find_next,
    public_page,
)
from aftercart.pages.views.language import CHOICE

#: Where a session keeps which code it has asked for, and where it wants to go with it.
_ASKED = "guest_code"


@public_page("GET", "HEAD")
def guest(request: HttpRequest, signed: str) -> HttpResponse:
    """Show a guest's order to who has its signed link. Raises Http404, one for every miss.

    The session may look at it from now on; for more, a code has to be typed.
    """
    visit = _open_link(request, signed)
    return render(request, "pages/order.html", {"page": OrderPage(visit.order, guest=visit.guest)})


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def guest_withdraw(request: HttpRequest, signed: str, statement: UUID | None = None) -> HttpResponse:
    """Lead who has a signed link to the withdrawal, or to its receipt; there a code is asked for.

    Such addresses stand in browsers that had them before. Raises Http404, one for every miss.
    """
    number = _open_link(request, signed).order.number
    if statement is None:
        return SeeOther(reverse("order-withdraw", args=[number]))
    return SeeOther(reverse("withdrawal-receipt", args=[number, statement]))


def _open_link(request: HttpRequest, signed: str) -> Visit:
    """Let the session look at the order of a signed link, and visit it. Raises Http404."""
    try:
        order = get_by_link(None, signed, purpose="guest-view")
    except OrderNotFound as error:
        raise Http404 from error
    guest = Guest(order.pk, order.link_version)
    expires_at = read_signed_at(signed) + settings.LINK_LIFE
    now = get_now()
    admit_by_link(request.session, guest, expires_at=expires_at, now=now)
    # Perhaps a code has been typed before: then the link shows no less.
    admitted = {known.order: known for known in list_guests(request.session, now=now)}
    return Visit(order, guest=admitted.get(order.pk, guest))


@public_page("GET", "HEAD", "POST")
def guest_lookup(request: HttpRequest) -> HttpResponse:
    """Ask for number and e-mail address; whatever they are, go on to the same page."""
    form = LookupForm(request.POST if request.method == "POST" else None)
    if CHOICE in request.POST:
        form.forget_errors()
    elif form.is_valid():
        return ask_for_code(request, form.cleaned_data["number"], form.cleaned_data["email"], "")
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return render(request, "pages/guest_lookup.html", {"form": form}, status=status)


@sensitive_post_parameters("code")
@public_page("GET", "HEAD", "POST")
def guest_code(request: HttpRequest) -> HttpResponse:
    """Take the code, or send one for the order at which the session may look already (`order`)."""
    order = _find_viewed(request)
    if request.method == "POST" and "send" in request.POST:
        if order is None:
            return SeeOther(reverse("guest-lookup"))
        return ask_for_code(request, order.number, order.user_email, find_next(request))
    asked = request.session.get(_ASKED)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or CHOICE in request.POST:
        if asked is None and order is None:
            return SeeOther(reverse("guest-lookup"))
        form.forget_errors()
        return _show_code(request, form, order)
    if form.is_valid() and asked is not None:
        try:
            proved, found = check_guest_code(UUID(asked), form.cleaned_data["code"])
        except CodeWrong as error:
            form.add_error("code", str(error))
        else:
            return _enter(request, proved, found)
    elif asked is None:
        form.add_error("code", str(CodeWrong()))
    return _show_code(request, form, order, HTTPStatus.BAD_REQUEST)


def _enter(request: HttpRequest, proved: Guest, order: Order) -> HttpResponse:
    """Let the session act. It gets a new key: whoever knew the old one stays outside."""
    del request.session[_ASKED]
    request.session.cycle_key()
    rotate_token(request)
    admit_by_code(request.session, proved, now=get_now())
    return SeeOther(find_next(request) or reverse("order-detail", args=[order.pk]))


def ask_for_code(request: HttpRequest, number: str, email: str, target: str) -> HttpResponse:
    """Ask for a code, whatever number and address are, and go on to where it is typed; then to `target`."""
    try:
        asked = ask_one_time_code(
            number=number,
            email=email,
            language=get_active_language(),
            client=get_client_address(request),
        )
    except TooManyTries as error:
        return show_too_many(request, error)
    request.session[_ASKED] = str(asked)
    query = f"?{urlencode({'next': target})}" if target else ""
    return SeeOther(f"{reverse('guest-code')}{query}")


def show_too_many(request: HttpRequest, error: TooManyTries) -> HttpResponse:
    """Show that something was tried too often, and for how long to wait."""
    context = {"status": error.status, "detail": str(error)}
    response = render(request, "pages/error.html", context, status=error.status)
    response["Retry-After"] = str(error.seconds)
    return response


def _show_code(
    request: HttpRequest, form: CodeForm, order: Order | None, status: int = HTTPStatus.OK
) -> HttpResponse:
    context = {
        "form": form,
        "order": order,
        "is_asked": _ASKED in request.session,
        "next": find_next(request),
    }
    return render(request, "pages/guest_code.html", context, status=status)


def _find_viewed(request: HttpRequest) -> Order | None:
    pk = read_id(request.POST.get("order") or request.GET.get("order", ""))
    return None if pk is None else find_guest_order_to_view(request, pk=pk)
