"""Withdrawing without a log-in: a statement that anybody can make, its receipt, and the way on to the order.

Nothing here says whether there is such an order (docs/withdrawal.md). Who has a receipt's address has made the
statement, or got its e-mail, and is shown what was typed; to withdraw from an order takes its log-in or its code.
"""

from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from aftercart.accounts.models import User
from aftercart.accounts.networks import get_client_address
from aftercart.actions.withdraw.record_statement import StatementCommand, record_statement
from aftercart.cancellations.models.public_statements import PublicStatement
from aftercart.lib.clock import get_now
from aftercart.lib.formats import get_active_language
from aftercart.orders.errors import TooManyTries
from aftercart.orders.guests import list_guests
from aftercart.orders.models import Order
from aftercart.orders.selectors import find_latest_of_guests
from aftercart.pages.forms import StatementForm
from aftercart.pages.views.customer import SeeOther, get_visit, public_page, visitor_page
from aftercart.pages.views.guest import ask_for_code, show_too_many
from aftercart.pages.views.language import CHOICE


@public_page("GET", "HEAD", "POST")
def state_withdrawal(request: HttpRequest) -> HttpResponse:
    """Take a statement from anybody. Raises Http404 where the shop offers no withdrawal anywhere."""
    if not settings.WITHDRAWAL_COUNTRIES:
        raise Http404
    if request.method != "POST":
        return _show(request, StatementForm(initial=_prefill(request)))
    form = StatementForm(request.POST)
    if CHOICE in request.POST:
        form.forget_errors()
        return _show(request, form)
    if not form.is_valid():
        return _show(request, form, HTTPStatus.BAD_REQUEST)
    language, client = get_active_language(), get_client_address(request)
    try:
        recorded = record_statement(StatementCommand(**form.cleaned_data, language=language, client=client))
    except TooManyTries as error:
        return show_too_many(request, error)
    step = "statement-order" if _may_act(request, recorded.number) else "statement"
    return SeeOther(reverse(step, args=[recorded.uuid]))


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def statement(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show the receipt; POST: ask for a code to the order's own address. Raises Http404."""
    found = get_object_or_404(PublicStatement, uuid=uuid)
    target = reverse("statement-order", args=[uuid])
    if request.method == "POST":
        return ask_for_code(request, found.number, found.email, target)
    login_url = f"{reverse('login')}?{urlencode({'next': target})}"
    context = {"statement": found, "target": target, "login_next": login_url}
    return render(request, "pages/statement.html", context)


@visitor_page("GET", "HEAD")
def statement_order(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Lead who has proved the order to be theirs to its withdrawal, with the statement's time. Raises Http404."""
    found = get_object_or_404(PublicStatement, uuid=uuid)
    order = get_visit(request, acting=True, number=found.number).order
    query = urlencode({"statement": str(found.uuid)})
    return SeeOther(f"{reverse('order-withdraw', args=[order.number])}?{query}")


def _may_act(request: HttpRequest, number: str) -> bool:
    """Return whether the order is the customer's, or one that a guest has typed a code for; no other is looked at."""
    if isinstance(request.user, User) and Order.objects.filter(user=request.user, number=number).exists():
        return True
    guests = list_guests(request.session, now=get_now(), may_act=True)
    return find_latest_of_guests(guests, number=number) is not None


def _prefill(request: HttpRequest) -> dict[str, str]:
    typed = {"number": request.GET.get("number", "")[:64]}
    if isinstance(request.user, User):
        typed |= {"name": request.user.get_full_name(), "email": request.user.email}
    return typed


def _show(request: HttpRequest, form: StatementForm, status: int = HTTPStatus.OK) -> HttpResponse:
    return render(request, "pages/state_withdrawal.html", {"form": form}, status=status)
