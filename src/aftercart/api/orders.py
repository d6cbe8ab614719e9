"""The views of orders: the signed page's JSON, lists, documents, cancellations, requests, address changes."""

import calendar
import json
from datetime import datetime
from typing import Any

from django.db import models
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aftercart.actions.address.change_address import change_address
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.quote_cancellation import quote_cancellation
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.cancel.take_back_request import take_back_request
from aftercart.actions.commands import AddressCommand, Answer, Caller, CancellationCommand
from aftercart.api.authentication import get_user
from aftercart.api.guests import build_owned_documents, get_owner
from aftercart.api.pagination import PagePagination
from aftercart.api.schema import cancellations, quotes
from aftercart.api.schema import orders as schema
from aftercart.api.serializers import (
    AddressChangeSerializer,
    CancellationSerializer,
    OrderFilterSerializer,
    SingleRequestSerializer,
    read_valid,
)
from aftercart.api.shop_addresses import take_address, take_pickup
from aftercart.api.stored import answer_document, answer_list, read_json, read_signed_json
from aftercart.cancellations.document import reason_document, request_document
from aftercart.cancellations.selectors import list_reasons
from aftercart.lib.clock import get_now
from aftercart.lib.fingerprints import list_fingerprints
from aftercart.lib.ids import read_id
from aftercart.lib.negotiation import LONGEST_KEY
from aftercart.oms.connect import get_client
from aftercart.orders.errors import OrderNotFound
from aftercart.orders.guests import Guest
from aftercart.orders.models import Order
from aftercart.orders.selectors import get_by_link, get_order, list_orders


def read_caller(request: Request) -> Caller:
    """Read who writes, and how a replay is recognised: by key, or by path and content (contract section 3.5)."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY:
        message = _("An Idempotency-Key has at most 255 characters.")
        raise ValidationError({"Idempotency-Key": [message]}, code="max_length")
    body = json.dumps(request.data, sort_keys=True, separators=(",", ":"), default=str)
    fingerprint, *older = list_fingerprints(request.path, body)
    return Caller(get_user(request), fingerprint, key, older_fingerprints=tuple(older))


def _read_cancellation(request: Request, number: str | None = None) -> CancellationCommand:
    """Read the body as a command, its pickup address from where the addresses are kept."""
    serializer = read_valid(CancellationSerializer, request.data)
    command = serializer.to_command(read_caller(request), number)
    return command if command.pickup_address is None else take_pickup(request, command)


def respond(answer: Answer) -> Response:
    """Answer as the action says, marking a replay."""
    headers = {"Idempotency-Replayed": "true"} if answer.is_replay else {}
    return Response(answer.body, status=answer.status, headers=headers)


class CompletedOrder(APIView):
    """`GET /orders/completed/{signed order number}/` (contract section 2)."""

    @schema.get_completed_order
    def get(self, request: Request, signed: str) -> HttpResponse:
        """Give the order of a signed link, and the campaigns that were applied to it."""
        order = get_by_link(get_user(request), signed, purpose="completed")
        return answer_document(request._request, read_signed_json(order.pk))  # noqa: SLF001 - Django's own request


class CancelOrder(APIView):
    """`POST /orders/{order number}/cancel/` (contract section 3)."""

    @cancellations.cancel_order_items
    def post(self, request: Request, number: str) -> Response:
        """Cancel or return items: 204 when the OMS has taken it, 200 with requests when not."""
        return respond(cancel_items(_read_cancellation(request, number), get_client()))


class QuoteCancellation(APIView):
    """`POST /orders/{order number}/cancel/quote/` (contract section 3.6)."""

    @quotes.quote_cancellation
    def post(self, request: Request, number: str) -> Response:
        """Quote what would come back, and sign it. Writes nothing."""
        return Response(quote_cancellation(_read_cancellation(request, number)).write_document())


class BulkCancellationRequests(APIView):
    """`POST /users/orders/bulk_cancellation_requests/` (contract section 5)."""

    @cancellations.request_cancellations
    def post(self, request: Request) -> Response:
        """Ask the back office to cancel or return items of one order: 201 and the requests."""
        return respond(request_cancellation(_read_cancellation(request)))


class CancellationRequests(APIView):
    """`POST /users/orders/cancellation_requests/` (contract section 5)."""

    @cancellations.request_cancellation
    def post(self, request: Request) -> Response:
        """Ask the back office to cancel or return one item: 201 and the request."""
        serializer = read_valid(SingleRequestSerializer, request.data)
        answer = request_cancellation(take_pickup(request, serializer.to_command(read_caller(request))))
        return respond(Answer(answer.status, answer.body[0], is_replay=answer.is_replay))


class TakeBack(APIView):
    """`POST /users/orders/cancellation_requests/{id}/take-back/`."""

    @cancellations.take_back_request
    def post(self, request: Request, pk: str) -> Response:
        """Take a request back while nobody has decided on it: 200 and the request."""
        found = read_id(pk)
        if found is None:
            raise OrderNotFound
        return Response(request_document(take_back_request(get_user(request), found)))


class ChangeAddress(APIView):
    """`POST /orders/change-address/` (contract section 4)."""

    @schema.change_order_address
    def post(self, request: Request) -> Response:
        """Send an order to another address: 200 when the OMS took it, 202 when it will be told later."""
        data = read_valid(AddressChangeSerializer, request.data).validated_data
        command = AddressCommand(
            caller=read_caller(request),
            order=data["order"],
            address=data["address"],
            channel_id=data.get("channel_id"),
        )
        return respond(change_address(take_address(request, command), get_client()))


class CancellationReasons(APIView):
    """`GET /users/orders/cancellation_reasons/` (contract section 5)."""

    @cancellations.list_cancellation_reasons
    def get(self, request: Request) -> Response:
        """List the active reasons, in the order in which they are offered."""
        return PagePagination().answer(list_reasons(), request, reason_document)


class Orders(APIView):
    """`GET /users/orders/` (contract section 5)."""

    permission_classes = (AllowAny,)  # get_owner() wants a customer or a guest

    @schema.list_orders
    def get(self, request: Request) -> HttpResponse:
        """List the caller's orders, newest first; a guest's latest."""
        query = read_valid(OrderFilterSerializer, request.query_params).validated_data
        owner = get_owner(request)
        paginator = PagePagination()
        orders = paginator.get_page(_filter_orders(list_orders(owner), query), request)
        if isinstance(owner, Guest):
            return paginator.get_paginated_response(build_owned_documents(owner, list(orders)))
        return answer_list(paginator, read_json(orders))


def _filter_orders(orders: models.QuerySet[Order], query: dict[str, Any]) -> models.QuerySet[Order]:
    if query.get("search"):
        orders = orders.filter(number__icontains=query["search"])
    if query.get("last_month"):
        orders = orders.filter(created_date__gte=_go_back(get_now(), query["last_month"]))
    if query.get("created_date__gte"):
        orders = orders.filter(created_date__gte=query["created_date__gte"])
    if query.get("created_date__lte"):
        orders = orders.filter(created_date__lte=query["created_date__lte"])
    return orders


def _go_back(now: datetime, months: int) -> datetime:
    """Go back whole calendar months, to the month's last day where it has no such day."""
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    day = min(now.day, calendar.monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)


class OrderDetail(APIView):
    """`GET /users/orders/{id}/` (contract section 5)."""

    permission_classes = (AllowAny,)  # get_owner() wants a customer or a guest

    @schema.get_order
    def get(self, request: Request, pk: int) -> HttpResponse:
        """Give an order's document; for a guest the id is ignored, whose latest order it is."""
        owner = get_owner(request)
        if isinstance(owner, Guest):
            return Response(build_owned_documents(owner, [get_order(owner)])[0])
        order = get_order(owner, pk=pk)
        return answer_document(request._request, read_json([order.pk])[0])  # noqa: SLF001 - Django's own request
