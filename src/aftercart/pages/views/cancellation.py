"""Cancelling and returning on one path of three steps: choose, look and confirm, see how it stands.

Each step is a page of its own, so that all of it works without JavaScript. Nothing is written before the second is
confirmed, and what is confirmed is bound to the quote that its page showed.
"""

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.quote_cancellation import quote_alternatives
from aftercart.actions.cancel.take_back_request import NothingToTakeBack, take_back_submission
from aftercart.actions.commands import Caller, CancellationCommand
from aftercart.actions.recognize_replay import checking_later
from aftercart.cancellations.models import Destination
from aftercart.cancellations.selectors import find_submission
from aftercart.oms.connect import get_client
from aftercart.orders.errors import (
    ActionError,
    BeingChecked,
    CancellationRefused,
    KeyReused,
    QuoteStale,
    StillRunning,
)
from aftercart.orders.models import Order
from aftercart.pages.address_form import STEP
from aftercart.pages.calendar_entries import write_pickup
from aftercart.pages.callers import make_key, read_key, read_page_caller
from aftercart.pages.cancellation_form import CancellationForm
from aftercart.pages.order_page import OrderPage
from aftercart.pages.refund_page import SHOWN_FIELD, RefundPage
from aftercart.pages.submission_page import SubmissionPage
from aftercart.pages.views.customer import SeeOther, Visit, get_visit, visitor_page
from aftercart.pages.views.language import CHOICE
from aftercart.pages.views.live import answer_unchanged

_LONGEST_QUOTE = 2000


@visitor_page("GET", "HEAD")
def ways(request: HttpRequest, number: str) -> HttpResponse:
    """Explain the ways out of an order, and go on at once where there is one only. Raises Http404."""
    visit = get_visit(request, acting=True, number=number)
    page = OrderPage(visit.order, guest=visit.guest)
    if page.has_ways:
        return render(request, "pages/ways.html", {"page": page})
    is_withdrawal = page.withdrawal_offer.is_shown
    return SeeOther(reverse("order-withdraw" if is_withdrawal else "order-cancel", args=[number]))


@visitor_page("GET", "HEAD", "POST")
def cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Show the first step; take it to the second; take that. Raises Http404."""
    visit = get_visit(request, acting=True, number=number)
    page, addresses = OrderPage(visit.order, guest=visit.guest), visit.list_addresses()
    if request.method != "POST":
        return _show_choice(request, CancellationForm(page, addresses))
    form = CancellationForm(page, addresses, request.POST)
    step = _read_step(request)
    if step == "choose":
        form.forget_errors()
        return _show_choice(request, form)
    if not form.is_valid():
        return _show_choice(request, form, HTTPStatus.BAD_REQUEST)
    if step != "send":
        return _show_refund(request, visit, form)
    if not form.refund.is_valid():
        return _show_refund(request, visit, form, HTTPStatus.BAD_REQUEST)
    return _send(request, visit, form)


def _read_step(request: HttpRequest) -> str:
    """Return which step is to be taken. A choice of a language or of a place takes none: it shows the same again."""
    if CHOICE in request.POST:
        return "quote" if SHOWN_FIELD in request.POST else "choose"
    return "choose" if STEP in request.POST else request.POST.get("step", "")


def _send(request: HttpRequest, visit: Visit, form: CancellationForm) -> HttpResponse:
    """Make the submission of a valid second step, once, and go on to how it stands."""
    order = visit.order
    destination = Destination(form.refund.cleaned_data["destination"])
    quote = request.POST.get(f"quote-{destination.value}", "")[:_LONGEST_QUOTE]
    if not quote:  # what nobody has been shown, nobody can have confirmed
        return _show_refund(request, visit, form, HTTPStatus.BAD_REQUEST)
    caller = read_page_caller(request, visit.user, visit.guest)
    try:
        return SeeOther(_submit(order, form.to_command(caller, destination, quote=quote)))
    except BeingChecked:
        raise  # for the outage's own page: the others ask the database
    except QuoteStale as error:
        return _show_refund(request, visit, form, error.status, is_stale=True)
    except KeyReused:
        # Back, changed, sent again: that may well be meant, but it has to be said twice.
        form.complaints.append(
            _("This form has been sent before. Please check the order, then send it again.")
        )
        return _show_refund(request, visit, form, HTTPStatus.CONFLICT)
    except ActionError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise Http404 from error
        form.complain(error)
        if isinstance(error, CancellationRefused):
            return _show_choice(request, form, error.status)
        return _show_refund(request, visit, form, error.status)


def _submit(order: Order, command: CancellationCommand) -> str:
    """Make the submission, or find that it has been made; return the address of its page."""
    caller = command.caller
    try:
        cancel_items(command, get_client())
    except BeingChecked:
        raise
    except StillRunning:
        pass  # an impatient second click: its page tells how the first one ends
    with checking_later(None):
        submission = find_submission(order, key=caller.key, fingerprints=caller.fingerprints)
    if submission is None:  # a replay of long ago, whose record is gone
        return reverse("order-detail", args=[order.pk])
    return reverse("order-cancel-result", args=[order.number, submission.uuid])


@visitor_page("GET", "HEAD")
def cancel_result(request: HttpRequest, number: str, uuid: UUID) -> HttpResponse:
    """Show what became of a submission. Raises Http404."""
    visit = get_visit(request, number=number)
    order = visit.order
    submission = find_submission(order, uuid=uuid)
    if submission is None:
        raise Http404
    unchanged = answer_unchanged(request, order)
    if unchanged is not None:
        return unchanged
    page = SubmissionPage(order, submission, guest=visit.guest)
    return render(request, "pages/cancel_result.html", {"page": page})


@visitor_page("POST")
def take_back(request: HttpRequest, number: str, uuid: UUID) -> HttpResponse:
    """Take back what is undecided of a submission, and show how it stands. Raises Http404."""
    visit = get_visit(request, acting=True, number=number)
    try:
        take_back_submission(visit.owner, number, uuid)
    except NothingToTakeBack as error:
        messages.error(request, str(error))
    return SeeOther(reverse("order-cancel-result", args=[number, uuid]))


@visitor_page("GET", "HEAD")
def pickup_calendar(request: HttpRequest, number: str, uuid: UUID) -> HttpResponse:
    """Give the pickup of a return as an entry for a calendar. Raises Http404 where no time was chosen."""
    order = get_visit(request, acting=True, number=number).order
    submission = find_submission(order, uuid=uuid)
    lines = submission.lines.filter(is_open=True).select_related("shipping_company") if submission else []
    entry = next((entry for line in lines if (entry := write_pickup(order, line))), None)
    if entry is None:
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="{uuid}.ics"'}
    return HttpResponse(entry, content_type="text/calendar; charset=utf-8", headers=headers)


def _show_choice(request: HttpRequest, form: CancellationForm, status: int = HTTPStatus.OK) -> HttpResponse:
    form.offer_again()
    return render(request, "pages/cancel.html", {"form": form, "page": form.page}, status=status)


def _show_refund(
    request: HttpRequest,
    visit: Visit,
    form: CancellationForm,
    status: int = HTTPStatus.OK,
    *,
    is_stale: bool = False,
) -> HttpResponse:
    """Show what would come back; the first step again, with the reason, if the rules or the rows say no.

    Every showing gets a key of its own, except one that only complains about what was typed.
    """
    caller = Caller(user=visit.user, guest=visit.guest, fingerprint="")
    try:
        commands = [form.to_command(caller, to, is_for_quote=True) for to in form.destinations]
        quotes = dict(zip(form.destinations, quote_alternatives(commands), strict=True))
    except ActionError as error:
        form.complain(error)
        return _show_choice(request, form, error.status)
    refund = RefundPage(form, quotes, shown_before=request.POST.get(SHOWN_FIELD, ""))
    if refund.refusals:
        form.complaints += refund.refusals
        return _show_choice(request, form, HTTPStatus.BAD_REQUEST)
    if is_stale and not refund.changes:
        form.complaints.append(_("Some time has passed. Please check again: nothing has been sent yet."))
    is_same = status == HTTPStatus.BAD_REQUEST
    key = (read_key(request) if is_same else "") or make_key()
    context = {"form": form, "page": form.page, "refund": refund, "key": key}
    return render(request, "pages/cancel_refund.html", context, status=status)
