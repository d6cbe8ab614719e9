"""Lists: `{"count", "next", "previous", "results"}`, `page` and `limit` (alias `page_size`)."""

from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request


class PagePagination(PageNumberPagination):
    """Bounded pages; a `limit` that makes no sense is the default, as in Django REST framework."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "limit"

    def get_page_size(self, request: Request) -> int:
        """Read the size from either name; the storefront's client writes it with a trailing space."""
        for name in ("limit", "page_size"):
            text = request.query_params.get(name, "").strip()
            if text.isdecimal() and int(text[:9]) > 0:
                return min(int(text[:9]), self.max_page_size)
        return self.page_size
