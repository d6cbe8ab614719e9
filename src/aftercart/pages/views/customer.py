"""What the pages share, by who may see them: anybody, a customer, or a customer or guest for whom an order is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import NotAuthenticated

from aftercart.accounts import address_book
from aftercart.accounts.models import Address, User
from aftercart.accounts.shop_sessions import ShopSession
from aftercart.actions.address.list_shop_addresses import list_shop_addresses
from aftercart.lib.clock import get_now
from aftercart.lib.identity import has_own_accounts
from aftercart.lib.negotiation import names_html
from aftercart.orders.errors import OrderNotFound
from aftercart.orders.guests import Guest, list_guests
from aftercart.orders.models import Order
from aftercart.orders.selectors import find_latest_of_guests, get_order
from aftercart.pages.forms import LoginForm
from aftercart.pages.kept_forms import keep_form
from aftercart.pages.views.language import in_chosen_language

View = Callable[..., HttpResponse]


class SeeOther(HttpResponseRedirect):
    """Sends the browser on after a write, so that reloading repeats nothing."""

    status_code = 303


def public_page(*methods: str) -> Callable[[View], View]:
    """Make a view a page for anybody: CSRF token, never cached, only these methods, a language to choose."""

    def decorate(view: View) -> View:
        return never_cache(csrf_protect(require_http_methods(list(methods))(in_chosen_language(view))))

    return decorate


def customer_page(*methods: str) -> Callable[[View], View]:
    """Make a view a customer's page: log-in, CSRF token, never cached, only these methods."""

    def decorate(view: View) -> View:
        allowed = require_http_methods(list(methods))(in_chosen_language(view))

        @wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return (
                allowed(request, *args, **kwargs) if request.user.is_authenticated else ask_to_log_in(request)
            )

        return never_cache(csrf_protect(page))

    return decorate


def ask_to_log_in(request: HttpRequest) -> HttpResponse:
    """Send a browser to the log-in, from where it comes back; answer everybody else with 401 (contract section 1).

    A form that was sent is kept meanwhile.
    """
    kept = keep_form(request) if names_html(request) and has_own_accounts() else ""
    if kept:
        return show_login(request, kept)
    if names_html(request):
        return redirect_to_login(request.get_full_path())
    error = NotAuthenticated()
    body = {"detail": error.detail, "code": error.default_code}
    return JsonResponse(body, status=error.status_code, headers={"WWW-Authenticate": "Session"})


def show_login(request: HttpRequest, kept: str) -> HttpResponse:
    """Show the log-in to somebody whose form is kept: nothing of it was sent."""
    context = {"form": LoginForm(), "next": "", "kept": kept}
    return render(request, "pages/login.html", context, status=HTTPStatus.UNAUTHORIZED)


@dataclass(frozen=True, slots=True)
class Visit:
    """An order, and who is with it: the customer whose it is, or its guest."""

    order: Order
    user: User | None = None
    guest: Guest | None = None
    #: The customer's session in the shop, where that keeps the address books.
    cookie: str = ""

    @property
    def owner(self) -> User | Guest:
        """Who is with it."""
        owner = self.user or self.guest
        assert owner is not None  # noqa: S101 - get_visit() finds one of them
        return owner

    def list_addresses(self) -> list[Address]:
        """List the visitor's address book; a guest has none."""
        if self.user is None:
            return []
        return list_addresses(self.user) if has_own_accounts() else list_shop_addresses(self.cookie)


class _Elsewhere(Exception):
    """The visitor has to go somewhere else first: to the log-in, or to a code."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.response = response


def visitor_page(*methods: str) -> Callable[[View], View]:
    """Make a view the page of a customer or of a guest, for whom it asks by `get_visit`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except _Elsewhere as elsewhere:
                return elsewhere.response

        return public_page(*methods)(page)

    return decorate


def get_visit(request: HttpRequest, *, acting: bool = False, **lookup: Any) -> Visit:
    """Find the order, if it is the customer's or the guest's; to act, a guest must have typed a code lately.

    Raises `Http404`, the same for unknown and foreign ones. A browser of somebody who is nobody yet is sent to the
    log-in, that of a guest who may only look, to the code; a program gets 401 in both cases.
    """
    if isinstance(request.user, User):
        try:
            cookie = request.session.cookie if isinstance(request.session, ShopSession) else ""
            return Visit(get_order(request.user, **lookup), user=request.user, cookie=cookie)
        except OrderNotFound:
            pass  # a customer may also be the guest of an order
    now = get_now()
    found = find_latest_of_guests(list_guests(request.session, now=now, may_act=acting), **lookup)
    if found is not None:
        return Visit(found[0], guest=found[1])
    if acting and (viewed := find_guest_order_to_view(request, **lookup)) is not None:
        query = urlencode({"order": str(viewed.pk), "next": request.get_full_path()})
        code_page = SeeOther(f"{reverse('guest-code')}?{query}")
        raise _Elsewhere(code_page if names_html(request) else ask_to_log_in(request))
    if not request.user.is_authenticated:
        raise _Elsewhere(ask_to_log_in(request))
    raise Http404


def find_guest_order_to_view(request: HttpRequest, **lookup: Any) -> Order | None:
    """Find an order at which the session may look as its guest."""
    found = find_latest_of_guests(list_guests(request.session, now=get_now()), **lookup)
    return None if found is None else found[0]


def get_customer(request: HttpRequest) -> User:
    """Get who is logged in, in a view that wants log-in."""
    assert isinstance(request.user, User)  # noqa: S101 - customer_page() has seen to it
    return request.user


def find_next(request: HttpRequest) -> str:
    """Return where to go on (`next`): only ever to a page of ours; "" for nowhere in particular."""
    target: str = request.POST.get("next") or request.GET.get("next") or ""
    # A path, not a word: what is no path would be taken for the name of a view, or lead to nowhere.
    is_ours = target.startswith("/") and url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours else ""


def list_addresses(user: User) -> list[Address]:
    """List a customer's address book, the first one first."""
    return list(address_book.list_addresses(user).order_by("-primary", "pk"))
