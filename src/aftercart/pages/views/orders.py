"""Reading orders: the confirmation, the list, one order."""

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from aftercart.accounts.models import User
from aftercart.cancellations.selectors import find_open_items
from aftercart.orders.errors import OrderNotFound
from aftercart.orders.models import OrderItem
from aftercart.orders.selectors import get_by_link, list_orders
from aftercart.pages.forms import SearchForm
from aftercart.pages.order_cards import OrderCard
from aftercart.pages.order_page import OrderPage
from aftercart.pages.stored_pages import answer_order_page
from aftercart.pages.views.customer import (
    customer_page,
    get_customer,
    get_visit,
    public_page,
    visitor_page,
)
from aftercart.pages.views.live import answer_unchanged

_PAGE_SIZE = 12


@public_page("GET", "HEAD")
def home(request: HttpRequest) -> HttpResponse:
    """Show the way: to the log-in, or to one's orders; in a local run to the demo's log-ins, too."""
    context = {
        "shows_mails": settings.IS_LOCAL and settings.ARE_EMAILS_KEPT_HERE,
        "demo": _read_demo() if settings.IS_LOCAL else None,
    }
    return render(request, "pages/home.html", context)


def _read_demo() -> dict[str, Any] | None:
    """Read what a local run wrote of its demo; None if there is none, or it holds no customer."""
    try:
        demo = json.loads((settings.VAR / "demo.json").read_bytes())
        return {"customer": demo["customers"][0], "staff": demo["staff"]}
    except (OSError, ValueError, LookupError, TypeError):
        return None


@customer_page("GET", "HEAD")
def completed(request: HttpRequest, signed: str) -> HttpResponse:
    """Show the confirmation of a signed link. Raises Http404, the same for every kind of miss."""
    try:
        order = get_by_link(get_customer(request), signed, purpose="completed")
    except OrderNotFound as error:
        raise Http404 from error
    page = answer_order_page(request, [order.pk], is_thanks=True)
    if page is None:
        raise Http404
    return page


@visitor_page("GET", "HEAD")
def order_list(request: HttpRequest) -> HttpResponse:
    """List the customer's orders that fit what is searched for, newest first; a guest goes on to their latest."""
    form = SearchForm(request.GET if request.GET.keys() & SearchForm.base_fields.keys() else None)
    is_wrong = form.is_bound and not form.is_valid()
    if not request.user.is_authenticated:
        visit = get_visit(request)
        if is_wrong:
            raise BadRequest("What is searched for makes no sense.")
        return redirect("order-detail", visit.order.pk)
    orders = list_orders(get_customer(request)).prefetch_related("items")
    if form.is_bound and not is_wrong:
        since, until = form.read_days()
        if form.cleaned_data["search"]:
            typed = form.cleaned_data["search"]
            has_item = OrderItem.objects.filter(order=OuterRef("pk"), product__name__icontains=typed)
            orders = orders.filter(Q(number__icontains=typed) | Exists(has_item))
        if since:
            orders = orders.filter(created_date__gte=since)
        if until:
            orders = orders.filter(created_date__lte=until)
    page = Paginator(orders, _PAGE_SIZE).get_page(request.GET.get("page"))
    in_progress = find_open_items([order.pk for order in page])
    context = {
        "page": page,
        "cards": [OrderCard(order, in_progress) for order in page],
        "form": form,
        "query": _keep(request),
    }
    return render(request, "pages/orders.html", context, status=HTTPStatus.BAD_REQUEST if is_wrong else None)


def _keep(request: HttpRequest) -> str:
    """Write what is searched for as it has to follow to the other pages of the list."""
    pairs = {name: request.GET[name] for name in SearchForm.base_fields if request.GET.get(name)}
    return urlencode(pairs)


@visitor_page("GET", "HEAD")
def order_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one order with its story; 204 to a page that shows it as it is. Raises Http404."""
    if isinstance(request.user, User) and "version" not in request.GET:
        stored = answer_order_page(request, list_orders(request.user).filter(pk=pk))
        if stored is not None:
            return stored
    visit = get_visit(request, pk=pk)
    unchanged = answer_unchanged(request, visit.order)
    if unchanged is not None:
        return unchanged
    page = OrderPage(visit.order, guest=visit.guest)
    context = {"page": page, "moments": page.list_moments()}
    return render(request, "pages/order.html", context)


@visitor_page("GET", "HEAD")
def receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what was bought and paid, to be printed. Raises Http404."""
    visit = get_visit(request, pk=pk)
    page = OrderPage(visit.order, guest=visit.guest)
    return render(request, "pages/receipt.html", {"page": page})
