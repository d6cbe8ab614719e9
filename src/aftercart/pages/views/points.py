"""The customer's loyalty points: how many there are, and how they came and went."""

from collections.abc import Callable
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from aftercart.loyalty.selectors import has_entries, list_balances, list_entries
from aftercart.pages.views.customer import customer_page, get_customer

_PAGE_SIZE = 20


@customer_page("GET", "HEAD")
def points(request: HttpRequest) -> HttpResponse:
    """Show the balance of each currency and the ledger, newest first."""
    user = get_customer(request)
    page = Paginator(list_entries(user), _PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "pages/points.html", {"page": page, "balances": list_balances(user)})


def offer_points(request: HttpRequest) -> dict[str, Callable[[], Any]]:
    """Tell templates whether to show the way to the points; asks the database only where one wants to know."""
    user = getattr(request, "user", None)
    # request.user is lazy: `is_authenticated` looks, and `pk` is then the real one's.
    return {"has_points": lambda: bool(user and user.is_authenticated and has_entries(user))}
