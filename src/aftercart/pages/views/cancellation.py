"""Cancelling and returning: one form, which works without JavaScript."""

from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from aftercart.actions.cancel_items import cancel_items
from aftercart.actions.commands import Answer, CancellationCommand
from aftercart.omnitron.connect import get_client
from aftercart.orders.errors import ActionError, KeyReused
from aftercart.pages.cancellation_form import CancellationForm
from aftercart.pages.order_page import OrderPage
from aftercart.pages.views.customer import SeeOther, find_visit, visitor_page
from aftercart.pages.writes import make_key, read_key, read_write


@visitor_page("GET", "HEAD", "POST")
def cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Show the form; take it. Raises Http404."""
    visit = find_visit(request, acting=True, number=number)
    order, addresses = visit.order, visit.list_addresses()
    page = OrderPage(order, is_guest=visit.guest is not None)
    if request.method != "POST":
        return _show(request, CancellationForm(page, addresses), make_key())
    form = CancellationForm(page, addresses, request.POST)
    key = read_key(request) or make_key()
    if not form.is_valid():
        return _show(request, form, key, HTTPStatus.BAD_REQUEST)
    command = form.to_command(read_write(request, visit.user, visit.guest))
    try:
        answer = cancel_items(command, get_client())
    except KeyReused:
        # Back, changed, sent again: that may well be meant, but it has to be said twice.
        form.complaints.append(
            _("This form has been sent before. Please check the order, then send it again.")
        )
        return _show(request, form, make_key(), HTTPStatus.CONFLICT)
    except ActionError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise Http404 from error
        form.complain(error)
        return _show(request, form, key, error.status)
    _tell(request, form, command, answer)
    return SeeOther(reverse("order-detail", args=[order.pk]))


def _show(
    request: HttpRequest, form: CancellationForm, key: str, status: int = HTTPStatus.OK
) -> HttpResponse:
    form.offer_again()
    context = {"form": form, "page": form.page, "key": key}
    return render(request, "pages/cancel.html", context, status=status)


def _tell(request: HttpRequest, form: CancellationForm, command: CancellationCommand, answer: Answer) -> None:
    """Say what has happened: sent, or received and not yet decided. No more than that is known."""
    asked = {ask.order_item for ask in command.items}
    names = [item.name for item in form.page.items if item.pk in asked]
    listed = get_text_list(names, _("and"))
    if answer.status == HTTPStatus.NO_CONTENT:
        sentence = _("Your cancellation has been sent: %(items)s. You will see here when it is confirmed.")
        messages.success(request, sentence % {"items": listed})
    else:
        sentence = _(
            "We have received your request: %(items)s. Our team decides on it; you will see the answer here."
        )
        messages.info(request, sentence % {"items": listed})
