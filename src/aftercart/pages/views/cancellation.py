"""Cancelling and returning on one path of three steps: choose, look and confirm, see what became of it.

Each step is a page of its own, so that all of it works without JavaScript. Nothing is written before the second is
confirmed, and what is confirmed is bound to the quote that its page showed.
"""

from http import HTTPStatus
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from aftercart.actions.cancel_items import cancel_items
from aftercart.actions.commands import Write
from aftercart.actions.quote_cancellation import quote_cancellation
from aftercart.cancellations.models import Destination
from aftercart.cancellations.selectors import find_submission
from aftercart.omnitron.connect import get_client
from aftercart.orders.errors import ActionError, CancellationRefused, KeyReused, QuoteStale, StillRunning
from aftercart.orders.models import Order
from aftercart.pages.cancellation_form import CancellationForm
from aftercart.pages.order_page import OrderPage
from aftercart.pages.refund_page import SHOWN_FIELD, RefundPage
from aftercart.pages.submission_page import SubmissionPage
from aftercart.pages.views.customer import (
    SeeOther,
    customer_page,
    find_order_or_404,
    get_customer,
    list_addresses,
)
from aftercart.pages.views.live import answer_unchanged
from aftercart.pages.writes import make_key, read_key, read_write

_LONGEST_QUOTE = 2000


@customer_page("GET", "HEAD", "POST")
def cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Show the first step; take it to the second; take that. Raises Http404."""
    order = find_order_or_404(request, number=number)
    addresses = list_addresses(get_customer(request))
    if request.method != "POST":
        return _show_choice(request, CancellationForm(OrderPage(order), addresses))
    form = CancellationForm(OrderPage(order), addresses, request.POST)
    step = request.POST.get("step")
    if step == "choose":
        form.forget_errors()
        return _show_choice(request, form)
    if not form.is_valid():
        return _show_choice(request, form, HTTPStatus.BAD_REQUEST)
    if step != "send":
        return _show_refund(request, form)
    if not form.refund.is_valid():
        return _show_refund(request, form, HTTPStatus.BAD_REQUEST)
    return _send(request, order, form)


def _send(request: HttpRequest, order: Order, form: CancellationForm) -> HttpResponse:
    """Make the submission of a valid second step, once, and go on to what became of it."""
    destination = Destination(form.refund.cleaned_data["destination"])
    quote = request.POST.get(f"quote-{destination.value}", "")[:_LONGEST_QUOTE]
    if not quote:  # what nobody has been shown, nobody can have confirmed
        return _show_refund(request, form, HTTPStatus.BAD_REQUEST)
    write = read_write(request, get_customer(request))
    try:
        cancel_items(form.to_command(write, destination, quote=quote), get_client())
    except StillRunning:
        pass  # an impatient second click: its page tells how the first one ends
    except QuoteStale as error:
        return _show_refund(request, form, error.status, is_stale=True)
    except KeyReused:
        # Back, changed, sent again: that may well be meant, but it has to be said twice.
        form.complaints.append(
            _("This form has been sent before. Please check the order, then send it again.")
        )
        return _show_refund(request, form, HTTPStatus.CONFLICT)
    except ActionError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise Http404 from error
        form.complain(error)
        show = _show_choice if isinstance(error, CancellationRefused) else _show_refund
        return show(request, form, error.status)
    submission = find_submission(order, key=write.key, fingerprint=write.fingerprint)
    if submission is None:  # a repeat of long ago, whose record is gone
        return SeeOther(reverse("order-detail", args=[order.pk]))
    return SeeOther(reverse("order-cancel-result", args=[order.number, submission.uuid]))


@customer_page("GET", "HEAD")
def cancel_result(request: HttpRequest, number: str, uuid: UUID) -> HttpResponse:
    """Show what became of a submission. Raises Http404."""
    order = find_order_or_404(request, number=number)
    submission = find_submission(order, uuid=uuid)
    if submission is None:
        raise Http404
    unchanged = answer_unchanged(request, order)
    if unchanged is not None:
        return unchanged
    return render(request, "pages/cancel_result.html", {"page": SubmissionPage(order, submission)})


def _show_choice(request: HttpRequest, form: CancellationForm, status: int = HTTPStatus.OK) -> HttpResponse:
    form.offer_again()
    return render(request, "pages/cancel.html", {"form": form, "page": form.page}, status=status)


def _show_refund(
    request: HttpRequest, form: CancellationForm, status: int = HTTPStatus.OK, *, is_stale: bool = False
) -> HttpResponse:
    """Show what would come back; the first step again, with the reason, if the rules or the rows say no.

    Every showing gets a key of its own, except one that only complains about what was typed.
    """
    write = Write(user=get_customer(request), fingerprint="")
    try:
        quotes = {
            destination: quote_cancellation(form.to_command(write, destination, is_for_quote=True))
            for destination in form.destinations
        }
    except ActionError as error:
        form.complain(error)
        return _show_choice(request, form, error.status)
    refund = RefundPage(form, quotes, shown_before=request.POST.get(SHOWN_FIELD, "") if is_stale else "")
    if refund.refusals:
        form.complaints += refund.refusals
        return _show_choice(request, form, HTTPStatus.BAD_REQUEST)
    if is_stale and not refund.changes:
        form.complaints.append(_("Some time has passed. Please check it once more: nothing was sent yet."))
    is_same = status == HTTPStatus.BAD_REQUEST
    key = (read_key(request) if is_same else "") or make_key()
    context = {"form": form, "page": form.page, "refund": refund, "key": key}
    return render(request, "pages/cancel_refund.html", context, status=status)
