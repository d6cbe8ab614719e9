"""`POST /api/v1/orders/`: orders pushed by the shop's own programs, under a token (docs/intake.md)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import IO, Any, Final

from django.conf import settings
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from rest_framework import authentication, parsers
from rest_framework.exceptions import NotAuthenticated, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aftercart.accounts.models.api_tokens import ORDERS_WRITE, ApiToken, find_token
from aftercart.actions.account.limit_tries import limit_tries
from aftercart.actions.intake.import_orders import BadLine, ImportResult, import_orders
from aftercart.api.schema import intake as schema

#: Orders of one request: all of it is done while the caller waits.
MOST_ORDERS: Final = 500
_MINUTE: Final = timedelta(minutes=1)


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Token …` or `Bearer …`. Whatever is wrong with it, the answer is that of no token at all."""

    def authenticate(self, request: Request) -> tuple[ApiToken, ApiToken]:
        """Return the token as who calls. Raises `NotAuthenticated`."""
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        token = find_token(secret.strip()) if scheme.lower() in {"token", "bearer"} else None
        if token is None:
            raise NotAuthenticated
        return token, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        """Name the scheme: without one the framework answers 403."""
        return "Token"


class HasOrdersScope(BasePermission):
    """Whether a token may write orders."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - the framework's signature
        """Look at the token's scopes."""
        return isinstance(request.auth, ApiToken) and ORDERS_WRITE in request.auth.scopes


class OrderTextParser(parsers.BaseParser):
    """Leaves a JSON text as it is: the import reads it, as it reads a file."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - the framework's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - the framework's signature
    ) -> Any:
        """Return the bytes."""
        return stream.read()


class OrderLinesParser(OrderTextParser):
    """JSON Lines."""

    media_type = "application/x-ndjson"


class IntakeOrders(APIView):
    """Takes a batch of order documents."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (HasOrdersScope,)
    parser_classes = (OrderTextParser, OrderLinesParser)

    @schema.send_orders
    def post(self, request: Request) -> Response:
        """Create and update orders: 200 if all went in, 207 if some did, 400 if none."""
        _throttle(request)
        bad: list[BadLine] = []
        lines = _read_lines(request)
        result = import_orders(lines, report_bad=bad.append, most=MOST_ORDERS)
        return Response(_make_answer(result, bad), status=_choose_status(result))


def _throttle(request: Request) -> None:
    """Count a token's request. Raises `TooManyTries`."""
    token = request.auth
    assert isinstance(token, ApiToken)  # noqa: S101 - the permission has looked
    limit_tries("intake", str(token.pk), _MINUTE, settings.INTAKE_REQUESTS_PER_MINUTE)
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=Now())


def _read_lines(request: Request) -> list[bytes]:
    body = request.data if isinstance(request.data, bytes) else b""
    if not body.strip():
        raise ValidationError({"non_field_errors": [_("The request body contains no orders.")]}, code="empty")
    return body.split(b"\n")


def _make_answer(result: ImportResult, bad: list[BadLine]) -> dict[str, Any]:
    return schema.IntakeResult.write(
        result,
        bad=[schema.ReportedLine.write(row) for row in bad if not row.is_imported],
        doubtful=[schema.ReportedLine.write(row) for row in bad if row.is_imported],
    )


def _choose_status(result: ImportResult) -> int:
    if not result.bad:
        return 200
    taken = result.created + result.updated + result.unchanged + result.kept
    return 207 if taken else 400
