"""What every page of a logged-in customer shares."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from aftercart.accounts.models import Address, User
from aftercart.orders.errors import OrderNotFound
from aftercart.orders.models import Order
from aftercart.orders.selectors import get_order

View = Callable[..., HttpResponse]


class SeeOther(HttpResponseRedirect):
    """Sends the browser on after a write, so that reloading repeats nothing."""

    status_code = 303


def customer_page(*methods: str) -> Callable[[View], View]:
    """Make a view a customer's page: log-in, CSRF token, never cached, only these methods."""

    def decorate(view: View) -> View:
        return never_cache(csrf_protect(login_required(require_http_methods(list(methods))(view))))

    return decorate


def get_customer(request: HttpRequest) -> User:
    """Get who is logged in, in a view that wants log-in."""
    assert isinstance(request.user, User)  # noqa: S101 - customer_page() has seen to it
    return request.user


def find_order_or_404(request: HttpRequest, **lookup: Any) -> Order:
    """Get one of the customer's orders. Raises `Http404`, the same for unknown and foreign ones."""
    try:
        return get_order(get_customer(request), **lookup)
    except OrderNotFound as error:
        raise Http404 from error


def list_addresses(user: User) -> list[Address]:
    """List a customer's address book, the first one first."""
    addresses = Address.objects.filter(user=user).order_by("-primary", "pk")
    return list(addresses.select_related("country", "city", "township", "district"))
