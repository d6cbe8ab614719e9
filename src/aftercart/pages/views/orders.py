"""Reading orders: the confirmation, the list, one order."""

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_safe

from aftercart.orders.errors import OrderNotFound
from aftercart.orders.selectors import find_by_link, list_orders
from aftercart.pages.forms import SearchForm
from aftercart.pages.order_page import OrderCard, OrderPage
from aftercart.pages.views.customer import (
    customer_page,
    find_visit,
    get_customer,
    make_withdraw_url,
    visitor_page,
)

_PAGE_SIZE = 12


@never_cache
@csrf_protect
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the way: to the log-in, or to one's orders."""
    context = {"shows_mails": settings.IS_LOCAL and settings.ARE_LETTERS_KEPT_HERE}
    return render(request, "pages/home.html", context)


@customer_page("GET", "HEAD")
def completed(request: HttpRequest, signed: str) -> HttpResponse:
    """Show the confirmation of a signed link. Raises Http404, the same for every kind of miss."""
    try:
        order = find_by_link(get_customer(request), signed, purpose="completed")
    except OrderNotFound as error:
        raise Http404 from error
    context = {"page": OrderPage(order, is_thanks=True), "withdraw_url": make_withdraw_url(order)}
    return render(request, "pages/order.html", context)


@visitor_page("GET", "HEAD")
def order_list(request: HttpRequest) -> HttpResponse:
    """List the customer's orders, newest first, twelve to a page; a guest goes on to their latest."""
    if not request.user.is_authenticated:
        return redirect("order-detail", find_visit(request).order.pk)
    orders = list_orders(get_customer(request)).prefetch_related("items")
    form = SearchForm(request.GET)
    search = form.cleaned_data["search"] if form.is_valid() else ""
    if search:
        orders = orders.filter(number__icontains=search)
    page = Paginator(orders, _PAGE_SIZE).get_page(request.GET.get("page"))
    cards = [OrderCard(order) for order in page]
    context = {"page": page, "cards": cards, "form": form, "search": search}
    return render(request, "pages/orders.html", context)


@visitor_page("GET", "HEAD")
def order_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one order with its story. Raises Http404."""
    visit = find_visit(request, pk=pk)
    page = OrderPage(visit.order, is_guest=visit.guest is not None)
    context = {
        "page": page,
        "moments": page.list_moments(),
        "withdraw_url": make_withdraw_url(page.order, is_guest=page.is_guest),
    }
    return render(request, "pages/order.html", context)
