"""Reading orders: the confirmation, the list, one order."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_safe

from aftercart.orders.errors import OrderNotFound
from aftercart.orders.selectors import find_by_link, list_orders
from aftercart.pages.forms import SearchForm
from aftercart.pages.order_page import OrderCard, OrderPage
from aftercart.pages.views.customer import customer_page, find_order_or_404, get_customer
from aftercart.pages.views.live import answer_unchanged

_PAGE_SIZE = 12


@never_cache
@csrf_protect
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the way: to the log-in, or to one's orders."""
    return render(request, "pages/home.html")


@customer_page("GET", "HEAD")
def completed(request: HttpRequest, signed: str) -> HttpResponse:
    """Show the confirmation of a signed link. Raises Http404, the same for every kind of miss."""
    try:
        order = find_by_link(get_customer(request), signed, purpose="completed")
    except OrderNotFound as error:
        raise Http404 from error
    return render(request, "pages/order.html", {"page": OrderPage(order, is_thanks=True)})


@never_cache
@csrf_protect
@require_safe
def guest(request: HttpRequest, signed: str) -> HttpResponse:
    """Show a guest's order, to look at, to who has its signed link. Raises Http404, one for every miss."""
    try:
        order = find_by_link(None, signed, purpose="guest-view")
    except OrderNotFound as error:
        raise Http404 from error
    return render(request, "pages/order.html", {"page": OrderPage(order, is_guest=True)})


@customer_page("GET", "HEAD")
def order_list(request: HttpRequest) -> HttpResponse:
    """List the customer's orders, newest first, twelve to a page; those that fit what is searched for."""
    orders = list_orders(get_customer(request)).prefetch_related("items")
    form = SearchForm(request.GET if request.GET.keys() & SearchForm.base_fields.keys() else None)
    if form.is_bound and form.is_valid():
        since, until = form.read_days()
        if form.cleaned_data["search"]:
            orders = orders.filter(number__icontains=form.cleaned_data["search"])
        if since:
            orders = orders.filter(created_date__gte=since)
        if until:
            orders = orders.filter(created_date__lte=until)
    page = Paginator(orders, _PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "cards": [OrderCard(order) for order in page],
        "form": form,
        "query": _keep(request),
    }
    return render(request, "pages/orders.html", context)


def _keep(request: HttpRequest) -> str:
    """Write what is searched for as it has to follow to the other pages of the list."""
    pairs = {name: request.GET[name] for name in SearchForm.base_fields if request.GET.get(name)}
    return urlencode(pairs)


@customer_page("GET", "HEAD")
def order_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one order with its story; 204 to a page that shows it as it is. Raises Http404."""
    order = find_order_or_404(request, pk=pk)
    unchanged = answer_unchanged(request, order)
    if unchanged is not None:
        return unchanged
    page = OrderPage(order)
    return render(request, "pages/order.html", {"page": page, "moments": page.list_moments()})


@customer_page("GET", "HEAD")
def receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what was bought and paid, to be printed. Raises Http404."""
    return render(request, "pages/receipt.html", {"page": OrderPage(find_order_or_404(request, pk=pk))})
