"""Withdrawing from a contract: fill in, confirm, receipt (docs/withdrawal.md). Works without JavaScript."""

import uuid
from dataclasses import dataclass
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from aftercart.accounts.models import User
from aftercart.actions.withdraw_order import withdraw_order, write_statement
from aftercart.cancellations.withdrawal_terms import find_offer
from aftercart.cancellations.withdrawals import Withdrawal
from aftercart.omnitron.connect import get_client
from aftercart.orders.errors import ActionError, OrderNotFound
from aftercart.orders.models import Order
from aftercart.orders.selectors import find_by_link, get_now
from aftercart.pages.story import name_items
from aftercart.pages.views.customer import SeeOther, customer_page, find_order_or_404, get_customer
from aftercart.pages.views.language import CHOICE, in_chosen_language
from aftercart.pages.withdrawal_form import WithdrawalForm, prefill


@dataclass(frozen=True, slots=True)
class Place:
    """Whose order is withdrawn from, and where its pages are: a customer's, or a guest's behind a link."""

    order: Order
    user: User | None
    signed: str = ""

    @property
    def form_url(self) -> str:
        """Where the statement is made."""
        if self.user is None:
            return reverse("guest-withdraw", args=[self.signed])
        return reverse("order-withdraw", args=[self.order.number])

    @property
    def order_url(self) -> str:
        """Where the order is seen."""
        if self.user is None:
            return reverse("order-guest", args=[self.signed])
        return reverse("order-detail", args=[self.order.pk])

    def make_receipt_url(self, statement: uuid.UUID) -> str:
        """Tell where a statement's receipt is seen."""
        return f"{self.form_url}{statement}/"


@customer_page("GET", "HEAD", "POST")
def withdraw(request: HttpRequest, number: str) -> HttpResponse:
    """Let a customer withdraw. Raises Http404."""
    order = find_order_or_404(request, number=number)
    return _answer(request, Place(order, get_customer(request)))


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
@in_chosen_language
def guest_withdraw(request: HttpRequest, signed: str) -> HttpResponse:
    """Let a guest withdraw who has the order's link. Raises Http404, one for every miss."""
    return _answer(request, _find_guests_place(signed))


@customer_page("GET", "HEAD")
def withdrawal_receipt(request: HttpRequest, number: str, statement: uuid.UUID) -> HttpResponse:
    """Show the receipt of a customer's statement. Raises Http404."""
    order = find_order_or_404(request, number=number)
    return _show_receipt(request, Place(order, get_customer(request)), statement)


@never_cache
@csrf_protect
@require_safe
def guest_withdrawal_receipt(request: HttpRequest, signed: str, statement: uuid.UUID) -> HttpResponse:
    """Show the receipt of a guest's statement. Raises Http404, one for every miss."""
    return _show_receipt(request, _find_guests_place(signed), statement)


def _find_guests_place(signed: str) -> Place:
    try:
        return Place(find_by_link(None, signed, purpose="guest-view"), None, signed)
    except OrderNotFound as error:
        raise Http404 from error


def _answer(request: HttpRequest, place: Place) -> HttpResponse:
    order = place.order
    offer = find_offer(order, list(order.items.all()), get_now())
    if not offer.is_offered:
        raise Http404
    if request.method != "POST" or (CHOICE in request.POST and not _is_confirmed(request)):
        typed = {**request.POST.dict(), "items": request.POST.getlist("items")}
        initial = typed if request.POST else prefill(order, place.user, offer.items)
        return _show(request, place, WithdrawalForm(initial=initial, items=offer.items))
    # The second of two tabs names items that the first has withdrawn from: the action gives its receipt.
    items = list(order.items.all()) if _is_confirmed(request) else offer.items
    form = WithdrawalForm(request.POST, items=items)
    if not form.is_valid():
        return _show(request, place, form, status=HTTPStatus.BAD_REQUEST)
    if request.POST.get("step") == "edit":
        return _show(request, place, form)
    if not _is_confirmed(request) or CHOICE in request.POST:
        chosen = [item for item in offer.items if item.pk in form.cleaned_data["items"]]
        context = {"place": place, "form": form, "statement": write_statement(order, chosen)}
        return render(request, "pages/withdraw_confirm.html", context)
    try:
        done = withdraw_order(form.to_command(order, place.user), get_client())
    except ActionError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise Http404 from error
        for sentence in error.sentences():
            form.add_error(None, sentence)
        return _show(request, place, form, status=error.status)
    return SeeOther(place.make_receipt_url(done.withdrawal.uuid))


def _is_confirmed(request: HttpRequest) -> bool:
    return request.POST.get("step") == "confirm"


def _show(
    request: HttpRequest, place: Place, form: WithdrawalForm, status: int = HTTPStatus.OK
) -> HttpResponse:
    statements = [
        (statement.submitted_at, place.make_receipt_url(statement.uuid))
        for statement in Withdrawal.objects.filter(order=place.order)
    ]
    context = {"place": place, "form": form, "statements": statements}
    return render(request, "pages/withdraw.html", context, status=status)


def _show_receipt(request: HttpRequest, place: Place, statement: uuid.UUID) -> HttpResponse:
    found = Withdrawal.objects.filter(order=place.order, uuid=statement).first()
    if found is None:
        raise Http404
    lines = list(found.lines.select_related("order_item"))
    names = name_items([line.order_item for line in lines])
    rows = [(line.quantity, names[line.order_item_id]) for line in lines]
    context = {"place": place, "withdrawal": found, "rows": rows}
    return render(request, "pages/withdrawal_receipt.html", context)
