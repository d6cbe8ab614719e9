"""The operation by which the shop's programs send orders (ours; docs/intake.md)."""

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter

from aftercart.api.schema import errors
from aftercart.api.schema.operation import UNKNOWN_FORMAT, operation
from aftercart.api.schema.texts import INTAKE
from aftercart.lib.documents import (
    Document,
    integer,
    make_document,
    one_of,
    sentences,
    text,
)

_ORDER: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["number", "user_email", "status", "currency", "amount", "created_date", "orderitem_set"],
    "properties": {
        "number": {"type": ["string", "integer"]},
        "user_email": {"type": "string", "format": "email"},
        "modified_date": {"type": "string", "format": "date-time"},
        "created_date": {"type": "string", "format": "date-time"},
        "orderitem_set": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    },
    "description": "An order document, with all fields that `get_order` shows; docs/intake.md says which are needed.",
}
_ORDERS: Final[dict[str, Any]] = {
    "type": "array",
    "items": _ORDER,
    "maxItems": 500,
    "description": (
        "Order documents. A page of the shop's API (`{count, next, previous, results}`), a single document, or, as "
        "`application/x-ndjson`, one document a line are read as well."
    ),
}
_CHALLENGE: Final = OpenApiParameter(
    "WWW-Authenticate",
    {"type": "string", "enum": ["Token"]},
    OpenApiParameter.HEADER,
    required=True,
    response=[401],
)


class ReportedLine(Document):
    """What is said of one document."""

    line = integer("Its number, from 1: of its line, or among the documents.", minimum=1)
    reason = text(
        "Everything that is wrong with it, each with its place, as `aftercart import-orders` reports it."
    )
    number = text("The order number that it holds, if any.", null=True)


class IntakeResult(Document):
    """Counts of orders, and what was wrong with which document."""

    created = integer("Orders that are new here.", minimum=0)
    updated = integer("Orders that a newer `modified_date` changed.", minimum=0)
    unchanged = integer("Orders that came with the `modified_date` that is known.", minimum=0)
    kept = integer("Orders of which a newer `modified_date` is known: left as they are.", minimum=0)
    bad = ReportedLine(many=True, help_text="Documents that did not go in.")
    doubtful = ReportedLine(many=True, help_text="Documents that went in, and whose amounts do not add up.")


_Empty = make_document(
    "IntakeEmpty",
    "The request body contains no orders.",
    {"non_field_errors": sentences("For a person."), "code": one_of(["empty"])},
)
_Forbidden = make_document(
    "ScopeMissing",
    "The token is not good for this.",
    {"detail": text("One sentence for a person."), "code": one_of(["permission_denied"])},
)

send_orders = operation(
    "send_orders",
    tag=INTAKE,
    summary="Send orders",
    description="""\
Creates and updates orders, at most 500 in a request of at most 1 MiB. Idempotent: an order is known by its number, and
changes only by a newer `modified_date`; the same request again changes nothing. Each document goes in or is refused for
itself, exactly as by `aftercart import-orders`, with the same reasons.

Wants `Authorization: Token …` (or `Bearer …`) with a token of `aftercart token create`. No session counts, and no CSRF
token is wanted.
""",
    request=_ORDERS,
    parameters=[_CHALLENGE],
    is_open=True,
    answers={
        200: (IntakeResult, "All of them went in, or were known."),
        207: (IntakeResult, "Some went in; `bad` has the others."),
        400: (
            errors.make_bad_request("SendOrdersBadRequest", IntakeResult, _Empty, errors.Unreadable),
            "None went in; or there are none.",
        ),
        401: (
            errors.NotAuthenticated,
            "No token, or one that is unknown, revoked or expired: nobody can tell which.",
        ),
        403: (_Forbidden, "The token lacks the scope `orders:write`."),
        404: (errors.NotFound, UNKNOWN_FORMAT[1]),
        429: (errors.Throttled, "More than `INTAKE_REQUESTS_PER_MINUTE` requests with this token."),
    },
)


class TokenExtension(OpenApiAuthenticationExtension):
    """A token in `Authorization`."""

    target_class = "aftercart.api.intake.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ARG002 - drf-spectacular's signature
        """Define the scheme."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token <secret>` or `Bearer <secret>`; `aftercart token create` makes one.",
        }
