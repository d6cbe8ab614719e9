"""Lists: `{"count", "next", "previous", "results"}`, `page` and `limit` (alias `page_size`)."""

from collections.abc import Callable
from typing import Any, cast

from django.core.paginator import InvalidPage
from django.db import models
from rest_framework.exceptions import NotFound
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response


class PagePagination(PageNumberPagination):
    """Bounded pages; a `limit` that makes no sense is the default, as in Django REST framework."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "limit"

    def answer(
        self, rows: models.QuerySet[Any], request: Request, write: Callable[[Any], dict[str, Any]]
    ) -> Response:
        """Answer with the page that is asked for, each row as its document. Raises `NotFound`."""
        return self.get_paginated_response([write(row) for row in self.get_page(rows, request)])

    def get_page(self, queryset: models.QuerySet[Any], request: Request) -> models.QuerySet[Any]:
        """Return the part of a query that is asked for, unread. Raises `NotFound`, as `paginate_queryset` does."""
        self.request = request
        paginator = self.django_paginator_class(queryset, self.get_page_size(request))
        number = self.get_page_number(request, paginator)
        try:
            self.page = paginator.page(number)
        except InvalidPage as error:
            message = self.invalid_page_message.format(page_number=number, message=str(error))
            raise NotFound(message) from error
        return cast("models.QuerySet[Any]", self.page.object_list)

    def get_page_size(self, request: Request) -> int:
        """Read the size from either name; the storefront's client writes it with a trailing space."""
        for name in ("limit", "page_size"):
            text = request.query_params.get(name, "").strip()
            if text.isdecimal() and int(text[:9]) > 0:
                return min(int(text[:9]), self.max_page_size)
        return self.page_size
