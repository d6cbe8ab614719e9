"""Reading bodies: JSON, strictly, and without a way to make the parser itself fail."""

from collections.abc import Mapping
from typing import IO, Any, Final

from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError


class JSONParser(parsers.JSONParser):
    """Django REST framework's, which lets nesting beyond Python's recursion limit through as a 500."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Parse, or raise `ParseError`."""
        try:
            data: dict[str, Any] = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deeply.")) from error
        return data


class PlainJSONParser(JSONParser):
    """JSON labelled text/plain: what the storefront's proxy sends where it names no content type."""

    media_type = "text/plain"


#: JSON, or a form of either kind; the storefront's client sends one where its proxy is told to (`useFormData`).
JSON_OR_FORM: Final = (JSONParser, PlainJSONParser, parsers.FormParser, parsers.MultiPartParser)
