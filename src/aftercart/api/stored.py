"""Orders as JSON, from stored documents: the bytes that Django REST framework would render."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from rest_framework.renderers import JSONRenderer

from aftercart.api.pagination import PagePagination
from aftercart.cancellations.policy.selectors import get_book_and_end
from aftercart.cancellations.selectors import build_timed_documents
from aftercart.cancellations.stored_documents import (
    Built,
    Document,
    find_first,
    read_documents,
)
from aftercart.lib.clock import get_now
from aftercart.lib.etags import PRIVATE_REVALIDATED, is_unchanged
from aftercart.orders.document import DiscountItem
from aftercart.orders.models import Order

#: Stands for the results while the rest of a list is rendered, whose last member they are.
_RESULTS: list[Any] = []


def read_json(orders: Sequence[int] | models.QuerySet[Order]) -> list[Document]:
    """Return the documents of orders, named by id or found by a query, newest first (contract section 6)."""
    return read_documents(orders, "json", _build_json)


def read_signed_json(order_id: int) -> Document:
    """Return what a signed link gives (contract section 2): the order, and the campaigns that were applied to it.

    Raises `Order.DoesNotExist` for an order that has just gone.
    """
    documents = read_documents([order_id], "signed_json", _build_signed_json)
    if not documents:
        raise Order.DoesNotExist
    return documents[0]


def answer_document(request: HttpRequest, document: Document) -> HttpResponse:
    """Answer with a document, or with 304 to who has it."""
    is_known = is_unchanged(request.headers.get("If-None-Match", ""), document.etag)
    response = (
        HttpResponseNotModified()
        if is_known
        else HttpResponse(document.body, content_type="application/json")
    )
    response.headers["Cache-Control"] = PRIVATE_REVALIDATED
    response.headers["ETag"] = document.etag
    return response


def answer_list(paginator: PagePagination, documents: Sequence[Document]) -> HttpResponse:
    """Answer with a page of a list, of which the documents are put together as they are."""
    frame = _render(paginator.get_paginated_response(_RESULTS).data)
    before, _, after = frame.rpartition(_render(_RESULTS))
    body = b"".join([before, b"[", b",".join(each.body for each in documents), b"]", after])
    return HttpResponse(body, content_type="application/json")


def _build_json(orders: Sequence[Order]) -> list[Built]:
    book, book_end = get_book_and_end(get_now())
    return [
        Built(_render(timed.document), find_first(timed.valid_until, book_end))
        for timed in build_timed_documents(orders, book)
    ]


def _build_signed_json(orders: Sequence[Order]) -> list[Built]:
    return [
        Built(
            b'{"order":%b,"campaigns":%b}' % (built.body, _render(_list_campaigns(order))), built.valid_until
        )
        for order, built in zip(orders, _build_json(orders), strict=True)
    ]


def _list_campaigns(order: Order) -> list[dict[str, Any]]:
    return order.campaigns or [DiscountItem.write(row) for row in order.discounts.all()]


def _render(data: Any) -> bytes:
    rendered: bytes = JSONRenderer().render(data)
    return rendered
