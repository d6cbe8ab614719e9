"""Withdrawing from a contract: fill in, confirm, receipt (docs/withdrawal.md). Works without JavaScript."""

from collections.abc import Sequence
from http import HTTPStatus
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from aftercart.actions.withdraw.withdraw_order import find_public_statement, withdraw_order, write_statement
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.cancellations.withdrawal_terms import find_offer
from aftercart.lib.clock import get_now
from aftercart.oms.connect import get_client
from aftercart.orders.errors import ActionError, BeingChecked, KeyReused
from aftercart.orders.models import Order, OrderItem
from aftercart.pages.callers import make_key, read_key, read_page_caller
from aftercart.pages.story import name_items
from aftercart.pages.views.customer import SeeOther, Visit, get_visit, visitor_page
from aftercart.pages.views.language import CHOICE
from aftercart.pages.withdrawal_form import WithdrawalForm


@visitor_page("GET", "HEAD", "POST")
def withdraw(request: HttpRequest, number: str) -> HttpResponse:
    """Let a customer withdraw, or a guest who has typed a code. Raises Http404."""
    visit = get_visit(request, acting=True, number=number)
    order = visit.order
    stated = find_public_statement(order, _read_statement(request))
    offer = find_offer(order, list(order.items.all()), stated.submitted_at if stated else get_now())
    if not offer.is_offered:
        raise Http404
    if request.method != "POST" or (CHOICE in request.POST and not _is_confirmed(request)):
        typed = {**request.POST.dict(), "items": request.POST.getlist("items")}
        form = WithdrawalForm(
            visit.order,
            visit.owner,
            initial=typed if request.POST else None,
            items=offer.items,
            statement=stated,
        )
        return _show(request, visit, form)
    # The second of two tabs names items that the first has withdrawn from: the action gives its receipt.
    items = list(order.items.all()) if _is_confirmed(request) else offer.items
    form = WithdrawalForm(visit.order, visit.owner, request.POST, items=items, statement=stated)
    if not form.is_valid():
        return _show(request, visit, form, status=HTTPStatus.BAD_REQUEST)
    if request.POST.get("step") == "edit":
        return _show(request, visit, form)
    if not _is_confirmed(request) or CHOICE in request.POST:
        return _show_statement(request, form, order, offer.items)
    return _send(request, visit, form)


def _show_statement(
    request: HttpRequest, form: WithdrawalForm, order: Order, offered: Sequence[OrderItem]
) -> HttpResponse:
    """Show the statement to be confirmed. Every showing gets a key of its own, except one in another language."""
    chosen = [item for item in offered if item.pk in form.cleaned_data["items"]]
    key = (read_key(request) if CHOICE in request.POST else "") or make_key()
    context = {"order": order, "form": form, "statement": write_statement(order, chosen), "key": key}
    return render(request, "pages/withdraw_confirm.html", context)


def _send(request: HttpRequest, visit: Visit, form: WithdrawalForm) -> HttpResponse:
    """Make the statement of a valid form, once, and go on to its receipt."""
    command = form.to_command(read_page_caller(request, visit.user, visit.guest))
    try:
        answer = withdraw_order(command, get_client())
    except BeingChecked:
        raise  # for the outage's own page: the others ask the database
    except KeyReused:  # back, changed, sent again: that may well be meant, but it has to be said twice
        sentence = _("This form has been sent before. Please check your statement, then send it again.")
        form.add_error(None, sentence)
        return _show(request, visit, form, status=HTTPStatus.CONFLICT)
    except ActionError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise Http404 from error
        for sentence in error.sentences():
            form.add_error(None, sentence)
        return _show(request, visit, form, status=error.status)
    return SeeOther(reverse("withdrawal-receipt", args=[visit.order.number, answer.body["uuid"]]))


def _read_statement(request: HttpRequest) -> UUID | None:
    """Read the public statement that has led here, whose time counts."""
    typed = request.POST.get("statement") or request.GET.get("statement", "")
    try:
        return UUID(typed)
    except ValueError:
        return None


def _is_confirmed(request: HttpRequest) -> bool:
    return request.POST.get("step") == "confirm"


def _show(
    request: HttpRequest, visit: Visit, form: WithdrawalForm, status: int = HTTPStatus.OK
) -> HttpResponse:
    statements = Withdrawal.objects.filter(order=visit.order)
    context = {"order": visit.order, "form": form, "statements": statements}
    return render(request, "pages/withdraw.html", context, status=status)


@visitor_page("GET", "HEAD")
def withdrawal_receipt(request: HttpRequest, number: str, statement: UUID) -> HttpResponse:
    """Show the receipt of a statement; it names who made it, so that a guest needs a code. Raises Http404."""
    order = get_visit(request, acting=True, number=number).order
    found = get_object_or_404(Withdrawal, order=order, uuid=statement)
    lines = list(found.lines.select_related("order_item"))
    names = name_items([line.order_item for line in lines])
    rows = [(line.quantity, names[line.order_item_id]) for line in lines]
    context = {"order": order, "withdrawal": found, "rows": rows}
    return render(request, "pages/withdrawal_receipt.html", context)
