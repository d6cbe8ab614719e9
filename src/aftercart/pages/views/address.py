"""Sending an order to another address of the customer's book."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from aftercart.accounts.models import Address
from aftercart.actions.address.change_address import change_address as act
from aftercart.actions.address.list_shop_addresses import choose_shop_address
from aftercart.actions.commands import AddressCommand, Answer
from aftercart.lib.identity import has_own_accounts
from aftercart.lib.ids import read_id
from aftercart.oms.connect import get_client
from aftercart.orders.errors import ActionError, BeingChecked, KeyReused
from aftercart.pages.address_form import STEP, AddressEntryForm, read_snapshot
from aftercart.pages.callers import make_key, read_key, read_page_caller
from aftercart.pages.forms import AddressForm
from aftercart.pages.order_page import OrderPage
from aftercart.pages.views.customer import SeeOther, Visit, get_visit, visitor_page
from aftercart.pages.views.language import CHOICE


@visitor_page("GET", "HEAD", "POST")
def change_address(request: HttpRequest) -> HttpResponse:
    """Show the addresses to choose from, or a guest the form to type one; take it. Raises Http404."""
    visit = _get_visit(request)
    if request.method != "POST" or request.POST.keys() & {STEP, CHOICE}:
        return _show(request, visit, _make_form(visit, None, _read_typed(request)), make_key())
    form = _make_form(visit, request.POST)
    key = read_key(request) or make_key()
    if not form.is_valid():
        return _show(request, visit, form, key, status=HTTPStatus.BAD_REQUEST)
    address = form.to_draft() if isinstance(form, AddressEntryForm) else _choose(visit, form)
    caller = read_page_caller(request, visit.user, visit.guest)
    try:
        answer = act(AddressCommand(caller=caller, order=visit.order.pk, address=address), get_client())
    except BeingChecked:
        raise  # for the outage's own page: the others ask the database
    except KeyReused:
        form.add_error(None, _("This form has been sent before. Please check the order, then send it again."))
        return _show(request, visit, form, make_key(), status=HTTPStatus.CONFLICT)
    except ActionError as error:
        for sentence in error.sentences():
            form.add_error(None, sentence)
        visit.order.refresh_from_db()
        return _show(request, visit, form, key, status=error.status)
    _show_outcome(request, answer)
    return SeeOther(reverse("order-detail", args=[visit.order.pk]))


def _read_typed(request: HttpRequest) -> dict[str, Any]:
    """Read what is chosen or typed so far; of an address that was just added, in the page's own address."""
    chosen = request.GET.get("address", "")
    return request.POST.dict() or ({"address": chosen} if chosen else {})


def _make_form(
    visit: Visit, data: QueryDict | None, typed: dict[str, Any] | None = None
) -> AddressForm | AddressEntryForm:
    """Make the form: a choice from the book, or, for a guest, an address to be typed."""
    if visit.guest is None:
        return AddressForm(data, addresses=visit.list_addresses(), initial=typed)
    return AddressEntryForm(data, initial=typed or read_snapshot(visit.order.shipping_address))


def _choose(visit: Visit, form: AddressForm) -> int | Address:
    """Take the entry that was chosen: by its id, or, of the shop's book, as it is."""
    pk: int = form.cleaned_data["address"]
    return pk if has_own_accounts() else choose_shop_address(visit.cookie, pk)


def _get_visit(request: HttpRequest) -> Visit:
    """Find the order that the form, or the page's address, names by id."""
    pk = read_id(request.POST.get("order") or request.GET.get("order", ""))
    if pk is None:
        raise Http404
    return get_visit(request, acting=True, pk=pk)


def _show(
    request: HttpRequest,
    visit: Visit,
    form: AddressForm | AddressEntryForm,
    key: str,
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    page, addresses = OrderPage(visit.order, guest=visit.guest), visit.list_addresses()
    context = {
        "page": page,
        "addresses": addresses,
        "is_open": not page.address_refusal and (page.is_guest or addresses),
        "form": form,
        "key": key,
    }
    return render(request, "pages/change_address.html", context, status=status)


def _show_outcome(request: HttpRequest, answer: Answer) -> None:
    if answer.status == HTTPStatus.OK:
        messages.success(request, _("Your order now goes to the new address."))
    else:
        sentence = _(
            "We have noted the new address and are passing it on. We will e-mail you to say whether it was in time."
        )
        messages.info(request, sentence)
