"""The API answers in JSON, whatever is accepted; an unknown `format` is a 404 (contract section 1)."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from aftercart.lib.negotiation import choose_format


class JSONByDefault(BaseContentNegotiation):
    """Chooses the first parser that fits and the only renderer there is."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """Choose by content type; the storefront's proxy sends JSON as text/plain where it names no type."""
        content_type = request.content_type.split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002 - the framework's signature
    ) -> tuple[BaseRenderer, str]:
        """Choose JSON. Raises Http404 for an unknown format."""
        choose_format(request._request)  # noqa: SLF001 - the framework offers no other way
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)
