"""An order's page, kept ready for its customer (docs/decisions/0032), but for what is one visitor's.

In the place of the CSRF token and of the page's own address stand marks with a NUL, which no text from the database or
from a setting can hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.contrib.messages import get_messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import escape

from aftercart.cancellations.stored_documents import Built, Kind, read_documents
from aftercart.loyalty.selectors import has_entries
from aftercart.orders.models import Order
from aftercart.pages.brand import name_shop
from aftercart.pages.order_page import OrderPage

_CSRF: Final = "\0csrf\0"
_ADDRESS: Final = "\0address\0"
_TEMPLATE: Final = "pages/order.html"


@dataclass(frozen=True, slots=True)
class _AnyRequest:
    """Whatever request asks for the page."""

    method: str = "GET"

    @staticmethod
    def get_full_path() -> str:
        """Return the mark of the address."""
        return _ADDRESS


def answer_order_page(
    request: HttpRequest, orders: Sequence[int] | QuerySet[Order], *, is_thanks: bool = False
) -> HttpResponse | None:
    """Answer with the page of the one order that is named or found; None if there is none.

    For its customer alone: what a guest sees is another page.
    """
    kind: Kind = "signed_page" if is_thanks else "page"
    pages = read_documents(orders, kind, partial(_build, is_thanks=is_thanks))
    if not pages:
        return None
    if len(get_messages(request)):  # said once, on this page
        order = orders.get() if isinstance(orders, QuerySet) else Order.objects.get(pk=orders[0])
        return render(request, _TEMPLATE, make_context(order, is_thanks=is_thanks))
    return HttpResponse(fill_page(pages[0].body, token=get_token(request), address=request.get_full_path()))


def fill_page(body: bytes, *, token: str, address: str) -> bytes:
    """Put what is one visitor's into a stored page."""
    filled = body.replace(_CSRF.encode(), token.encode())
    return filled.replace(_ADDRESS.encode(), escape(address).encode())


def make_context(order: Order, *, is_thanks: bool) -> dict[str, Any]:
    """Make what the template shows: the story only where it is no thanks."""
    page = OrderPage(order, is_thanks=is_thanks)
    return {"page": page} if is_thanks else {"page": page, "moments": page.list_moments()}


def _build(orders: Sequence[Order], *, is_thanks: bool) -> list[Built]:
    return [_build_one(order, is_thanks=is_thanks) for order in orders]


def _build_one(order: Order, *, is_thanks: bool) -> Built:
    assert order.user is not None  # noqa: S101 - whoever asks is its customer
    context = {
        **make_context(order, is_thanks=is_thanks),
        **name_shop(None),
        "request": _AnyRequest(),
        "csrf_token": _CSRF,
        "user": order.user,
        "has_points": has_entries(order.user),
    }
    page: OrderPage = context["page"]
    return Built(render_to_string(_TEMPLATE, context).encode(), page.valid_until)
