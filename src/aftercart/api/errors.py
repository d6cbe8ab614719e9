"""The one place where what went wrong becomes an HTTP answer (contract section 1)."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DataError
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from aftercart.commerce.client import CommerceUnavailable
from aftercart.lib.database import is_outage
from aftercart.lib.outages import outages
from aftercart.lib.waiting import MAY_WAIT, RUNNING_HEADER
from aftercart.orders.errors import ActionError, StillRunning

_logger = logging.getLogger(__name__)

#: Seconds after which a client may try again when the database is away.
_RETRY_AFTER = 2


def answer_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:  # noqa: PLR0911 - one answer for each kind of error
    """Answer an exception; None for a fault of ours, which Django then logs and answers with 500."""
    set_rollback()
    match error:
        case ActionError():
            return _answer_action(error, context)
        case CommerceUnavailable():
            return _answer_unavailable()
        case Http404():
            return Response({"detail": _("Not found."), "code": "not_found"}, status=404)
        case PermissionDenied():
            return Response({"detail": _("Permission denied."), "code": "permission_denied"}, status=403)
        case exceptions.ValidationError():
            return Response(flatten_errors(error), status=error.status_code)
        case exceptions.APIException():
            return _answer_framework(error)
        case SuspiciousOperation() | MultiPartParserError() | UnicodeError() | DataError():
            _logger.warning("A request could not be read: %s", type(error).__name__)
            return Response({"detail": _("Bad request."), "code": "bad_request"}, status=400)
    return _answer_outage(error) if is_outage(error) else None


def _answer_action(error: ActionError, context: Mapping[str, Any]) -> Response:
    headers = error.headers()
    request = context.get("request")
    if isinstance(error, StillRunning) and error.record and request and request.META.get(MAY_WAIT):
        headers[RUNNING_HEADER] = str(error.record)
    return Response(error.body(), status=error.status, headers=headers)


def _answer_outage(error: Exception) -> Response:
    outages.report(error)
    return _answer_unavailable()


def _answer_unavailable() -> Response:
    body = {"detail": _("We are briefly unavailable. Please try again in a moment."), "code": "unavailable"}
    return Response(body, status=503, headers={"Retry-After": str(_RETRY_AFTER)})


def _answer_framework(error: exceptions.APIException) -> Response:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]  # asked for just above
    if getattr(error, "wait", None):
        headers["Retry-After"] = f"{error.wait:.0f}"  # type: ignore[attr-defined]  # asked for just above
    code = error.get_codes()
    body = {"detail": error.detail, "code": code if isinstance(code, str) else error.default_code}
    return Response(body, status=error.status_code, headers=headers)


def flatten_errors(error: exceptions.ValidationError) -> dict[str, Any]:
    """Write nested errors as `{"<field>": ["…"], "code"}`: what is deeper names itself in the sentence."""
    detail: Any = error.detail
    if not isinstance(detail, dict):
        detail = {"non_field_errors": detail if isinstance(detail, list) else [detail]}
    fields = {name: list(_sentences(value)) for name, value in detail.items()}
    return {**fields, "code": _first_code(error.get_codes()) or "invalid"}


def _sentences(value: Any, where: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _sentences(inner, f"{where}{name}: " if name != "non_field_errors" else where)
    elif isinstance(value, list):
        is_nested = any(isinstance(inner, (dict, list)) for inner in value)
        for position, inner in enumerate(value):
            prefix = _("Item %(n)s, ") % {"n": position + 1} if is_nested else ""
            yield from _sentences(inner, where + prefix)
    else:
        yield f"{where}{value}"


def _first_code(codes: Any) -> str:
    if isinstance(codes, str):
        return codes
    inner = codes.values() if isinstance(codes, dict) else codes
    return next((code for code in map(_first_code, inner) if code), "")
