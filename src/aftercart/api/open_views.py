"""Views for anybody: no log-in is wanted, and so no CSRF token."""

from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from aftercart.api.parsers import JSONParser


class OpenView(APIView):
    """A view for anybody."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes: tuple[type[BaseParser], ...]


class FieldErrorsView(OpenView):
    """One whose errors are lists of sentences alone: the storefront takes every member for a field (section 1)."""

    parser_classes = (JSONParser,)

    def handle_exception(self, exc: Exception) -> Response:
        """Write every error as lists of sentences."""
        response: Response = super().handle_exception(exc)
        fields = {name: value for name, value in response.data.items() if isinstance(value, list)}
        response.data = fields or {"non_field_errors": [response.data["detail"]]}
        return response
