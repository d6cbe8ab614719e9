"""The operations that machines call. Views of their own document here those that are no business of the framework."""

from collections.abc import Callable
from typing import Any, Final

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from aftercart.api import health, serializers
from aftercart.api.open_views import OpenView
from aftercart.api.schema import errors
from aftercart.api.schema.operation import NO_ADDRESS, operation
from aftercart.api.schema.texts import HEALTH, OMS
from aftercart.lib.documents import Document, Shape, integer, one_of


class EventsAccepted(Document):
    """How much of a message was of use."""

    accepted = integer("How many of the orders are ours.", minimum=0)


class Alive(Document):
    """It runs."""

    status = one_of(("ok",))


class Queue(Document):
    """The worker's queue."""

    due = integer("Jobs that could run now.", minimum=0)
    lag_seconds = Shape({"type": "number", "minimum": 0}, "How long the first of them has been due.")


class Ready(Document):
    """It is ready. The queue is told, not judged."""

    status = one_of(("ok",))
    queue = Queue()
    workers = integer("How many are alive.", minimum=0)


class NotReady(Document):
    """What is missing: the database (`detail` names the error), or `pending` migrations."""

    status = one_of(("database", "migrations"))
    detail = Shape({"type": "string"}, "The kind of error.", required=False)
    pending = Shape({"type": "integer", "minimum": 1}, "How many migrations.", required=False)


class _Live(OpenView):
    @operation(
        "check_life",
        tag=HEALTH,
        summary="Is it alive",
        description="Answers as long as the process does.",
        answers={200: (Alive, "It is."), 404: NO_ADDRESS},
        is_bare=True,
    )
    def get(self, request: Request) -> Response:
        raise NotImplementedError


class _Ready(OpenView):
    @operation(
        "check_readiness",
        tag=HEALTH,
        summary="Is it ready",
        description="""\
Ready is when the database answers and has all migrations. The queue's lag is told, not judged: taking web servers away
does not help a queue without workers.
""",
        answers={
            200: (Ready, "It is."),
            404: NO_ADDRESS,
            503: (NotReady, "Not yet, or not now."),
        },
        is_bare=True,
    )
    def get(self, request: Request) -> Response:
        raise NotImplementedError


receive_events = operation(
    "receive_events",
    tag=OMS,
    summary="Report that orders have changed",
    description="""\
Has the named orders read from Omnitron at once, instead of with the next poll. An event only says where to look:
whatever else it holds is ignored. Unknown numbers are ignored too.
""",
    request=serializers.EventsSerializer,
    parameters=[
        OpenApiParameter(
            "X-Omnitron-Timestamp",
            {"type": "string", "pattern": r"^\d+$"},
            OpenApiParameter.HEADER,
            required=True,
            description="When it was sent, in Unix seconds; at most five minutes from now.",
        ),
        OpenApiParameter(
            "X-Omnitron-Signature",
            {"type": "string", "pattern": "^(sha256=)?[0-9a-f]{64}$"},
            OpenApiParameter.HEADER,
            required=True,
            description='The HMAC-SHA256 of `"<timestamp>.<body>"` with a secret that both sides know.',
        ),
    ],
    is_open=True,
    answers={
        202: (EventsAccepted, "These orders will be read."),
        400: (
            errors.make_bad_request(
                "ReceiveEventsBadRequest",
                errors.make_input_error("EventsInputError", serializers.EventsSerializer().fields),
                errors.Unreadable,
            ),
            "The input makes no sense.",
        ),
        401: (errors.SignatureInvalid, "Not signed with a secret of ours, or not recently."),
        404: (errors.NotFound, "The shop has no secret with Omnitron, so that there is no such address."),
    },
)

#: By view.
DOCUMENTED_VIEWS: Final[dict[Any, Callable[..., Any]]] = {
    health.live: _Live.as_view(),
    health.ready: _Ready.as_view(),
}
