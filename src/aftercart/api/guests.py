"""The storefront's look-up of a guest's order (contract section 5)."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response

from aftercart.accounts.models import User
from aftercart.accounts.networks import get_client_address
from aftercart.actions.account.get_anonymous import get_anonymous
from aftercart.api.authentication import get_user
from aftercart.api.open_views import OpenView
from aftercart.api.parsers import JSON_OR_FORM
from aftercart.api.schema import address_book as schema
from aftercart.api.serializers import AnonymousSerializer, read_valid
from aftercart.cancellations.selectors import build_document, build_documents
from aftercart.lib.clock import get_now
from aftercart.orders.guest_document import view_document
from aftercart.orders.guests import Guest, list_guests
from aftercart.orders.models import Order
from aftercart.orders.selectors import find_latest_of_guests


class AnonymousOrders(OpenView):
    """`POST /users/orders/anonymous/`: a look, and no session; so it needs no CSRF token."""

    parser_classes = JSON_OR_FORM

    @schema.find_anonymous_order
    def post(self, request: Request) -> Response:
        """Give a guest's order to who knows its number and e-mail address: a list of exactly one."""
        data = read_valid(AnonymousSerializer, request.data).validated_data
        client = get_client_address(request._request)  # noqa: SLF001 - Django's own request, which the framework keeps there
        order = get_anonymous(number=data["number"], email=data["email"], client=client)
        return Response([build_document(order)])


def get_owner(request: Request) -> User | Guest:
    """Give who asks: a customer, or the guest that the session has admitted last. Raises `NotAuthenticated`."""
    if isinstance(request.user, User):
        return request.user
    guest = find_guest(request._request)  # noqa: SLF001 - Django's own request, which the framework keeps there
    return guest if guest is not None else get_user(request)


def find_guest(request: HttpRequest) -> Guest | None:
    """Find the guest whose order is the newest of those that the session may look at."""
    found = find_latest_of_guests(list_guests(request.session, now=get_now()))
    return None if found is None else found[1]


def build_owned_documents(owner: User | Guest, orders: Sequence[Order]) -> list[dict[str, Any]]:
    """Write orders as their owner may see them: who has opened a guest's link and no more sees less."""
    documents = build_documents(orders)
    if isinstance(owner, Guest) and not owner.has_code:
        return [view_document(document) for document in documents]
    return documents
