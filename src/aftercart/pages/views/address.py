"""Sending an order to another address of the customer's book."""

from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from aftercart.accounts.models import Address
from aftercart.actions.change_address import change_address as act
from aftercart.actions.commands import AddressCommand, Answer
from aftercart.omnitron.connect import get_client
from aftercart.orders.errors import ActionError, KeyReused
from aftercart.orders.models import Order
from aftercart.pages.forms import AddressForm
from aftercart.pages.order_page import OrderPage
from aftercart.pages.views.customer import (
    SeeOther,
    customer_page,
    find_order_or_404,
    get_customer,
    list_addresses,
)
from aftercart.pages.writes import make_key, read_key, read_write


@customer_page("GET", "HEAD", "POST")
def change_address(request: HttpRequest) -> HttpResponse:
    """Show the addresses to choose from; take the choice. Raises Http404."""
    order = _find_order(request)
    addresses = list_addresses(get_customer(request))
    if request.method != "POST":
        return _show(request, order, addresses, AddressForm(addresses=addresses), make_key())
    form = AddressForm(request.POST, addresses=addresses)
    key = read_key(request) or make_key()
    if not form.is_valid():
        return _show(request, order, addresses, form, key, status=HTTPStatus.BAD_REQUEST)
    write = read_write(request, get_customer(request))
    command = AddressCommand(write=write, order=order.pk, address=form.cleaned_data["address"])
    try:
        answer = act(command, get_client())
    except KeyReused:
        form.add_error(None, _("This form has been sent before. Please check the order, then send it again."))
        return _show(request, order, addresses, form, make_key(), status=HTTPStatus.CONFLICT)
    except ActionError as error:
        for sentence in error.sentences():
            form.add_error(None, sentence)
        order.refresh_from_db()
        return _show(request, order, addresses, form, key, status=error.status)
    _tell(request, answer)
    return SeeOther(reverse("order-detail", args=[order.pk]))


def _find_order(request: HttpRequest) -> Order:
    """Find the order that the form, or the link to it, names by id."""
    told = (request.POST if request.method == "POST" else request.GET).get("order", "")
    if not (told.isascii() and told.isdecimal()):
        raise Http404
    return find_order_or_404(request, pk=int(told[:20]))


def _show(
    request: HttpRequest,
    order: Order,
    addresses: list[Address],
    form: AddressForm,
    key: str,
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context = {"page": OrderPage(order), "addresses": addresses, "form": form, "key": key}
    return render(request, "pages/change_address.html", context, status=status)


def _tell(request: HttpRequest, answer: Answer) -> None:
    if answer.status == HTTPStatus.OK:
        messages.success(request, _("Your order now goes to the new address."))
    else:
        sentence = _("We have recorded the new address and pass it on. You will see here if it was in time.")
        messages.info(request, sentence)
